"""Sales by customer and period, counted once more from the invoices for the comparison alone."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from worker.domain.profile import PeriodType
from worker.domain.records import AccountingYear, Invoice

ZERO = Decimal(0)
_DAY = timedelta(days=1)
_CENT, _TENTH = Decimal("0.01"), Decimal("0.1")


def months_on(day: date, months: int) -> date:
    """The same day some months on or back; the month's last where it has no such day."""
    at = day.year * 12 + day.month - 1 + months
    year, month = at // 12, at % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


@dataclass(frozen=True, slots=True)
class Span:
    """Days, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


def years_from(month: int, day: int, first: date, last: date) -> list[AccountingYear]:
    """Years of twelve months that begin on this day of each year, from the one that holds `first` to that of `last`;
    where a February has no 29th, on the 28th."""
    starts = [_start(year, month, day) for year in range(first.year - 2, last.year + 3)]
    ends = [start - _DAY for start in starts[1:]]
    spans = [(start, end) for start, end in zip(starts, ends, strict=False) if first <= end and start <= last]
    return [AccountingYear(_year_name(start, end), start, end) for start, end in spans]


def _start(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, monthrange(year, month)[1]))


def _year_name(first: date, last: date) -> str:
    return str(first.year) if first.year == last.year else f"{first.year}/{last.year}"


class Years:
    """Accounting years. A day outside them has none."""

    def __init__(self, years: Sequence[AccountingYear]) -> None:
        self._spans = [Span(one.first_day, one.last_day) for one in years]

    def holding(self, day: date) -> Span | None:
        """The year of a day."""
        return next((one for one in self._spans if day in one), None)

    def before(self, year: Span) -> Span | None:
        """The year that ends where `year` begins."""
        return self.holding(year.first - _DAY)

    def quarter(self, day: date) -> Span | None:
        """Three months counted from the first day of the day's year; the last of an odd year is shorter."""
        year = self.holding(day)
        first = year.first if year else day
        step = 0
        while year is not None and (following := months_on(year.first, 3 * (step := step + 1))) <= day:
            first = following
        return None if year is None else Span(first, min(year.last, months_on(year.first, 3 * step) - _DAY))


@dataclass(frozen=True, slots=True)
class Period:
    """One customer's sales in one period. `before`: net sales of the period it is compared with, a year earlier."""

    customer_number: int
    kind: PeriodType
    span: Span
    net: Decimal
    credit_notes: Decimal
    count: int
    before: Decimal

    @property
    def key(self) -> str:
        """As the list has it."""
        return f"{self.customer_number}|{self.kind.value}|{self.span.first.isoformat()}"

    @property
    def average(self) -> Decimal:
        """Net sales per invoice."""
        return (self.net / self.count).quantize(_CENT, rounding=ROUND_HALF_UP)

    @property
    def change(self) -> Decimal | None:
        """Per cent against a year earlier; None when that had no sales."""
        if self.before <= 0:
            return None
        return (100 * (self.net - self.before) / self.before).quantize(_TENTH, rounding=ROUND_HALF_UP)


class Calendar:
    """Which period of each type a day falls in. `day`: when the list was filled last, for the rolling months."""

    def __init__(self, years: Years, day: date) -> None:
        self._years = years
        self._day = day
        self._of: Mapping[PeriodType, Callable[[date], Span | None]] = {
            PeriodType.FINANCIAL_YEAR: years.holding,
            PeriodType.QUARTER: years.quarter,
            PeriodType.MONTH: _month,
            PeriodType.ROLLING_12: self._rolling,
        }

    def span(self, kind: PeriodType, day: date) -> Span | None:
        """None where there is none."""
        return self._of[kind](day)

    def before(self, kind: PeriodType, span: Span) -> date | None:
        """The first day of the period a year earlier."""
        if kind is not PeriodType.FINANCIAL_YEAR:
            return months_on(span.first, -12)
        earlier = self._years.before(span)
        return earlier.first if earlier else None

    def is_kept(self, kind: PeriodType, span: Span, first: date) -> bool:
        """Whether a list that reaches back to `first` holds the period."""
        return self._day in span if kind is PeriodType.ROLLING_12 else span.last >= first

    def _rolling(self, day: date) -> Span | None:
        """The twelve whole months that end with this one, or the twelve before them."""
        for years in (1, 2):
            first = months_on(self._day.replace(day=1), 1 - 12 * years)
            span = Span(first, months_on(first, 12) - _DAY)
            if day in span:
                return span
        return None


def _month(day: date) -> Span:
    first = day.replace(day=1)
    return Span(first, months_on(first, 1) - _DAY)


def periods(invoices: Iterable[Invoice], calendar: Calendar, kinds: Collection[PeriodType]) -> list[Period]:
    """Every period that had an invoice."""
    amounts: dict[tuple[int, PeriodType, Span], list[Decimal]] = defaultdict(list)
    spans: dict[tuple[PeriodType, date], Span | None] = {}
    for one in invoices:
        for kind in kinds:
            at = (kind, one.invoice_date)
            if at not in spans:
                spans[at] = calendar.span(*at)
            span = spans[at]
            if span is not None:
                amounts[one.customer_number, kind, span].append(one.net_base)
    sums = {(number, kind, span.first): sum(theirs, ZERO) for (number, kind, span), theirs in amounts.items()}
    found = []
    for (number, kind, span), theirs in amounts.items():
        earlier = calendar.before(kind, span)
        before = ZERO if earlier is None else sums.get((number, kind, earlier), ZERO)
        credit = sum((one for one in theirs if one < 0), ZERO)
        found.append(Period(number, kind, span, sum(theirs, ZERO), credit, len(theirs), before))
    return found
