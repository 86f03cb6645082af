"""The e-conomic adapter over real HTTP: what reading costs, faults on the way, and everything that is unconfirmed."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from itertools import islice

import pytest
from source_worlds import (
    APP_SECRET,
    BULK_CONTACTS,
    BULK_CUSTOMERS,
    BULK_INVOICES,
    CONTACTS,
    CUSTOMERS,
    GRANT,
    INVOICES,
    YEARS,
    EmulatorWorld,
    Records,
    customer,
    many,
    pages,
)

from worker.errors import (
    AccessDeniedError,
    AuthenticationError,
    NotFoundError,
    PageError,
    RetriableError,
    ThrottledError,
    UnavailableError,
    WorkerError,
)
from worker.transport import RetryPolicy

NAMES = 4  # requests for the names customers refer to, once per run
SHORT_FAULTS = ("429", "429-no-retry-after", "500", "503", "cut", "truncated-json", "html")


@pytest.fixture
def world() -> Iterator[EmulatorWorld]:
    """A small agreement of its own."""
    with EmulatorWorld(Records()) as made:
        yield made


@pytest.fixture(scope="module")
def served() -> Iterator[EmulatorWorld]:
    """A big agreement, loaded once."""
    with EmulatorWorld(many()) as made:
        made.store.snapshot()
        yield made


@pytest.fixture
def big(served: EmulatorWorld) -> EmulatorWorld:
    """The big agreement as it was loaded, counted from zero, with a fresh adapter."""
    state = served.app.state
    served.store.restore()
    state.faults.clear()
    state.switches.reset()
    state.meter.reset()
    state.gate.bucket.used = 0.0
    served.slept.clear()
    served.source = served.connect()
    return served


def numbers(rows: Iterator[object]) -> list[int]:
    return [row.number for row in rows]  # type: ignore[attr-defined]


def test_reading_costs_a_request_per_thousand_rows(big: EmulatorWorld) -> None:
    """ceil(n / 1000) for every list, never one per customer; names once; the emulator's count is the same."""
    source = big.source
    for read, cost in [
        (source.customers, pages(BULK_CUSTOMERS) + NAMES),
        (source.customers, pages(BULK_CUSTOMERS)),
        (source.contacts, pages(BULK_CONTACTS)),
        (source.invoices, pages(BULK_INVOICES)),
        (source.open_invoices, 1),
    ]:
        before = source.usage().requests
        deque(read(), maxlen=0)
        assert source.usage().requests - before == cost
    usage, metered = source.usage(), big.metered
    assert (usage.requests, usage.write_requests) == (metered["requests"], metered["writes"])
    assert usage.units == metered["cost"]
    assert usage.waited_seconds == 0
    assert {route.split()[0] for route in metered["by_route"]} == {"GET"}


def test_no_more_pages_are_fetched_than_are_about_to_be_used(big: EmulatorWorld) -> None:
    """After the first row, at most the pages that are read side by side have been asked for."""
    source = big.connect(parallel=2)
    rows = source.invoices()
    next(rows)
    assert source.usage().requests <= 2
    assert sum(1 for _ in rows) == BULK_INVOICES - 1


@pytest.mark.parametrize("name", SHORT_FAULTS)
@pytest.mark.parametrize("read", ["invoices", "contacts"])
def test_a_passing_fault_costs_time_and_nothing_else(big: EmulatorWorld, name: str, read: str) -> None:
    """Three faults in a row, pages side by side or a cursor: all rows come, once and in order."""
    big.fault(name, 3)
    expected = BULK_INVOICES if read == "invoices" else BULK_CONTACTS
    assert numbers(getattr(big.source, read)()) == list(range(1, expected + 1))
    usage = big.source.usage()
    assert usage.requests == pages(expected) + 3
    assert usage.waited_seconds == sum(big.slept) > 0


@pytest.mark.parametrize("name", SHORT_FAULTS)
def test_a_fault_that_stays_ends_with_a_sentence(world: EmulatorWorld, name: str) -> None:
    """When trying is over, the error says what was wrong and what to do."""
    world.app.state.faults.set(name, 1.0)
    with pytest.raises(RetriableError, match=r"^e-conomic ") as caught:
        list(world.source.customers())
    assert caught.value.hint
    assert isinstance(caught.value, PageError) == (name == "html")


@pytest.mark.parametrize("form", ["seconds", "date", "none"])
@pytest.mark.parametrize("body", ["json", "empty"])
def test_throttling_is_obeyed_in_every_form(world: EmulatorWorld, form: str, body: str) -> None:
    """Retry-After as seconds, as a date or not at all; with or without a body."""
    world.switch(retry_after=form, rate_limit_body=body)
    world.fault("429")
    assert tuple(world.source.customers()) == CUSTOMERS
    assert len(world.slept) == 1


