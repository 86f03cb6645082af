"""Pages: one Jinja environment, the reader's language, and what every page shows."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from worker.web.access import CSRF_COOKIE, Access, Principal
from worker.web.texts import LANGUAGES, Texts, texts_for

LANGUAGE_COOKIE = "sync-language"
_HERE = Path(__file__).parent
_YEAR = 365 * 24 * 3600
_STATIC = _HERE / "static"


def texts_of(request: Request) -> Texts:
    """The reader's language: chosen just now, chosen earlier, or the browser's."""
    chosen = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    return texts_for(chosen, request.headers.get("accept-language", ""))


def page(
    request: Request,
    name: str,
    who: Principal | None,
    context: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
) -> HTMLResponse:
    """A whole page. `who` is None on pages for people who are not signed in."""
    texts = texts_of(request)
    token = _token(request, who)
    common = {
        "who": who,
        "csrf": token,
        "languages": LANGUAGES,
        "path": request.url.path,
        "here": _here(request),
        "embedded": "embed" in request.query_params,
        **(context or {}),
    }
    answer = HTMLResponse(_rendered(name, texts, common), status)
    secure = request.url.scheme == "https"
    if who is not None and who.kind == "platform" and who.csrf != token:
        answer.set_cookie(CSRF_COOKIE, token, httponly=True, samesite="strict", secure=secure, path="/")
    if request.query_params.get("lang") in LANGUAGES:
        answer.set_cookie(LANGUAGE_COOKIE, texts.language, max_age=_YEAR, samesite="lax", secure=secure, path="/")
    return answer


def fragment(request: Request, name: str, context: Mapping[str, Any]) -> HTMLResponse:
    """A part of a page, for the page's own script."""
    return HTMLResponse(_rendered(name, texts_of(request), dict(context)))


def _rendered(name: str, texts: Texts, context: Mapping[str, Any]) -> str:
    return (
        environment(texts.language)
        .get_template(name)
        .render(t=texts, language=texts.language, static=static_url, link=link, **context)
    )


@cache
def environment(language: str) -> Environment:
    """One for each language, since translations are looked up while a template runs."""
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    texts = texts_for(language, "")
    made.install_gettext_callables(texts.gettext, texts.ngettext, newstyle=True)  # type: ignore[attr-defined]
    return made


def link(*parts: str, **query: object) -> str:
    """A path of ours from its parts, each quoted, with a query of what is not None."""
    path = "/" + "/".join(quote(part, safe="") for part in parts)
    kept = {name: str(value) for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(kept)}" if kept else path


def static_files() -> Mapping[str, tuple[bytes, str]]:
    """Content and media type by file name. Only what stands in the folder can be asked for."""
    return _static_files()


def static_url(name: str) -> str:
    """The address of an asset; it changes with its content, so browsers may keep it for good."""
    digest = hashlib.sha256(_static_files()[name][0]).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


@cache
def _static_files() -> Mapping[str, tuple[bytes, str]]:
    kinds = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
    return {one.name: (one.read_bytes(), kinds[one.suffix]) for one in _STATIC.iterdir() if one.suffix in kinds}


def _token(request: Request, who: Principal | None) -> str:
    """What the page's forms send back. Behind the platform's sign-in we hold no session; there it is a cookie's."""
    if who is None or who.kind == "key":
        return ""
    access: Access = request.app.state.access
    return who.csrf if who.csrf or access.has_login else secrets.token_urlsafe(24)


def _here(request: Request) -> str:
    """The page's own address for the language switch: path and query without the language."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return f"{request.url.path}?{urlencode(kept)}&" if kept else f"{request.url.path}?"
