"""Making routes: what they cost and what the meter calls them is written where the route is."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from worker.emulators.common.middleware import note_of
from worker.emulators.economic.errors import ClassicError
from worker.emulators.economic.wire import finish, loads

# Call costs. Source: limits (a list page costs about 3, a PDF about 13); the others are our guess.
LIST_COST = 3
SINGLE_COST = 1
PDF_COST = 13
WRITE_COST = 5

Handler = Callable[[Request], Response]
WriteHandler = Callable[[Request, Any], Response]


def get(path: str, handler: Handler, cost: float = LIST_COST) -> Route:
    """A GET route; the meter's target is the first segment of its path."""

    async def endpoint(request: Request) -> Response:
        _note(request, path, cost)
        return handler(request)

    return Route(path, endpoint, methods=["GET"])


def write(path: str, method: str, handler: WriteHandler) -> Route:
    """A route with a JSON body (None when it is empty)."""

    async def endpoint(request: Request) -> Response:
        _note(request, path, WRITE_COST)
        return handler(request, _parsed(request, await request.body()))

    return Route(path, endpoint, methods=[method])


def _note(request: Request, path: str, cost: float) -> None:
    note = note_of(request.scope)
    note.route, note.cost, note.target = path, cost, path.split("/", 2)[1]


def _parsed(request: Request, body: bytes) -> Any:
    if not body:
        return None
    if "json" not in request.headers.get("content-type", ""):
        raise ClassicError(415, "The request body must be application/json.")
    try:
        return loads(body)
    except ValueError:
        raise ClassicError(400, "The request body is not valid JSON.") from None


def base_url(request: Request) -> str:
    """Scheme and host as the caller wrote them."""
    return f"{request.url.scheme}://{request.headers.get('host', 'localhost')}"


def link_suffix(request: Request) -> str:
    """`?demo=true` is echoed into every link."""
    return "?demo=true" if request.query_params.get("demo") == "true" else ""


def rendered(request: Request, text: str, status: int = 200) -> Response:
    """A rendered text as an answer."""
    body = finish(text, base_url(request), link_suffix(request))
    return Response(body, status, media_type="application/json; charset=utf-8")
