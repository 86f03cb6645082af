"""The sales trend in one word."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.statistics import CustomerFigures
from worker.domain.trend import TRENDS, TrendRules, sales_trend

TODAY = date(2026, 11, 25)
OLD = CustomerFigures(first_invoice_date=date(2019, 1, 1), last_invoice_date=date(2026, 11, 1))


def figures(now: str, before: str) -> CustomerFigures:
    return replace(OLD, sales_last_12_months=Decimal(now), sales_previous_12_months=Decimal(before))


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        ("110.00", "100.00", "Growing"),
        ("109.99", "100.00", "Stable"),
        ("100.00", "100.00", "Stable"),
        ("90.01", "100.00", "Stable"),
        ("90.00", "100.00", "Declining"),
        ("0.00", "100.00", "Declining"),
        ("-5.00", "100.00", "Declining"),
        ("1.00", "0.00", "Growing"),
        ("1.00", "-50.00", "Growing"),
        ("0.00", "0.00", "Stable"),
        ("-1.00", "-1.00", "Stable"),
    ],
)
def test_twelve_months_are_held_against_the_twelve_before(now, before, expected):
    """Ten per cent up or down, at the border inclusive; from nothing to something is growing."""
    assert sales_trend(figures(now, before), TODAY) == expected


@pytest.mark.parametrize(
    ("last", "expected"),
    [(date(2025, 11, 25), "Lapsed"), (date(2025, 11, 26), "Growing"), (date(2020, 2, 2), "Lapsed")],
)
def test_a_year_without_an_invoice_is_lapsed(last, expected):
    """The day a year ago no longer counts as recent."""
    assert sales_trend(replace(figures("200", "100"), last_invoice_date=last), TODAY) == expected


@pytest.mark.parametrize(
    ("first", "expected"),
    [(date(2025, 11, 26), "New"), (date(2025, 11, 25), "Declining"), (date(2026, 12, 24), "New")],
)
def test_a_customer_is_new_for_a_year(first, expected):
    """A first invoice dated ahead makes a new customer too."""
    row = replace(figures("0", "100"), first_invoice_date=first, last_invoice_date=date(2026, 12, 24))
    assert sales_trend(row, TODAY) == expected


def test_without_invoices_there_are_no_sales():
    """Nothing was ever invoiced."""
    assert sales_trend(CustomerFigures(), TODAY) == "No sales"


def test_the_thresholds_come_from_the_rules():
    """Each of the four can be set."""
    rules = TrendRules(growing_pct=Decimal(50), declining_pct=Decimal(-50), lapsed_months=1, new_months=120)
    assert sales_trend(figures("149", "100"), TODAY, replace(rules, new_months=1)) == "Stable"
    assert sales_trend(figures("51", "100"), TODAY, replace(rules, new_months=1)) == "Stable"
    assert sales_trend(replace(OLD, last_invoice_date=date(2026, 10, 25)), TODAY, rules) == "Lapsed"
    assert sales_trend(OLD, TODAY, rules) == "New"


@given(
    st.builds(
        CustomerFigures,
        sales_last_12_months=st.decimals(-1000, 1000, places=2),
        sales_previous_12_months=st.decimals(-1000, 1000, places=2),
        first_invoice_date=st.one_of(st.none(), st.dates(date(2015, 1, 1), date(2027, 1, 1))),
        last_invoice_date=st.one_of(st.none(), st.dates(date(2015, 1, 1), date(2027, 1, 1))),
    )
)
def test_every_customer_has_one_of_the_words(row):
    """The column is a choice; another word would be refused."""
    assert sales_trend(row, TODAY) in TRENDS
