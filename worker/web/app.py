"""The app: health, sign-in, the API, and a page that describes it."""

from __future__ import annotations

import html
import logging
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from worker.errors import WorkerError
from worker.web import api_profiles, api_runs, economy, guard, hooks, pages, problems
from worker.web.access import COOKIE, Access
from worker.web.console import routers
from worker.web.console.link_shelf import LinkShelf
from worker.web.console.plans import PlanShelf
from worker.web.desk import Desk
from worker.web.economy.reading import Agreements, Portfolios
from worker.web.forms import Posted
from worker.web.guard import Reader
from worker.web.links import Links
from worker.web.render import page
from worker.wiring.engine import Host

log = logging.getLogger(__name__)
_HOME = "/manage"
_DOCS = "/manage/api/docs"
_DESCRIPTION = "Starts and watches the runs that keep the CRM's lists true to e-conomic."


def access_for(host: Host) -> Access:
    """By the settings and by what the platform says."""
    key = host.settings.api_key
    return Access(
        Links(host.stores.records),
        platform=host.installation.platform_sign_in,
        api_key=key.get_secret_value() if key else "",
    )


def create_app(host: Host, *, access: Access | None = None) -> FastAPI:
    """`access` is given by tests and by `serve`, which prints its login link."""
    app = FastAPI(
        title="e-conomic sync",
        description=_DESCRIPTION,
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.host = host
    app.state.desk = Desk(host)
    app.state.plans = PlanShelf(host.engine)
    app.state.links = LinkShelf(host.stores.records)
    app.state.agreements = Agreements()
    app.state.portfolios = Portfolios()
    app.state.access = access or access_for(host)
    public = host.settings.public_url
    app.state.public_origin = f"{urlsplit(public).scheme}://{urlsplit(public).netloc}" if public else ""
    app.include_router(api_runs.router)
    app.include_router(api_profiles.router)
    app.include_router(pages.router)
    app.include_router(hooks.router)
    for router in (*routers, economy.router):
        app.include_router(router)
    _health(app, host)
    _sign_in(app)
    _documentation(app)
    problems.install(app, pages.as_page)
    platform = host.installation.platform_sign_in
    guard.install(app, None if platform else guard.local_hosts(public), host.site_origins)
    return app


def _health(app: FastAPI, host: Host) -> None:
    @app.get("/healthz", summary="Whether the process is alive", include_in_schema=False)
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", summary="Whether work can be kept", include_in_schema=False)
    def readyz() -> JSONResponse:
        try:
            host.engine.ready()
        except WorkerError as error:
            log.warning("not ready: %s", error)
            return JSONResponse({"status": "the store can't be reached"}, 503)
        return JSONResponse({"status": "ok"})


def _sign_in(app: FastAPI) -> None:
    @app.get("/manage/login", include_in_schema=False)
    def login(request: Request, token: Annotated[str, Query(max_length=100)] = "") -> RedirectResponse:
        """Uses the link up and goes to a fixed page: an address to go to is not taken from anybody."""
        access: Access = request.app.state.access
        session = access.login(token)
        answer = RedirectResponse(_HOME, 303)
        # Lax: a link in a SharePoint list, or e-conomic's way back, must find the administrator signed in. Whatever
        # acts is a POST, and asks for the page's own token besides.
        answer.set_cookie(
            COOKIE, session, httponly=True, samesite="lax", secure=request.url.scheme == "https", path="/"
        )
        return answer

    @app.post("/manage/logout", include_in_schema=False)
    def logout(request: Request, _who: Reader, _form: Posted) -> HTMLResponse:
        request.app.state.access.logout(request.cookies.get(COOKIE, ""))
        return page(request, "goodbye.html", None)

    @app.get("/manage/api/session", summary="Who is signed in", responses=api_runs.REFUSALS)
    def session(who: Reader) -> dict[str, Any]:
        """Name, roles, and the token that a browser sends back as X-CSRF-Token."""
        return {"name": who.name, "roles": sorted(who.roles), "kind": who.kind, "csrf": who.csrf}


def _documentation(app: FastAPI) -> None:
    """The usual page loads scripts from elsewhere; this one is plain and our own."""

    @app.get("/", include_in_schema=False)
    def home(_who: Reader) -> RedirectResponse:
        return RedirectResponse(_HOME, 303)

    @app.get("/manage/api/openapi.json", include_in_schema=False)
    def openapi(_who: Reader) -> dict[str, Any]:
        return app.openapi()

    @app.get(_DOCS, include_in_schema=False)
    def docs(_who: Reader) -> HTMLResponse:
        return HTMLResponse(_docs_page(app.openapi()))


def _docs_page(document: dict[str, Any]) -> str:
    rows = []
    for path, methods in document["paths"].items():
        for method, about in methods.items():
            answers = ", ".join(about["responses"])
            cells = (method.upper(), path, about.get("summary", ""), about.get("description", ""), answers)
            rows.append("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>e-conomic sync: API</title></head><body>'
        f"<h1>{html.escape(document['info']['title'])}</h1><p>{html.escape(document['info']['description'])}</p>"
        '<p><a href="/manage/api/openapi.json">OpenAPI document</a></p>'
        "<table><thead><tr><th>Method</th><th>Address</th><th>What</th><th>How</th><th>Answers</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></body></html>"
    )
