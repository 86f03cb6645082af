"""One customer's source against the full one, over real HTTP: the same rows, at the price of a few requests."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from source_worlds import (
    CHANGED,
    CONTACTS,
    CUSTOMERS,
    INVOICES,
    TODAY,
    YEARS,
    EmulatorWorld,
    Records,
    customer,
    invoice,
)

from worker.domain.records import AccountingYear, CustomerContact
from worker.economic.one_customer import OneCustomer
from worker.emulators.dataset import generate
from worker.errors import AuthenticationError, IncompleteReadError
from worker.ports import Source

NAMES = 4  # requests for the names customers refer to, once per source
MOST = 10  # requests one customer may cost altogether
SINCE = date(2025, 9, 1)
LONG = 1003  # rows of one customer that do not fit a page


@pytest.fixture
def world() -> Iterator[EmulatorWorld]:
    """A small agreement of its own."""
    with EmulatorWorld(Records()) as made:
        yield made


@pytest.fixture(scope="module")
def small() -> Iterator[EmulatorWorld]:
    """The generated agreement of some two hundred customers; only read."""
    with EmulatorWorld(Records(), data=generate("small", 1, TODAY)) as made:
        yield made


@pytest.fixture(scope="module")
def long() -> Iterator[EmulatorWorld]:
    """Two customers that take turns in more invoices and contacts than a page holds; only read."""
    turns = range(1, 2 * LONG + 1)
    records = Records(
        (customer(1, "Ulige"), customer(2, "Lige")),
        tuple(CustomerContact(n, 2 - n % 2, f"Kontakt {n}", last_updated=CHANGED) for n in turns),
        tuple(invoice(n, 2 - n % 2, TODAY, TODAY, ("1.25", "1.56", "1.56")) for n in turns),
    )
    with EmulatorWorld(records) as made:
        yield made


def rows_of(source: Source, number: int, years: list[AccountingYear]) -> dict[str, Any]:
    """Every read of a source, only with the rows of one customer."""
    return {
        "customers": [row for row in source.customers() if row.number == number],
        "contacts": [row for row in source.contacts() if row.customer_number == number],
        "invoices": [row for row in source.invoices() if row.customer_number == number],
        "since": [row for row in source.invoices(SINCE) if row.customer_number == number],
        "open": [row for row in source.open_invoices() if row.customer_number == number],
        "totals": [{n: net for n, net in source.sales_totals(year).items() if n == number} for year in years],
    }


def numbers(rows: Iterator[Any]) -> list[int]:
    return [row.number for row in rows]


@pytest.mark.slow
def test_every_customer_alone_is_what_the_full_source_says_of_it(small: EmulatorWorld) -> None:
    """Customer, contacts, invoices, those since a day, open ones and totals: nothing more, nothing less, in order."""
    source = small.source
    years = list(source.accounting_years())
    everything = [list(read()) for read in (source.customers, source.contacts, source.invoices, source.open_invoices)]
    customers, contacts, invoices, unpaid = everything
    totals = [source.sales_totals(year) for year in years]
    for number in numbers(iter(customers)):
        one = OneCustomer(source, number)
        assert list(one.customers()) == [row for row in customers if row.number == number]
        assert list(one.contacts()) == [row for row in contacts if row.customer_number == number]
        mine = [row for row in invoices if row.customer_number == number]
        assert list(one.invoices()) == mine
        assert list(one.invoices(SINCE)) == [row for row in mine if row.invoice_date >= SINCE]
        assert list(one.open_invoices()) == [row for row in unpaid if row.customer_number == number]
        assert [one.sales_totals(year).get(number) for year in years] == [each.get(number) for each in totals]
    assert len(customers) > 100
    assert any(row.net < 0 for row in invoices)
    assert any(row.currency != "DKK" for row in invoices)


def test_one_customer_costs_a_handful_of_requests(small: EmulatorWorld) -> None:
    """A request for each read of the busiest customer, beside names, agreement and years; the emulator counts alike."""
    invoices = list(small.source.invoices())
    busiest, _ = Counter(row.customer_number for row in invoices).most_common(1)[0]
    one = OneCustomer(small.connect(), busiest)
    small.app.state.meter.reset()
    costs = []
    for read in (one.agreement, one.accounting_years, one.customers, one.contacts, one.invoices, one.open_invoices):
        before = one.usage().requests
        deque(rows if isinstance(rows := read(), Iterator) else [], maxlen=0)
        costs.append(one.usage().requests - before)
    assert costs == [1, 1, 1 + NAMES, 1, 1, 1]
    assert small.metered["requests"] == one.usage().requests <= MOST
    before = one.usage().requests
    one.sales_totals(one.accounting_years()[-2])
    assert one.usage().requests - before == 2
    assert {route.split()[0] for route in small.metered["by_route"]} == {"GET"}


def test_the_agreement_and_its_years_are_those_of_the_full_source(world: EmulatorWorld) -> None:
    """Narrowing leaves alone what is no customer's."""
    one = OneCustomer(world.source, 1)
    assert one.agreement() == world.source.agreement()
    assert tuple(one.accounting_years()) == YEARS