def test_an_empty_bucket_is_waited_out() -> None:
    """With room for some three pages a minute a longer read gets there, mostly by slowing down in time."""
    now = [0.0]

    def passes(seconds: float) -> None:
        now[0] += seconds

    with EmulatorWorld(many(), token_limit=10, clock=lambda: now[0]) as world:
        source = world.connect(sleep=passes)
        assert len(list(source.customers())) == BULK_CUSTOMERS
        assert len(list(source.invoices())) == BULK_INVOICES
        statuses = world.metered["by_status"]
    assert now[0] >= 60
    assert statuses["200"] == pages(BULK_CUSTOMERS) + NAMES + pages(BULK_INVOICES)
    assert statuses.get("429", 0) <= statuses["200"]


def test_a_customer_deleted_while_we_read_costs_no_other(big: EmulatorWorld) -> None:
    """The windows shift by one; the customer that would slip between two of them is read all the same."""
    rows = big.connect(parallel=1).customers()
    before = numbers(islice(rows, 1000))
    big.delete_customer(1)
    assert before + numbers(rows) == list(range(1, BULK_CUSTOMERS + 1))


def test_a_customer_created_while_we_read_is_read_or_comes_next_time(big: EmulatorWorld) -> None:
    """New rows at the end show; none is doubled."""
    rows = big.connect(parallel=1).customers()
    before = numbers(islice(rows, 1000))
    big.put_customers(customer(5000, "Ny"))
    assert before + numbers(rows) == [*range(1, BULK_CUSTOMERS + 1), 5000]


@pytest.mark.parametrize("position", ["stable", "shifting", "refused"])
def test_contacts_survive_a_cursor_that_does_not(big: EmulatorWorld, position: str) -> None:
    """Whether a cursor goes on after a change, by key or place, or is refused: all contacts come, each once."""
    big.switch(cursor_stability=position)
    rows = big.source.contacts()
    before = numbers(islice(rows, 1000))
    big.add_contact(9000)
    assert before + numbers(rows) == [*range(1, BULK_CONTACTS + 1), 9000]


@pytest.mark.parametrize(
    "positions",
    [
        {"contact_key_name": "customerContactNumber"},
        {"open_timestamp_zone": "utc"},
        {"call_cost_letter": "yes"},
        {"lines_in_booked_list": "yes"},
        {"last_updated_bumped_by_booking": "yes"},
        {"totals_list_empty_groups": "yes"},
        {"slash_in_year_path": "yes"},
        {"predefined_periods": "no"},
    ],
    ids=lambda positions: next(iter(positions)),
)
def test_what_is_unconfirmed_changes_nothing(world: EmulatorWorld, positions: dict[str, str]) -> None:
    """Either position of what no source settles gives the same records."""
    source = world.source
    totals = [source.sales_totals(year) for year in YEARS]
    world.switch(**positions)
    assert tuple(source.customers()) == CUSTOMERS
    assert tuple(source.contacts()) == CONTACTS
    assert tuple(source.invoices()) == INVOICES
    assert [source.sales_totals(year) for year in source.accounting_years()] == totals


def test_totals_that_page_come_whole(big: EmulatorWorld) -> None:
    """Should totals page on large agreements, they are read in full pages and are the same."""
    expected = big.source.sales_totals(YEARS[1])
    before = big.source.usage().requests
    big.switch(totals_paging="yes")
    assert big.source.sales_totals(YEARS[1]) == expected
    assert big.source.usage().requests - before == 1 + pages(len(expected))


def test_credit_notes_may_be_missing_from_the_unpaid_list(world: EmulatorWorld) -> None:
    """Where open credit notes are left out of it, the other open invoices come all the same."""
    world.switch(unmatched_credit_notes_in_unpaid="no")
    found = list(world.source.open_invoices())
    assert [row.number for row in found] == [row.number for row in INVOICES if row.remainder > 0]


@pytest.mark.parametrize("body", ["json", "empty", "html"])
def test_refused_tokens_name_the_next_step(world: EmulatorWorld, body: str) -> None:
    """A wrong grant token is one clear sentence whatever the body of the 401, and is not tried again."""
    world.switch(unauthorized_body=body)
    source = world.connect(grant="planted-wrong-grant-3")
    with pytest.raises(AuthenticationError, match=r"^e-conomic refused the tokens") as caught:
        source.agreement()
    assert "granted on the agreement" in caught.value.hint
    assert source.usage().requests == 1


