"""What a job keeps is what it gets back, or it is told that it was damaged."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.fakes.fake_work import make_fake_stores
from tests.support.world import MovableClock
from worker.domain.plan import Change, ChangeKind, FieldChange, LeftOut, Plan, RowOutcome
from worker.domain.planning import Planned
from worker.domain.report import RowResult
from worker.domain.rows import RunFacts
from worker.engine.checkpoint import Checkpoint, Phase, load_checkpoint
from worker.engine.packing import pack, unpack
from worker.engine.rest import narrowed
from worker.engine.stored_plan import DamagedError, Shelf, StoredPlan
from worker.ports import ANY_VERSION
from worker.sync.applier import Applied

FACTS = RunFacts("Customers:2026-11-25", datetime(2026, 11, 25, 1, tzinfo=UTC), date(2026, 11, 25))


def change(key: str, item_id: int | None = None, kind: ChangeKind | None = None, **values: object) -> Change:
    kind = kind or (ChangeKind.CREATE if item_id is None else ChangeKind.UPDATE)
    fields = tuple(FieldChange(column, None, value) for column, value in values.items())
    return Change(kind, key, fields, item_id, None if item_id is None else "v1", f"Title {key}")


def plan(*changes: Change, left: tuple[LeftOut, ...] = ()) -> Plan:
    return Plan("Customers", "CRM Company", "Import & Update", date(2026, 11, 25), changes, left, len(changes))


def stored(made: Plan) -> StoredPlan:
    return StoredPlan(Planned(made, {"1": "d:5", "2": "n:"}), FACTS, "abc", ("too much",))


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(make_fake_stores(MovableClock()).records, "data/a/b/")


def test_a_plan_comes_back_as_it_was(shelf):
    left = (LeftOut("9", RowOutcome.FAILED, "name-missing", {"key": "9"}, (4, 5), "Nine"),)
    kept = stored(plan(change("1", Title="Ærø A/S", Balance=Decimal("12.50")), change("2", 7, Title=None), left=left))
    print_of = shelf.put_plan(0, kept)
    assert shelf.plan(0, print_of) == kept
    assert shelf.plan(1) is None


@pytest.mark.parametrize(
    "harm", [lambda c: c[:-3], lambda c: c[:40] + b"x" + c[41:], lambda c: b"", lambda c: c + b"x"]
)
def test_a_plan_that_was_altered_is_refused(shelf, harm):
    print_of = shelf.put_plan(0, stored(plan(change("1", Title="A"))))
    record = shelf._records.read("data/a/b/plan-0")
    assert record is not None
    shelf._records.write("data/a/b/plan-0", harm(record.content), ANY_VERSION)
    with pytest.raises(DamagedError, match="damaged"):
        shelf.plan(0, print_of)


def test_outcomes_come_back_in_order(shelf):
    changes = [change("1", Title="A"), change("2", 7, Title="B"), change("3", Title="C")]
    outcomes = [
        Applied(changes[0], True, item_id=31),
        Applied(changes[1], False, "gone", {"item": "7"}, 7),
        Applied(changes[2], True, item_id=33),
    ]
    shelf.put_segment(0, 0, 0, outcomes[:2])
    shelf.put_segment(0, 1, 2, outcomes[2:])
    assert shelf.outcomes(0, 2, changes) == outcomes


def test_a_missing_segment_is_noticed(shelf):
    changes = [change("1", Title="A")]
    shelf.put_segment(0, 1, 0, [Applied(changes[0], True)])
    with pytest.raises(DamagedError):
        shelf.outcomes(0, 2, changes)


def test_rows_for_people_come_back(shelf):
    rows = [RowResult("7", "Failed", "rejected", {"detail": "æ"}, 4, "Seven")]
    shelf.put_rows(2, rows)
    assert shelf.rows(2) == rows
    assert shelf.rows(3) == []


def test_packed_rows_are_cut_short_only_loudly():
    content = pack([{"n": number, "text": "æøå" * 50} for number in range(5000)])
    assert [row["n"] for row in unpack(content)] == list(range(5000))
    with pytest.raises(ValueError, match=r"cut short|damaged"):
        list(unpack(content[:-10]))


def test_a_checkpoint_comes_back_and_nonsense_does_not():
    checkpoint = Checkpoint("j1", "Customers", Phase.WRITE, 400, 600, 2, 1, {"Customers": "aa"}, {}, ["Customers"])
    assert load_checkpoint(checkpoint.dump()) == checkpoint
    assert load_checkpoint(b"") == Checkpoint()
    for nonsense in (b"{", b"[]", b'{"phase":"dance"}', b'{"job":1,"phase":"plan"}', b'{"phase":"plan","position":-1}'):
        with pytest.raises(ValueError, match="no checkpoint"):
            load_checkpoint(nonsense)


class TestNarrowed:
    """The rest of a plan after the list was found changed: never more than the plan, never anything twice."""

    def test_a_row_that_still_differs_gets_the_version_that_stands_there_now(self):
        before = change("1", 7, Title="A")
        now = Change(ChangeKind.UPDATE, "1", (FieldChange("Title", "by hand", "A"),), 7, "v2")
        newest, settled = narrowed([before], 5, Planned(plan(now)))
        assert newest == [now]
        assert settled == []

    def test_columns_that_the_plan_did_not_hold_stay_out(self):
        before = change("1", 7, Title="A")
        now = change("1", 7, Title="A", Phone="70 10 10 10")
        (newest,), _ = narrowed([before], 0, Planned(plan(now)))
        assert [field.column for field in newest.fields] == ["Title"]

    def test_a_row_that_is_right_already_is_settled_as_done(self):
        _, settled = narrowed([change("1", 7, Title="A")], 3, Planned(plan()))
        assert [(number, one.done) for number, one in settled] == [(3, True)]

    def test_a_row_that_can_not_be_written_any_more_is_settled_with_its_reason(self):
        left = (LeftOut("1", RowOutcome.FAILED, "key-ambiguous", {"items": "7, 8"}),)
        _, settled = narrowed([change("1", Title="A")], 0, Planned(plan(left=left)))
        assert [(number, one.done, one.code) for number, one in settled] == [(0, False, "key-ambiguous")]

    def test_a_create_that_somebody_else_made_meanwhile_becomes_an_update_of_that_item(self):
        """It stays counted as created: that is what the plan said of this row."""
        now = change("1", 9, Title="A")
        (newest,), _ = narrowed([change("1", Title="A", Phone="1")], 0, Planned(plan(now)))
        assert (newest.item_id, newest.kind) == (9, ChangeKind.CREATE)

    def test_an_item_that_is_gone_stays_for_the_writing_to_find_out(self):
        before = change("1", 7, Title="A")
        newest, settled = narrowed([before], 0, Planned(plan(change("1", Title="A"))))
        assert (newest, settled) == ([before], [])

    def test_other_rows_of_the_new_plan_wait_for_the_next_run(self):
        newest, settled = narrowed(
            [change("1", 7, Title="A")], 0, Planned(plan(change("1", 7, Title="A"), change("2")))
        )
        assert [one.key for one in newest] == ["1"]
        assert settled == []
