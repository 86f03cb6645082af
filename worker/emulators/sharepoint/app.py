"""The emulator's ASGI app: the API, the pages and the control routes behind the one middleware."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from worker.emulators.common.control import control_routes
from worker.emulators.common.faults import Faults
from worker.emulators.common.middleware import EmulatorMiddleware, Receive, Scope, Send
from worker.emulators.common.switches import Switches
from worker.emulators.sharepoint import hooks, pages
from worker.emulators.sharepoint.api import Api, State
from worker.emulators.sharepoint.options import SharePointOptions, as_role
from worker.emulators.sharepoint.store import SharePointStore
from worker.emulators.sharepoint.switches import FAULTS, SWITCHES
from worker.emulators.sharepoint.throttle import Budget


class SharePointApp:
    """The whole ASGI app, with its parts under `state`."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.notifier = hooks.Notifier(state.site)
        handler = Api(state, self.notifier)
        control = control_routes(state.meter, state.faults, state.hold, state.switches, state.store, state.latency)
        api_path = f"{state.options.site_path}/_api/{{rest:path}}"
        methods = ["GET", "POST", "PUT", "PATCH", "MERGE", "DELETE", "HEAD"]
        inner = Starlette(
            routes=[
                *control,
                *_own_controls(state, self.notifier),
                *pages.routes(state.site),
                Route(api_path, handler.handle, methods=methods),
            ]
        )
        self._app = EmulatorMiddleware(inner, meter=state.meter, hold=state.hold, latency=state.latency)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def create_app(
    store: SharePointStore, *, options: SharePointOptions | None = None, faults: Faults | None = None
) -> SharePointApp:
    """The emulator over `store`; `app.state` has store, options, faults, switches, meter, budget, roles."""
    options = options or SharePointOptions()
    faults = faults or Faults()
    faults.known = faults.known or FAULTS
    state = State(store, options, faults, Switches(SWITCHES))
    state.latency.ms = options.latency_ms
    state.budget = Budget(options.ru_per_minute)
    state.roles = {**options.roles, options.token: options.role}
    return SharePointApp(state)


def _own_controls(state: State, notifier: hooks.Notifier) -> list[Route]:
    """`roles` ({token: role}), `budget` ({"ru_per_minute": n}) and `notices/drain` (answers when every notice was
    sent), beside the shared control routes."""

    async def roles(request: Request) -> Response:
        try:
            wanted = {str(token): as_role(role) for token, role in (await request.json()).items()}
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        state.roles.update(wanted)
        return JSONResponse(dict.fromkeys(wanted, "set"))

    async def budget(request: Request) -> Response:
        state.budget.limit = int((await request.json())["ru_per_minute"])
        state.budget.reset()
        return JSONResponse({"ru_per_minute": state.budget.limit})

    async def drain(_: Request) -> Response:
        await run_in_threadpool(notifier.drain)
        return JSONResponse({})

    return [
        Route("/_emulator/notices/drain", drain, methods=["POST"]),
        Route("/_emulator/roles", roles, methods=["POST"]),
        Route("/_emulator/budget", budget, methods=["POST"]),
    ]