def test_a_grant_revoked_while_we_read_ends_the_read(big: EmulatorWorld) -> None:
    """The error comes where the rows would have been; nothing is taken for the end of the list."""
    rows = big.connect(parallel=1).invoices()
    assert len(list(islice(rows, 1000))) == 1000
    big.app.state.gate.revoked = True
    try:
        with pytest.raises(AuthenticationError):
            next(rows)
    finally:
        big.app.state.gate.revoked = False


def test_a_withdrawn_version_of_the_contacts_api_names_the_setting(world: EmulatorWorld) -> None:
    """A version that is gone answers 404; the hint says what to look at."""
    with pytest.raises(NotFoundError) as caught:
        list(world.connect(version="v2.0.0").contacts())
    assert "ECONOMIC_CUSTOMERSAPI_VERSION" in caught.value.hint


def test_a_server_that_is_down_is_one_sentence() -> None:
    """Nobody listens: tried as often as allowed, then said."""
    with EmulatorWorld(Records()) as world:
        pass
    source = world.connect(policy=RetryPolicy(attempts=3))
    with pytest.raises(UnavailableError, match="e-conomic could not be reached"):
        source.agreement()
    assert source.usage().requests == 3


def test_single_reads_serve_explaining_and_forecasts(world: EmulatorWorld) -> None:
    """One customer by number, the number of customers, and what the connection test shows."""
    source = world.source
    assert source.customer(3) == CUSTOMERS[2]
    assert source.customer(4) is None
    assert source.customer_count() == len(CUSTOMERS)
    assert source.connection_test().warnings == ()


def test_one_invoice_by_number(world: EmulatorWorld) -> None:
    """The same record as in the list, though its answer has lines; None for a number that nobody has."""
    assert [world.source.invoice(row.number) for row in INVOICES] == list(INVOICES)
    assert world.source.invoice(999) is None
    assert world.source.invoice(-1) is None


def test_the_pdf_of_an_invoice_is_fetched_from_e_conomic_itself(world: EmulatorWorld) -> None:
    """One request with its cost counted; the bytes are a PDF."""
    found = world.source.invoice_pdf(2)
    assert found.startswith(b"%PDF-")
    assert found.rstrip().endswith(b"%%EOF")
    usage = world.source.usage()
    assert usage.requests == world.metered["requests"] == 1
    assert usage.units == world.metered["cost"] == 13


def test_a_pdf_that_is_not_there_is_not_found(world: EmulatorWorld) -> None:
    """A number that nobody has, or can have."""
    for number in (999, -1):
        with pytest.raises(NotFoundError, match="no such PDF"):
            world.source.invoice_pdf(number)


def test_a_role_that_may_not_fetch_pdfs_names_the_next_step(world: EmulatorWorld) -> None:
    """Reading data goes on; only the document is refused."""
    world.switch(pdf_allowed="no")
    with pytest.raises(AccessDeniedError) as caught:
        world.source.invoice_pdf(2)
    assert "role may not fetch PDFs" in caught.value.hint
    assert world.source.invoice(2) == INVOICES[1]


@pytest.mark.parametrize("name", ["429", "500", "503", "cut", "html"])
def test_a_passing_fault_does_not_spoil_a_pdf(world: EmulatorWorld, name: str) -> None:
    """Asked for again, and whole."""
    whole = world.source.invoice_pdf(2)
    world.fault(name, 2)
    assert world.source.invoice_pdf(2) == whole


def test_tokens_never_show(world: EmulatorWorld, caplog: pytest.LogCaptureFixture) -> None:
    """Through every kind of failure, neither log nor error text nor representation holds a token."""
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    for name in (*SHORT_FAULTS, "revoked"):
        world.app.state.faults.clear()
        world.app.state.faults.set(name, 1.0)
        with pytest.raises(WorkerError) as caught:
            world.source.agreement()
        shown += [str(caught.value), repr(caught.value), caught.value.hint]
    shown += [repr(world.source), caplog.text, *(str(record.args) for record in caplog.records)]
    assert any("retry call=GET /self" in text for text in shown)
    assert not [text for text in shown if APP_SECRET in text or GRANT in text]


def test_throttling_says_how_long(world: EmulatorWorld) -> None:
    """Once attempts are used up, the error still carries the time the service named."""
    world.app.state.faults.set("429", 1.0)
    with pytest.raises(ThrottledError) as caught:
        world.source.agreement()
    assert caught.value.retry_after is not None
