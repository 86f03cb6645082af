"""q2capi: the lines of all booked invoices in bulk, and of one booked or draft invoice."""

from functools import partial
from sqlite3 import Row
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from worker.emulators.economic.context import Context
from worker.emulators.economic.filters import Condition
from worker.emulators.economic.openapi import operators as op
from worker.emulators.economic.openapi.collection import OpenList, answer, list_routes
from worker.emulators.economic.openapi.service import not_found
from worker.emulators.economic.routing import SINGLE_COST, get
from worker.emulators.economic.wire import loads, members

_SALES_ACCOUNT = 1010
_MOST_LINES = 10_000  # room for the lines of one document in the cursor's key


def _in_line(path: str) -> str:
    return f"json_extract(l.value, '$.{path}')"


_FIELDS = {
    "documentId": op.number("d.number", sortable=True),
    "number": op.number(_in_line("lineNumber"), sortable=True),
    "userInterfaceNumber": op.number(_in_line("sortKey")),
    "productNumber": op.text(_in_line("product.productNumber")),
    "discountPercentage": op.money(_in_line("discountPercentage")),
    "departmentNumber": op.number(_in_line("departmentNumber")),
    "bookedAccount": op.number(str(_SALES_ACCOUNT)),
}
# Plain names on the classic line that q2capi has too.
_SAME = (
    "description",
    "quantity",
    "unitNetPrice",
    "unitCostPrice",
    "discountPercentage",
    "vatRate",
    "vatAmount",
    "totalNetAmount",
)


def routes(ctx: Context) -> list[Route]:
    """All routes of this module."""
    single = "/q2capi/invoices/{kind}/{document:int}/lines/{number:int}"
    return [
        *list_routes(ctx, "/q2capi", _lines("invoices", "invoices/booked/lines")),
        *list_routes(ctx, "/q2capi", _lines("drafts", "invoices/drafts/lines")),
        *list_routes(ctx, "/q2capi", _lines("invoices", "invoices/booked/{document:int}/lines")),
        *list_routes(ctx, "/q2capi", _lines("drafts", "invoices/drafts/{document:int}/lines")),
        get(single, partial(_single, ctx), SINGLE_COST),
    ]


def _lines(table: str, path: str) -> OpenList:
    return OpenList(
        path,
        f"{table}_docs d, json_each(d.lines) l",
        f"d.number * {_MOST_LINES} + l.key",
        "d.number, l.value",
        _FIELDS,
        _item,
        _of_document,
        order="d.number",  # lines come out of a document in their order
        seek=_after,
    )


def _of_document(request: Request) -> Condition:
    document = request.path_params.get("document")
    return Condition("1") if document is None else Condition("d.number = ?", (document,))


def _after(key: int) -> Condition:
    sql = f"d.number >= ? AND (d.number > ? OR l.key > {key % _MOST_LINES})"
    return Condition(sql, (key // _MOST_LINES, key // _MOST_LINES))


def _item(row: Row) -> dict[str, Any]:
    line = loads(row["value"])
    return members(
        [
            ("documentId", row["number"]),
            ("number", line["lineNumber"]),
            ("userInterfaceNumber", line["sortKey"]),
            ("productNumber", line.get("product", {}).get("productNumber")),
            ("unitNumber", line.get("unit", {}).get("unitNumber")),
            ("bookedAccount", _SALES_ACCOUNT),
            *((name, line.get(name)) for name in _SAME),
        ]
    )


def _single(ctx: Context, request: Request) -> Response:
    kind, document, number = (request.path_params[name] for name in ("kind", "document", "number"))
    table = {"booked": "invoices_docs", "drafts": "drafts_docs"}.get(kind)
    if table is None:
        raise not_found("document")
    sql = (
        f"SELECT d.number, l.value FROM {table} d, json_each(d.lines) l "  # noqa: S608
        f"WHERE d.number = ? AND {_in_line('lineNumber')} = ?"
    )
    row = ctx.store.first(sql, (document, number))
    if row is None:
        raise not_found("line")
    return answer(_item(row))
