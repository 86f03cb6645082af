"""`/self`, the small reference collections, accounting years with periods, totals and entries."""

from functools import partial
from sqlite3 import Row

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from worker.emulators.economic import fields
from worker.emulators.economic.context import Context
from worker.emulators.economic.documents import period_document, year_document
from worker.emulators.economic.errors import not_found
from worker.emulators.economic.filters import Condition
from worker.emulators.economic.paging import Listing, page
from worker.emulators.economic.roles import ALL, NUMBERS
from worker.emulators.economic.routing import SINGLE_COST, get, rendered
from worker.emulators.economic.wire import amount, decode_key, dumps, encode_key, link, members

_REFERENCE_KINDS = ("customer-groups", "payment-terms", "vat-zones", "currencies", "employees", "layouts")
_YEARS = Listing("years y", "y.year", "y.*", fields.YEARS, order="y.from_date, y.year")
_PERIODS = Listing("periods p", "p.number", "p.*", fields.PERIODS)
ENTRIES = Listing("entries e", "e.number", "e.*", fields.ENTRIES)


def routes(ctx: Context) -> list[Route]:
    """All routes of this module."""
    return [
        get("/self", partial(_self, ctx), SINGLE_COST),
        *(route for kind in _REFERENCE_KINDS for route in _reference_routes(ctx, kind)),
        get("/accounting-years", partial(_years, ctx)),
        *_year_routes(ctx),
    ]


def _self(ctx: Context, request: Request) -> Response:
    agreement = ctx.store.meta("self") or {}
    role = ctx.switches.get("granted_role")
    return rendered(request, dumps({**_self_with_links(_with_role(agreement, role)), "self": link("/self")}))


def _with_role(agreement: dict[str, object], role: str) -> dict[str, object]:
    """The roles the data have, or the only one that was granted."""
    application = agreement.get("application")
    if role == ALL or not isinstance(application, dict):
        return agreement
    return {**agreement, "application": {**application, "requiredRoles": [{"roleNumber": NUMBERS[role], "name": role}]}}


def _self_with_links(agreement: dict[str, object]) -> dict[str, object]:
    result = dict(agreement)
    application = agreement.get("application")
    if isinstance(application, dict):
        result["application"] = {**application, "self": link(f"/apps/{application.get('appNumber')}")}
    modules = agreement.get("modules")
    if isinstance(modules, list):
        result["modules"] = [{**each, "self": link(f"/modules/agreement/{each['moduleNumber']}")} for each in modules]
    return result


def _reference_routes(ctx: Context, kind: str) -> list[Route]:
    allowed = fields.REFERENCES[kind]

    def collection(request: Request) -> Response:
        known = fields.VAT_ZONES_FILTERABLE if kind == "vat-zones" and ctx.is_on("vat_zones_filterable") else allowed
        listing = Listing("refs r", "r.rowid", "r.doc", known, order="r.number, r.key")
        return page(ctx, request, listing, lambda row: str(row["doc"]), Condition("r.kind = ?", (kind,)))

    def single(request: Request) -> Response:
        key = decode_key(request.path_params["key"])
        doc = ctx.store.value("SELECT doc FROM refs WHERE kind = ? AND key = ?", (kind, key))
        if doc is None:
            raise not_found()
        return rendered(request, doc)

    return [get(f"/{kind}", collection), get(f"/{kind}/{{key}}", single, SINGLE_COST)]


# -- accounting years ----------------------------------------------------------------------------------------------


def _years(ctx: Context, request: Request) -> Response:
    return page(ctx, request, _YEARS, lambda row: dumps(year_document(row)))


def _year_routes(ctx: Context) -> list[Route]:
    year, period = "/accounting-years/{year}", "/accounting-years/{year}/periods/{period:int}"
    return [
        get(year, partial(_year, ctx), SINGLE_COST),
        get(f"{year}/periods", partial(_periods, ctx)),
        get(period, partial(_period, ctx), SINGLE_COST),
        get(f"{year}/entries", partial(_entries, ctx)),
        get(f"{period}/entries", partial(_entries, ctx)),
        get(f"{year}/totals", partial(_totals, ctx)),
        get(f"{period}/totals", partial(_totals, ctx)),
    ]


