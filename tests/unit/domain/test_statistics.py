"""Sales figures and periods: sums that must equal the plain sums, in any order."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.financial_year import FinancialYears, add_months
from worker.domain.profile import PeriodType
from worker.domain.records import AccountingYear, Invoice
from worker.domain.statistics import CustomerFigures, SalesAggregator, SalesPeriod, days_overdue, first_day_needed

TODAY = date(2026, 11, 25)
CALENDAR = FinancialYears.from_start("01-01")
JULY = FinancialYears.from_start("07-01")
ODD = FinancialYears(
    [
        AccountingYear("2025", date(2024, 7, 1), date(2025, 12, 31)),
        AccountingYear("2026", date(2026, 1, 1), date(2026, 12, 31)),
    ]
)
ALL = tuple(PeriodType)


def invoice(
    amount: str | Decimal,
    day: date,
    customer: int = 1,
    *,
    number: int = 1,
    due: date | None = None,
    remainder: str | Decimal | None = None,
) -> Invoice:
    """A booked invoice whose open amount is the same in both currencies; paid unless told otherwise."""
    net, left = Decimal(amount), Decimal(remainder or 0)
    return Invoice(number, customer, day, "DKK", net, Decimal(0), net, net, left, left, due)


def aggregated(
    invoices: Iterable[Invoice], years: FinancialYears = CALENDAR, months: int | None = None
) -> SalesAggregator:
    sales = SalesAggregator(TODAY, years, ALL, months)
    for one in invoices:
        sales.add(one)
        sales.add_open(one)
    return sales


def periods(sales: SalesAggregator, kind: PeriodType) -> list[SalesPeriod]:
    return [one for one in sales.sales_periods() if one.period_type is kind]


amounts = st.decimals(-10_000, 10_000, places=2)
invoices = st.lists(
    st.builds(
        invoice,
        amounts,
        st.dates(date(2022, 1, 1), date(2027, 3, 31)),
        st.integers(1, 4),
        due=st.one_of(st.none(), st.dates(date(2026, 1, 1), date(2027, 3, 31))),
        remainder=amounts,
    ),
    max_size=25,
)
calendars = st.sampled_from([CALENDAR, JULY, ODD])


@given(invoices, calendars, st.randoms(use_true_random=False))
def test_the_order_of_invoices_does_not_matter(rows, years, random):
    """Pages may come in any order."""
    shuffled = list(rows)
    random.shuffle(shuffled)
    first, second = aggregated(rows, years), aggregated(shuffled, years)
    assert [first.figures(number) for number in range(6)] == [second.figures(number) for number in range(6)]
    assert list(first.sales_periods()) == list(second.sales_periods())


@given(invoices, calendars)
def test_sales_this_year_are_the_plain_sum(rows, years):
    """Everything dated in today's financial year, later days of it included: what e-conomic's own totals count."""
    year = years.current(TODAY)
    sales = aggregated(rows, years)
    for number in range(5):
        mine = [one.net_base for one in rows if one.customer_number == number and one.invoice_date in year]
        figures = sales.figures(number)
        assert figures.sales_this_year == sum(mine)
        assert figures.invoice_count_this_year == len(mine)


@given(invoices, calendars, st.sampled_from([PeriodType.FINANCIAL_YEAR, PeriodType.QUARTER, PeriodType.MONTH]))
def test_periods_add_up_to_all_invoices(rows, years, kind):
    """No invoice is lost between periods or counted in two, whatever the kind of period."""
    found = periods(aggregated(rows, years), kind)
    for number in range(5):
        mine = [one.net_base for one in rows if one.customer_number == number]
        theirs = [one for one in found if one.customer_number == number]
        assert sum(one.net_sales for one in theirs) == sum(mine)
        assert sum(one.credit_notes for one in theirs) == sum(amount for amount in mine if amount < 0)
        assert sum(one.invoice_count for one in theirs) == len(mine)


@given(invoices, calendars, st.one_of(st.none(), st.integers(0, 36)))
def test_periods_are_sorted_and_come_once(rows, years, months):
    """By customer, type and first day; the key of the statistics list is unique."""
    keys = [
        (one.customer_number, ALL.index(one.period_type), one.start)
        for one in aggregated(rows, years, months).sales_periods()
    ]
    assert keys == sorted(set(keys))


@given(invoices, calendars)
def test_ageing_and_not_due_add_up_to_the_open_amounts(rows, years):
    """Credit notes included: they take off where they fall."""
    sales = aggregated(rows, years)
    for number in range(5):
        f = sales.figures(number)
        buckets = f.not_due + f.overdue_1_30 + f.overdue_31_60 + f.overdue_61_90 + f.overdue_over_90
        assert buckets == sum(one.remainder_base for one in rows if one.customer_number == number)


@given(invoices, calendars, st.integers(0, 24))
def test_a_window_gives_the_same_rows_as_the_whole_history(rows, years, months):
    """Each row of a narrow read equals the row of a full one, with the change in per cent too."""
    since = first_day_needed(TODAY, years, months)
    narrow = list(aggregated([one for one in rows if one.invoice_date >= since], years, months).sales_periods())
    start = add_months(TODAY.replace(day=1), -months)
    full = [
        one
        for one in aggregated(rows, years).sales_periods()
        if one.period_type is PeriodType.ROLLING_12 or one.end >= start
    ]
    assert narrow == full


@given(invoices, calendars, st.integers(0, 24))
def test_rows_outside_the_window_do_not_come(rows, years, months):
    """Nothing ends before the first month asked for."""
    start = add_months(TODAY.replace(day=1), -months)
    assert all(one.end >= start for one in aggregated(rows, years, months).sales_periods())


def test_a_customer_without_invoices_has_zeros_and_no_dates():
    """A customer that was never met is not an error."""
    figures = aggregated([]).figures(4711)
    assert figures == CustomerFigures()
    assert figures.sales_this_year == Decimal("0.00")
    assert figures.last_invoice_date is None
    assert figures.average_invoice_this_year is None
    assert figures.trend == "No sales"


def test_figures_of_a_customer():
    """Years, the same span last year, twelve months and their borders, day by day."""
    rows = [
        invoice("1000.00", date(2026, 1, 1)),
        invoice("-250.50", date(2026, 11, 25)),  # a credit note
        invoice("40", date(2026, 12, 24)),  # dated ahead: in the year, not in the last twelve months
        invoice("300", date(2025, 11, 25)),  # last year to date, its last day; not in the last twelve months
        invoice("500", date(2025, 11, 26)),  # in the last twelve months, its first day
        invoice("7", date(2024, 11, 25)),  # before the twelve months before
        invoice("9", date(2024, 11, 26)),
        invoice("99999", date(2026, 5, 5), customer=2),
    ]
    figures = aggregated(rows).figures(1)
    assert figures.sales_this_year == Decimal("789.50")
    assert figures.sales_last_year == Decimal(800)
    assert figures.sales_last_year_to_date == Decimal(300)
    assert figures.sales_last_12_months == Decimal("1249.50")
    assert figures.sales_previous_12_months == Decimal(309)
    assert figures.invoice_count_this_year == 3
    assert figures.average_invoice_this_year == Decimal("263.17")
    assert figures.first_invoice_date == date(2024, 11, 25)
    assert figures.last_invoice_date == date(2026, 12, 24)


def test_open_amounts_fall_into_buckets_by_due_date():
    """Due today is not overdue; day 30 and day 31 part the first buckets; no due date is not due."""
    late = [0, 1, 30, 31, 60, 61, 90, 91, 400]
    rows = [invoice("0", TODAY, due=TODAY - timedelta(days=days), remainder="1.00") for days in late]
    rows.append(invoice("0", TODAY, due=None, remainder="5.25"))
    figures = aggregated(rows).figures(1)
    assert figures.not_due == Decimal("6.25")
    assert figures.overdue_1_30 == figures.overdue_31_60 == figures.overdue_61_90 == figures.overdue_over_90 == 2
    assert figures.oldest_overdue_days == 400


def test_an_open_credit_note_makes_nobody_late():
    """It lowers its bucket, but the oldest overdue invoice is one that somebody owes."""
    rows = [
        invoice("0", TODAY, due=TODAY - timedelta(days=200), remainder="-80"),
        invoice("0", TODAY, due=TODAY - timedelta(days=3), remainder="100"),
    ]
    figures = aggregated(rows).figures(1)
    assert figures.overdue_over_90 == Decimal(-80)
    assert figures.oldest_overdue_days == 3


def test_a_cent_left_in_base_currency_makes_nobody_late():
    """A foreign invoice is settled when nothing is left in its own currency."""
    paid = Invoice(
        1, 1, TODAY, "EUR", Decimal(9), Decimal(0), Decimal(9), Decimal("67.10"), Decimal(0), Decimal("0.01"),
        TODAY - timedelta(days=9),
    )  # fmt: skip
    assert aggregated([paid]).figures(1).oldest_overdue_days == 0


@pytest.mark.parametrize(("due", "days"), [(None, 0), (TODAY, 0), (date(2026, 11, 24), 1), (date(2027, 1, 1), 0)])
def test_days_overdue_are_never_negative(due, days):
    """An invoice due today or later is zero days overdue."""
    assert days_overdue(invoice("1", TODAY, due=due), TODAY) == days


def test_a_period_row_shows_sums_average_and_change():
    """The quarter is held against the same quarter last year; credit notes are negative as booked."""
    rows = [
        invoice("1000", date(2026, 10, 1)),
        invoice("-100.01", date(2026, 12, 31)),
        invoice("600", date(2025, 11, 11)),
    ]
    row = periods(aggregated(rows), PeriodType.QUARTER)[-1]
    assert row == SalesPeriod(
        customer_number=1,
        period_type=PeriodType.QUARTER,
        start=date(2026, 10, 1),
        end=date(2026, 12, 31),
        net_sales=Decimal("899.99"),
        credit_notes=Decimal("-100.01"),
        invoice_count=2,
        average_invoice=Decimal("450.00"),
        change_pct=Decimal("50.0"),
    )


@pytest.mark.parametrize("before", [None, "0", "-5"])
def test_there_is_no_change_against_a_period_without_sales(before):
    """Nothing, zero and a period of credit notes alone give no per cent."""
    rows = [invoice("1000", date(2026, 10, 1))]
    if before is not None:
        rows.append(invoice(before, date(2025, 10, 1)))
    assert periods(aggregated(rows), PeriodType.FINANCIAL_YEAR)[-1].change_pct is None


def test_financial_years_of_odd_length_are_compared_with_the_one_before():
    """Eighteen months are still the financial year before."""
    rows = [invoice("150", date(2026, 3, 1)), invoice("100", date(2024, 8, 1))]
    last = periods(aggregated(rows, ODD), PeriodType.FINANCIAL_YEAR)[-1]
    assert (last.start, last.end, last.change_pct) == (date(2026, 1, 1), date(2026, 12, 31), Decimal("50.0"))


def test_rolling_twelve_months_end_with_todays_month():
    """One row per customer; the twelve months before only serve the comparison."""
    rows = [
        invoice("100", date(2025, 12, 1)),
        invoice("10", date(2026, 11, 30)),
        invoice("1", date(2026, 12, 1)),
        invoice("55", date(2025, 11, 30)),
    ]
    (row,) = periods(aggregated(rows), PeriodType.ROLLING_12)
    assert (row.start, row.end) == (date(2025, 12, 1), date(2026, 11, 30))
    assert (row.net_sales, row.change_pct) == (Decimal(110), Decimal("100.0"))


def test_only_the_period_types_asked_for_come():
    """The default profile keeps years and quarters."""
    sales = SalesAggregator(TODAY, CALENDAR, (PeriodType.MONTH,))
    sales.add(invoice("1", TODAY))
    assert Counter(one.period_type for one in sales.sales_periods()) == {PeriodType.MONTH: 1}


def test_customers_with_only_open_amounts_are_known():
    """An old open invoice is reason enough to have figures."""
    sales = SalesAggregator(TODAY, CALENDAR)
    sales.add(invoice("1", TODAY, customer=3))
    sales.add_open(invoice("1", TODAY, customer=8, remainder="1"))
    assert sorted(sales.customers()) == [3, 8]


@pytest.mark.long
def test_a_large_agreement_stays_small_in_memory():
    """20,000 customers with 200,000 invoices and all kinds of periods stay under 60 MB."""
    rows = _large(20_000, 200_000)
    tracemalloc.start()
    try:
        sales = SalesAggregator(TODAY, CALENDAR, ALL)
        for one in rows:
            sales.add(one)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 60_000_000
    assert sum(one.invoice_count for one in periods(sales, PeriodType.MONTH)) == 200_000


def _large(customers: int, count: int) -> Sequence[Invoice]:
    amount = Decimal("1234.56")
    return [
        invoice(amount, TODAY - timedelta(days=number * 7919 % 1000), number * 104_729 % customers)
        for number in range(count)
    ]
