"""Charts: every bar in its box, in its right proportion."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from worker.web.charts import Series, bars, columns, nice_step, shares

AMOUNTS = st.decimals(-(10**9), 10**9, places=2, allow_nan=False)


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), min_size=1, max_size=24))
def test_columns_stay_in_their_box_and_stand_on_the_zero_line(pairs):
    labels = [str(at) for at in range(len(pairs))]
    chart = columns(labels, [Series("one", [a for a, _ in pairs]), Series("two", [b for _, b in pairs])])
    assert len(chart.rects) == 2 * len(pairs)
    for rect in chart.rects:
        assert 0 <= rect.x <= rect.x + rect.width <= chart.width + 0.2
        assert -0.2 <= rect.y <= rect.y + rect.height <= chart.height
        assert rect.height >= 0


def test_twice_the_value_is_twice_the_height():
    chart = columns(["a", "b"], [Series("one", [Decimal(100), Decimal(200)])])
    low, high = (rect.height for rect in chart.rects)
    assert abs(high - 2 * low) < 0.3


def test_what_is_below_zero_hangs_from_the_line():
    up, down = columns(["a", "b"], [Series("one", [Decimal(100), Decimal(-100)])]).rects
    assert abs(up.y + up.height - down.y) < 0.2


def test_nothing_at_all_is_a_chart_too():
    assert columns([], []).rects == ()
    assert all(rect.height == 0 for rect in columns(["a"], [Series("one", [Decimal(0)])]).rects)
    assert shares([("a", Decimal(0))]).rects == ()
    assert bars([], "one").rects == ()


@given(st.lists(AMOUNTS, min_size=1, max_size=6))
def test_shares_fill_the_bar_in_proportion(amounts):
    chart = shares([(f"age{at}", amount) for at, amount in enumerate(amounts)])
    positive = [amount for amount in amounts if amount > 0]
    assert len(chart.rects) <= len(positive)
    if positive:
        assert abs(sum(rect.width for rect in chart.rects) - chart.width) < 0.1 * len(amounts)


@given(st.lists(st.tuples(st.text(max_size=60), AMOUNTS), max_size=10))
def test_lying_bars_have_their_names_and_fit(rows):
    chart = bars(rows, "bad")
    assert len(chart.rects) == len(chart.marks) == len(rows)
    assert all(rect.x + rect.width <= chart.width for rect in chart.rects)
    assert all(len(mark.text) <= 28 for mark in chart.marks)


@given(st.decimals("0.01", 10**12, places=2, allow_nan=False))
def test_grid_lines_are_round_and_few(high):
    step = nice_step(high)
    assert high / step <= 4
    assert high / step > Decimal("1.5")
