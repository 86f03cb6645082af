"""Reads what a comparison holds against each other: e-conomic's collections and the CRM's lists, each once."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import TypeVar

from worker.domain.profile import Profile, SourceKind
from worker.domain.records import AccountingYear, Customer, CustomerContact, Invoice
from worker.domain.values import ColumnKind, Item, TargetKind
from worker.errors import AccessDeniedError
from worker.ports import ComparedSource, Target
from worker.sync.reconcile_figures import BY_YEAR, FIGURES
from worker.sync.reconcile_forms import squeezed
from worker.sync.reconcile_periods import Years, years_from
from worker.sync.reconcile_report import Why
from worker.sync.reconcile_rules import Rules, Scope

# What the comparison itself needs of the lists, whatever the profiles map.
COLUMNS = (
    "ERPStatus",
    "CustomerID",
    "CINumber",
    "ImportID",
    "Title",
    "Balance",
    "OverdueAmount",
    "FiguresAsOf",
    "InvoiceNumber",
    "InvoiceDate",
    "NetAmountBase",
    "StatKey",
    "NetSales",
)
_OURS = "economic:"
_Row = TypeVar("_Row", CustomerContact, Invoice, AccountingYear)
log = logging.getLogger(__name__)


class Area(StrEnum):
    """What of e-conomic another role may not read, in words of a report."""

    CONTACTS = "contacts"
    INVOICES = "invoices"
    YEARS = "accounting years"


@dataclass(frozen=True, slots=True)
class Dates:
    """`days`: any of them counts as the day on which the CRM's figures were right; the agreement's own first, then
    earlier ones back to the last run. `ran`: whether there was one. `zone`: the agreement's. `year_start`: month and
    day on which financial years begin, None for e-conomic's own."""

    days: Sequence[date]
    zone: tzinfo
    ran: bool = True
    year_start: tuple[int, int] | None = None

    @property
    def today(self) -> date:
        """The agreement's own day."""
        return self.days[0]


class Sides:
    """Both sides, each read once. What the app's role may not read of e-conomic is empty, and `may_not_read` says so.

    `targets`: the CRM's lists that there are, with the columns the profiles map and COLUMNS. `profiles` say which
    columns hold which field, in the order they run. Raises AccessDeniedError when not even customers may be read.
    """

    def __init__(
        self,
        source: ComparedSource,
        targets: Mapping[TargetKind, Target],
        profiles: Sequence[Profile],
        dates: Dates,
    ) -> None:
        self._source = source
        self._targets = targets
        self._profiles = [one for one in profiles if one.enabled]
        self._totals: dict[str, Mapping[int, Decimal]] = {}
        self._denied: set[Area] = set()
        self.dates = dates
        self.agreement = source.agreement().number
        self.customers: dict[str, Customer] = {str(one.number): one for one in source.customers()}
        self.scope = Scope(self.customers, dates.today)

    def may_not_read(self, area: Area) -> bool:
        """Whether the app's role was refused it."""
        match area:
            case Area.CONTACTS:
                _ = self.contacts
            case Area.INVOICES:
                _ = self.invoices
            case Area.YEARS:
                _ = self.accounting_years
        return area in self._denied

    @cached_property
    def contacts(self) -> list[CustomerContact]:
        """Live ones of customers that there are."""
        every = self._allowed(Area.CONTACTS, self._source.contacts)
        return [one for one in every if not one.deleted and str(one.customer_number) in self.customers]

    @cached_property
    def invoices(self) -> list[Invoice]:
        """All that are booked."""
        return self._allowed(Area.INVOICES, self._source.invoices)

    @cached_property
    def by_customer(self) -> Mapping[int, Sequence[Invoice]]:
        """Each customer's invoices."""
        found: dict[int, list[Invoice]] = defaultdict(list)
        for one in self.invoices:
            found[one.customer_number].append(one)
        return found

    @cached_property
    def accounting_years(self) -> Sequence[AccountingYear]:
        """e-conomic's, or the settings' where those have their own."""
        start, today = self.dates.year_start, self.dates.today
        if start is None:
            return self._allowed(Area.YEARS, self._source.accounting_years)
        return years_from(*start, min((one.invoice_date for one in self.invoices), default=today), today)

    @cached_property
    def years(self) -> Years:
        """The financial years that figures rest on."""
        return Years(self.accounting_years)

    def totals(self, year: AccountingYear) -> Decimal | None:
        """e-conomic's own net sales of a year; it has none of the settings' years."""
        if self.dates.year_start is not None:
            return None
        if year.name not in self._totals:
            self._totals[year.name] = self._source.sales_totals(year)
        return sum(self._totals[year.name].values(), Decimal(0))

    def open_totals(self, *, overdue: bool) -> Mapping[int, Decimal]:
        """e-conomic's own sums of what each customer has open, or past due."""
        return self._source.open_totals(overdue=overdue)

    def _allowed(self, area: Area, read: Callable[[], Iterable[_Row]]) -> list[_Row]:
        try:
            return list(read())
        except AccessDeniedError as error:
            log.info("left out of the comparison area=%s reason=%s", area, error)
            self._denied.add(area)
            return []

    def has(self, kind: TargetKind) -> bool:
        """Whether the site has the list."""
        return kind in self._targets

    def rules(self, kind: str, source: SourceKind, target: TargetKind) -> Rules:
        """How the profiles fill a list."""
        columns = self._targets[target].columns if target in self._targets else {}
        return Rules(kind, source, self._profiles, columns, self._blocked)

    @cached_property
    def _blocked(self) -> Mapping[str, tuple[Why, str]]:
        """Fields that can't be counted, why, and what of e-conomic they lack."""
        blocked: dict[str, tuple[Why, str]] = {}
        if self.may_not_read(Area.YEARS):
            blocked |= dict.fromkeys(BY_YEAR, (Why.ROLE, Area.YEARS.value))
        elif not all(self.years.holding(day) for day in self.dates.days):
            blocked |= dict.fromkeys(BY_YEAR, (Why.YEARS, ""))
        if self.may_not_read(Area.INVOICES):
            blocked |= dict.fromkeys(FIGURES, (Why.ROLE, Area.INVOICES.value))
        return blocked

    @cached_property
    def companies(self) -> list[Item]:
        """Of this agreement, or of none."""
        return [one for one in self._companies if not self._is_foreign(one)]

    @cached_property
    def _companies(self) -> list[Item]:
        return self._read(TargetKind.COMPANY)

    @cached_property
    def _foreign(self) -> Collection[int]:
        """Companies of other agreements that feed the same site: none of our business, nor what belongs to them."""
        return frozenset(one.item_id for one in self._companies if self._is_foreign(one))

    def _is_foreign(self, company: Item) -> bool:
        text = squeezed(company.values.get("ImportID"))
        return text.startswith(_OURS) and not text.startswith(f"{_OURS}{self.agreement}:")

    def items(self, kind: TargetKind) -> list[Item]:
        """Rows of a list that belong to no other agreement's company."""
        if kind not in self._targets:
            return []
        lookups = [name for name, one in self._targets[kind].columns.items() if one.kind is ColumnKind.LOOKUP]
        every = self._read(kind)
        return [one for one in every if not any(one.values.get(name) in self._foreign for name in lookups)]

    def _read(self, kind: TargetKind) -> list[Item]:
        target = self._targets.get(kind)
        return [] if target is None else list(target.items(list(target.columns)))
