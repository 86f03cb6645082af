"""Finding the service behind `/{api}/v{version}/...` and the body rules all services share."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from worker.emulators.common.middleware import App, Receive, Scope, Send
from worker.emulators.economic.context import Context
from worker.emulators.economic.errors import OpenError, open_response
from worker.emulators.economic.routing import base_url
from worker.emulators.economic.wire import dumps


class VersionGate:
    """Makes service name and path case-insensitive, answers 404 for a version that is not served, and 403 for a
    service whose module the agreement lacks (reference, other OpenAPI services)."""

    def __init__(self, app: App, ctx: Context) -> None:
        self.app = app
        self.ctx = ctx

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        service, version, rest = _split(scope["path"])
        if version not in self.ctx.options.versions.get(service, ()):
            error = OpenError(404, "ResourceNotFound", "There is no such service or version.")
            await open_response(error, scope["path"])(scope, receive, send)
            return
        if service == self.ctx.switches.get("missing_modules"):
            error = OpenError(403, "AccessDeniedAgreementMissingModules", "The agreement lacks the module for this.")
            await open_response(error, scope["path"])(scope, receive, send)
            return
        await self.app(
            {**scope, "path": f"/{service}/{rest}", "is_open": True, "asked_path": scope["path"]}, receive, send
        )


def _split(path: str) -> tuple[str, str, str]:
    service, version, *rest = path.lstrip("/").split("/", 2)
    tail = rest[0] if rest else ""
    # Event types are keys and keep their case; everything else in a path is a name or a number.
    shown = tail if service.lower() == "webhooksapi" else tail.lower()
    return service.lower(), version.lstrip("vV"), shown


def body_object(body: Any) -> dict[str, Any]:
    """The body as an object; unknown properties in it are ignored, as on the service."""
    if not isinstance(body, dict):
        raise OpenError(400, "BadRequest", "The request body must be an object.")
    return body


def checked_texts(body: Mapping[str, Any], limits: Mapping[str, int], code: str) -> dict[str, Any]:
    """The texts of a body within their limits; 400 `code` naming the property otherwise."""
    result = {name: body[name] for name in limits if body.get(name) is not None}
    for name, value in result.items():
        if not isinstance(value, str) or len(value) > limits[name]:
            raise OpenError(400, code, f"{name} must be a text of at most {limits[name]} characters.", name)
    return result


def check_version(body: Mapping[str, Any], current: int) -> None:
    """409 unless the body carries the object's current version."""
    if body.get("objectVersion") != object_version(current):
        raise OpenError(409, "UpdateConflict", "The object was changed; read it again.", "objectVersion")


def object_version(version: int) -> str:
    """The opaque text behind a row's version."""
    return f"{version:08X}A7"


def timestamp(ctx: Context, stored: str) -> str:
    """A stored time as OpenAPI shows it: without a zone, or with, as the switch says."""
    return stored if ctx.switches.get("open_timestamp_zone") == "utc" else stored.removesuffix("Z")


def created(request: Request, key: object, body: Any) -> Response:
    """201 with the key only, and where the new object is."""
    result = Response(dumps(body), 201, media_type="application/json")
    result.headers["Location"] = f"{base_url(request)}{request.scope['asked_path'].rstrip('/')}/{key}"
    return result


def written(ctx: Context) -> Response:
    """The answer to a PUT or DELETE: documented as 204, seen as 200 with an empty body."""
    return Response(status_code=int(ctx.switches.get("open_write_status")))


def not_found(what: str) -> OpenError:
    """404 for a single object."""
    return OpenError(404, "ResourceNotFound", f"The {what} was not found.")


def path_number(request: Request) -> int:
    """The number at the end of the path."""
    number: int = request.path_params["number"]
    return number
