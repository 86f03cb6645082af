"""Sales statistics and ageing, added up in one pass over the invoices.

Sales are net amounts in base currency of booked invoices by invoice date; credit notes are negative. Inside, amounts
are whole hundredths in plain lists: 20,000 customers with 200,000 invoices stay in a few tens of megabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from worker.domain.ageing import BUCKETS, bucket
from worker.domain.financial_year import FinancialYears, Year, add_months
from worker.domain.profile import PeriodType
from worker.domain.records import Invoice
from worker.domain.trend import DEFAULT_RULES, TrendRules, sales_trend

_DAY = timedelta(days=1)
_ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class CustomerFigures:
    """Computed figures of one customer. Money in base currency, two decimals; days are whole."""

    not_due: Decimal = _ZERO
    overdue_1_30: Decimal = _ZERO
    overdue_31_60: Decimal = _ZERO
    overdue_61_90: Decimal = _ZERO
    overdue_over_90: Decimal = _ZERO
    oldest_overdue_days: int = 0
    sales_this_year: Decimal = _ZERO
    sales_last_year: Decimal = _ZERO
    sales_last_year_to_date: Decimal = _ZERO
    sales_last_12_months: Decimal = _ZERO
    sales_previous_12_months: Decimal = _ZERO
    invoice_count_this_year: int = 0
    average_invoice_this_year: Decimal | None = None
    first_invoice_date: date | None = None
    last_invoice_date: date | None = None
    trend: str = "No sales"


@dataclass(frozen=True, slots=True)
class SalesPeriod:
    """One row of the sales statistics. `credit_notes` is the negative part of `net_sales`, as booked.

    `change_pct` compares with the same period before; None when that one had no sales.
    """

    customer_number: int
    period_type: PeriodType
    start: date
    end: date
    net_sales: Decimal
    credit_notes: Decimal
    invoice_count: int
    average_invoice: Decimal
    change_pct: Decimal | None


class _Sums:
    """One customer, in hundredths."""

    __slots__ = ("ageing", "count", "first", "last", "oldest", "spans")

    def __init__(self, spans: int) -> None:
        self.spans = [0] * spans
        self.count = 0
        self.ageing = [0] * len(BUCKETS)
        self.oldest = 0
        self.first: date | None = None
        self.last: date | None = None


class SalesAggregator:
    """Adds invoices in any order and answers per customer.

    `periods` are the period types to keep rows for, `months` how far back rows reach (None = all).
    """

    def __init__(
        self,
        today: date,
        years: FinancialYears,
        periods: Collection[PeriodType] = (),
        months: int | None = None,
        rules: TrendRules = DEFAULT_RULES,
    ) -> None:
        self._today = today
        self._years = years
        self._rules = rules
        self._months = months
        self._periods = tuple(kind for kind in PeriodType if kind in periods)
        year_ago, two_years_ago = add_months(today, -12), add_months(today, -24)
        self._spans = (
            years.current(today),
            years.previous(today),
            years.to_date_last_year(today),
            Year(year_ago + _DAY, today),
            Year(two_years_ago + _DAY, year_ago),
        )
        self._customers: dict[int, _Sums] = {}
        # (customer, type, start) -> [net, credit notes, count]
        self._rows: dict[tuple[int, PeriodType, date], list[int]] = {}
        self._span_cache: dict[tuple[PeriodType, date], Year | None] = {}

    def add(self, invoice: Invoice) -> None:
        """Counts one booked invoice's sales."""
        amount = _hundredths(invoice.net_base)
        day = invoice.invoice_date
        sums = self._of(invoice.customer_number)
        for position, span in enumerate(self._spans):
            if day in span:
                sums.spans[position] += amount
        if day in self._spans[0]:
            sums.count += 1
        sums.first = day if sums.first is None else min(sums.first, day)
        sums.last = day if sums.last is None else max(sums.last, day)
        for kind in self._periods:
            self._add_row(invoice.customer_number, kind, day, amount)

    def add_open(self, invoice: Invoice) -> None:
        """Counts one open invoice's remainder into its ageing bucket."""
        sums = self._of(invoice.customer_number)
        days = days_overdue(invoice, self._today)
        sums.ageing[bucket(days)] += _hundredths(invoice.remainder_base)
        if invoice.remainder_base > 0:
            sums.oldest = max(sums.oldest, days)

    def customers(self) -> Iterable[int]:
        """Numbers of all customers that were met."""
        return self._customers.keys()

    def figures(self, customer_number: int) -> CustomerFigures:
        """Figures of one customer; zeros and None for one that never was met."""
        sums = self._customers.get(customer_number)
        if sums is None:
            return CustomerFigures()
        this, last, to_date, twelve, before = map(_money, sums.spans)
        not_due, to_30, to_60, to_90, over = map(_money, sums.ageing)
        figures = CustomerFigures(
            not_due=not_due,
            overdue_1_30=to_30,
            overdue_31_60=to_60,
            overdue_61_90=to_90,
            overdue_over_90=over,
            oldest_overdue_days=sums.oldest,
            sales_this_year=this,
            sales_last_year=last,
            sales_last_year_to_date=to_date,
            sales_last_12_months=twelve,
            sales_previous_12_months=before,
            invoice_count_this_year=sums.count,
            average_invoice_this_year=_money(_divided(sums.spans[0], sums.count)) if sums.count else None,
            first_invoice_date=sums.first,
            last_invoice_date=sums.last,
        )
        return replace(figures, trend=sales_trend(figures, self._today, self._rules))

    def sales_periods(self) -> Iterator[SalesPeriod]:
        """Periods with at least one invoice, by customer, type and start; only those that reach into `months`."""
        earliest = None if self._months is None else add_months(self._today, -self._months).replace(day=1)
        for (number, kind, start), row in sorted(self._rows.items(), key=_row_order):
            span = self._span(kind, start)
            if span is None or (earliest is not None and span.last < earliest):
                continue
            yield self._period(number, kind, span, row)

    def _period(self, number: int, kind: PeriodType, span: Year, row: list[int]) -> SalesPeriod:
        net, credit, count = row
        before = self._rows.get((number, kind, self._before(kind, span)))
        change = None
        if before is not None and before[0] > 0:
            change = (Decimal(100) * (net - before[0]) / before[0]).quantize(Decimal("0.1"))
        average = _money(_divided(net, count))
        return SalesPeriod(number, kind, span.first, span.last, _money(net), _money(credit), count, average, change)

    def _of(self, number: int) -> _Sums:
        sums = self._customers.get(number)
        if sums is None:
            sums = self._customers[number] = _Sums(len(self._spans))
        return sums

    def _add_row(self, number: int, kind: PeriodType, day: date, amount: int) -> None:
        span = self._span(kind, day)
        if span is None:
            return
        row = self._rows.setdefault((number, kind, span.first), [0, 0, 0])
        row[0] += amount
        row[1] += min(amount, 0)
        row[2] += 1

    def _span(self, kind: PeriodType, day: date) -> Year | None:
        key = (kind, day)
        if key not in self._span_cache:
            self._span_cache[key] = _SPANS[kind](self._years, day, self._today)
        return self._span_cache[key]

    def _before(self, kind: PeriodType, span: Year) -> date:
        """Start of the period one year earlier: a quarter is held against last year's same quarter."""
        if kind is PeriodType.FINANCIAL_YEAR:
            return self._years.previous(span.first).first
        return add_months(span.first, -12)


