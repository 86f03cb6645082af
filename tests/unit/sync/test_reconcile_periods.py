"""Periods and figures, counted by the comparison, on years of odd lengths."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from worker.domain.profile import PeriodType
from worker.domain.records import AccountingYear, Customer, Invoice
from worker.sync.reconcile_figures import FIGURES, Books, due_on
from worker.sync.reconcile_periods import Calendar, Span, Years, months_on, periods, years_from

YEARS = Years(
    [
        AccountingYear("2024/2025", date(2024, 1, 1), date(2025, 6, 30)),  # a first year of 18 months
        AccountingYear("2025/2026", date(2025, 7, 1), date(2026, 6, 30)),
        AccountingYear("2026/2027", date(2026, 7, 1), date(2027, 6, 30)),
    ]
)
TODAY = date(2026, 11, 25)


def invoice(number: int, day: date, net: int, *, open_: int = 0, due: date | None = None) -> Invoice:
    amount, rest = Decimal(net), Decimal(open_)
    return Invoice(number, 1, day, "DKK", amount, Decimal(0), amount, amount, rest, rest, due_date=due)


INVOICES = [
    invoice(1, date(2024, 5, 1), 1000),
    invoice(2, date(2025, 8, 1), 400),
    invoice(3, date(2025, 12, 24), 100),
    invoice(4, date(2026, 8, 3), 500, open_=500, due=date(2026, 10, 1)),
    invoice(5, date(2026, 9, 4), -50, open_=-50, due=date(2026, 11, 24)),
]


def test_quarters_count_from_the_years_first_day_and_the_last_is_shorter():
    assert YEARS.quarter(date(2025, 6, 30)) == Span(date(2025, 4, 1), date(2025, 6, 30))
    assert YEARS.quarter(date(2026, 7, 1)) == Span(date(2026, 7, 1), date(2026, 9, 30))
    assert YEARS.quarter(date(2023, 1, 1)) is None


def test_months_end_where_they_end():
    assert months_on(date(2024, 2, 29), -12) == date(2023, 2, 28)
    assert months_on(date(2026, 1, 31), 1) == date(2026, 2, 28)


def test_sales_by_year_with_what_they_are_compared_with():
    found = {one.key: one for one in periods(INVOICES, Calendar(YEARS, TODAY), [PeriodType.FINANCIAL_YEAR])}
    this = found["1|Financial year|2026-07-01"]
    assert (this.net, this.credit_notes, this.count, this.average) == (450, -50, 2, Decimal("225.00"))
    assert this.change == Decimal("-10.0")
    assert found["1|Financial year|2024-01-01"].change is None


def test_a_rolling_year_ends_with_the_month():
    (now, before) = sorted(
        periods(INVOICES, Calendar(YEARS, TODAY), [PeriodType.ROLLING_12]), key=lambda one: one.span.first, reverse=True
    )
    assert (now.span, now.net) == (Span(date(2025, 12, 1), date(2026, 11, 30)), 550)
    assert before.net == 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NotDue", 0),
        ("Overdue1To30", -50),
        ("Overdue31To60", 500),
        ("OverdueOver90", 0),
        ("OldestOverdueDays", 55),
        ("SalesThisYear", 450),
        ("SalesLastYear", 500),
        ("SalesLastYearToDate", 400),
        ("SalesLast12Months", 550),
        ("InvoiceCountThisYear", 2),
        ("AverageInvoiceThisYear", Decimal("225.00")),
        ("FirstInvoiceDate", date(2024, 5, 1)),
        ("LastInvoiceDate", date(2026, 9, 4)),
    ],
)
def test_figures_of_a_day(name, value):
    assert FIGURES[name](Books(INVOICES, TODAY, YEARS)) == value


def test_after_a_year_of_another_length_last_year_to_date_counts_days():
    """18 months came before: as many days of it as this year has had."""
    books = Books(INVOICES, date(2025, 8, 1), YEARS)
    assert FIGURES["SalesLastYearToDate"](books) == 0
    assert FIGURES["SalesLastYearToDate"](Books(INVOICES, date(2025, 12, 24), YEARS)) == 1000


def test_years_of_the_settings_hold_every_day_between():
    found = years_from(7, 1, date(2024, 8, 1), date(2026, 11, 25))
    assert [(one.name, one.first_day, one.last_day) for one in found] == [
        ("2024/2025", date(2024, 7, 1), date(2025, 6, 30)),
        ("2025/2026", date(2025, 7, 1), date(2026, 6, 30)),
        ("2026/2027", date(2026, 7, 1), date(2027, 6, 30)),
    ]
    assert [one.name for one in years_from(1, 1, TODAY, TODAY)] == ["2026"]
    assert years_from(2, 29, date(2026, 3, 1), date(2026, 3, 1))[0].first_day == date(2026, 2, 28)


def customer(balance: int, due: int) -> Customer:
    return Customer(1, "A", "DKK", Decimal(balance), Decimal(due))


@pytest.mark.parametrize(
    ("balance", "due", "then"),
    [
        (450, 450, 500),  # the credit note fell due on the 24th
        (-10, 0, 0),  # nothing is due where the balance is negative
        (450, 0, None),  # e-conomic calls less due than the invoices come to
    ],
)
def test_what_was_due_on_an_earlier_day_is_todays_without_what_fell_due_since(balance, due, then):
    found = due_on(customer(balance, due), INVOICES, date(2026, 11, 24), TODAY)
    assert found == (None if then is None else Decimal(then))


def test_what_was_due_is_the_same_when_nothing_fell_due_since():
    assert due_on(customer(450, 7), INVOICES, TODAY, TODAY) == 7
    assert due_on(customer(450, 7), INVOICES[:4], date(2026, 10, 5), TODAY) == 7
