"""A site that is not ours: pages for tests of what such a site could do, or of what our pages must not."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from worker.emulators.common.server import EmulatorServer

# With no icon to fetch: the browser asks for one when it likes, which may be after the server has gone.
_PAGE = (
    '<!doctype html><html lang="en"><head><title>Elsewhere</title><link rel="icon" href="data:,"></head>'
    "<body>{body}</body></html>"
)


def elsewhere(pages: Mapping[str, str], status: int = 200, **headers: str) -> EmulatorServer:
    """A server, to be entered, with these pages: path -> HTML of the body."""

    async def answer(request: Request) -> HTMLResponse:
        body = pages.get(request.url.path)
        return HTMLResponse(_PAGE.format(body=body or ""), 404 if body is None else status, headers)

    return EmulatorServer(Starlette(routes=[Route("/{path:path}", answer)]))


def by_other_name(server: EmulatorServer) -> str:
    """The server's address as another site: browsers tell sites apart by name, not by port."""
    return server.url.replace("127.0.0.1", "localhost")
