"""The journal: what a run overwrote, and of a killed one what may never have been sent."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.fake_target import FakeTarget, done
from tests.fakes.fake_work import make_fake_stores
from tests.fakes.quiet import Quiet, StillClock
from tests.support.mortal import Killed
from tests.unit.sync.test_applier import COLUMNS, PROFILE
from worker.domain.plan import Change, ChangeKind, FieldChange
from worker.domain.profile import Profile, SourceKind
from worker.domain.values import TargetKind, Value
from worker.engine.journal import RunJournal
from worker.ports import ANY_VERSION, Write, WriteOutcome
from worker.sync.applier import Applier, answered, unwritten


class Told:
    """A journal, told by one process after the other; the clock stands still."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.records = make_fake_stores(self.clock).records

    def keep(self, run: str, *changes: Change, profile: Profile = PROFILE) -> None:
        self.journal().keep(run, profile, 1, changes)

    def journal(self) -> RunJournal:
        return RunJournal(self.records, "default", self.clock, 30)

    def read(self, run: str) -> dict[int | str, tuple[Value, Value]]:
        """By item, or the key of a new one: what stood in Title, and what was written there."""
        kept = self.journal().read(run)
        found: dict[int | str, tuple[Value, Value]] = {}
        for change in kept.changes if kept else ():
            titles = [(one.before, one.after) for one in change.fields if one.column == "Title"]
            found[change.item_id or change.key] = titles[0]
        return found

    def unsure(self, run: str) -> set[int]:
        kept = self.journal().read(run)
        return set(kept.unsure) if kept else set()


def update(item: int, before: Value, after: Value) -> Change:
    return Change(ChangeKind.UPDATE, f"k{item}", (FieldChange("Title", before, after),), item, "1")


def create(key: str, item: int | None = None) -> Change:
    return Change(ChangeKind.CREATE, key, (FieldChange("Title", None, "New"),), item)


@pytest.fixture
def told() -> Told:
    return Told()


def test_of_a_run_that_is_killed_over_a_batch_exactly_what_was_not_answered_is_unsure(told):
    """What was kept before it is known to be written."""
    target = FakeTarget(TargetKind.COMPANY, COLUMNS)
    for number in range(1, 251):
        target.keep(number, 1, {"CustomerID": str(number), "Title": "Old"})
    changes = [replace(update(number, "Old", "New"), version=target.held[number].version) for number in target.held]

    def dies(_target: FakeTarget, _write: Write) -> WriteOutcome:
        raise Killed

    target.script.extend([*[done] * 210, dies])

    def keep(some: Sequence[Change]) -> None:
        told.keep("run", *some)

    with suppress(Killed):
        Applier(PROFILE, target, {}, threading.Event(), Quiet(), keep, {}).apply(changes)
    assert len(told.read("run")) == 250
    assert told.unsure("run") == set(range(201, 251))


def test_after_a_run_that_ended_nothing_is_unsure(told):
    target = FakeTarget(TargetKind.COMPANY, COLUMNS)
    target.keep(1, 1, {"CustomerID": "1", "Title": "Old"})
    change = replace(update(1, "Old", "New"), version=target.held[1].version)
    Applier(PROFILE, target, {}, threading.Event(), Quiet(), lambda some: told.keep("run", *some), {}).apply([change])
    assert told.read("run") == {1: ("Old", "New")}
    assert told.unsure("run") == set()


def test_what_is_sent_again_is_unsure_until_it_is_answered_again(told):
    told.keep("run", update(1, "Old", "New"), answered(update(1, "Old", "New")))
    assert told.unsure("run") == set()
    told.keep("run", update(1, "Typed", "New"))
    assert (told.unsure("run"), told.read("run")) == ({1}, {1: ("Typed", "New")})
    told.keep("run", answered(update(1, "Typed", "New")))
    assert told.unsure("run") == set()


def test_what_the_next_run_found_standing_otherwise_was_not_written(told):
    """Whether that run came to its own write or not."""
    told.keep("dead", update(1, "Old", "New"), update(2, "Old", "New"), update(3, "Old", "New"))
    told.keep("next", update(1, "Old", "New"), update(2, "New", "Newer"))
    told.keep("next", unwritten(update(2, "New", "Newer")))
    assert told.read("dead") == {2: ("Old", "New"), 3: ("Old", "New")}
    assert told.unsure("dead") == {2, 3}


def test_only_the_first_run_after_it_tells(told):
    """A run that was written, undone and written again by undoing that can be undone once more."""
    told.keep("dead", update(1, "Old", "New"))
    told.keep("undo", update(1, "New", "Old"))
    told.keep("undo of the undo", update(1, "Old", "New"))
    assert told.read("dead") == {1: ("Old", "New")}


def test_what_was_answered_is_the_runs_whatever_came_later(told):
    """What stands there now is compared when it is undone."""
    told.keep("run", update(1, "Old", "New"), answered(update(1, "Old", "New")))
    told.keep("next", update(1, "Typed", "New"))
    assert told.read("run") == {1: ("Old", "New")}


def test_an_item_that_the_next_run_meant_to_make_was_not_made(told):
    """The next run saw no item of that key."""
    told.keep("dead", create("7"), create("8"), create("9"))
    told.keep("dead", replace(create("9", 99), fields=()))
    told.keep("next", create("7"), create("9"))
    assert list(told.read("dead")) == ["8", 99]


CONTACTS = replace(PROFILE, source=SourceKind.CONTACT, target=TargetKind.CONTACT, rules=PROFILE.rules[1:3])


@pytest.mark.parametrize("other", [CONTACTS, replace(PROFILE, key_target="ImportID")])
def test_runs_over_another_list_or_by_another_key_tell_nothing(told, other):
    told.keep("dead", update(1, "Old", "New"), create("7"))
    told.keep("next", update(1, "Old", "New"), create("7"), profile=other)
    assert told.read("dead") == {1: ("Old", "New"), "7": (None, "New")}


def test_runs_before_it_tell_nothing_even_where_the_clock_went_back(told):
    """The order is that of keeping."""
    told.keep("earlier", update(1, "Oldest", "Old"))
    told.clock.moment -= timedelta(hours=1)
    told.keep("dead", update(1, "Old", "New"))
    assert told.read("dead") == {1: ("Old", "New")}
    told.keep("next", update(1, "Old", "New"))
    assert told.read("dead") == {}


def test_a_damaged_entry_of_another_run_tells_nothing(told):
    told.keep("dead", update(1, "Old", "New"))
    told.keep("next", update(1, "Old", "New"))
    told.records.write(told.records.names("")[-1], b"damaged", ANY_VERSION)
    assert told.read("dead") == {1: ("Old", "New")}
