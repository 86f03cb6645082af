"""Putting the emulator together: both hosts of the API in one app, control routes, consent page.

Classic paths stand at the root; OpenAPI services under `/{api}/v{x.y.z}/`, so that a client only needs two base
addresses to point at the same server.
"""

from dataclasses import dataclass

from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.routing import Route, Router

from worker.emulators.common.control import control_routes
from worker.emulators.common.faults import Faults
from worker.emulators.common.hold import Hold
from worker.emulators.common.meter import Meter
from worker.emulators.common.middleware import (
    CONTROL_PREFIX,
    EmulatorMiddleware,
    Latency,
    Receive,
    Scope,
    Send,
)
from worker.emulators.common.switches import Switches
from worker.emulators.economic.classic import classic_routes
from worker.emulators.economic.consent import consent_routes
from worker.emulators.economic.context import Context
from worker.emulators.economic.control import economic_control_routes
from worker.emulators.economic.errors import (
    NOT_FOUND,
    ClassicError,
    OpenError,
    classic_response,
    error_response,
    is_open_path,
    not_found,
    open_response,
)
from worker.emulators.economic.gate import FAULTS, Gate
from worker.emulators.economic.openapi import open_routes
from worker.emulators.economic.openapi.service import VersionGate
from worker.emulators.economic.options import EconomicOptions
from worker.emulators.economic.store import EconomicStore
from worker.emulators.economic.switches import SWITCHES
from worker.emulators.economic.webhooks import WebhookSender


@dataclass(frozen=True)
class EconomicApp:
    """The ASGI app; `state` carries `store`, `meter`, `faults`, `switches`, `hold`, `latency`, `webhooks`, `gate`."""

    asgi: EmulatorMiddleware
    state: State

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.asgi(scope, receive, send)


def create_app(
    store: EconomicStore, *, options: EconomicOptions | None = None, faults: Faults | None = None
) -> EconomicApp:
    """An e-conomic over `store`. The faults' names are those of gate.FAULTS."""
    options = options or EconomicOptions()
    faults = faults if faults is not None else Faults()
    faults.known = faults.known or FAULTS
    switches = Switches(SWITCHES)
    ctx = Context(store, options, switches, WebhookSender(store, switches))
    api = _Api(ctx)
    gate = Gate(api, ctx, faults)
    meter, hold, latency = Meter(), Hold(), Latency(options.latency_ms)
    api.control = _router(
        [*control_routes(meter, faults, hold, switches, store, latency), *economic_control_routes(ctx, gate)]
    )
    app = EmulatorMiddleware(gate, meter=meter, hold=hold, latency=latency)
    parts = {"faults": faults, "switches": switches, "hold": hold, "latency": latency, "gate": gate}
    return EconomicApp(app, State({"store": store, "meter": meter, "webhooks": ctx.webhooks, **parts}))


class _Api:
    """Chooses between classic paths, OpenAPI services and control routes, and turns errors into answers."""

    def __init__(self, ctx: Context) -> None:
        self.classic = _router([*consent_routes(ctx), *classic_routes(ctx)])
        self.services = VersionGate(_router(open_routes(ctx)), ctx)
        self.control = _router([])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        scope = {**scope, "app": self}  # makes the router raise for a wrong method instead of answering plain text
        try:
            if is_open_path(path):
                await self.services(scope, receive, send)
            elif path.startswith(CONTROL_PREFIX):
                await self.control(scope, receive, send)
            else:
                await self.classic(scope, receive, send)
        except ClassicError as error:
            await classic_response(error)(scope, receive, send)
        except OpenError as error:
            await open_response(error, path)(scope, receive, send)
        except HTTPException as error:
            await error_response(path, error.status_code, error.detail, "MethodNotAllowed")(scope, receive, send)
        except OverflowError:  # a number in the path that no table can hold
            await error_response(path, 404, NOT_FOUND, "ResourceNotFound")(scope, receive, send)


def _router(routes: list[Route]) -> Router:
    return Router(routes, redirect_slashes=False, default=_missing)


async def _missing(scope: Scope, _: Receive, __: Send) -> None:
    if scope.get("is_open"):
        raise OpenError(404, "ResourceNotFound", "There is no such resource.")
    raise not_found()
