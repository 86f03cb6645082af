"""Do both systems say the same? The last comparison, and a new one."""

from __future__ import annotations

import json
import logging
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from worker.errors import WorkerError
from worker.ports import ANY_VERSION
from worker.sync.reconcile_data import report_data
from worker.web.access import Principal
from worker.web.console.common import ConnectionName, desk_of, go, host_of, known, show
from worker.web.console.items import item_links
from worker.web.forms import Posted
from worker.web.guard import Admin, Reader
from worker.wiring.reconciling import reconcile

router = APIRouter(prefix="/manage", include_in_schema=False)
log = logging.getLogger(__name__)
_TARGETS = {"customer": "CRM Company", "contact": "CRM Contact", "invoice": "Invoice"}


@router.get("/reconcile/{connection}")
def look(request: Request, connection: ConnectionName, who: Reader) -> Response:
    """The last comparison. Asks neither service."""
    return _page(request, known(request, connection), who)


@router.post("/reconcile/{connection}")
def compare(request: Request, connection: ConnectionName, who: Admin, _form: Posted) -> Response:
    """Reads both sides as a whole, which takes as long as the reading of a night; keeps the result."""
    name = known(request, connection)
    try:
        with desk_of(request).open(name) as app:
            data = report_data(reconcile(app))
    except WorkerError as error:
        return _page(request, name, who, trouble=error)
    host_of(request).stores.records.write(_record(name), json.dumps(data).encode(), ANY_VERSION)
    return go("manage", "reconcile", name)


def _page(request: Request, name: str, who: Principal, *, trouble: WorkerError | None = None) -> Response:
    links = item_links(request, name)
    context = {
        "report": _last(request, name),
        "item_link": lambda kind, item: links.of(_TARGETS.get(kind, ""), item),
    }
    return show(request, "reconcile.html", who, name, "reconcile", context, trouble=trouble)


def _last(request: Request, name: str) -> dict[str, Any] | None:
    record = host_of(request).stores.records.read(_record(name))
    if record is None:
        return None
    try:
        found: dict[str, Any] = json.loads(record.content)
    except ValueError:
        log.warning("the last comparison is damaged connection=%s", name)
        return None
    return found


def _record(name: str) -> str:
    return f"reconcile/{name}"
