"""Doing an undo: each answer is taken at its word, what it leaves open is looked up, and the journal is told."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from datetime import date

import pytest

from tests.fakes.fake_target import Answer, FakeSite, FakeTarget, lost_after_saving, lost_before_saving, rejected
from tests.fakes.fake_work import make_fake_stores
from tests.fakes.quiet import StillClock
from tests.unit.sync.test_applier import COLUMNS, PROFILE, person_saves
from worker.domain.plan import Change, ChangeKind, FieldChange
from worker.domain.values import Column, ColumnKind, TargetKind, Value
from worker.engine.journal import RunJournal
from worker.ports import Write, WriteOutcome, WriteStatus
from worker.sync.undo_plan import Ran, Undo, Undone
from worker.sync.undoing import Undoer

FIELDS = (FieldChange("CustomerID", "7", None), FieldChange("Title", "Old", "New"))
RAN = Ran("run", PROFILE, (Change(ChangeKind.FLAG, "7", FIELDS, 5, "1"),))
FLAG = FieldChange("ERPStatus", "Active", "Missing in ERP")
LET_GO = Ran("run", PROFILE, (Change(ChangeKind.FLAG, "7", (*FIELDS, FLAG), 5, "1"),))
FLAGGED = {**COLUMNS, "ERPStatus": Column("ERPStatus", "ERPStatus", "ERPStatus", ColumnKind.CHOICE)}


def planned(*script: Answer, ran: Ran = RAN) -> tuple[RunJournal, FakeTarget, Undo, Undoer]:
    """An undo of `ran`, whose writes stand in the list, and what it works with."""
    target = FakeTarget(TargetKind.COMPANY, FLAGGED, script=deque(script))
    target.keep(5, 2, {one.column: one.after for one in ran.changes[0].fields})
    journal = RunJournal(make_fake_stores(StillClock()).records, "default", StillClock(), 30)
    site = FakeSite({TargetKind.COMPANY: target})
    undoer = Undoer(site, date(2026, 11, 25), threading.Event(), journal)
    (undo,) = undoer.plan([ran])
    return journal, target, undo, undoer


def undone(*script: Answer, ran: Ran = RAN) -> tuple[dict[str, Value], Undone, dict[str, tuple[Value, Value]]]:
    """What the item holds afterwards, what became of it, and what the journal says was overwritten."""
    journal, target, undo, undoer = planned(*script, ran=ran)
    done = undo.begun()
    undoer.apply(undo, "undo", done)
    kept = journal.read("undo")
    changes: Sequence[Change] = kept.changes if kept else ()
    told = {one.column: (one.before, one.after) for change in changes for one in change.fields}
    return dict(target.held[5].values), done, told


BACK = {"CustomerID": "7", "Title": "Old"}
ALL = {"CustomerID": (None, "7"), "Title": ("New", "Old")}


@pytest.mark.parametrize("script", [(), (lost_after_saving,), (lost_before_saving,), (lost_before_saving,) * 3])
def test_a_lost_answer_is_looked_up(script):
    """And what never arrived is sent again."""
    values, done, told = undone(*script)
    assert values == BACK
    assert (done.reverted, done.left, done.failed, done.open) == (1, [], {}, set())
    assert told == ALL


def test_a_refusal_is_told_and_nothing_was_overwritten():
    values, done, told = undone(rejected)
    assert values == {"Title": "New"}
    assert done.failed == {"7": "The list has a rule against it."}
    assert (done.reverted, done.open, told) == (0, set(), {})


def test_a_number_that_another_item_gets_in_this_moment_is_left():
    """A unique column refuses the write; all else goes back."""
    values, done, told = undone(lambda _, write: WriteOutcome(write, WriteStatus.DUPLICATE))
    assert values == {"Title": "Old"}
    assert [(left.why, left.column) for left in done.left] == [("taken", "CustomerID")]
    assert (done.reverted, done.open) == (1, set())
    assert told == {"Title": ("New", "Old")}


def test_the_status_stays_with_a_number_that_another_item_gets_in_this_moment():
    """It would say of no number that e-conomic has it."""
    values, done, told = undone(lambda _, write: WriteOutcome(write, WriteStatus.DUPLICATE), ran=LET_GO)
    assert values == {"Title": "Old", "ERPStatus": "Missing in ERP"}
    assert [(left.why, left.column) for left in done.left] == [("taken", "CustomerID"), ("number", "ERPStatus")]
    assert told == {"Title": ("New", "Old")}


def test_the_status_stays_with_a_number_that_a_person_typed_in_between():
    """It is that number's."""
    values, done, told = undone(person_saves(CustomerID="9"), ran=LET_GO)
    assert values == {"CustomerID": "9", "Title": "Old", "ERPStatus": "Missing in ERP"}
    assert [(left.why, left.column) for left in done.left] == [("changed", "CustomerID"), ("number", "ERPStatus")]
    assert (done.reverted, done.open, told) == (1, set(), {"Title": ("New", "Old")})


def test_what_a_person_changed_in_between_is_left_by_column():
    values, done, told = undone(person_saves(Title="Typed", EMail="x"))
    assert values == {"CustomerID": "7", "Title": "Typed", "EMail": "x"}
    assert [(left.why, left.column) for left in done.left] == [("changed", "Title")]
    assert (done.reverted, told) == (1, {"CustomerID": (None, "7")})


def test_an_item_that_a_person_keeps_saving_is_left():
    values, done, told = undone(person_saves(EMail="1"), person_saves(EMail="2"))
    assert values == {"Title": "New", "EMail": "2"}
    assert [left.column for left in done.left] == ["CustomerID", "Title"]
    assert (done.reverted, done.open, told) == (0, set(), {})


def test_what_a_person_changed_after_a_lost_answer_is_left():
    """The write was done: the other value shows it."""

    def saved_and_changed(target: FakeTarget, write: Write) -> WriteOutcome:
        answer = lost_after_saving(target, write)
        target.edit(5, Title="New")
        return answer

    values, done, told = undone(saved_and_changed)
    assert values == {"CustomerID": "7", "Title": "New"}
    assert [(left.why, left.column) for left in done.left] == [("changed", "Title")]
    assert (done.reverted, told) == (1, {"CustomerID": (None, "7")})


def test_an_item_that_is_gone_is_told():
    def gone(target: FakeTarget, write: Write) -> WriteOutcome:
        return WriteOutcome(write, WriteStatus.GONE)

    _, done, told = undone(gone)
    assert [left.why for left in done.left] == ["gone"]
    assert (done.open, told) == (set(), {})


def test_of_an_undo_what_was_answered_is_known_to_be_done():
    """An undo can be undone; of one that was killed only the rest is looked at closely."""
    journal, target, undo, undoer = planned()
    undoer.apply(undo, "undo", undo.begun())
    kept = journal.read("undo")
    assert kept is not None
    assert (len(kept.changes), kept.unsure) == (1, frozenset())
    journal, target, undo, undoer = planned(lost_after_saving)
    undoer.apply(undo, "undo", undo.begun())
    kept = journal.read("undo")
    assert kept is not None
    assert kept.unsure == {5}
    assert target.held[5].values == BACK
