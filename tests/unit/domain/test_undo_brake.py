"""The brake of an undo counts what goes to the recycle bin beside what is set back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from worker.domain.brake import undo_brake_reasons
from worker.domain.plan import Change, ChangeKind, FieldChange, Plan


def reasons(changed: int, removed: int, existing: int, limit: int) -> list[str]:
    fields = (FieldChange("City", "new", "old"),)
    changes = tuple(Change(ChangeKind.UPDATE, str(at), fields, at, "1") for at in range(1, changed + 1))
    plan = Plan("Customers", "CRM Company", "Import", date(2026, 11, 25), changes, existing=existing)
    return undo_brake_reasons(plan, removed, Decimal(limit))


@pytest.mark.parametrize(
    ("changed", "removed", "limit", "stops"),
    [
        (30, 0, 30, False),
        (31, 0, 30, True),
        (0, 30, 30, False),
        (0, 31, 30, True),
        (20, 20, 30, True),
        (100, 0, 100, False),
        (0, 31, 100, True),  # a profile of figures lets all of them change; that says nothing about items that go
        (60, 30, 100, False),
    ],
)
def test_changes_and_removals_count_together_and_removals_by_themselves(changed, removed, limit, stops):
    assert bool(reasons(changed, removed, 100, limit)) is stops


def test_it_says_how_much_of_which():
    assert reasons(4, 36, 40, 30) == [
        "40 of 40 existing items would be changed or moved (100 %, limit 30 %): 4 set back, 36 to the recycle bin."
    ]


def test_a_short_list_has_no_brake():
    assert reasons(0, 19, 19, 30) == []
