"""What every Source must do: the same tests on the in-memory fake and on the adapter over the e-conomic emulator."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from source_worlds import (
    CONTACTS,
    CUSTOMERS,
    INVOICES,
    TODAY,
    YEARS,
    EmulatorWorld,
    FakeWorld,
    Records,
    SourceWorld,
    customer,
    invoice,
    many,
)

from tests.fakes.fake_source import AGREEMENT
from worker.domain.records import AccountingYear
from worker.errors import UnavailableError

KINDS = ("fake", "emulator")


def open_world(kind: str, records: Records) -> Iterator[SourceWorld]:
    if kind == "fake":
        yield FakeWorld(records)
        return
    with EmulatorWorld(records) as world:
        yield world


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest) -> Iterator[SourceWorld]:
    """A small agreement of its own for each test."""
    yield from open_world(request.param, Records())


@pytest.fixture(params=KINDS, scope="module")
def big(request: pytest.FixtureRequest) -> Iterator[SourceWorld]:
    """More than a page of everything; only read."""
    yield from open_world(request.param, many())


def test_the_agreement_is_known(world: SourceWorld) -> None:
    """Number, company, base currency, app and roles."""
    assert world.source.agreement() == AGREEMENT


def test_accounting_years_come_by_first_day(world: SourceWorld) -> None:
    """All years with their days, closed or open, whatever form their names have."""
    assert tuple(world.source.accounting_years()) == YEARS


def test_customers_come_whole_and_in_order(world: SourceWorld) -> None:
    """Every field, names joined, balances in base currency, barred ones too; empty texts are None."""
    assert tuple(world.source.customers()) == CUSTOMERS


def test_contacts_come_whole_and_removed_ones_are_marked(world: SourceWorld) -> None:
    """Live and removed contacts alike, each with the customer it belongs to."""
    assert tuple(world.source.contacts()) == CONTACTS


def test_invoices_come_whole_and_in_order(world: SourceWorld) -> None:
    """Settled and open ones, credit notes and foreign currency included."""
    assert tuple(world.source.invoices()) == INVOICES


@pytest.mark.parametrize(
    ("since", "numbers"),
    [
        (date(2025, 1, 1), [1, 2, 3, 4, 5, 6]),
        (date(2026, 2, 20), [3, 5, 6]),
        (date(2026, 2, 28), [6]),
        (TODAY, []),
    ],
)
def test_invoices_since_a_day_include_that_day(world: SourceWorld, since: date, numbers: list[int]) -> None:
    """The limit is by invoice date and inclusive; the order stays by number."""
    assert [row.number for row in world.source.invoices(since)] == numbers


def test_open_invoices_are_those_with_a_remainder(world: SourceWorld) -> None:
    """Whatever their date or sign: exactly the invoices that are not settled, with what is left of them."""
    found = [(row.number, row.remainder, row.remainder_base) for row in world.source.open_invoices()]
    assert found == [(row.number, row.remainder, row.remainder_base) for row in INVOICES if row.remainder]


def test_open_amounts_add_up_to_the_balances(world: SourceWorld) -> None:
    """Per customer the remainders in base currency are the balance."""
    sums: defaultdict[int, Decimal] = defaultdict(Decimal)
    for row in world.source.open_invoices():
        sums[row.customer_number] += row.remainder_base
    assert dict(sums) == {row.number: row.balance for row in world.source.customers() if row.balance}


def test_open_totals_are_the_balances_and_the_overdue_ones_what_is_due(world: SourceWorld) -> None:
    """By customer, credit included; what is due today is not overdue, and customers with nothing open are absent."""
    customers = list(world.source.customers())
    assert world.source.open_totals() == {row.number: row.balance for row in customers if row.balance}
    assert world.source.open_totals(overdue=True) == {row.number: row.due_amount for row in customers if row.due_amount}


@pytest.mark.parametrize("year", YEARS, ids=lambda year: year.name)
def test_totals_are_the_sums_of_the_years_invoices(world: SourceWorld, year: AccountingYear) -> None:
    """Net amounts in base currency by customer; those without sales are absent."""
    sums: defaultdict[int, Decimal] = defaultdict(Decimal)
    for row in world.source.invoices():
        if year.first_day <= row.invoice_date <= year.last_day:
            sums[row.customer_number] += row.net_base
    assert world.source.sales_totals(year) == sums
    assert sums


def test_a_customer_whose_sales_cancel_out_is_absent_from_totals(world: SourceWorld) -> None:
    """An invoice and its credit note leave nothing to report."""
    pair = (("60.00", "75.00", "0.00"), ("-60.00", "-75.00", "0.00"))
    world.put_invoices(*(invoice(7 + at, 5, TODAY, TODAY, amounts) for at, amounts in enumerate(pair)))
    assert 5 not in world.source.sales_totals(YEARS[1])


def test_reading_again_gives_the_same(world: SourceWorld) -> None:
    """An unchanged world reads the same, row by row."""
    source = world.source
    for read in (source.customers, source.contacts, source.invoices, source.open_invoices):
        assert list(read()) == list(read())


def test_a_changed_world_is_seen_by_the_next_read(world: SourceWorld) -> None:
    """A renamed and a new customer, a payment, a removed contact: nothing is remembered from an earlier read."""
    source = world.source
    before = [list(source.customers()), list(source.contacts()), list(source.open_invoices())]
    assert [len(rows) for rows in before] == [4, 3, 5]
    world.put_customers(replace(CUSTOMERS[3], name="Æblehaven"), customer(4, "Ny"))
    world.put_invoices(replace(INVOICES[1], remainder=Decimal(0), remainder_base=Decimal(0)))
    world.remove_contact(11)
    assert [row.name for row in source.customers()][3:] == ["Ny", "Æblehaven"]
    assert [row.number for row in source.contacts() if row.deleted] == [11, 13]
    assert 2 not in [row.number for row in source.open_invoices()]


def test_usage_counts_requests_and_no_writes(world: SourceWorld) -> None:
    """Each read adds at least one request; a source never writes."""
    before = world.source.usage()
    list(world.source.contacts())
    after = world.source.usage()
    assert after.requests > before.requests
    assert after.units > before.units
    assert after.write_requests == 0


def test_a_read_that_nobody_uses_asks_nothing(world: SourceWorld) -> None:
    """Iterators are lazy."""
    before = world.source.usage().requests
    for read in (world.source.customers, world.source.contacts, world.source.invoices, world.source.open_invoices):
        read()
    assert world.source.usage().requests == before


def test_long_lists_come_whole_in_order_and_without_doubles(big: SourceWorld) -> None:
    """More rows than a page holds: each once, ascending."""
    expected = many()
    assert [row.number for row in big.source.customers()] == [row.number for row in expected.customers]
    assert [row.number for row in big.source.contacts()] == [row.number for row in expected.contacts]
    assert list(big.source.invoices()) == list(expected.invoices)


def test_long_totals_come_whole(big: SourceWorld) -> None:
    """Totals of a thousand customers equal the sums over two thousand invoices."""
    sums: defaultdict[int, Decimal] = defaultdict(Decimal)
    for row in big.source.invoices():
        sums[row.customer_number] += row.net_base
    assert big.source.sales_totals(YEARS[1]) == sums
    assert len(sums) > 1000


def test_an_empty_agreement_is_no_error() -> None:
    """Nothing to read is an answer like any other."""
    for kind in KINDS:
        for world in open_world(kind, Records((), (), ())):
            source = world.source
            reads = (source.customers(), source.contacts(), source.invoices(), source.open_invoices())
            assert [list(read) for read in reads] == [[], [], [], []]
            assert source.sales_totals(YEARS[0]) == {}


def test_the_fake_breaks_on_request() -> None:
    """A test can make a read of the fake fail, at the moment its rows are wanted."""
    source = FakeWorld(Records()).source
    source.broken["invoices"] = UnavailableError("away")
    rows = source.invoices()
    with pytest.raises(UnavailableError, match="away"):
        next(rows)
