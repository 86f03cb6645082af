"""A value in a record that several processes change."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fakes.fake_work import FakeRecords, make_fake_stores
from tests.support.world import MovableClock
from worker.engine.json_record import JsonRecord
from worker.errors import ConflictError
from worker.ports import ANY_VERSION

Values = tuple[int, ...]


@pytest.fixture
def records() -> FakeRecords:
    found = make_fake_stores(MovableClock()).records
    assert isinstance(found, FakeRecords)
    return found


def record_in(records: FakeRecords) -> JsonRecord[Values]:
    return JsonRecord(records, "known/default", (), lambda data: tuple(data["values"]), lambda one: {"values": one})


def test_what_many_change_at_once_is_all_there_afterwards(records):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: record_in(records).change(lambda one: (*one, number)), range(40)))
    assert sorted(record_in(records).read()) == list(range(40))


def test_a_change_that_changes_nothing_writes_nothing(records):
    assert record_in(records).change(lambda one: one) == ()
    assert records.writes == 0
    record_in(records).change(lambda _: (1,))
    assert record_in(records).change(lambda _: (1,)) == (1,)
    assert records.writes == 1


def test_somebody_who_was_faster_is_not_overwritten(records):
    others = [2, 1]

    def change(one: Values) -> Values:
        if others:
            other = others.pop()
            content = json.dumps({"values": [*one, other]}).encode()
            records.write("known/default", content, ANY_VERSION)
        return (*one, 3)

    assert record_in(records).change(change) == (1, 2, 3)


def test_somebody_who_is_always_faster_is_named(records):
    def change(one: Values) -> Values:
        content = json.dumps({"values": [*one, 0]}).encode()
        records.write("known/default", content, ANY_VERSION)
        return (*one, 1)

    with pytest.raises(ConflictError, match="faster"):
        record_in(records).change(change)


@pytest.mark.parametrize("content", [b"{", b"\xff", b"{}", b"[]", b'"values"', b'{"values": 1}', b"null"])
def test_a_damaged_record_starts_anew_and_says_so(records, caplog, content):
    records.write("known/default", content, None)
    assert record_in(records).read() == ()
    assert "known/default" in caplog.text
    assert record_in(records).change(lambda one: (*one, 1)) == record_in(records).read() == (1,)
