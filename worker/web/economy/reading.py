"""Reads one company, or all of them, from the CRM's lists: a handful of requests by indexed columns."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from worker.domain.financial_year import FinancialYears
from worker.domain.records import Agreement
from worker.domain.values import Item, TargetKind
from worker.errors import WorkerError
from worker.web.economy.figures import FIGURES, Card, card_of, text
from worker.wiring.app import App

_COMPANY = ("Title", "CompanyName", "CustomerID", "ImportID", "ERPSalesPerson", "FiguresAsOf", *FIGURES)
_INVOICE = (
    "Title", "InvoiceNumber", "CustomerID", "InvoiceDate", "DueDate", "InvoiceStatus", "CurrencyCode", "GrossAmount",
    "Remainder", "NetAmountBase", "DaysOverdue",
)  # fmt: skip
_CONTACT = ("Title", "FirstName", "LastName", "CompanyCustomerID", "EMail", "Phone", "Mobile", "JobTitle")
_KEPT_SECONDS = 60.0
_KEPT = 20


class Agreements:
    """The agreement of each connection's settings, asked for once in a process: a card must work while e-conomic does
    not. Thread-safe."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, Agreement]] = {}
        self._lock = threading.Lock()

    def of(self, app: App) -> Agreement | None:
        """None while e-conomic can't be asked and the settings name no agreement."""
        settings = app.settings
        with self._lock:
            known = self._known.get(id(settings))
        if known is not None and known[0] is settings:
            return known[1]
        try:
            found = app.source.agreement()
        except WorkerError:
            if settings.economic.agreement is None:
                raise  # whose customer this is can't be told
            return None
        with self._lock:
            self._known = {key: one for key, one in self._known.items() if key != id(settings)}
            self._known[id(settings)] = settings, found
            while len(self._known) > _KEPT:
                self._known.pop(next(iter(self._known)))
        return found


def read_card(app: App, number: int, agreement: int) -> Card | None:
    """One company by its customer number; None when the CRM has none of this agreement."""
    company = find_company(app, number, agreement)
    if company is None:
        return None
    key, today = str(number), app.today
    return card_of(
        number,
        company,
        _find(app, TargetKind.INVOICE, "CustomerID", key, _INVOICE),
        _find(app, TargetKind.CONTACT, "CompanyCustomerID", key, _CONTACT),
        today,
        _year_start(app, key, today),
    )


def find_company(app: App, number: int, agreement: int) -> Item | None:
    """The item of this agreement's customer. ImportID says which agreement filled an item; a person's own has none."""
    items = _find(app, TargetKind.COMPANY, "CustomerID", str(number), _COMPANY)
    return next((one for one in items if _is_ours(one, number, agreement)), None)


def _is_ours(item: Item, number: int, agreement: int) -> bool:
    return text(item.values.get("ImportID")) in ("", import_id(agreement, number))


def import_id(agreement: int, number: int) -> str:
    """As the field ImportID has it."""
    return f"economic:{agreement}:{number}"


def _find(app: App, kind: TargetKind, column: str, key: str, columns: Sequence[str]) -> list[Item]:
    target = app.site.view_of(kind, columns)
    if target is None or column not in target.columns:
        return []
    return target.find(column, [key], list(target.columns))


def _year_start(app: App, key: str, today: date) -> date:
    """First day of the current financial year: from the settings, else from the customer's own statistics, which are
    kept by it, else the calendar's."""
    own = app.settings.sync.financial_year_start
    if own:
        return FinancialYears.from_start(own).current(today).first
    columns = ("CustomerID", "PeriodType", "PeriodStart", "PeriodEnd")
    for item in _find(app, TargetKind.STATISTICS, "CustomerID", key, columns):
        start, end = item.values.get("PeriodStart"), item.values.get("PeriodEnd")
        is_year = item.values.get("PeriodType") == "Financial year"
        if is_year and isinstance(start, date) and isinstance(end, date) and start <= today <= end:
            return start
    return date(today.year, 1, 1)


@dataclass(frozen=True, slots=True)
class Company:
    """One line of the portfolio. `values` as on a card."""

    number: int
    name: str
    item: Item


class Portfolios:
    """All companies of a connection, kept for a minute: sorting and paging ask nobody. Thread-safe."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, object, list[Company]]] = {}

    def of(self, connection: str, app: App, agreement: int) -> list[Company]:
        """Reads the list once a minute."""
        with self._lock:
            kept = self._kept.get(connection)
        if kept is not None and self._now() - kept[0] < _KEPT_SECONDS and kept[1] is app.settings:
            return kept[2]
        found = _companies(app, agreement)
        with self._lock:
            self._kept[connection] = self._now(), app.settings, found
        return found


def _companies(app: App, agreement: int) -> list[Company]:
    target = app.site.view_of(TargetKind.COMPANY, _COMPANY)
    if target is None or "CustomerID" not in target.columns:
        return []
    found = []
    for item in target.items(list(target.columns)):
        key = text(item.values.get("CustomerID")).strip()
        number = int(key) if key.isascii() and key.isdecimal() and len(key) < 10 else 0
        if number and _is_ours(item, number, agreement):
            name = text(item.values.get("Title")) or text(item.values.get("CompanyName")) or key
            found.append(Company(number, name, item))
    return found
