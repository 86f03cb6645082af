"""What one session reads from e-conomic: each collection once, whatever number of profiles use it.

All profiles of a session see the same snapshot, so their sums agree. Customers stay in memory; invoices stream: the
first pass feeds the statistics and, when a later profile needs the rows, a nameless temporary file that vanishes with
the process.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date
from decimal import Decimal
from functools import cached_property

from worker.domain.encode import decode_value, encode_value
from worker.domain.fields import Need, resolve_field
from worker.domain.financial_year import FinancialYears, add_months
from worker.domain.profile import PeriodType, Profile, SourceKind
from worker.domain.records import Agreement, Customer, CustomerContact, Invoice
from worker.domain.sales_periods import first_day_needed
from worker.domain.statistics import SalesAggregator
from worker.domain.trend import DEFAULT_RULES, TrendRules
from worker.ports import Source

_COLUMNS = tuple(field.name for field in fields(Invoice))


class Snapshot:
    """A lazy, shared read of the source for one session. `today` is the agreement's local date."""

    def __init__(
        self,
        source: Source,
        profiles: Sequence[Profile],
        today: date,
        year_start: str | None = None,
        trend: TrendRules = DEFAULT_RULES,
    ) -> None:
        self._source = source
        self.profiles = profiles
        self._today = today
        self._year_start = year_start
        self._trend = trend
        self._spool: InvoiceSpool | None = None
        self._read = False

    @cached_property
    def agreement(self) -> Agreement:
        return self._source.agreement()

    @cached_property
    def customers(self) -> Sequence[Customer]:
        return tuple(self._source.customers())

    @cached_property
    def groups(self) -> Mapping[int, tuple[int | None, bool]]:
        """Customer number -> (group number, barred), for filters of rows that only name a customer."""
        return {customer.number: (customer.group_number, customer.barred) for customer in self.customers}

    def contacts(self) -> Iterator[CustomerContact]:
        """Live contacts; soft-deleted ones are gone for us."""
        return (contact for contact in self._source.contacts() if not contact.deleted)

    @cached_property
    def years(self) -> FinancialYears:
        if self._year_start:
            return FinancialYears.from_start(self._year_start)
        return FinancialYears(self._source.accounting_years())

    def invoices(self) -> Iterator[Invoice]:
        """Booked invoices since the earliest day any profile needs, read at most once over the network."""
        self._first_pass()
        return iter(()) if self._spool is None else iter(self._spool)

    @cached_property
    def sales(self) -> SalesAggregator:
        """Figures per customer, from the invoices and the open invoices."""
        self._first_pass()
        return self._aggregator

    @cached_property
    def sales_totals(self) -> Mapping[int, Decimal] | None:
        """e-conomic's own sales of the current year per customer; None when our year is not one of e-conomic's."""
        year = self.years.economic_year(self._today)
        return None if year is None else self._source.sales_totals(year)

    @cached_property
    def _needs(self) -> frozenset[Need]:
        return frozenset(need for profile in self.profiles for need in profile_needs(profile))

    @property
    def _keeps_rows(self) -> bool:
        return any(profile.source is SourceKind.INVOICE for profile in self.profiles)

    @property
    def _reads_booked(self) -> bool:
        """Whether anything rests on booked invoices; ageing alone needs only the open ones."""
        return self._keeps_rows or bool(self._needs - {Need.OPEN_INVOICES})

    def since(self) -> date | None:
        """The earliest invoice date any profile of the session needs; None = from the beginning."""
        days: list[date] = []
        for profile in self.profiles:
            day = self._since(profile)
            if day is None:
                return None
            days.extend(day)
        return min(days, default=None)

    def _since(self, profile: Profile) -> list[date] | None:
        needs = profile_needs(profile)
        if Need.SALES_ALL in needs:
            return None
        days = []
        if Need.SALES_YEARS in needs:
            days += [self.years.previous(self._today).first, add_months(self._today, -24)]
        if profile.source not in (SourceKind.INVOICE, SourceKind.SALES):
            return days
        months = profile.source_filter.months
        if months is None:
            return None
        if profile.source is SourceKind.SALES:
            return [*days, first_day_needed(self._today, self.years, months)]
        return [*days, add_months(self._today, -months).replace(day=1)]

    @cached_property
    def _aggregator(self) -> SalesAggregator:
        sales = [profile for profile in self.profiles if profile.source is SourceKind.SALES]
        periods = frozenset[PeriodType]().union(*(profile.source_filter.periods for profile in sales))
        months = [profile.source_filter.months for profile in sales]
        widest = None if None in months or not months else max(month for month in months if month is not None)
        return SalesAggregator(self._today, self.years, periods, widest, self._trend)

    def _first_pass(self) -> None:
        if self._read:
            return
        self._read = True
        since = self.since()
        self._spool = InvoiceSpool() if self._keeps_rows else None
        wants_figures = bool(self._needs)
        wants_open = Need.OPEN_INVOICES in self._needs
        for invoice in self._source.invoices(since) if self._reads_booked else ():
            if wants_figures:
                self._aggregator.add(invoice)
            if wants_open and since is None and invoice.remainder:
                self._aggregator.add_open(invoice)
            if self._spool is not None:
                self._spool.append(invoice)
        if wants_open and not (self._reads_booked and since is None):
            # The window leaves older invoices out, and those are the ones that are overdue.
            for invoice in self._source.open_invoices():
                self._aggregator.add_open(invoice)

    def close(self) -> None:
        """Drops the temporary file."""
        if self._spool is not None:
            self._spool.close()


def profile_needs(profile: Profile) -> frozenset[Need]:
    """Which invoice data the mapped fields of a profile rest on."""
    needs: set[Need] = {Need.PERIODS} if profile.source is SourceKind.SALES else set()
    for rule in profile.rules:
        field = resolve_field(profile.source, rule.source) if rule.source else None
        needs |= field.needs if field else frozenset()
    return frozenset(needs)


class InvoiceSpool:
    """Invoices on disk, in order, for the passes after the first."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8", prefix="invoices-")  # noqa: SIM115

    def append(self, invoice: Invoice) -> None:
        """Adds one at the end."""
        row = [encode_value(getattr(invoice, name)) for name in _COLUMNS]
        self._file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def __iter__(self) -> Iterator[Invoice]:
        self._file.seek(0)
        return _decoded(self._file)

    def close(self) -> None:
        """The file is gone after this."""
        self._file.close()


def _decoded(lines: Iterable[str]) -> Iterator[Invoice]:
    for line in lines:
        yield Invoice(*map(decode_value, json.loads(line)))  # type: ignore[arg-type]
