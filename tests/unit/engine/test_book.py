"""Starting a job while others write the same record."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from tests.fakes.fake_work import FakeRecords, make_fake_stores
from tests.support.world import MovableClock
from worker.domain.report import RunMode, Trigger
from worker.engine.book import Book, new_job_id
from worker.engine.jobs import Job, JobState, runs_of
from worker.engine.names import current_name
from worker.errors import BusyError, ConflictError
from worker.ports import Hold, Record


@dataclass
class Meddled:
    """Records in which somebody else writes what a connection is at, just before we do: so many times."""

    inner: FakeRecords
    meddle: list[object] = field(default_factory=list)

    def read(self, name: str) -> Record | None:
        return self.inner.read(name)

    def names(self, prefix: str):
        return self.inner.names(prefix)

    def remove(self, name: str) -> None:
        self.inner.remove(name)

    def write(self, name: str, content: bytes, version: str | None, hold: Hold | None = None) -> str:
        if name == current_name("default") and self.meddle:
            self.meddle.pop()()  # type: ignore[operator]
        return self.inner.write(name, content, version, hold)


def job(clock: MovableClock) -> Job:
    job_id = new_job_id(clock.now())
    return Job("default", job_id, RunMode.APPLY, Trigger.MANUAL, clock.now(), runs_of(["Customers"], job_id))


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def records(clock) -> FakeRecords:
    found = make_fake_stores(clock).records
    assert isinstance(found, FakeRecords)
    return found


def note_seen(records: FakeRecords, text: str):
    """What a tick does beside: it notes a schedule."""

    def write() -> None:
        book = Book(records)
        standing = book.standing("default")
        book.change_standing("default", replace(standing.current, seen={text: ("0 2 * * *", "x")}), standing.version)

    return write


def start(records: FakeRecords, other: Job):
    return lambda: Book(records).begin(other) and None


def test_a_tick_that_only_noted_something_does_not_refuse_a_person(records, clock):
    wanted = job(clock)
    meddled = Meddled(records, [note_seen(records, str(number)) for number in range(3)])
    assert Book(meddled).begin(wanted).job_id == wanted.job_id
    standing = Book(records).standing("default").current
    assert standing.job == wanted.job_id
    assert standing.seen, "what the tick noted is kept"


def test_another_start_that_was_faster_is_named_and_nothing_is_left_behind(records, clock):
    wanted, other = job(clock), job(clock)
    meddled = Meddled(records, [start(records, other)])
    with pytest.raises(BusyError) as caught:
        Book(meddled).begin(wanted)
    assert caught.value.running == f"default/{other.job_id}"
    assert records.read(wanted.name) is None


def test_of_two_ticks_the_slower_one_starts_nothing(records, clock):
    wanted = job(clock)
    meddled = Meddled(records, [note_seen(records, "x")])
    with pytest.raises(ConflictError):
        Book(meddled).begin(wanted, fired={"Customers": "2026-11-25T01:00:00+00:00"})
    assert records.read(wanted.name) is None


def test_a_job_that_is_over_is_followed_by_the_next(records, clock):
    first, second = job(clock), job(clock)
    book = Book(records)
    book.begin(first)
    with pytest.raises(BusyError):
        book.begin(second)
    book.change("default", first.job_id, lambda one: replace(one, state=JobState.DONE))
    assert book.begin(second).job_id == second.job_id
