"""Ageing buckets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.ageing import BUCKETS, bucket


@pytest.mark.parametrize(
    ("days", "name"),
    [
        (-400, "not due"),
        (0, "not due"),
        (1, "1-30"),
        (30, "1-30"),
        (31, "31-60"),
        (60, "31-60"),
        (61, "61-90"),
        (90, "61-90"),
        (91, "90+"),
        (4000, "90+"),
    ],
)
def test_days_late_give_a_bucket(days, name):
    """The borders belong to the younger bucket."""
    assert BUCKETS[bucket(days)] == name


@given(st.integers(-1000, 5000))
def test_a_day_later_is_never_a_younger_bucket(days):
    """Debts only grow older."""
    assert bucket(days) <= bucket(days + 1) < len(BUCKETS)