def year_of(ctx: Context, request: Request) -> Row:
    """The accounting year named in the path; 404 when there is none."""
    key = decode_key(request.path_params["year"])
    row = ctx.store.first("SELECT * FROM years WHERE year = ?", (key,))
    if row is None:
        raise not_found()
    return row


def _year(ctx: Context, request: Request) -> Response:
    return rendered(request, dumps(year_document(year_of(ctx, request))))


def _periods(ctx: Context, request: Request) -> Response:
    year = year_of(ctx, request)
    scope = Condition("p.year = ?", (year["year"],))
    return page(ctx, request, _PERIODS, lambda row: dumps(period_document(row)), scope)


def _period_of(ctx: Context, request: Request) -> Row:
    year = year_of(ctx, request)
    number = request.path_params["period"]
    row = ctx.store.first("SELECT * FROM periods WHERE number = ? AND year = ?", (number, year["year"]))
    if row is None:
        raise not_found()
    return row


def _period(ctx: Context, request: Request) -> Response:
    return rendered(request, dumps(period_document(_period_of(ctx, request))))


def _span_of(ctx: Context, request: Request) -> Row:
    return _period_of(ctx, request) if "period" in request.path_params else year_of(ctx, request)


def _entries(ctx: Context, request: Request) -> Response:
    span = _span_of(ctx, request)
    size = int(ctx.switches.get("entries_page_size_default"))
    listing = Listing(ENTRIES.table, ENTRIES.key, ENTRIES.columns, ENTRIES.fields, default_size=size)
    scope = Condition("e.date BETWEEN ? AND ?", (span["from_date"], span["to_date"]))
    return page(ctx, request, listing, lambda row: dumps(_entry(row, span["year"])), scope)


def _entry(row: Row, year: str) -> dict[str, object]:
    own = f"/accounting-years/{encode_key(year)}/entries/{row['number']}"
    customer, invoice = row["customer"], row["invoice"]
    return members(
        [
            ("account", {"accountNumber": row["account"], "self": link(f"/accounts/{row['account']}")}),
            ("amount", amount(round(row["amount_base"] * 100 / row["rate"]))),
            ("amountInBaseCurrency", amount(row["amount_base"])),
            ("currency", row["currency"]),
            ("date", row["date"]),
            ("dueDate", row["due"]),
            ("entryNumber", row["number"]),
            ("text", f"Faktura {invoice}" if row["type"] == 1 else f"Betaling {invoice}"),
            ("entryType", fields.ENTRY_TYPES[row["type"]]),
            ("voucherNumber", row["voucher"]),
            ("remainder", amount(row["remainder"])),
            ("remainderInBaseCurrency", amount(row["remainder_base"])),
            ("customer", {"customerNumber": customer, "self": link(f"/customers/{customer}")} if customer else None),
            ("bookedInvoice", {"bookedInvoiceNumber": invoice, "self": link(f"/invoices/booked/{invoice}")}),
            ("self", link(own)),
        ]
    )


def _totals(ctx: Context, request: Request) -> Response:
    """Totals per account. Not a paged collection: the accounts of this emulator are few."""
    span = _span_of(ctx, request)
    found = ctx.store.query(
        "SELECT account, SUM(amount_base) AS total FROM entries WHERE date BETWEEN ? AND ? "
        "GROUP BY account ORDER BY account",
        (span["from_date"], span["to_date"]),
    )
    items = [
        {
            "totalInBaseCurrency": amount(row["total"]),
            "account": {"accountNumber": row["account"], "self": link(f"/accounts/{row['account']}")},
            "fromDate": span["from_date"],
            "toDate": span["to_date"],
        }
        for row in found
    ]
    return rendered(request, dumps({"collection": items, "self": link(request.url.path)}))
