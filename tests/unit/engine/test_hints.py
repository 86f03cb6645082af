"""What a connection's hints become: heard, taken, settled, doubted, dropped."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.fake_work import FakeRecords, make_fake_stores
from tests.support.world import MovableClock
from worker.engine import hints
from worker.engine.hints import Done, Heard, HintBook, Pending, chosen, is_early

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DONE = Done(NOW.isoformat(), 1)
FAILED = Done(NOW.isoformat(), 1, problem="e-conomic answered 500.")


@pytest.fixture
def records() -> FakeRecords:
    found = make_fake_stores(MovableClock()).records
    assert isinstance(found, FakeRecords)
    return found


@pytest.fixture
def book(records: FakeRecords) -> HintBook:
    return HintBook(records, "default")


def hear(book: HintBook, *numbers: int, after: float = 0.0) -> None:
    for number in numbers:
        book.hear(Heard("CUSTOMER_UPDATED", (number,)), NOW + timedelta(seconds=after))


def go(book: HintBook, done: Done = DONE, most: int = 20) -> Pending:
    """Takes hints and settles them, or notes that they failed."""
    taken = chosen(book.read(), most, most)
    if done.succeeded:
        book.settle(taken, done)
    else:
        book.fail(taken, done)
    return taken


def test_a_hint_that_is_named_again_while_it_is_worked_stays(book):
    """What was read of it may be older than the second call."""
    hear(book, 1, 2)
    book.hear(Heard("INVOICE_BOOKED", invoice=7), NOW)
    taken = chosen(book.read(), 20, 20)
    hear(book, 1, after=5)
    book.hear(Heard("INVOICE_BOOKED", invoice=7), NOW + timedelta(seconds=5))
    assert book.settle(taken, DONE)
    pending = book.read()
    assert (list(pending.customers), list(pending.invoices)) == (["1"], ["7"])
    go(book)
    assert not book.read().waits


def test_a_hint_that_is_named_again_while_it_is_tried_for_the_last_time_stays(book):
    hear(book, 1)
    for _ in range(hints.TOGETHER + hints.ALONE - 1):
        go(book, FAILED)
    taken = chosen(book.read(), 20, 20)
    hear(book, 1, after=5)
    book.fail(taken, FAILED)
    assert list(book.read().customers) == ["1"]
    assert not book.read().doubted


def test_after_a_few_failed_goes_each_hint_is_tried_alone(book):
    """Those that failed only together are settled; the one that fails alone is dropped and its problem told."""
    hear(book, 1, 2, 3)
    goes = [go(book, FAILED, most=2) for _ in range(hints.TOGETHER)]
    assert [list(taken.customers) for taken in goes] == [["1", "2"]] * hints.TOGETHER
    assert list(go(book).customers) == ["3"], "what did not fail comes first"
    assert list(go(book, FAILED).customers) == ["1"]
    assert list(go(book).customers) == ["2"], "the least tried comes first"
    hear(book, 4)
    assert list(go(book).customers) == ["4"]
    for _ in range(hints.ALONE - 1):
        assert list(go(book, FAILED).customers) == ["1"]
    pending = book.read()
    assert not pending.waits
    assert not pending.doubted
    assert pending.done[-1].problem == FAILED.problem


def test_a_good_go_ends_the_count_of_failures(book):
    hear(book, 1)
    go(book, FAILED)
    assert book.read().failures == 1
    go(book)
    assert book.read().failures == 0


def test_a_renumbering_goes_once_no_company_has_the_old_number(book):
    """Not one that was told again with another new number."""
    for old, new in ((1, 11), (2, 12), (3, 13)):
        book.hear(Heard("CUSTOMER_UPDATED", (old, new), renumbered=(old, new)), NOW)
    book.hear(Heard("CUSTOMER_UPDATED", (3, 14), renumbered=(3, 14)), NOW)
    book.settle(chosen(book.read(), 20, 20), DONE, {"1": 11, "3": 13})
    assert book.read().renumbered == {"2": 12, "3": 14}


def test_a_hint_that_two_nights_have_passed_over_is_dropped_and_told(book):
    hear(book, 1)
    hear(book, 2, after=3600)
    book.forget(NOW + timedelta(days=2))
    assert list(book.read().customers) == ["1", "2"]
    book.forget(NOW + timedelta(days=2, seconds=1))
    assert list(book.read().customers) == ["2"]
    assert book.read().done[-1].problem == hints.FORGOTTEN


def test_one_message_goes_round(book):
    """A call or a tick sends another only when the one that is due has not come for a while."""
    assert book.hear(Heard("X", (1,)), NOW)
    book.sent(NOW + timedelta(minutes=15))
    for minutes in (1, 5, 15, 15.9):
        now = NOW + timedelta(minutes=minutes)
        assert not book.hear(Heard("X", (2,)), now)
        assert not book.overdue(now)
    assert is_early(book.read(), NOW + timedelta(minutes=1)), "a message that comes now is another one"
    assert not is_early(book.read(), NOW + timedelta(minutes=15) - timedelta(seconds=1)), "clocks differ a little"
    assert book.overdue(NOW + timedelta(minutes=16))
    assert not book.overdue(NOW + timedelta(minutes=16, seconds=59))


def test_a_clock_that_was_far_ahead_holds_up_nothing(book):
    hear(book, 1)
    book.sent(NOW + timedelta(days=400))
    assert not is_early(book.read(), NOW)
    assert book.overdue(NOW)


def test_the_newest_hints_are_kept(book, monkeypatch):
    monkeypatch.setattr(hints, "MOST", 3)
    for number in range(1, 6):
        hear(book, number, after=number)
    assert list(book.read().customers) == ["3", "4", "5"]


def test_all_that_is_kept_is_read_again(book):
    told = Done(NOW.isoformat(), 2, 1, "p", "Invoices", 3, "read-only", {"column": "x"}, ("Trend",), (1, 2))
    book.hear(Heard("CUSTOMER_UPDATED", (1, 2), renumbered=(1, 2)), NOW)
    book.refuse(NOW)
    book.fail(chosen(book.read(), 20, 20), told)
    pending = book.read()
    assert pending.done == (told,)
    assert (pending.refused, pending.failures, pending.calls["CUSTOMER_UPDATED"][0]) == (1, 1, 1)


def test_a_record_of_an_earlier_version_is_read(book, records):
    """It knows less of what was done, and of no failures."""
    data = {
        "customers": {"1": NOW.isoformat()}, "invoices": {}, "renumbered": {}, "sent": NOW.isoformat(),
        "calls": {"X": [1, NOW.isoformat()]}, "refused": 2,
        "done": [{"at": NOW.isoformat(), "customers": 1, "written": 2, "problem": ""}],
    }  # fmt: skip
    records.write("hints/default", json.dumps(data).encode(), None)
    pending = book.read()
    assert (list(pending.customers), pending.refused, pending.done[0].written) == (["1"], 2, 2)
