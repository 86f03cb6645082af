"""What stands before every route: host names, sizes, headers; and who may use it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Request
from starlette.responses import Response

from worker.errors import AccessDeniedError, AuthenticationError
from worker.transport import LOOPBACK
from worker.web.access import Access, Principal, Role
from worker.web.problems import problem

BODY_LIMIT = 1024 * 1024
_CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": _CSP,
    "X-Frame-Options": "DENY",
}
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def install(app: FastAPI, hosts: Collection[str] | None) -> None:
    """`hosts`: names the app may be reached by, None = any (the platform in front checks them). A browser that was
    told that some other name means this machine must not get through."""

    @app.middleware("http")
    async def outermost(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        refused = _refused(request, hosts)
        answer = refused if refused is not None else await call_next(request)
        for name, value in _HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer


def _refused(request: Request, hosts: Collection[str] | None) -> Response | None:
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    if hosts is not None and host not in hosts:
        return problem(
            421, "Wrong address", "This server is not reached by that name.", hint="Use the address it printed."
        )
    length = request.headers.get("content-length", "0")
    if request.method not in _SAFE and (not length.isdecimal() or int(length) > BODY_LIMIT):
        return problem(413, "Too large", "A request may hold 1 MB at most.")
    if request.method not in _SAFE and "transfer-encoding" in request.headers:
        return problem(411, "Length needed", "Send the request with a Content-Length.")
    return None


def local_hosts(public_url: str | None) -> frozenset[str]:
    """Loopback names, and the public address's."""
    public = urlsplit(public_url).hostname if public_url else None
    return frozenset({*LOOPBACK, *([public] if public else [])})


def signed_in(request: Request) -> Principal:
    """The caller. Raises AuthenticationError when it is nobody, AccessDeniedError for a forged request of a browser."""
    access: Access = request.app.state.access
    found = access.principal(request.headers, request.cookies)
    if found is None:
        raise AuthenticationError(
            "You are not signed in.",
            hint="Open the login link that the server printed." if access.has_login else "Sign in, or send a key.",
        )
    if found.csrf and request.method not in _SAFE:
        _check_same_site(request, found)
    return found


def _check_same_site(request: Request, principal: Principal) -> None:
    """A session's cookie comes along with any request of the browser; this shows that a page of ours made it."""
    origin = request.headers.get("origin")
    own = {f"{request.url.scheme}://{request.headers.get('host', '')}", request.app.state.public_origin}
    from_us = origin is None or origin in own
    sent = request.headers.get("x-csrf-token", "")
    if not from_us or request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise AccessDeniedError("The request comes from another site.", hint="Use the console itself.")
    if sent != principal.csrf:
        raise AccessDeniedError("The page is too old.", hint="Load it again.")


def reader(principal: Annotated[Principal, Depends(signed_in)]) -> Principal:
    """May look."""
    principal.require(Role.READER)
    return principal


def admin(principal: Annotated[Principal, Depends(signed_in)]) -> Principal:
    """May act."""
    principal.require(Role.ADMIN)
    return principal


Reader = Annotated[Principal, Depends(reader)]
Admin = Annotated[Principal, Depends(admin)]
