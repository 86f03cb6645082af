"""The routes: the portfolio, one company's card, the live look-up, and an invoice's document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from worker.domain.trend import TrendRules
from worker.domain.values import TargetKind
from worker.errors import ConfigError, NotFoundError, Problem, WorkerError
from worker.web import charts
from worker.web.access import Principal, Role
from worker.web.console.common import desk_of, host_of, known, show
from worker.web.console.items import item_links
from worker.web.economy import invoices as lists
from worker.web.economy import portfolio as overview
from worker.web.economy.figures import Card
from worker.web.economy.live import Live, look_up
from worker.web.economy.reading import Agreements, Portfolios, find_company, read_card
from worker.web.forms import Posted
from worker.web.guard import Viewer
from worker.web.render import link, texts_of
from worker.wiring.app import App

router = APIRouter(prefix="/economy", include_in_schema=False)

Number = Annotated[int, Path(ge=1, le=999_999_999)]
Words = Annotated[str, Query(max_length=100)]
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
_MONTHS_LOOK = (("two", "before"), ("one", "now"))


def _wanted(sort: Words = "day", up: Words = "", status: Words = "", page: PageNumber = 1) -> lists.Wanted:
    return lists.Wanted(sort, bool(up), status, page)


InvoiceList = Annotated[lists.Wanted, Depends(_wanted)]


def _connection(request: Request, connection: Words = "") -> str:
    """The named one, or the only one. Raises NotFoundError, ConfigError when one must be named."""
    names = host_of(request).live.names
    if not connection and len(names) == 1:
        return names[0]
    if not connection:
        raise ConfigError(
            [Problem("connection", "is needed, since there are several.", tuple(names))],
            hint="Add ?connection= and its name to the address.",
        )
    return known(request, connection)


Connection = Annotated[str, Depends(_connection)]


@router.get("")
def portfolio(
    request: Request, connection: Connection, who: Viewer, order: Words = "overdue", q: Words = "", page: PageNumber = 1
) -> Response:
    """All companies."""
    order = order if order in overview.ORDERS else "overdue"
    trouble: WorkerError | None = None
    found = overview.page_of((), order, q, 1)
    currency = ""
    try:
        with desk_of(request).open(connection) as app:
            agreement, currency = _agreement(request, app)
            found = overview.page_of(_portfolios(request).of(connection, app, agreement), order, q, page)
    except WorkerError as error:
        trouble = error
    address = _addresses(request)
    context = {
        "view": found,
        "order": order,
        "orders": overview.ORDERS,
        "q": q,
        "currency": currency,
        "top": charts.bars(found.top, "bad"),
        "card": lambda number: address(str(number)),
        "sorted_by": lambda one: address(order=one, q=q),
        "address": lambda number: address(order=order, q=q, page=number),
        "download": address("companies.csv", order=order, q=q),
        "hidden": _hidden(request),
        "where": connection,
    }
    return _show(request, "economy.html", who, connection, context, trouble)


@router.get("/companies.csv")
def download(
    request: Request, connection: Connection, _who: Viewer, order: Words = "overdue", q: Words = ""
) -> Response:
    """The same companies for a spreadsheet."""
    with desk_of(request).open(connection) as app:
        agreement, _ = _agreement(request, app)
        every = _portfolios(request).of(connection, app, agreement)
    danish = texts_of(request).language == "da"
    body = "\ufeff" + overview.as_csv(overview.lines_of(every, order, q), danish=danish)
    headers = {"Content-Disposition": 'attachment; filename="companies.csv"'}
    return Response(body, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/{number}")
def card(request: Request, number: Number, connection: Connection, who: Viewer, wanted: InvoiceList) -> Response:
    """One company, from the CRM's lists alone."""
    with desk_of(request).open(connection) as app:
        agreement, currency = _agreement(request, app)
        found = read_card(app, number, agreement)
    return _card_page(request, who, _there(found, number), Shown(connection, currency, wanted))


@router.post("/{number}")
def live(
    request: Request, number: Number, connection: Connection, who: Viewer, wanted: InvoiceList, _form: Posted
) -> Response:
    """The same, with e-conomic read now. Writes nothing; without e-conomic the CRM's figures stay."""
    with desk_of(request).open(connection) as app:
        agreement, currency = _agreement(request, app)
        found = read_card(app, number, agreement)
    shown, standing = Shown(connection, currency, wanted), _there(found, number)
    try:
        with desk_of(request).open(connection) as app:
            shown = replace(shown, now=look_up(app, standing))
    except WorkerError as error:
        shown = replace(shown, trouble=error)
    return _card_page(request, who, standing, shown)


