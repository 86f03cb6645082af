"""Do both systems say the same? The last comparison, and a new one."""

from __future__ import annotations

import json
import logging
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from worker.errors import NotFoundError
from worker.sync.reconcile_data import SHAPE
from worker.web.access import Principal
from worker.web.console.common import ConnectionName, go, host_of, known, show
from worker.web.console.items import item_links
from worker.web.forms import Posted
from worker.web.guard import Admin, Reader
from worker.wiring.reconciling import ASKED, TARGETS, AskedBook, reconcile_record

router = APIRouter(prefix="/manage", include_in_schema=False)
log = logging.getLogger(__name__)


@router.get("/reconcile/{connection}")
def look(request: Request, connection: ConnectionName, who: Reader) -> Response:
    """The last comparison. Asks neither service."""
    return _page(request, known(request, connection), who)


@router.get("/reconcile/{connection}/comparison.json")
def download(request: Request, connection: ConnectionName, _who: Reader) -> Response:
    """The last comparison as a program reads it; see reconcile_data. Asks neither service."""
    name = known(request, connection)
    report = _last(request, name)
    if report is None:
        raise NotFoundError("Nothing has been compared yet.", hint="Compare on the page Reconcile.")
    headers = {"Content-Disposition": 'attachment; filename="comparison.json"'}
    return JSONResponse(report, headers=headers)


@router.post("/reconcile/{connection}")
def compare(request: Request, connection: ConnectionName, _who: Admin, _form: Posted) -> Response:
    """Has a worker read both sides as a whole, which takes as long as the reading of a night: longer than an answer may
    take. It waits until no run is under way, half of whose work would show as differences."""
    name, host = known(request, connection), host_of(request)
    if AskedBook(host.stores.records, name).ask(host.clock.now()):
        host.engine.ask_for_comparison(name)
    return go("manage", "reconcile", name)


def _page(request: Request, name: str, who: Principal) -> Response:
    links = item_links(request, name)
    context = {
        "report": _last(request, name),
        "item_link": lambda kind, item: links.of(TARGETS[kind], item),
        "asked": ASKED,
        "waiting": AskedBook(host_of(request).stores.records, name).read(),
    }
    return show(request, "reconcile.html", who, name, "reconcile", context)


def _last(request: Request, name: str) -> dict[str, Any] | None:
    record = host_of(request).stores.records.read(reconcile_record(name))
    if record is None:
        return None
    try:
        found: dict[str, Any] = json.loads(record.content)
    except ValueError:
        log.warning("the last comparison is damaged connection=%s", name)
        return None
    return found if found.get("shape") == SHAPE else None  # what an earlier version kept is compared anew
