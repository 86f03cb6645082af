"""A plan made smaller writes no more than was asked for, and its ledger still adds up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from worker.domain.encode import encode_value
from worker.domain.ledger import planned_ledger
from worker.domain.narrowing import REFUSED, only_agreed, only_keys
from worker.domain.plan import Change, ChangeKind, ControlSum, FieldChange, Plan
from worker.domain.planning import Planned

KEY = "CustomerID"


def change(number: int, after: int, kind: ChangeKind = ChangeKind.UPDATE, version: str = "1") -> Change:
    item = None if kind is ChangeKind.CREATE else number
    fields = (FieldChange("Balance", Decimal(0), Decimal(after)), FieldChange("Run", None, version, stamp=True))
    return Change(kind, str(number), fields, item, version, f"Company {number}")


def planned(changes: list[Change]) -> Planned:
    rows = [one for one in changes if one.kind is not ChangeKind.FLAG]
    expected = {one.key: encode_value(one.values["Balance"]) for one in rows}
    total = sum((Decimal(str(one.values["Balance"])) for one in rows), Decimal(0))
    plan = Plan("p", "CRM Company", "Update", date(2026, 1, 1), tuple(changes), source_rows=len(rows),
                controls=(ControlSum("Balance", "Balance", total),))  # fmt: skip
    return Planned(plan, expected)


kinds = st.sampled_from([ChangeKind.UPDATE, ChangeKind.CREATE, ChangeKind.FLAG])
changes = st.lists(st.tuples(st.integers(1, 30), st.integers(-5, 5), kinds), unique_by=lambda one: one[0]).map(
    lambda rows: [change(*row) for row in rows]
)


@given(changes, st.sets(st.integers(1, 30).map(str)))
def test_chosen_rows_are_written_and_no_others(all_changes, keys):
    before = planned(all_changes)
    after = only_keys(before, keys, KEY)
    assert after.plan.changes == tuple(one for one in all_changes if one.key in keys)
    assert planned_ledger(after.plan).balances
    assert after.plan.controls[0].source + after.plan.controls[0].left_out == before.plan.controls[0].source


@given(changes, changes)
def test_nothing_is_written_that_was_not_agreed_to(seen, now):
    after = only_agreed(planned(now), planned(seen).plan, KEY)
    agreed = {(one.kind, one.key, one.item_id, one.fields) for one in seen}
    assert all((one.kind, one.key, one.item_id, one.fields) in agreed for one in after.plan.changes)
    assert planned_ledger(after.plan).balances
    assert set(after.expected) == {one.key for one in after.plan.changes if one.kind is not ChangeKind.FLAG}


@given(changes)
def test_an_unchanged_world_gives_the_whole_plan(seen):
    assert only_agreed(planned(seen), planned(seen).plan, KEY) == planned(seen)


def test_a_row_that_would_be_written_otherwise_now_is_refused_with_its_reason():
    after = only_agreed(planned([change(1, 7), change(2, 5)]), planned([change(1, 5), change(2, 5)]).plan, KEY)
    assert [one.key for one in after.plan.changes] == ["2"]
    assert [(row.key, row.code, row.item_ids) for row in after.plan.left_out] == [("1", REFUSED, (1,))]


def test_a_row_whose_item_was_saved_without_touching_what_is_written_goes_through_with_its_new_version():
    after = only_agreed(planned([change(1, 5, version="2")]), planned([change(1, 5, version="1")]).plan, KEY)
    assert [one.version for one in after.plan.changes] == ["2"]


def test_a_row_that_became_a_creation_is_refused():
    now = replace(change(1, 5), kind=ChangeKind.CREATE, item_id=None, version=None)
    after = only_agreed(planned([now]), planned([change(1, 5)]).plan, KEY)
    assert not after.plan.changes
    assert [row.code for row in after.plan.left_out] == [REFUSED]


def moved(item: int, before: str, after: str) -> Change:
    fields = (FieldChange("Balance", Decimal(0), Decimal(1)), FieldChange(KEY, before, after))
    return Change(ChangeKind.UPDATE, after, fields, item, "1")


def test_no_row_gets_a_key_that_its_item_keeps():
    """Of three that shift the last one was not chosen: the second can't have its number, nor the first the second's."""
    shift = [moved(3, "3", "4"), moved(2, "2", "3"), moved(1, "1", "2"), change(9, 5)]
    after = only_keys(planned(shift), {"2", "3", "9"}, KEY)
    assert [one.key for one in after.plan.changes] == ["9"]
    assert [(row.key, row.code, row.facts["items"]) for row in after.plan.left_out] == [
        ("3", "key-held", "3"), ("2", "key-held", "2"),
    ]  # fmt: skip
    assert planned_ledger(after.plan).balances
    assert only_keys(planned(shift), {"2", "3", "4"}, KEY).plan.changes == tuple(shift[:3])