def days_overdue(invoice: Invoice, today: date) -> int:
    """Whole days past the due date; 0 when it is due today or later, or has no due date."""
    return 0 if invoice.due_date is None else max(0, (today - invoice.due_date).days)


def _month(_years: FinancialYears, day: date, _today: date) -> Year:
    first = day.replace(day=1)
    return Year(first, add_months(first, 1) - _DAY)


def _rolling(_years: FinancialYears, day: date, today: date) -> Year | None:
    end = add_months(today.replace(day=1), 1)
    for first in (add_months(end, -12), add_months(end, -24)):
        span = Year(first, add_months(first, 12) - _DAY)
        if day in span:
            return span
    return None


_SPANS: dict[PeriodType, Callable[[FinancialYears, date, date], Year | None]] = {
    PeriodType.FINANCIAL_YEAR: lambda years, day, _: years.containing(day),
    PeriodType.QUARTER: lambda years, day, _: years.quarter(day),
    PeriodType.MONTH: _month,
    PeriodType.ROLLING_12: _rolling,
}
_TYPE_ORDER = {kind: position for position, kind in enumerate(PeriodType)}


def _row_order(entry: tuple[tuple[int, PeriodType, date], list[int]]) -> tuple[int, int, date]:
    (number, kind, start), _ = entry
    return number, _TYPE_ORDER[kind], start


def _hundredths(amount: Decimal) -> int:
    return int((amount * 100).to_integral_value())


def _money(hundredths: int) -> Decimal:
    return Decimal(hundredths).scaleb(-2)


def _divided(amount: int, count: int) -> int:
    return int((Decimal(amount) / count).to_integral_value())