@router.get("/{number}/invoices/{invoice}.pdf")
def document(request: Request, number: Number, invoice: Number, connection: Connection, _who: Viewer) -> Response:
    """An invoice as e-conomic prints it. Only one of this customer: the number in the address opens no other's."""
    body: bytes | None = None
    with desk_of(request).open(connection) as app:
        agreement, _ = _agreement(request, app)
        if find_company(app, number, agreement) is not None:
            found = app.source.invoice(invoice)
            if found is not None and found.customer_number == number:
                body = app.source.invoice_pdf(invoice)
    if body is None:
        raise NotFoundError("This customer has no such invoice.", hint="Choose one of the card's list.")
    headers = {"Content-Disposition": f'inline; filename="invoice-{invoice}.pdf"'}
    return Response(body, media_type="application/pdf", headers=headers)


@dataclass(frozen=True, slots=True)
class Shown:
    """How a card is shown. `where` is the connection."""

    where: str
    currency: str
    wanted: lists.Wanted
    now: Live | None = None
    trouble: WorkerError | None = None


def _there(card: Card | None, number: int) -> Card:
    """Raises NotFoundError."""
    if card is None:
        raise NotFoundError(
            f"The CRM has no company with Customer ID {number}.", hint="Check the number, or run the sync once."
        )
    return card


def _card_page(request: Request, who: Principal, card: Card, shown: Shown) -> Response:
    texts = texts_of(request)
    address = _addresses(request)
    wanted, number = shown.wanted, str(card.number)
    values = {**card.values, **(shown.now.values if shown.now else {})}
    current = replace(card, values=values)
    series = [charts.Series(look, [getattr(month, part) for month in card.months]) for look, part in _MONTHS_LOOK]
    context = {
        "card": current,
        "crm": card.values,
        "now": shown.now,
        "currency": shown.currency,
        "invoices": lists.page_of(card.invoices, wanted),
        "wanted": wanted,
        "sales": charts.columns([texts.month(month.first) for month in card.months], series),
        "ageing": charts.shares([(f"age{at}", amount) for at, (_, amount) in enumerate(current.ageing)]),
        "rules": _rules(request, shown.where),
        "labels": _labels(request, shown.where),
        "look_up": address(number),
        "portfolio": address(),
        "crm_item": item_links(request, shown.where).of(TargetKind.COMPANY.value, card.item_id),
        "page_address": lambda at: address(number, sort=wanted.sort, up=_up(wanted.up), status=wanted.status, page=at),
        "sort_address": lambda sort: address(
            number, sort=sort, up=_up(sort == wanted.sort and not wanted.up), status=wanted.status
        ),
        "pdf": lambda invoice: address(number, "invoices", f"{invoice}.pdf"),
        "hidden": _hidden(request),
        "where": shown.where,
    }
    return _show(request, "card.html", who, shown.where, context, shown.trouble)


def _show(
    request: Request, name: str, who: Principal, where: str, context: dict[str, Any], trouble: WorkerError | None
) -> Response:
    """Salespeople see no way into the console; administrators keep their tabs, but not in a frame."""
    in_console = who.may(Role.READER) and "embed" not in request.query_params
    return show(request, name, who, where if in_console else "", "economy", context, trouble=trouble)


def _addresses(request: Request) -> Callable[..., str]:
    """Makes addresses below /economy that keep the connection and whether the page stands in a frame."""
    kept = _hidden(request)

    def address(*parts: str, **query: object) -> str:
        return link("economy", *parts, **kept, **query)

    return address


def _hidden(request: Request) -> dict[str, str]:
    """What every address and form of the page carries along."""
    kept = {name: request.query_params.get(name, "") for name in ("connection", "embed")}
    return {name: value for name, value in kept.items() if value}


def _agreement(request: Request, app: App) -> tuple[int, str]:
    """Number and base currency; the latter "" while e-conomic can't be asked."""
    agreements: Agreements = request.app.state.agreements
    found = agreements.of(app)
    if found is None:
        return app.settings.economic.agreement or 0, ""
    return found.number, found.base_currency


def _portfolios(request: Request) -> Portfolios:
    portfolios: Portfolios = request.app.state.portfolios
    return portfolios


def _rules(request: Request, connection: str) -> TrendRules:
    """The thresholds by which the word for the trend was chosen."""
    sync = host_of(request).live.of(connection).sync
    return TrendRules(
        Decimal(str(sync.trend_growing_pct)),
        Decimal(str(sync.trend_declining_pct)),
        sync.trend_lapsed_months,
        sync.trend_new_months,
    )


def _labels(request: Request, connection: str) -> dict[str, str]:
    """Columns as the lists that the worker makes call them, in the reader's language."""
    with desk_of(request).open(connection) as app:
        columns = app.definitions["companies"].columns
    language = texts_of(request).language
    return {column.name: column.title(language) for column in columns}


def _up(value: bool) -> str:
    return "1" if value else ""
