"""`/invoices`: links, the collections by state, single documents, lines, PDF, the sent log."""

from collections.abc import Callable
from functools import partial
from sqlite3 import Row

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from worker.emulators.economic import fields
from worker.emulators.economic.classic import states
from worker.emulators.economic.classic.customers import customer_of
from worker.emulators.economic.context import Context
from worker.emulators.economic.documents import linked_lines
from worker.emulators.economic.errors import ClassicError, not_found
from worker.emulators.economic.filters import EVERYTHING, Condition, both
from worker.emulators.economic.paging import Listing, page
from worker.emulators.economic.pdf import invoice_pdf
from worker.emulators.economic.routing import PDF_COST, SINGLE_COST, get, rendered
from worker.emulators.economic.wire import dumps, link, loads

_LINKS = {
    "notDue": "not-due",
    **{name: name for name in ["drafts", "booked", "paid", "unpaid", "overdue", "sent", "totals"]},
}
_STATES = ("paid", "unpaid", "overdue", "not-due")


def _listing(table: str, allowed: fields.Fields, columns: str = "d.doc") -> Listing:
    return Listing(f"{table} i", "i.number", columns, allowed, f"JOIN {table}_docs d ON d.number = i.number")


BOOKED = _listing("invoices", fields.BOOKED)
_BOOKED_WITH_LINES = _listing("invoices", fields.BOOKED, "d.doc, d.lines")
_BY_STATE = _listing("invoices", fields.BOOKED_BY_STATE)
_DRAFTS = _listing("drafts", fields.DRAFTS)


def routes(ctx: Context) -> list[Route]:
    """All routes of this module."""
    booked, draft = "/invoices/booked/{invoice:int}", "/invoices/drafts/{invoice:int}"
    customer, employee = "/customers/{customer:int}/invoices", "/employees/{employee:int}/invoices"
    return [
        get("/invoices", _links, SINGLE_COST),
        get("/invoices/booked", partial(_booked, ctx)),
        get("/invoices/drafts", partial(_drafts, ctx)),
        get("/invoices/sent", partial(_sent, ctx)),
        *(get(f"/invoices/{state}", _by_state(ctx, state)) for state in _STATES),
        get(booked, partial(_single, ctx, "invoices"), SINGLE_COST),
        get(draft, partial(_single, ctx, "drafts"), SINGLE_COST),
        get(f"{booked}/pdf", partial(_pdf, ctx, "invoices"), PDF_COST),
        get(f"{draft}/pdf", partial(_pdf, ctx, "drafts"), PDF_COST),
        get(f"{booked}/sent", partial(_sent_of_invoice, ctx)),
        get(f"{customer}/booked", partial(_of_customer, ctx, BOOKED)),
        get(f"{customer}/drafts", partial(_of_customer, ctx, _DRAFTS)),
        get(f"{employee}/booked", partial(_of_employee, ctx, BOOKED)),
        get(f"{employee}/drafts", partial(_of_employee, ctx, _DRAFTS)),
    ]


def _links(request: Request) -> Response:
    body = {name: link(f"/invoices/{path}") for name, path in _LINKS.items()}
    return rendered(request, dumps({**body, "self": link("/invoices")}))


def _doc(row: Row) -> str:
    return str(row["doc"])


def document_with_lines(row: Row) -> str:
    """A single invoice: its list text with the lines put in."""
    return f'{row["doc"][:-1]},"lines":{linked_lines(row["lines"])}}}'


def _booked(ctx: Context, request: Request) -> Response:
    if ctx.is_on("lines_in_booked_list"):
        return page(ctx, request, _BOOKED_WITH_LINES, document_with_lines)
    return page(ctx, request, BOOKED, _doc)


def _drafts(ctx: Context, request: Request) -> Response:
    return page(ctx, request, _DRAFTS, _doc)


def _by_state(ctx: Context, state: str) -> Callable[[Request], Response]:
    return lambda request: page(ctx, request, _BY_STATE, _doc, states.condition(ctx, state))


def _of_customer(ctx: Context, listing: Listing, request: Request) -> Response:
    scope = Condition("i.customer = ?", (customer_of(ctx, request)["number"],))
    return page(ctx, request, listing, _doc, scope)


def _of_employee(ctx: Context, listing: Listing, request: Request) -> Response:
    scope = Condition("i.employee = ?", (request.path_params["employee"],))
    return page(ctx, request, listing, _doc, scope)


def _row(ctx: Context, table: str, request: Request) -> Row:
    sql = f"SELECT i.*, d.doc, d.lines FROM {table} i JOIN {table}_docs d ON d.number = i.number WHERE i.number = ?"  # noqa: S608
    row = ctx.store.first(sql, (request.path_params["invoice"],))
    if row is None:
        raise not_found()
    return row


def _single(ctx: Context, table: str, request: Request) -> Response:
    return rendered(request, document_with_lines(_row(ctx, table, request)))


def _pdf(ctx: Context, table: str, request: Request) -> Response:
    row = _row(ctx, table, request)
    if not ctx.is_on("pdf_allowed"):
        raise ClassicError(403, "The role does not allow fetching PDF documents.")
    return Response(invoice_pdf(row), media_type="application/pdf")


# -- the sent log --------------------------------------------------------------------------------------------------

_SENT = Listing("invoices i", "i.number", "i.number, d.doc", {}, BOOKED.join)
_WITH_EAN = """
    EXISTS (SELECT 1 FROM invoices_docs s
            WHERE s.number = i.number AND json_extract(s.doc, '$.recipient.ean') <> '')
"""


def _sent(ctx: Context, request: Request, scope: Condition = EVERYTHING) -> Response:
    """Invoices to a recipient with an EAN were sent electronically; no other way of sending is logged."""
    return page(ctx, request, _SENT, _sent_item, both(scope, Condition(_WITH_EAN)))


def _sent_of_invoice(ctx: Context, request: Request) -> Response:
    return _sent(ctx, request, Condition("i.number = ?", (_row(ctx, "invoices", request)["number"],)))


def _sent_item(row: Row) -> str:
    document = loads(row["doc"])
    number, recipient = row["number"], document["recipient"]
    item = {
        "id": number,
        "invoice": {"bookedInvoiceNumber": number, "self": link(f"/invoices/booked/{number}")},
        "status": "sent",
        "sendBy": "ean",
        "creationDate": document["date"],
        "createdBy": "System",
        "recipient": {name: recipient[name] for name in ("name", "mobilePhone", "ean") if name in recipient},
    }
    return dumps(item)
