"""How often a customer buys."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from worker.domain.buying import rhythm

TODAY = date(2026, 11, 25)


def ago(*days: int) -> list[date]:
    return [TODAY - timedelta(days=number) for number in days]


def test_the_usual_interval_is_the_median():
    found = rhythm(ago(100, 70, 40, 10), TODAY)
    assert (found.usual, found.since, found.is_late) == (30, 10, False)


def test_half_as_long_again_is_late():
    assert not rhythm(ago(105, 75, 45), TODAY).is_late
    assert rhythm(ago(106, 76, 46), TODAY).is_late


def test_from_two_days_nobody_can_tell():
    assert rhythm(ago(60, 30), TODAY).usual is None
    assert rhythm(ago(60, 60, 30), TODAY).usual is None, "two invoices of one day are one order"
    assert rhythm([], TODAY).last is None


@given(st.lists(st.dates(date(2015, 1, 1), date(2030, 1, 1)), max_size=40))
def test_days_ahead_never_make_it_negative(days):
    found = rhythm(days, TODAY)
    assert found.since is None or found.since >= 0
    assert found.usual is None or found.usual > 0
