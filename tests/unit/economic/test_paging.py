"""Reading a whole collection: cost, order, completeness while rows come and go, and how much is read ahead."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.economic.paging import Collection, Page
from worker.errors import IncompleteReadError, ProtocolError

SIZE = 3


class Service:
    """A sorted collection that answers like e-conomic; `before(n)` may change `keys` before the n-th question."""

    def __init__(self, keys: set[int], before: Callable[[int], None] = lambda _: None) -> None:
        self.keys = keys
        self.before = before
        self.asked: list[tuple[str | None, int]] = []

    def ask(self, filter_: str | None, number: int) -> Page:
        self.asked.append((filter_, number))
        self.before(len(self.asked))
        beyond = int(filter_.rsplit("$gt:", 1)[1]) if filter_ and "$gt:" in filter_ else 0
        found = sorted(key for key in self.keys if key > beyond)
        return Page([{"n": key} for key in found[number * SIZE : (number + 1) * SIZE]], len(found))

    def read(self, parallel: int = 1, filter_: str | None = None) -> Iterator[int]:
        collection = Collection("/things", "n", self.ask, filter_, SIZE)
        return (row["n"] for row in collection.rows(parallel))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 7, 30])
@pytest.mark.parametrize("parallel", [1, 2, 4])
def test_every_row_once_in_order_for_one_request_per_page(count: int, parallel: int) -> None:
    """n rows cost ceil(n / page size) requests, and at least the one that says there are none."""
    service = Service({7 * n for n in range(1, count + 1)})
    assert list(service.read(parallel)) == sorted(service.keys)
    assert len(service.asked) == max(1, math.ceil(count / SIZE))


@given(
    keys=st.sets(st.integers(1, 60), max_size=25),
    events=st.lists(st.tuples(st.integers(1, 12), st.integers(1, 60)), max_size=6),
    deleting=st.booleans(),
)
def test_rows_that_stay_are_never_lost_or_doubled(
    keys: set[int], events: list[tuple[int, int]], deleting: bool
) -> None:
    """Whatever rows go (or come) between two requests: those that stay are read once, in order."""
    service = Service(set(keys))

    def change(question: int) -> None:
        for at, key in events:
            if at == question and deleting:
                service.keys.discard(key)
            elif at == question:
                service.keys.add(key)

    service.before = change
    rows = list(service.read())
    stayed = keys & service.keys
    assert rows == sorted(set(rows))
    assert stayed <= set(rows) <= keys | service.keys


def test_a_row_that_goes_makes_reading_go_on_by_key_range() -> None:
    """From the last good key on, one page after the other; the filter stays in place."""
    service = Service(set(range(1, 10)))
    service.before = lambda question: service.keys.discard(1) if question == 2 else None
    assert list(service.read(filter_="date$gte:2026-01-01")) == list(range(1, 10))
    assert service.asked == [
        ("date$gte:2026-01-01", 0),
        ("date$gte:2026-01-01", 1),
        ("date$gte:2026-01-01$and:n$gt:3", 0),
        ("date$gte:2026-01-01$and:n$gt:6", 0),
    ]


def test_a_row_that_comes_where_another_goes_doubles_none() -> None:
    """The total stays the same, but the second window repeats the last row of the first: it is read once."""
    service = Service({10, 20, 30, 40, 50, 60, 70})

    def change(question: int) -> None:
        if question == 2:
            service.keys.add(5)
            service.keys.discard(70)

    service.before = change
    assert list(service.read()) == [10, 20, 30, 40, 50, 60]


def test_no_more_than_a_few_pages_are_read_ahead() -> None:
    """With 4 at a time, at no moment have more than 4 pages been asked for beyond those used up."""
    service = Service(set(range(1, 100)))
    rows = service.read(parallel=4)
    for used in range(1, 34):
        assert list(islice(rows, SIZE)) == list(range(used * SIZE - 2, used * SIZE + 1))
        assert len(service.asked) <= used + 3
    assert next(rows, None) is None


def test_nothing_is_asked_before_the_first_row_is_wanted() -> None:
    """A read that nobody uses costs nothing."""
    service = Service({1})
    service.read()
    assert service.asked == []


def test_a_reader_that_stops_early_stops_the_asking() -> None:
    """What is in hand ends; no further page is asked for."""
    service = Service(set(range(1, 100)))
    rows = service.read(parallel=2)
    next(rows)
    rows.close()  # type: ignore[attr-defined]
    assert len(service.asked) <= 2


def test_fewer_rows_than_promised_are_an_error() -> None:
    """A service that owes rows again and again is not believed to be complete."""
    collection = Collection("/things", "n", lambda _filter, _number: Page([{"n": 1}], 2), size=SIZE)
    with pytest.raises(IncompleteReadError, match="1 rows of /things where it owes 2"):
        list(collection.rows(1))


def test_no_rows_at_all_where_some_are_promised_are_an_error() -> None:
    """An empty page with a total above zero is never taken for 'nothing there'."""
    collection = Collection("/things", "n", lambda _filter, _number: Page([], 5), size=SIZE)
    with pytest.raises(IncompleteReadError):
        list(collection.rows(4))


@pytest.mark.parametrize("keys", [[2, 1], [1, 1]])
def test_rows_out_of_order_are_an_error(keys: list[int]) -> None:
    """Without the order that was asked for, neither windows nor ranges are safe."""
    page = Page([{"n": key} for key in keys], 2)
    with pytest.raises(ProtocolError, match="not in the order"):
        list(Collection("/things", "n", lambda _filter, _number: page, size=SIZE).rows(1))


@pytest.mark.parametrize("row", [{}, {"n": None}, {"n": "7"}, {"n": ""}])
def test_a_row_without_its_key_is_an_error(row: dict[str, object]) -> None:
    """The error names the collection and the key."""
    page = Page([row], 1)
    with pytest.raises(ProtocolError, match="a row of /things without a usable n"):
        list(Collection("/things", "n", lambda _filter, _number: page, size=SIZE).rows(1))


def test_a_fault_in_a_later_page_reaches_the_reader() -> None:
    """An error in a page that is read ahead is raised where its rows would have been."""

    def ask(_filter: str | None, number: int) -> Page:
        if number == 2:
            raise ProtocolError("broken")
        return Page([{"n": number * SIZE + place} for place in range(1, SIZE + 1)], 12)

    rows = Collection("/things", "n", ask, size=SIZE).rows(4)
    assert [row["n"] for row in islice(rows, 6)] == [1, 2, 3, 4, 5, 6]
    with pytest.raises(ProtocolError, match="broken"):
        next(rows)
