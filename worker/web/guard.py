"""What stands before every route: host names, sizes, headers; and who may use it."""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Request
from starlette.responses import Response

from worker.errors import AccessDeniedError, AuthenticationError
from worker.transport import LOOPBACK
from worker.web import forms
from worker.web.access import Access, Principal, Role
from worker.web.problems import problem

BODY_LIMIT = 1024 * 1024
_CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors "
)
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_EMBEDDABLE = "/economy"
# Where Teams shows a tab, in the browser and in its clients (Microsoft's list for tabs).
_TEAMS = ("https://teams.microsoft.com", "https://*.teams.microsoft.com", "https://*.cloud.microsoft")
_CALLS = "/hooks/"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def install(app: FastAPI, hosts: Collection[str] | None, framed_by: Callable[[], Collection[str]]) -> None:
    """`hosts`: names the app may be reached by, None = any (the platform in front checks them). A browser that was
    told that some other name means this machine must not get through. `framed_by`: origins of the tenant's pages,
    which may show economy cards in a frame; nothing else may be framed."""

    @app.middleware("http")
    async def outermost(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        started = time.perf_counter()
        refused = _refused(request, hosts)
        answer = refused if refused is not None else await call_next(request)
        for name, value in _HEADERS.items():
            answer.headers.setdefault(name, value)
        path = request.url.path
        embeddable = path == _EMBEDDABLE or path.startswith(f"{_EMBEDDABLE}/")
        ancestors = " ".join(["'self'", *framed_by(), *_TEAMS]) if embeddable else "'none'"
        answer.headers.setdefault("Content-Security-Policy", f"{_CSP}{ancestors}")
        if not embeddable:
            answer.headers.setdefault("X-Frame-Options", "DENY")
        answer.headers["Server-Timing"] = f"app;dur={(time.perf_counter() - started) * 1000:.1f}"
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
    # Services may call without a length; what reads those calls limits them itself.
    is_call = request.url.path.startswith(_CALLS)
    if request.method not in _SAFE and "transfer-encoding" in request.headers and not is_call:
        return problem(411, "Length needed", "Send the request with a Content-Length.")
    return None


def local_hosts(public_url: str | None) -> frozenset[str]:
    """Loopback names, and the public address's."""
    public = urlsplit(public_url).hostname if public_url else None
    return frozenset({*LOOPBACK, *([public] if public else [])})


async def signed_in(request: Request) -> Principal:
    """The caller. Raises AuthenticationError when it is nobody, AccessDeniedError for a forged request of a browser."""
    access: Access = request.app.state.access
    found = access.principal(request.headers, request.cookies)
    if found is None:
        raise AuthenticationError(
            "You are not signed in.",
            hint="Open the login link that the server printed." if access.has_login else "Sign in, or send a key.",
        )
    if found.kind != "key" and request.method not in _SAFE:
        await _check_same_site(request, found)
    return found


async def _check_same_site(request: Request, principal: Principal) -> None:
    """A browser's cookies come along with any of its requests; this shows that a page of ours made it.

    Behind the platform's sign-in programs come without our cookie: theirs is no form, which another site's page can't
    send unasked.
    """
    origin = request.headers.get("origin")
    own = {f"{request.url.scheme}://{request.headers.get('host', '')}", request.app.state.public_origin}
    from_us = origin is None or origin in own
    if not from_us or request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise AccessDeniedError("The request comes from another site.", hint="Use the console itself.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if principal.kind == "platform" and kind == "application/json":
        return
    sent = request.headers.get("x-csrf-token", "")
    if not sent and kind == forms.MEDIA_TYPE:
        sent = (await forms.posted(request)).text("csrf")
    if not principal.csrf or not hmac.compare_digest(sent.encode(), principal.csrf.encode()):
        raise AccessDeniedError("The page is too old.", hint="Load it again.")


def reader(principal: Annotated[Principal, Depends(signed_in)]) -> Principal:
    """May look."""
    principal.require(Role.READER)
    return principal


def admin(principal: Annotated[Principal, Depends(signed_in)]) -> Principal:
    """May act."""
    principal.require(Role.ADMIN)
    return principal


def viewer(request: Request, principal: Annotated[Principal, Depends(signed_in)]) -> Principal:
    """May see companies' figures: whoever has the role, or by the settings everybody who is signed in."""
    if request.app.state.host.settings.economy_for == "role":
        principal.require(Role.ECONOMY)
    return principal


Reader = Annotated[Principal, Depends(reader)]
Admin = Annotated[Principal, Depends(admin)]
Viewer = Annotated[Principal, Depends(viewer)]
