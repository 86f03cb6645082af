"""Compares invoices with the list of invoices, and sales by period with the list of sales statistics."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from worker.domain.profile import PeriodType, Profile, SourceKind
from worker.domain.records import AccountingYear, Invoice
from worker.domain.values import Item, TargetKind, Value
from worker.sync.reconcile_periods import ZERO, Calendar, Period, Span, periods
from worker.sync.reconcile_read import Area, Sides
from worker.sync.reconcile_report import Amount, NotCompared, Sum, Why
from worker.sync.reconcile_rows import Comparer, Found, Kind, Row, amounts, by_key, sides, singles
from worker.sync.reconcile_rules import Rules

INVOICE, STATISTICS = "invoice", "statistics row"
_INVOICES = Kind(INVOICE, SourceKind.INVOICE, TargetKind.INVOICE, "InvoiceNumber", "InvoiceNumber", (Area.INVOICES,))
_STATISTICS = Kind(
    STATISTICS, SourceKind.SALES, TargetKind.STATISTICS, "StatKey", "StatKey", (Area.INVOICES, Area.YEARS)
)
_STAT_KEY = re.compile(r"(\d+)\|([^|]+)\|(\d{4}-\d\d-\d\d)")
_PARTS = (PeriodType.FINANCIAL_YEAR, PeriodType.QUARTER, PeriodType.MONTH)  # of a year, the widest first


def compare_invoices(found: Found, both: Sides, comparer: Comparer) -> None:
    """Rows, fields, and net sales of each accounting year. Invoices from before a profile's window stay as the run left
    them, so they are neither missed nor compared."""
    begun = _INVOICES.rules(found, both)
    if begun is None:
        return
    rules, key_column = begun
    rows = {
        str(one.number): Row(one, one.customer_number, one.invoice_date.isoformat(), one.invoice_date)
        for one in both.invoices
    }
    items = by_key(both.items(TargetKind.INVOICE), key_column)
    creating = both.scope.creating(rules.profiles)
    takes = both.scope.takes_row
    expected = {key for key, row in rows.items() if any(takes(one, row.customer_number, row.day) for one in creating)}
    sides(found, INVOICE, rows, expected, items)
    pairs = ((key, rows[key], item) for key, item in singles(items) if key in rows)
    comparer.fields(found, INVOICE, rules.compared, pairs)
    # Rows that no profile takes any more stay as they are, so they count on neither side.
    counted = [item for key, theirs in items.items() if key in expected or key not in rows for item in theirs]
    _sum_years(found, both, rules, creating, counted)


def _sum_years(found: Found, both: Sides, rules: Rules, creating: Sequence[Profile], items: Sequence[Item]) -> None:
    """Of each accounting year, against e-conomic's own totals; of one that the list holds in part, that part."""
    net, dated = (
        rules.column_of("NetAmountInBaseCurrency", "NetAmountBase"),
        rules.column_of("InvoiceDate", "InvoiceDate"),
    )
    if not creating or not net or not dated:
        return
    if both.may_not_read(Area.YEARS):
        found.not_compared.append(NotCompared(INVOICE, net, Why.SUMS))
    first = min(map(both.scope.first_day, creating))
    days = [(item, _day(item.values.get(dated))) for item in items]
    for year in both.accounting_years:
        inside = _inside(year, both.invoices)
        if not inside or year.last_day < first:
            continue
        takes = both.scope.takes_row
        taken = [one for one in inside if any(takes(by, one.customer_number, one.invoice_date) for by in creating)]
        ours = [item for item, day in days if day and max(first, year.first_day) <= day <= year.last_day]
        theirs = sum((one.net_base for one in taken), ZERO)
        if not taken and not ours:
            continue
        earliest = min(one.invoice_date for one in inside)
        whole = any(both.scope.is_whole(by) and both.scope.first_day(by) <= earliest for by in creating)
        own, since = both.totals(year) if whole else None, first if earliest < first else None
        found.sums.append(
            Sum(Amount.NET_SALES, theirs, amounts(ours, net), own, year.name, since, _ways_to_count(taken))
        )


def compare_statistics(found: Found, both: Sides, comparer: Comparer) -> None:
    """Rows, fields, and the sum of each accounting year."""
    begun = _STATISTICS.rules(found, both)
    if begun is None:
        return
    rules, key_column = begun
    _Statistics(found, both, rules, key_column).compare(comparer)


