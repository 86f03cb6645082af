"""Writing invoices: a draft, and booking it. Source: e-conomic REST docs, invoices."""

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from worker.emulators.economic import changes
from worker.emulators.economic.classic.invoices import document_with_lines
from worker.emulators.economic.context import Context
from worker.emulators.economic.documents import parse_plain
from worker.emulators.economic.errors import ClassicError, invalid, problem
from worker.emulators.economic.routing import base_url, rendered, write
from worker.emulators.economic.wire import CENT, get, loads

_SEND_BY = ("none", "EAN", "Email")
_DRAFT_ONLY = (
    "draftInvoiceNumber",
    "marginInBaseCurrency",
    "marginPercentage",
    "costPriceInBaseCurrency",
    "lastUpdated",
)
_REQUIRED = ("currency", "customer", "date", "paymentTerms", "recipient")
_DOMESTIC_VAT = Decimal(25)
_HUNDRED = Decimal(100)


def routes(ctx: Context) -> list[Route]:
    """All routes of this module."""
    return [
        write("/invoices/drafts", "POST", partial(_create_draft, ctx)),
        write("/invoices/booked", "POST", partial(_book, ctx)),
    ]


def _create_draft(ctx: Context, request: Request, body: Any) -> Response:
    document = _object(body)
    missing = [name for name in _REQUIRED if not document.get(name)]
    customer = get(document, "customer.customerNumber")
    if not missing and ctx.store.first("SELECT 1 FROM customers WHERE number = ?", (customer,)) is None:
        raise invalid({"customer": [problem("customer", "The customer does not exist.", "E06000", customer)]})
    if missing:
        raise invalid({name: [problem(name, f"{name} is required.", "E04042")] for name in missing})
    number = int(ctx.store.value("SELECT COALESCE(MAX(number), 0) + 1 FROM drafts"))
    own = {"draftInvoiceNumber": number, "lastUpdated": ctx.now_text()}
    ctx.store.put_drafts([{**document, **_amounts(document), **own}])
    return _answer(ctx, request, "drafts", number)


def _amounts(document: Mapping[str, Any]) -> dict[str, Any]:
    """Totals from the lines: net amounts, VAT of domestic recipients, and both in base currency."""
    rate = Decimal(str(document.get("exchangeRate", 100)))
    domestic = get(document, "recipient.vatZone.vatZoneNumber") in (None, 1)
    lines = [_line(line, _DOMESTIC_VAT if domestic else Decimal(0)) for line in document.get("lines", ())]
    net = sum((line["totalNetAmount"] for line in lines), Decimal("0.00"))
    vat = sum((line["vatAmount"] for line in lines), Decimal("0.00"))
    gross = net + vat
    return {
        "exchangeRate": rate,
        "netAmount": net,
        "netAmountInBaseCurrency": (net * rate / _HUNDRED).quantize(CENT),
        "grossAmount": gross,
        "grossAmountInBaseCurrency": (gross * rate / _HUNDRED).quantize(CENT),
        "vatAmount": vat,
        "roundingAmount": Decimal("0.00"),
        "lines": lines,
    }


def _line(line: Mapping[str, Any], vat_rate: Decimal) -> dict[str, Any]:
    quantity, price = Decimal(str(line.get("quantity", 1))), Decimal(str(line.get("unitNetPrice", 0)))
    discount = Decimal(str(line.get("discountPercentage", 0)))
    net = (quantity * price * (_HUNDRED - discount) / _HUNDRED).quantize(CENT)
    vat = (net * vat_rate / _HUNDRED).quantize(CENT)
    return {**line, "totalNetAmount": net, "vatRate": vat_rate, "vatAmount": vat}


def _book(ctx: Context, request: Request, body: Any) -> Response:
    """Turn a draft into a booked invoice: final, with a number of the one series; the draft is gone."""
    wanted = _object(body)
    draft = _draft(ctx, get(wanted, "draftInvoice.draftInvoiceNumber"))
    if wanted.get("sendBy", "none") not in _SEND_BY:
        text = f"sendBy must be one of {', '.join(_SEND_BY)}."
        raise invalid({"sendBy": [problem("sendBy", text, "E04300", wanted["sendBy"])]})
    number = _booked_number(ctx, wanted.get("bookWithNumber"))
    document = {name: value for name, value in draft.items() if name not in _DRAFT_ONLY}
    document["remainder"] = draft["grossAmount"]
    document["remainderInBaseCurrency"] = draft["grossAmountInBaseCurrency"]
    with ctx.store.transaction() as db:
        for table in ("drafts", "drafts_docs"):
            db.execute(f"DELETE FROM {table} WHERE number = ?", (draft["draftInvoiceNumber"],))  # noqa: S608
    changes.put_invoices(ctx, [{"bookedInvoiceNumber": number, **document}])
    return _answer(ctx, request, "invoices", number)


def _draft(ctx: Context, number: Any) -> dict[str, Any]:
    row = ctx.store.first("SELECT doc, lines FROM drafts_docs WHERE number = ?", (number,))
    if row is None:
        raise invalid({"draftInvoice": [problem("draftInvoice", "The draft does not exist.", "E06000", number)]})
    return {**parse_plain(row["doc"]), "lines": loads(row["lines"])}


def _booked_number(ctx: Context, wanted: Any) -> int:
    if wanted is None:
        return int(ctx.store.value("SELECT COALESCE(MAX(number), 0) + 1 FROM invoices"))
    if not isinstance(wanted, int) or wanted < 1:
        raise invalid({"bookWithNumber": [problem("bookWithNumber", "Not a usable number.", "E04300", wanted)]})
    if ctx.store.first("SELECT 1 FROM invoices WHERE number = ?", (wanted,)) is not None:
        raise invalid({"bookWithNumber": [problem("bookWithNumber", "The number is in use.", "E04200", wanted)]})
    return wanted


def _answer(ctx: Context, request: Request, table: str, number: int) -> Response:
    row = ctx.store.query(f"SELECT doc, lines FROM {table}_docs WHERE number = ?", (number,))[0]  # noqa: S608
    answer = rendered(request, document_with_lines(row), 201)
    path = "booked" if table == "invoices" else "drafts"
    answer.headers["Location"] = f"{base_url(request)}/invoices/{path}/{number}"
    return answer


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise ClassicError(400, "The request body must be an object.")
    return body
