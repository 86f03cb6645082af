"""Control routes of this emulator beside the shared ones: the calendar, the next day, changes by hand, webhooks.

POST `today` {"date"}, POST `next-day` {"seed"}, POST `mutate` (fields of a day's changes),
POST `renumber` {"old", "new"}, POST `grant` (undo a revoked token), GET `webhooks`, POST `webhooks/flush`, POST
`webhooks/drain` (answers when everything sent was tried).
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import date
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from worker.emulators.common.middleware import CONTROL_PREFIX
from worker.emulators.dataset import DayChanges, next_day
from worker.emulators.economic import changes
from worker.emulators.economic.context import Context
from worker.emulators.economic.documents import plain
from worker.emulators.economic.export import dataset_of
from worker.emulators.economic.gate import Gate
from worker.emulators.economic.wire import loads

_MUTABLE = ("customers", "contacts", "removed_contacts", "invoices")


def economic_control_routes(ctx: Context, gate: Gate) -> list[Route]:
    """The routes; a wrong value is answered with 400 and a sentence."""

    def grant(_: Any) -> dict[str, Any]:
        gate.revoked = False
        return {}

    def flush(_: Any) -> dict[str, Any]:
        ctx.webhooks.flush()
        return {}

    return [
        _post("today", lambda body: _today(ctx, body)),
        _post("next-day", lambda body: play_next_day(ctx, int(body.get("seed", 0)))),
        _post("mutate", lambda body: _mutate(ctx, body)),
        _post("renumber", lambda body: _renumber(ctx, body)),
        _post("grant", grant),
        _post("webhooks/flush", flush),
        Route(f"{CONTROL_PREFIX}/webhooks/drain", _drain(ctx), methods=["POST"]),
        Route(f"{CONTROL_PREFIX}/webhooks", _webhooks(ctx), methods=["GET"]),
    ]


def play_next_day(ctx: Context, seed: int) -> dict[str, Any]:
    """Move the calendar forward by a day and let that day happen; its story, and what people did in the CRM."""
    data = dataset_of(ctx.store, ctx.today())
    if data.customers and len(data.invoices) == 0:
        raise LookupError("there are no booked invoices, so there is nothing a next day could pay")
    day = next_day(data, seed, ctx.tomorrow())
    ctx.set_today(day.today)
    _apply(ctx, day)
    return {"today": day.today.isoformat(), "story": day.story, "crm_edits": [asdict(edit) for edit in day.crm_edits]}


def _apply(ctx: Context, day: DayChanges) -> None:
    numbers = [each["customerNumber"] for each in day.customers]
    known = [ctx.store.first("SELECT 1 FROM customers WHERE number = ?", (number,)) is not None for number in numbers]
    ctx.store.apply(DayChanges(day.today, day.customers, day.contacts, day.removed_contacts))
    changes.put_invoices(ctx, day.invoices)
    ctx.store.update_balances(numbers)
    for number, was_there in zip(numbers, known, strict=True):
        ctx.webhooks.customer_changed(number if was_there else None, number)


def _mutate(ctx: Context, body: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(body) - set(_MUTABLE))
    if unknown:
        raise ValueError(f"{', '.join(unknown)} cannot be changed; what can is {', '.join(_MUTABLE)}")
    wanted = {name: [_dated(ctx, plain(each)) for each in rows] for name, rows in body.items()}
    _apply(ctx, DayChanges(ctx.today(), **wanted))
    return {name: len(rows) for name, rows in body.items()}


def _renumber(ctx: Context, body: dict[str, Any]) -> dict[str, Any]:
    changes.renumber_customer(ctx, int(body["old"]), int(body["new"]))
    return {}


def _dated(ctx: Context, document: Any) -> Any:
    """A customer or contact that says not when it changed has changed now."""
    if isinstance(document, dict) and "bookedInvoiceNumber" not in document:
        return {"lastUpdated": ctx.now_text(), **document}
    return document


def _today(ctx: Context, body: dict[str, Any]) -> dict[str, Any]:
    ctx.set_today(date.fromisoformat(body["date"]))
    return {"today": ctx.today().isoformat()}


def _webhooks(ctx: Context) -> Callable[[Request], Awaitable[Response]]:
    async def log(_: Request) -> Response:
        return JSONResponse([delivery.as_dict() for delivery in ctx.webhooks.log])

    return log


def _drain(ctx: Context) -> Callable[[Request], Awaitable[Response]]:
    async def drain(_: Request) -> Response:
        await run_in_threadpool(ctx.webhooks.drain)
        return JSONResponse({})

    return drain


def _post(path: str, handler: Callable[[dict[str, Any]], dict[str, Any]]) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            text = await request.body()
            return JSONResponse(handler(loads(text) if text else {}))
        except (ValueError, LookupError, TypeError) as error:
            return JSONResponse({"error": str(error)}, 400)

    return Route(f"{CONTROL_PREFIX}/{path}", endpoint, methods=["POST"])