class _Statistics:
    """The windows of the profiles decide which periods the list must hold; rows of older ones are left there."""

    def __init__(self, found: Found, both: Sides, rules: Rules, key_column: str) -> None:
        self._found = found
        self._both = both
        self._rules = rules
        self._calendar = Calendar(both.years, both.dates.days[-1])
        self._kinds = [kind for kind in PeriodType if any(kind in one.source_filter.periods for one in rules.profiles)]
        every = by_key(both.items(TargetKind.STATISTICS), key_column)
        self._items = {key: items for key, items in every.items() if _STAT_KEY.fullmatch(key)}

    def compare(self, comparer: Comparer) -> None:
        creating = self._both.scope.creating(self._rules.profiles)
        counted = {one.key: one for one in periods(self._both.invoices, self._calendar, self._kinds)}
        rows = {
            key: Row(one, one.customer_number, one.span.last.isoformat())
            for key, one in counted.items()
            if any(self._is_shown(profile, one.customer_number, one.kind, one.span) for profile in self._rules.profiles)
        }
        expected = {key for key in rows if any(self._takes(profile, counted[key]) for profile in creating)}
        items = {key: theirs for key, theirs in self._items.items() if key in rows or self._is_in_scope(key)}
        self._found.counts["statistics rows outside the profiles' periods"] = len(self._items) - len(items)
        sides(self._found, STATISTICS, rows, expected, items)
        pairs = ((key, rows[key], item) for key, item in singles(items) if key in rows)
        comparer.fields(self._found, STATISTICS, self._rules.compared, pairs)
        self._sum_years(creating, items)

    def _takes(self, profile: Profile, one: Period) -> bool:
        return self._is_shown(profile, one.customer_number, one.kind, one.span)

    def _is_shown(self, profile: Profile, customer_number: int, kind: PeriodType, span: Span) -> bool:
        scope, wanted = self._both.scope, profile.source_filter.periods
        kept = kind in wanted and self._calendar.is_kept(kind, span, scope.first_day(profile))
        return kept and scope.takes(profile, customer_number)

    def _is_in_scope(self, key: str) -> bool:
        """Whether a row that e-conomic has no sales for is of a period that the list should be right about."""
        number, kind, first = _parts(key)
        if kind is None or first is None:
            return False
        span = self._calendar.span(kind, first)
        return span is not None and any(self._is_shown(one, number, kind, span) for one in self._rules.profiles)

    def _sum_years(self, creating: Sequence[Profile], items: Mapping[str, Sequence[Item]]) -> None:
        """By the widest periods that make up a year, against the invoices and e-conomic's own totals."""
        net = self._rules.column_of("NetSales", "NetSales")
        kind = next((one for one in _PARTS if one in self._kinds), None)
        if not net or kind is None or not creating:
            return
        for year in self._both.accounting_years:
            inside = _inside(year, self._both.invoices)
            span = self._calendar.span(kind, year.first_day)
            shown = [one for one in creating if kind in one.source_filter.periods and span is not None]
            shown = [
                one for one in shown if span and self._calendar.is_kept(kind, span, self._both.scope.first_day(one))
            ]
            if not inside or not shown:
                continue
            taken = [one for one in inside if any(self._both.scope.takes(by, one.customer_number) for by in shown)]
            ours = [item for key, theirs in items.items() if _is_part(key, kind, year) for item in theirs]
            own = self._both.totals(year) if any(map(self._both.scope.is_whole, shown)) else None
            economic = sum((one.net_base for one in taken), ZERO)
            ways = _ways_to_count(taken)
            self._found.sums.append(Sum(Amount.STATISTICS, economic, amounts(ours, net), own, year.name, counted=ways))


def _ways_to_count(invoices: Sequence[Invoice]) -> tuple[Decimal, ...]:
    """Net sales with and without credit notes."""
    return sum((one.net_base for one in invoices), ZERO), sum((max(one.net_base, ZERO) for one in invoices), ZERO)


def _inside(year: AccountingYear, invoices: Sequence[Invoice]) -> list[Invoice]:
    return [one for one in invoices if year.first_day <= one.invoice_date <= year.last_day]


def _is_part(key: str, kind: PeriodType, year: AccountingYear) -> bool:
    _, its_kind, first = _parts(key)
    return its_kind is kind and first is not None and year.first_day <= first <= year.last_day


def _parts(key: str) -> tuple[int, PeriodType | None, date | None]:
    found = _STAT_KEY.fullmatch(key)
    if found is None:
        return 0, None, None
    number, word, first = found.groups()
    kind = next((one for one in PeriodType if one.value == word), None)
    try:
        return int(number), kind, date.fromisoformat(first)
    except ValueError:
        return int(number), kind, None


def _day(value: Value) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None
