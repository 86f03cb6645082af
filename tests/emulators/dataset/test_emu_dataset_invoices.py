"""Booked invoices: the sums hold to the cent, the plan is kept, habits and ageing show."""

import tracemalloc
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

import pytest

from worker.emulators.dataset import generate
from worker.emulators.dataset.buyers import draw_buyers
from worker.emulators.dataset.pools import draw_pools
from worker.emulators.dataset.reference_data import accounting_years, due_date, payment_terms
from worker.emulators.dataset.summary import AGES, ageing

TODAY = date(2026, 11, 25)
CENT = Decimal("0.01")
DAYS = [date(2026, 11, 25), date(2027, 1, 1), date(2028, 2, 29), date(2026, 8, 30)]


def _money(value):
    """The exact decimal of a wire amount, which must have two decimals at most."""
    exact = Decimal(str(value))
    assert exact == exact.quantize(CENT)
    return exact


def _base(value, rate):
    return (_money(value) * Decimal(str(rate)) / 100).quantize(CENT, ROUND_HALF_UP)


def _check_sums(row):
    gross, remainder = _money(row["grossAmount"]), _money(row["remainder"])
    assert gross == _money(row["netAmount"]) + _money(row["vatAmount"])
    assert remainder == 0 or (remainder > 0) == (gross > 0)
    assert abs(remainder) <= abs(gross)
    for name in ("netAmount", "grossAmount", "remainder"):
        assert _money(row[f"{name}InBaseCurrency"]) == _base(row[name], row["exchangeRate"])
    lines = row["lines"]
    assert 1 <= len(lines) <= 4
    assert sum(_money(line["totalNetAmount"]) for line in lines) == _money(row["netAmount"])
    assert sum(_money(line["vatAmount"]) for line in lines) == _money(row["vatAmount"])


def _check_line(line):
    price, factor = _money(line["unitNetPrice"]), 1 - Decimal(str(line["discountPercentage"])) / 100
    exact = Decimal(str(line["quantity"])) * price * factor
    assert _money(line["totalNetAmount"]) == exact.quantize(CENT, ROUND_HALF_UP)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("today", DAYS)
@pytest.mark.parametrize("size", ["tiny", "small"])
def test_invariants_hold_for_every_invoice(size, today, seed):
    """Sums, signs, customers, dates and numbers are consistent, whatever the day the set is made for."""
    data = generate(size, seed, today)
    customers = {row["customerNumber"] for row in data.customers}
    oldest = min(row["fromDate"] for row in data.accounting_years)
    rows = list(data.invoices)
    assert [row["bookedInvoiceNumber"] for row in rows] == list(range(10_001, 10_001 + len(data.invoices)))
    for row in rows:
        _check_sums(row)
        assert row["customer"]["customerNumber"] in customers
        assert oldest <= row["date"] <= today.isoformat()
        assert row.get("dueDate", row["date"]) >= row["date"]
        assert None not in row.values()
        for line in row["lines"]:
            _check_line(line)
    assert min(row["date"] for row in rows) < (today - timedelta(days=2 * 365)).isoformat()


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("today", DAYS)
def test_even_the_tiny_set_has_every_state(today, seed):
    """Each ageing bucket, part paid, paid, an open and a settled credit note, and one dated back."""
    rows = list(generate("tiny", seed, today).invoices)
    owed = [row for row in rows if row["remainder"] > 0 and "dueDate" in row]
    assert {ageing((today - date.fromisoformat(row["dueDate"])).days) for row in owed} == set(AGES)
    assert any(0 < row["remainder"] < row["grossAmount"] for row in rows)
    assert any(row["remainder"] == 0 < row["grossAmount"] for row in rows)
    assert any(row["remainder"] == row["grossAmount"] < 0 for row in rows)
    assert any(row["grossAmount"] < 0 == row["remainder"] for row in rows)
    assert any(later["date"] < earlier["date"] for earlier, later in pairwise(rows))


def test_credit_notes_are_three_in_a_hundred_and_follow_an_invoice(small):
    """A credit note is negative throughout and its customer was invoiced before."""
    seen, credits = set(), 0
    for row in small.invoices:
        customer = row["customer"]["customerNumber"]
        if row["grossAmount"] < 0:
            credits += 1
            assert customer in seen
            assert row["netAmount"] < 0
            assert all(line["quantity"] < 0 for line in row["lines"])
        seen.add(customer)
    assert credits / len(small.invoices) == pytest.approx(0.03, abs=0.002)


def test_foreign_invoices_carry_a_rate_per_hundred_units(small):
    """Euro stands near 746, base currency at exactly 100; conversion leaves a cent now and then."""
    rates = defaultdict(set)
    for row in small.invoices:
        rates[row["currency"]].add(row["exchangeRate"])
    assert rates["DKK"] == {100}
    assert all(745 < rate < 747 for rate in rates["EUR"])
    assert len(rates["EUR"]) > 1
    assert {row["roundingAmount"] for row in small.invoices if row["currency"] != "DKK"} > {0.0}


def test_vat_follows_the_zone(small):
    """A quarter at home, nothing abroad."""
    zones = {row["customerNumber"]: row["vatZone"]["vatZoneNumber"] for row in small.customers}
    for row in small.invoices:
        rate = 25 if zones[row["customer"]["customerNumber"]] == 1 else 0
        assert {line["vatRate"] for line in row["lines"]} == {rate}
        assert abs(_money(row["vatAmount"]) - _money(row["netAmount"]) * rate / 100) <= CENT * 2


