"""The consent page: an administrator approves the app, and the browser goes back with the grant token.

Source: granting app access (`appPublicToken`, `redirectUrl`, `locale`; reply parameter `token`; no state is echoed).
"""

import html
from urllib.parse import urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from worker.emulators.economic.context import Context
from worker.emulators.economic.wire import get

PATH = "/secure/api1/requestaccess.aspx"
_TEXTS = {
    "da": ("Giv adgang", "vil have adgang til", "Tilføj app", "Adgangskode (token)"),
    "en": ("Grant access", "asks for access to", "Add app", "Token"),
}
_PAGE = """<!DOCTYPE html>
<html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title></head>
<body style="font-family:sans-serif;max-width:32rem;margin:4rem auto">
<h1>{title}</h1><p>{text}</p>{form}</body></html>"""
_FORM = '<form method="post"><button name="approve" value="yes" autofocus>{button}</button></form>'


def consent_routes(ctx: Context) -> list[Route]:
    """The page and its answer."""

    async def show(request: Request) -> Response:
        return _show(ctx, request)

    async def approve(request: Request) -> Response:
        return _approve(ctx, request)

    return [Route(PATH, show, methods=["GET"]), Route(PATH, approve, methods=["POST"])]


def _show(ctx: Context, request: Request) -> Response:
    if not _is_our_app(ctx, request):
        return HTMLResponse(_page("en", "Unknown app", "There is no app with this public token.", ""), 400)
    lang = _language(request)
    title, asks, button, _ = _TEXTS[lang]
    agreement = ctx.store.meta("self") or {}
    app = agreement.get("application", {}).get("name", "App")
    company = agreement.get("company", {}).get("name", "the agreement")
    return HTMLResponse(_page(lang, title, f"{app} {asks} {company}.", _FORM.format(button=button)))


def _approve(ctx: Context, request: Request) -> Response:
    if not _is_our_app(ctx, request):
        return HTMLResponse(_page("en", "Unknown app", "There is no app with this public token.", ""), 400)
    token = ctx.options.grant_token
    target = request.query_params.get("redirectUrl")
    if target is None:
        lang = _language(request)
        return HTMLResponse(_page(lang, _TEXTS[lang][3], token, ""))
    parts = urlsplit(target)
    query = "&".join(part for part in (parts.query, urlencode({"token": token})) if part)
    return RedirectResponse(urlunsplit(parts._replace(query=query)), 302)


def _is_our_app(ctx: Context, request: Request) -> bool:
    expected = ctx.options.app_public_token or get(ctx.store.meta("self") or {}, "application.appPublicToken")
    return request.query_params.get("appPublicToken") == expected


def _language(request: Request) -> str:
    return "da" if request.query_params.get("locale", "en-GB").startswith("da") else "en"


def _page(lang: str, title: str, text: str, form: str) -> str:
    return _PAGE.format(lang=lang, title=html.escape(title), text=html.escape(text), form=form)