@pytest.mark.parametrize("number", [4, 999_999_999, 1_000_000_000, 10**30, 0, -1])
def test_a_number_that_nobody_has_gives_nothing(world: EmulatorWorld, number: int) -> None:
    """No customer, contacts, invoices or sales; it is no error, also where it can be nobody's."""
    one = OneCustomer(world.source, number)
    assert list(one.customers()) == []
    if 0 < number < 10**9:
        assert [*one.contacts(), *one.invoices(), *one.open_invoices()] == []
        assert one.sales_totals(YEARS[1]) == {}


def test_reading_is_lazy_and_remembers_nothing(world: EmulatorWorld) -> None:
    """Nothing is asked before the first row is wanted; a payment and a new contact show in the next read."""
    one = OneCustomer(world.source, 1)
    for read in (one.customers, one.contacts, one.invoices, one.open_invoices):
        read()
    assert one.usage().requests == 0
    assert numbers(one.open_invoices()) == [2, 3, 6]
    assert numbers(one.invoices()) == [1, 2, 3, 6]
    world.put_invoices(replace(INVOICES[1], remainder=Decimal(0), remainder_base=Decimal(0)))
    world.add_contact(10)
    assert numbers(one.open_invoices()) == [3, 6]
    assert numbers(one.contacts()) == [10, 11, 12]


def test_more_than_a_page_of_one_customer_comes_whole(long: EmulatorWorld) -> None:
    """By pages and by cursor, each row once and in order, whatever stands between them."""
    one = OneCustomer(long.source, 1)
    mine = list(range(1, 2 * LONG, 2))
    assert numbers(one.invoices()) == numbers(one.open_invoices()) == numbers(one.contacts()) == mine
    assert one.usage().requests == 6


def test_faults_on_the_way_cost_time_and_nothing_else(long: EmulatorWorld) -> None:
    """An answer cut short, a busy service, a page instead of data: all rows come all the same."""
    one = OneCustomer(long.connect(), 2)
    for name in ("cut", "503", "html", "truncated-json"):
        long.fault(name)
        assert len(numbers(one.invoices())) == len(numbers(one.contacts())) == LONG


def test_refused_tokens_are_an_error_and_no_empty_customer(world: EmulatorWorld) -> None:
    """A revoked grant is never taken for a customer without rows."""
    one = OneCustomer(world.connect(grant="planted-wrong-grant-3"), 1)
    for read in (one.customers, one.contacts, one.invoices, one.open_invoices):
        with pytest.raises(AuthenticationError):
            list(read())


@pytest.mark.parametrize("why", ["missing module", "withdrawn version"])
@pytest.mark.parametrize("shows_deleted", ["yes", "no"])
def test_the_classic_list_stands_in_for_a_closed_contacts_api(
    world: EmulatorWorld, why: str, shows_deleted: str
) -> None:
    """Same contacts without the time of their change; deleted ones are marked where they are shown at all."""
    world.switch(
        deleted_contacts_in_classic_list=shows_deleted,
        missing_modules="customersapi" if why == "missing module" else "none",
    )
    source = world.connect(version="v2.0.0" if why == "withdrawn version" else "v3.1.0")
    for number in (1, 2, 3, 4):
        mine = [replace(row, last_updated=None) for row in CONTACTS if row.customer_number == number]
        expected = [row for row in mine if shows_deleted == "yes" or not row.deleted]
        assert list(OneCustomer(source, number).contacts()) == expected


def test_a_classic_list_that_does_not_fit_is_an_error(long: EmulatorWorld) -> None:
    """More contacts than a page, and no contacts API: never a part of them."""
    one = OneCustomer(long.connect(version="v2.0.0"), 1)
    with pytest.raises(IncompleteReadError, match="1003 rows of /customers/1/contacts"):
        list(one.contacts())


@pytest.mark.parametrize(
    "positions",
    [
        {"contact_key_name": "customerContactNumber"},
        {"lines_in_booked_list": "yes"},
        {"totals_list_empty_groups": "yes"},
        {"totals_paging": "yes"},
        {"credit_note_counts_in_totals": "neither"},
        {"unmatched_credit_notes_in_unpaid": "no"},
        {"cursor_stability": "refused"},
    ],
    ids=lambda positions: next(iter(positions)),
)
def test_what_is_unconfirmed_changes_both_sources_alike(world: EmulatorWorld, positions: dict[str, str]) -> None:
    """Either position of what no source settles: one customer is still what the full source says of it."""
    world.switch(**positions)
    for number in numbers(iter(CUSTOMERS)):
        one = OneCustomer(world.source, number)
        assert rows_of(one, number, list(YEARS)) == rows_of(world.source, number, list(YEARS))
