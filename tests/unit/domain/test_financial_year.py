"""Financial years: every length, gaps, the year that does not exist yet, and 29 February."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.financial_year import FinancialYears, Year, add_months
from worker.domain.records import AccountingYear

DAY = timedelta(days=1)
days = st.dates(date(2005, 1, 1), date(2045, 12, 31))


def year(first: str, last: str) -> AccountingYear:
    return AccountingYear(first[:4], date.fromisoformat(first), date.fromisoformat(last))


def span(first: str, last: str) -> Year:
    return Year(date.fromisoformat(first), date.fromisoformat(last))


CALENDAR = FinancialYears([year("2025-01-01", "2025-12-31"), year("2024-01-01", "2024-12-31")])
# A short first year, one of eighteen months, a gap, and nothing after 2022.
ODD = FinancialYears(
    [
        year("2021-01-01", "2022-06-30"),
        year("2016-09-15", "2016-12-31"),
        year("2017-01-01", "2017-12-31"),
        year("2018-01-01", "2018-12-31"),
    ]
)


@st.composite
def agreements(draw: st.DrawFn) -> FinancialYears:
    """Accounting years of any length with any gaps, in any order; or an own start."""
    if draw(st.booleans()):
        start = draw(st.dates(date(2024, 1, 1), date(2024, 12, 31)))
        return FinancialYears.from_start(f"{start:%m-%d}")
    first, years = draw(st.dates(date(2012, 1, 1), date(2016, 12, 31))), []
    for length, gap in draw(st.lists(st.tuples(st.integers(1, 18), st.integers(0, 500)), max_size=6)):
        last = add_months(first, length) - DAY
        years.append(AccountingYear("y", first, last))
        first = last + DAY + timedelta(days=gap)
    return FinancialYears(draw(st.permutations(years)))


@given(agreements(), days)
def test_every_day_falls_in_exactly_one_financial_year(years, day):
    """The year of a day holds it, is the year of its own first and last day, and its neighbour begins the day after."""
    found = years.containing(day)
    assert day in found
    assert years.containing(found.first) == found == years.containing(found.last)
    assert years.containing(found.last + DAY).first == found.last + DAY


@given(agreements(), days)
def test_the_year_before_ends_the_day_before(years, day):
    """Years leave no gap, whatever e-conomic's own years do."""
    assert years.previous(day).last == years.current(day).first - DAY


@given(agreements(), days)
def test_quarters_cover_their_year_once(years, day):
    """The quarters follow each other from the year's first day to its last."""
    whole = years.containing(day)
    quarters = list(years.quarters(whole))
    assert quarters[0].first == whole.first
    assert quarters[-1].last == whole.last
    assert all(one.last + DAY == two.first for one, two in pairwise(quarters))
    assert day in years.quarter(day)
    assert years.quarter(day) in quarters


@given(agreements(), days)
def test_last_year_to_date_is_the_beginning_of_last_year(years, day):
    """It starts with last year and never reaches past its end."""
    part, last = years.to_date_last_year(day), years.previous(day)
    assert part.first == last.first
    assert last.first <= part.last <= last.last


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2025-11-25", span("2025-01-01", "2025-12-31")),
        ("2024-01-01", span("2024-01-01", "2024-12-31")),
        ("2026-01-01", span("2026-01-01", "2026-12-31")),  # the coming year is not made yet
        ("2031-05-05", span("2031-01-01", "2031-12-31")),
        ("2020-02-29", span("2020-01-01", "2020-12-31")),
    ],
)
def test_a_day_outside_all_years_continues_their_pattern(day, expected):
    """Before and after the known years the years go on, twelve months each."""
    assert CALENDAR.containing(date.fromisoformat(day)) == expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2016-10-01", span("2016-09-15", "2016-12-31")),
        ("2016-09-14", span("2015-09-15", "2016-09-14")),
        ("2022-06-30", span("2021-01-01", "2022-06-30")),
        ("2022-07-01", span("2022-07-01", "2023-06-30")),
        ("2019-03-03", span("2019-01-01", "2019-12-31")),
        ("2020-12-31", span("2020-01-01", "2020-12-31")),
    ],
)
def test_years_may_have_any_length_and_leave_gaps(day, expected):
    """A short first year, one of eighteen months, and a gap that counts as years of its own."""
    assert ODD.containing(date.fromisoformat(day)) == expected


