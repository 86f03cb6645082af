"""A number goes back to an item only while no other one carries it, and each gives its own up first."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from worker.domain.plan import Change, ChangeKind, FieldChange
from worker.sync.undo_numbers import in_turn

COLUMN = frozenset({"CustomerID"})


def back(item: int, before: str | None, after: str | None) -> Change:
    fields = (FieldChange("CustomerID", before, after), FieldChange("City", "new", "old"))
    return Change(ChangeKind.UPDATE, f"k{item}", fields, item, "1")


def undone(
    items: Mapping[int, str | None], wanted: Mapping[int, str | None]
) -> tuple[dict[int, str | None], list[int]]:
    """What the items carry after all is done in turn, and those that did not get their number."""
    now = dict(items)
    holders: dict[tuple[str, str], set[int]] = {}
    for item, number in items.items():
        if number is not None:
            holders.setdefault(("CustomerID", number), set()).add(item)
    changes = [back(item, items[item], number) for item, number in wanted.items() if items[item] != number]
    ordered, left = in_turn(changes, COLUMN, holders)
    assert sorted(one.item_id or 0 for one in ordered) == sorted(one.item_id or 0 for one in changes)
    for change in ordered:
        assert change.values["City"] == "old"
        if "CustomerID" not in change.values:
            continue
        number = change.values["CustomerID"]
        assert number is None or all(one != number for item, one in now.items() if item != change.item_id)
        now[change.item_id or 0] = str(number) if number is not None else None
    assert {one.why for one in left} <= {"taken"}
    return now, sorted(one.item_id or 0 for one in left)


def test_an_item_gets_its_number_after_another_gave_it_up():
    """Whatever the order they came in."""
    assert undone({1: "8", 2: "9"}, {2: "8", 1: "7"}) == ({1: "7", 2: "8"}, [])


def test_a_number_that_stays_with_another_is_left():
    assert undone({1: None, 2: "7"}, {1: "7"}) == ({1: None, 2: "7"}, [1])


def test_what_waits_for_one_that_keeps_its_number_is_left_too():
    """1 can't have 7 back, so it keeps 8, and 3 can't have that."""
    assert undone({1: "8", 2: "7", 3: "9"}, {1: "7", 3: "8"}) == ({1: "8", 2: "7", 3: "9"}, [1, 3])


def test_of_two_that_had_one_number_one_gets_it():
    assert undone({1: None, 2: None}, {1: "7", 2: "7"}) == ({1: "7", 2: None}, [2])


def test_what_goes_with_a_number_that_stays_is_left():
    """The flag of an item that was let go; with the number it would go back."""
    fields = (
        FieldChange("CustomerID", None, "7"),
        FieldChange("ERPStatus", "Missing in ERP", "Active"),
        FieldChange("City", "new", "old"),
    )
    change = Change(ChangeKind.UPDATE, "7", fields, 1, "1")
    done, left = in_turn([change], COLUMN, {("CustomerID", "7"): {2}})
    assert [one.values for one in done] == [{"City": "old"}]
    assert [(one.why, one.column) for one in left] == [("taken", "CustomerID"), ("number", "ERPStatus")]
    assert in_turn([change], COLUMN, {}) == ([change], [])


NUMBERS = st.sampled_from([None, "7", "8", "9", "10"])


@given(st.dictionaries(st.integers(1, 6), NUMBERS), st.dictionaries(st.integers(1, 6), NUMBERS))
def test_no_undo_gives_two_items_one_number(items, wanted):
    """Whatever they carry, and whatever they had before."""
    undone(items, {item: number for item, number in wanted.items() if item in items})
