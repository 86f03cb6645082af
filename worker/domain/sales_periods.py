"""Sales by customer and period, for the sales statistics list.

Amounts lie as whole hundredths in three arrays, one place per customer and period, because a dictionary of values per
period took three times the memory at 20,000 customers.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from worker.domain.financial_year import FinancialYears, Year, add_months
from worker.domain.hundredths import divided, money
from worker.domain.profile import PeriodType

_DAY = timedelta(days=1)
_TENTH = Decimal("0.1")
_ORDER = {kind: position for position, kind in enumerate(PeriodType)}


@dataclass(frozen=True, slots=True)
class SalesPeriod:
    """One row of the sales statistics, money in base currency with two decimals.

    `credit_notes` is the part of `net_sales` that credit notes make, negative as booked. `change_pct` is held against
    the same period a year before (a financial year against the one before it), one decimal; None when that one had
    no sales.
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


def first_day_needed(today: date, years: FinancialYears, months: int) -> date:
    """The earliest invoice date on which the periods of the last `months` months, and what they are compared with,
    rest: the financial year touched first and the year before it, and two rolling years."""
    touched = years.containing(_window_start(today, months))
    earliest = min(years.previous(touched.first).first, add_months(touched.first, -12), _rolling_start(today, 2))
    return earliest.replace(day=1)


class PeriodBook:
    """Adds amounts in any order and yields the periods that had at least one invoice."""

    def __init__(
        self, today: date, years: FinancialYears, kinds: Collection[PeriodType], months: int | None = None
    ) -> None:
        self._today = today
        self._years = years
        self._kinds = tuple(kind for kind in PeriodType if kind in kinds)
        self._shown_from = None if months is None else _window_start(today, months)
        self._kept_from = date.min if months is None else first_day_needed(today, years, months)
        self._spans: list[tuple[PeriodType, Year]] = []
        self._numbers: dict[tuple[PeriodType, date], int] = {}  # type and first day -> position in _spans
        self._by_day: dict[date, tuple[int, ...]] = {}
        self._places: dict[int, dict[int, int]] = {}  # customer -> position in _spans -> place in the arrays
        self._net = array("q")
        self._credit = array("q")
        self._count = array("l")

    def add(self, customer_number: int, day: date, amount: int) -> None:
        """Counts one invoice of `amount` hundredths, negative for a credit note."""
        spans = self._by_day.get(day)
        if spans is None:
            spans = self._by_day[day] = tuple(self._spans_of(day))
        if not spans:
            return
        places = self._places.setdefault(customer_number, {})
        for span in spans:
            place = places.get(span)
            if place is None:
                place = places[span] = self._new_place()
            self._net[place] += amount
            self._credit[place] += min(amount, 0)
            self._count[place] += 1

    def __iter__(self) -> Iterator[SalesPeriod]:
        """By customer, period type and first day."""
        order = sorted(range(len(self._spans)), key=self._rank)
        shown = [span for span in order if self._is_shown(*self._spans[span])]
        before = {span: self._before(*self._spans[span]) for span in shown}
        for number in sorted(self._places):
            places = self._places[number]
            for span in shown:
                if span in places:
                    yield self._period(number, span, places[span], places.get(before[span], -1))

    def _period(self, number: int, span: int, place: int, place_before: int) -> SalesPeriod:
        kind, year = self._spans[span]
        net, count = self._net[place], self._count[place]
        return SalesPeriod(
            customer_number=number,
            period_type=kind,
            start=year.first,
            end=year.last,
            net_sales=money(net),
            credit_notes=money(self._credit[place]),
            invoice_count=count,
            average_invoice=money(divided(net, count)),
            change_pct=_change(net, self._net[place_before] if place_before >= 0 else 0),
        )

    def _new_place(self) -> int:
        self._net.append(0)
        self._credit.append(0)
        self._count.append(0)
        return len(self._net) - 1

    def _spans_of(self, day: date) -> Iterator[int]:
        if day < self._kept_from:
            return
        for kind in self._kinds:
            year = _SPANS[kind](self._years, day, self._today)
            if year is None:
                continue
            key = (kind, year.first)
            if key not in self._numbers:
                self._numbers[key] = len(self._spans)
                self._spans.append((kind, year))
            yield self._numbers[key]

    def _rank(self, span: int) -> tuple[int, date]:
        kind, year = self._spans[span]
        return _ORDER[kind], year.first

    def _is_shown(self, kind: PeriodType, year: Year) -> bool:
        if kind is PeriodType.ROLLING_12:
            return self._today in year  # the twelve months before are there to compare with
        return self._shown_from is None or year.last >= self._shown_from

    def _before(self, kind: PeriodType, year: Year) -> int:
        if kind is PeriodType.FINANCIAL_YEAR:
            first = self._years.previous(year.first).first
        else:
            first = add_months(year.first, -12)
        return self._numbers.get((kind, first), -1)


def _change(now: int, before: int) -> Decimal | None:
    if before <= 0:
        return None
    return (Decimal(100) * (now - before) / before).quantize(_TENTH, rounding=ROUND_HALF_UP)


def _window_start(today: date, months: int) -> date:
    return add_months(today.replace(day=1), -months)


def _rolling_start(today: date, years: int) -> date:
    return add_months(today.replace(day=1), 1 - 12 * years)


def _month(_years: FinancialYears, day: date, _today: date) -> Year:
    first = day.replace(day=1)
    return Year(first, add_months(first, 1) - _DAY)


def _rolling(_years: FinancialYears, day: date, today: date) -> Year | None:
    """The twelve whole months that end with today's month, or the twelve before them."""
    for years in (1, 2):
        first = _rolling_start(today, years)
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