def test_a_gap_shorter_than_a_year_makes_a_short_year():
    """The filled-in year ends where the next known one begins."""
    years = FinancialYears([year("2024-01-01", "2024-12-31"), year("2025-04-01", "2026-03-31")])
    assert years.containing(date(2025, 2, 1)) == span("2025-01-01", "2025-03-31")


def test_without_any_year_the_calendar_year_counts():
    """A new agreement has no accounting years yet."""
    assert FinancialYears([]).containing(date(2026, 7, 1)) == span("2026-01-01", "2026-12-31")


def test_an_own_start_overrides():
    """07-01 makes years from July to June."""
    years = FinancialYears.from_start("07-01")
    assert years.current(date(2026, 6, 30)) == span("2025-07-01", "2026-06-30")
    assert years.current(date(2026, 7, 1)) == span("2026-07-01", "2027-06-30")


def test_a_start_on_29_february_begins_on_the_28th_in_common_years():
    """No day is lost or counted twice around the leap day."""
    years = FinancialYears.from_start("02-29")
    assert years.current(date(2024, 2, 28)) == span("2023-02-28", "2024-02-28")
    assert years.current(date(2024, 2, 29)) == span("2024-02-29", "2025-02-27")
    assert years.current(date(2025, 2, 28)) == span("2025-02-28", "2026-02-27")


@pytest.mark.parametrize("text", ["02-30", "13-01", "1", "July", "", "00-10", "2026-01-01"])
def test_a_start_that_is_no_day_is_refused(text):
    """A mistake shows when the setting is read, not in the middle of a run."""
    with pytest.raises(ValueError):
        FinancialYears.from_start(text)


@pytest.mark.parametrize(
    ("day", "last"),
    [
        ("2025-11-25", "2024-11-25"),
        ("2024-02-29", "2023-02-28"),
        ("2025-02-28", "2024-02-28"),
        ("2025-12-31", "2024-12-31"),
        ("2025-01-01", "2024-01-01"),
    ],
)
def test_last_year_to_date_ends_on_the_same_day_one_year_back(day, last):
    """29 February is compared with the 28th."""
    part = CALENDAR.to_date_last_year(date.fromisoformat(day))
    assert part.last == date.fromisoformat(last)


def test_last_year_to_date_counts_days_when_a_year_is_not_twelve_months():
    """As many days as this year has had, and never past last year's end."""
    years = FinancialYears([year("2024-10-01", "2024-12-31"), year("2025-01-01", "2026-06-30")])
    assert years.to_date_last_year(date(2025, 1, 10)) == span("2024-10-01", "2024-10-10")
    assert years.to_date_last_year(date(2026, 6, 1)) == span("2024-10-01", "2024-12-31")


def test_a_leap_start_still_compares_the_same_days():
    """A year of 366 days from 28 February to 28 February is a twelve-month year like the others."""
    years = FinancialYears.from_start("02-29")
    assert years.to_date_last_year(date(2027, 5, 10)) == span("2026-02-28", "2026-05-10")


def test_quarters_of_an_eighteen_month_year_are_six():
    """Steps of three months from the year's first day."""
    quarters = list(ODD.quarters(ODD.containing(date(2021, 5, 5))))
    assert len(quarters) == 6
    assert quarters[-1] == span("2022-04-01", "2022-06-30")


def test_quarters_of_a_short_year_end_with_a_shorter_one():
    """15 September to 31 December is one quarter and a rest."""
    quarters = list(ODD.quarters(ODD.containing(date(2016, 12, 1))))
    assert quarters == [span("2016-09-15", "2016-12-14"), span("2016-12-15", "2016-12-31")]


def test_the_own_totals_need_a_year_that_e_conomic_knows():
    """None for a year we continued and for an own start, whose sums e-conomic cannot give."""
    known = CALENDAR.economic_year(date(2025, 6, 1))
    assert known is not None
    assert known.last_day == date(2025, 12, 31)
    assert CALENDAR.economic_year(date(2026, 1, 1)) is None
    assert FinancialYears.from_start("01-01").economic_year(date(2025, 6, 1)) is None


@given(days, st.integers(-60, 60), st.integers(1, 60))
def test_months_move_to_the_same_day_or_the_last_of_a_short_month(day, months, more):
    """The day never grows, and later months give later days."""
    moved = add_months(day, months)
    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == months
    assert moved.day == day.day or (moved + DAY).day == 1
    assert add_months(day, months + more) > moved
