"""Control routes under `/_emulator/`: counts, faults, switches, latency, snapshot and restore, hold.

No token is asked for: the servers bind to loopback only.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from worker.emulators.common.faults import Faults
from worker.emulators.common.hold import Hold
from worker.emulators.common.meter import Meter
from worker.emulators.common.middleware import CONTROL_PREFIX, Latency
from worker.emulators.common.switches import Switches

Handler = Callable[[Request], Awaitable[Response]]


class SnapshotStore(Protocol):
    """What the control routes ask of a store."""

    def snapshot(self) -> None:
        """Keep a full copy of the data aside, replacing an earlier copy."""

    def restore(self) -> None:
        """Put the copy kept aside back, ids and versions included."""


def control_routes(
    meter: Meter,
    faults: Faults,
    hold: Hold,
    switches: Switches,
    store: SnapshotStore,
    latency: Latency,
) -> list[Route]:
    """The routes, to be put before an emulator's own. A wrong value is answered 400 with a sentence."""
    return [
        *_stats_routes(meter),
        *_setting_routes(faults, switches, latency),
        *_store_routes(store),
        *_hold_routes(hold),
    ]


def _route(path: str, handler: Handler, method: str) -> Route:
    async def checked(request: Request) -> Response:
        try:
            return await handler(request)
        except (ValueError, LookupError, TypeError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)

    return Route(f"{CONTROL_PREFIX}/{path}", checked, methods=[method])


def _stats_routes(meter: Meter) -> list[Route]:
    async def stats(_: Request) -> Response:
        return JSONResponse(meter.snapshot())

    async def reset(_: Request) -> Response:
        meter.reset()
        return JSONResponse({})

    return [_route("stats", stats, "GET"), _route("stats/reset", reset, "POST")]


def _setting_routes(faults: Faults, switches: Switches, latency: Latency) -> list[Route]:
    async def get_faults(_: Request) -> Response:
        return JSONResponse(faults.as_dict())

    async def set_faults(request: Request) -> Response:
        _set_faults(faults, await _json(request))
        return JSONResponse(faults.as_dict())

    async def get_switches(_: Request) -> Response:
        return JSONResponse(switches.as_dict())

    async def set_switches(request: Request) -> Response:
        for name, value in (await _json(request)).items():
            switches.set(name, str(value))
        return JSONResponse(switches.as_dict())

    async def set_latency(request: Request) -> Response:
        latency.ms = float((await _json(request))["ms"])
        return JSONResponse({"ms": latency.ms})

    return [
        _route("faults", get_faults, "GET"),
        _route("faults", set_faults, "POST"),
        _route("switches", get_switches, "GET"),
        _route("switches", set_switches, "POST"),
        _route("latency", set_latency, "POST"),
    ]


def _set_faults(faults: Faults, wanted: dict[str, Any]) -> None:
    if not wanted:
        faults.clear()
        return
    for name, count in dict(wanted.pop("once", {})).items():
        faults.once(name, int(count))
    for name, rate in wanted.items():
        faults.set(name, float(rate))


def _store_routes(store: SnapshotStore) -> list[Route]:
    async def snapshot(_: Request) -> Response:
        store.snapshot()
        return JSONResponse({})

    async def restore(_: Request) -> Response:
        store.restore()
        return JSONResponse({})

    return [_route("snapshot", snapshot, "POST"), _route("restore", restore, "POST")]


def _hold_routes(hold: Hold) -> list[Route]:
    async def arm(request: Request) -> Response:
        wanted = await _json(request)
        at, when = int(wanted["at"]), wanted["when"]
        if at < 1 or when not in ("before", "after"):
            raise ValueError('write {"at": 1 or more, "when": "before" or "after"}')
        hold.arm(at, when)
        return JSONResponse(hold.as_dict())

    async def state(_: Request) -> Response:
        return JSONResponse(hold.as_dict())

    async def wait(_: Request) -> Response:
        return JSONResponse({"holding": await hold.wait()})

    async def release(_: Request) -> Response:
        hold.release()
        return JSONResponse(hold.as_dict())

    return [
        _route("hold", arm, "POST"),
        _route("hold", state, "GET"),
        _route("hold/wait", wait, "GET"),
        _route("hold", release, "DELETE"),
    ]


async def _json(request: Request) -> dict[str, Any]:
    body = await request.json()
    if not isinstance(body, dict):
        raise TypeError("the body must be a JSON object")
    return body
