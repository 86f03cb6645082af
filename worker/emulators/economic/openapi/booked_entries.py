"""bookedEntriesapi: the ledger behind the invoices, and which payment settled which invoice. Read only here."""

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
from worker.emulators.economic.openapi.service import not_found, object_version
from worker.emulators.economic.routing import SINGLE_COST, get
from worker.emulators.economic.wire import amount, members

_FIELDS = {
    "entryNumber": op.number("e.number", sortable=True),
    "accountNumber": op.number("e.account"),
    "amount": op.money("e.amount_base / e.rate"),
    "amountInBaseCurrency": op.money("e.amount_base / 100.0"),
    "currencyCode": op.text("e.currency"),
    "date": op.day("e.date"),
    "dueDate": op.day("e.due"),
    "type": op.exact("e.type"),
    "voucherNumber": op.number("e.voucher"),
    "customerNumber": op.number("e.customer"),
    "customerInvoiceNumber": op.number("e.invoice"),
    "remainder": op.money("e.remainder / 100.0"),
}
_PER_INVOICE = 8  # entry numbers set aside per invoice, see the view `entries`


def routes(ctx: Context) -> list[Route]:
    """All routes of this module."""
    path = "/bookedentriesapi/booked-entries"
    entries = OpenList(
        "booked-entries",
        "entries e",
        "e.number",
        "e.*",
        _FIELDS,
        _item,
        # Entries of earlier invoices cannot come after: lets the index on invoices do the work.
        seek=lambda key: Condition("e.invoice >= ? AND e.number > ?", (key // _PER_INVOICE, key)),
    )
    pairs = OpenList(
        "booked-entries/matched-pairs",
        "entries p JOIN entries i ON i.number = p.number - 3",
        "p.number",
        "p.number, p.date, p.amount_base, p.rate, i.number AS to_number, i.date AS to_date, "
        "i.amount_base AS to_amount_base",
        {},
        _pair,
        lambda _: Condition(f"p.number % {_PER_INVOICE} = 4"),
    )
    return [
        *list_routes(ctx, "/bookedentriesapi", entries),
        *list_routes(ctx, "/bookedentriesapi", pairs),
        get(f"{path}/{{number:int}}", partial(_single, ctx), SINGLE_COST),
    ]


def _item(row: Row) -> dict[str, Any]:
    return members(
        [
            ("entryNumber", row["number"]),
            ("accountNumber", row["account"]),
            ("amount", _in_currency(row["amount_base"], row["rate"])),
            ("amountInBaseCurrency", amount(row["amount_base"])),
            ("currencyCode", row["currency"]),
            ("date", row["date"]),
            ("dueDate", row["due"]),
            ("text", f"Faktura {row['invoice']}" if row["type"] == 1 else f"Betaling {row['invoice']}"),
            ("type", row["type"]),
            ("voucherNumber", row["voucher"]),
            ("customerNumber", row["customer"]),
            ("customerInvoiceNumber", row["invoice"] if row["customer"] else None),
            ("remainder", amount(row["remainder"])),
            ("objectVersion", object_version(1)),
        ]
    )


def _in_currency(base: int, rate: float) -> Any:
    return amount(round(base * 100 / rate))


def _pair(row: Row) -> dict[str, Any]:
    """A payment and the invoice it settled, wholly or in part."""
    return {
        "fromEntry": row["number"],
        "fromEntryDate": row["date"],
        "fromEntryAmount": _in_currency(row["amount_base"], row["rate"]),
        "fromEntryAmountDKK": amount(row["amount_base"]),
        "toEntry": row["to_number"],
        "toEntryDate": row["to_date"],
        "toEntryAmount": _in_currency(row["to_amount_base"], row["rate"]),
        "toEntryAmountDKK": amount(row["to_amount_base"]),
    }


def _single(ctx: Context, request: Request) -> Response:
    row = ctx.store.first("SELECT * FROM entries WHERE number = ?", (request.path_params["number"],))
    if row is None:
        raise not_found("entry")
    return answer(_item(row))