def test_recipients_are_copies_of_their_time(small):
    """Most recipients equal the customer cut to the copy's length; some show an earlier name."""
    customers = {row["customerNumber"]: row for row in small.customers}
    rows = list(small.invoices)
    same = sum(r["recipient"]["name"] == customers[r["customer"]["customerNumber"]]["name"][:250] for r in rows)
    assert 0.9 * len(rows) < same < len(rows)
    assert max(len(row["recipient"].get("address", "")) for row in rows) <= 250


def test_some_invoices_have_references_and_some_no_due_date(small):
    """Both are optional on the wire and must be met."""
    rows = list(small.invoices)
    assert any("other" in row.get("references", {}) for row in rows)
    assert any("references" not in row for row in rows)
    kinds = {row["paymentTerms"]["paymentTermsType"] for row in rows if "dueDate" not in row}
    assert kinds == {"dueDate", "prepaid"}


def test_customers_buy_by_habit():
    """Growing ones sell more in the last year than before, declining less; lapsed, new and never keep their bounds."""
    data = generate("typical", 4, TODAY)
    first = date.fromisoformat(data.accounting_years[0]["fromDate"])
    buyers = draw_buyers(data.customers, 4, first, TODAY, draw_pools(4))
    habits = {row["customerNumber"]: buyer.habit for row, buyer in zip(data.customers, buyers, strict=True)}
    sales, span = defaultdict(Counter), {}
    for row in data.invoices:
        customer, day = row["customer"]["customerNumber"], date.fromisoformat(row["date"])
        sales[habits[customer]][(TODAY - day).days // 365] += row["netAmountInBaseCurrency"]
        low, high = span.get(customer, (day, day))
        span[customer] = (min(low, day), max(high, day))
    assert sales["growing"][0] > 1.3 * sales["growing"][1]
    assert sales["declining"][0] < 0.8 * sales["declining"][1]
    assert 0.85 < sales["stable"][0] / sales["stable"][1] < 1.15
    assert set(sales) == {"growing", "stable", "declining", "lapsed", "new"}
    year_ago, half_year_ago = TODAY - timedelta(days=366), TODAY - timedelta(days=182)
    for customer, (low, high) in span.items():
        assert habits[customer] != "lapsed" or high < year_ago
        assert habits[customer] != "new" or low > half_year_ago
        assert habits[customer] in ("lapsed", "new") or low < year_ago < high
    assert {habit for customer, habit in habits.items() if customer not in span} == {"never"}


def test_july_is_quiet(small):
    """Danish industrial holidays show in the number of invoices."""
    months = Counter(row["date"][5:7] for row in small.invoices)
    assert months["07"] < months["06"]
    assert months["07"] < months["10"]


def test_invoices_stream_again_and_from_the_end(small):
    """Each pass gives the same documents, the reversed one too, and none is kept."""
    rows = list(small.invoices)
    assert list(small.invoices) == rows
    assert list(reversed(small.invoices)) == rows[::-1]
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    assert sum(1 for _ in small.invoices) == len(small.invoices) == 2_000
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert peak < 200_000


@pytest.mark.parametrize(
    ("number", "day", "due"),
    [
        (1, date(2026, 12, 28), date(2027, 1, 5)),
        (4, date(2028, 2, 3), date(2028, 3, 30)),
        (4, date(2026, 12, 31), date(2027, 1, 30)),
        (5, date(2026, 5, 1), None),
        (6, date(2026, 5, 1), None),
        (7, date(2026, 5, 1), date(2026, 5, 1)),
    ],
)
def test_due_dates_by_terms(number, day, due):
    """Net counts from the invoice, running month from the month's last day, typed and prepaid terms give none."""
    [terms] = [row for row in payment_terms() if row["paymentTermsNumber"] == number]
    assert due_date(terms, day) == due


def test_accounting_years_of_a_danish_agreement():
    """Five calendar years up to the next one, the two oldest closed."""
    years = accounting_years(TODAY)
    assert [row["year"] for row in years] == ["2023", "2024", "2025", "2026", "2027"]
    assert [row.get("closed", False) for row in years] == [True, True, False, False, False]
    assert (years[0]["fromDate"], years[-1]["toDate"]) == ("2023-01-01", "2027-12-31")


def test_accounting_years_that_start_in_july():
    """A split year carries both calendar years in its name; the years join without a gap."""
    years = generate("empty", 1, date(2026, 3, 1), financial_year_start_month=7).accounting_years
    assert [row["year"] for row in years][-2:] == ["2025/2026", "2026/2027"]
    for earlier, later in pairwise(years):
        next_start = date.fromisoformat(earlier["toDate"]) + timedelta(days=1)
        assert later["fromDate"] == next_start.isoformat()
    with pytest.raises(ValueError, match="month 1 to 12"):
        accounting_years(TODAY, 13)


@pytest.mark.long
def test_the_large_set_is_whole():
    """Two hundred thousand invoices are made from the plan, all in order and all of known customers."""
    data = generate("large", 1, TODAY)
    customers = {row["customerNumber"] for row in data.customers}
    numbers, owners = [], set()
    for row in data.invoices:
        numbers.append(row["bookedInvoiceNumber"])
        owners.add(row["customer"]["customerNumber"])
    assert (len(data.customers), len(data.contacts)) == (20_000, 40_000)
    assert numbers == list(range(10_001, 210_001))
    assert owners <= customers
