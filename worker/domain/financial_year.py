"""Financial years: from the agreement's accounting years, or from a start day of our own.

e-conomic's years may have any length (a first year of 18 months, a short one after a change), may leave gaps, and the
coming one may not exist yet. A day that no year holds continues the pattern of the nearest known year, in whole years
of twelve months, so that every date falls in exactly one financial year.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from worker.domain.records import AccountingYear

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Year:
    """A span of days, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


def add_months(day: date, months: int) -> date:
    """`day` moved by whole months; the last day of the month where the month is too short."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


class FinancialYears:
    """All financial years of an agreement."""

    def __init__(self, years: Sequence[AccountingYear], *, start: tuple[int, int] | None = None) -> None:
        self._years = sorted(years, key=lambda year: year.first_day)
        self._start = start

    @classmethod
    def from_start(cls, month_day: str) -> FinancialYears:
        """Twelve-month years that begin on MM-DD; 02-29 begins on 28 February where there is no 29th.

        Raises ValueError for a text that is no day of a year.
        """
        month, day = (int(part) for part in month_day.split("-"))
        date(2024, month, day)  # a leap year has every day
        return cls((), start=(month, day))

    def containing(self, day: date) -> Year:
        """The one financial year that holds `day`."""
        if self._start is not None:
            return self._fixed(day)
        for year in self._years:
            if year.first_day <= day <= year.last_day:
                return Year(year.first_day, year.last_day)
        return self._continued(day)

    def current(self, day: date) -> Year:
        """The same as `containing`; reads better where `day` is today."""
        return self.containing(day)

    def previous(self, day: date) -> Year:
        """The year before the one that holds `day`."""
        return self.containing(self.containing(day).first - _DAY)

    def to_date_last_year(self, day: date) -> Year:
        """Last year's part that compares with this year until `day`.

        Twelve-month years: until the same day one year back (29 February becomes the 28th). Other lengths: as many
        days as this year has had, never past last year's end.
        """
        this, last = self.containing(day), self.previous(day)
        if _twelve_months(this) and _twelve_months(last):
            return Year(last.first, min(last.last, max(last.first, add_months(day, -12))))
        return Year(last.first, min(last.last, last.first + (day - this.first)))

    def economic_year(self, day: date) -> AccountingYear | None:
        """e-conomic's own year that holds `day`, for its totals; None with an own start or outside its years."""
        if self._start is not None:
            return None
        return next((year for year in self._years if year.first_day <= day <= year.last_day), None)

    def quarters(self, year: Year) -> Iterator[Year]:
        """Steps of three months from the year's first day; the last one of an odd year is shorter."""
        first, step = year.first, 1
        while first <= year.last:
            following = add_months(year.first, 3 * step)
            yield Year(first, min(year.last, following - _DAY))
            first, step = following, step + 1

    def quarter(self, day: date) -> Year:
        """The quarter that holds `day`."""
        return next(quarter for quarter in self.quarters(self.containing(day)) if day in quarter)

    def _fixed(self, day: date) -> Year:
        first = self._begin(day.year)
        if day < first:
            return Year(self._begin(day.year - 1), first - _DAY)
        return Year(first, self._begin(day.year + 1) - _DAY)

    def _begin(self, year: int) -> date:
        month, day = self._start or (1, 1)
        return date(year, month, min(day, monthrange(year, month)[1]))

    def _continued(self, day: date) -> Year:
        before = [year for year in self._years if year.last_day < day]
        after = [year for year in self._years if year.first_day > day]
        if before:
            span = _stepped(max(year.last_day for year in before) + _DAY, day)
            return Year(span.first, min(span.last, after[0].first_day - _DAY)) if after else span
        anchor = after[0].first_day if after else date(day.year, 1, 1)
        return _stepped(anchor, day)


def _stepped(anchor: date, day: date) -> Year:
    """The twelve-month year counted from `anchor`, forwards or backwards, that holds `day`."""
    steps = day.year - anchor.year
    while add_months(anchor, 12 * steps) > day:
        steps -= 1
    while add_months(anchor, 12 * (steps + 1)) <= day:
        steps += 1
    return Year(add_months(anchor, 12 * steps), add_months(anchor, 12 * (steps + 1)) - _DAY)


def _twelve_months(year: Year) -> bool:
    # Counted from either end: years that begin on 29 February are twelve months in both directions only sometimes.
    following = year.last + _DAY
    return add_months(year.first, 12) == following or add_months(following, -12) == year.first
