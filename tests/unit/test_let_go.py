"""Numbers that runs took from companies: remembered before they are written, for a while, and for companies only."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.fake_work import make_fake_stores
from tests.support.world import MovableClock
from tests.unit.sync.test_session import shipped
from worker.domain.plan import Change, ChangeKind, FieldChange
from worker.domain.profile import Profile
from worker.ports import NoJournal, Stores
from worker.wiring.let_go import LetGoBook, LetGoJournal


def profile(title: str = "Customers") -> Profile:
    (found,) = shipped(title)
    return found


def numbered(item: int | None, before: str | None, after: str | None, column: str = "CustomerID") -> Change:
    return Change(ChangeKind.FLAG, "9", (FieldChange(column, before, after),), item, '"1"')


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def stores(clock: MovableClock) -> Stores:
    return make_fake_stores(clock)


@pytest.fixture
def book(stores: Stores, clock: MovableClock) -> LetGoBook:
    return LetGoBook(stores.records, "default", clock)


def test_a_company_that_loses_its_number_is_noted_when_the_change_is_kept(book):
    LetGoJournal(NoJournal(), book).keep("run", profile(), 1, [numbered(7, "9", None), numbered(8, "5", "6")])
    assert book.read() == {7: "9"}


@pytest.mark.parametrize("change", [numbered(7, None, "5"), numbered(7, "9", "5"), numbered(7, "9", "9")])
def test_one_that_carries_a_number_again_speaks_for_itself(book, change):
    book.note(profile(), [numbered(7, "9", None), numbered(8, "6", None)])
    book.note(profile(), [change])
    assert book.read() == {8: "6"}


@pytest.mark.parametrize(
    ("title", "change"),
    [
        ("Invoices", numbered(7, "9", None)),
        ("Customers", numbered(7, "9", None, "Phone")),
        ("Customers", numbered(None, None, "9")),
    ],
)
def test_nothing_else_is_noted(book, title, change):
    book.note(profile(title), [change])
    assert book.read() == {}


def test_it_is_forgotten_after_two_months(book, clock):
    book.note(profile(), [numbered(7, "9", None)])
    clock.moment += timedelta(days=60)
    assert book.read() == {7: "9"}
    clock.moment += timedelta(seconds=1)
    assert book.read() == {}


@pytest.mark.parametrize("damaged", [[], {"7": "9"}, {"7": ["9", "today"]}, {"7": ["9", "2026-11-25"]}])
def test_a_damaged_record_counts_as_none(book, stores, damaged: Any):
    stores.records.write("let-go/default", json.dumps(damaged).encode(), None)
    assert book.read() == {}
    book.note(profile(), [numbered(8, "6", None)])
    assert book.read() == {8: "6"}
