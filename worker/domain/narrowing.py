"""A plan made smaller: to some rows, or to what a person has agreed to. Pure; a plan never grows here.

Rows that drop out are counted as skipped, and their control values leave the sums that are proved. A change that was
agreed to and would be another one now is refused: the row fails, and says why. So is one that takes a key from an item
that is not to give it up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from decimal import Decimal

from worker.domain.encode import encode_value
from worker.domain.key_order import freed_keys, taken
from worker.domain.ledger import expected_values
from worker.domain.plan import Change, ChangeKind, LeftOut, Plan, RowOutcome
from worker.domain.planning import Planned

REFUSED = "changed-since-plan"


def only_keys(planned: Planned, keys: Collection[str], key_column: str) -> Planned:
    """The changes of these rows. What the brake looks at is theirs too."""
    wanted = frozenset(keys)
    return _without_doubles(planned, lambda change: change if change.key in wanted else None, key_column)


def only_agreed(planned: Planned, agreed: Plan, key_column: str) -> Planned:
    """The changes that stand in `agreed` and are the same now: kind, item, columns, before and after."""
    known = {_identity(change): change for change in agreed.changes}

    def kept(change: Change) -> Change | LeftOut | None:
        before = known.get(_identity(change))
        if before is None:
            return None
        if _content(before) == _content(change):
            return change
        return LeftOut(change.key, RowOutcome.FAILED, REFUSED, {"key": change.key}, _items(change), change.title)

    return _without_doubles(planned, kept, key_column)


def left_alone(planned: Planned, rows: Mapping[str, LeftOut]) -> Planned:
    """Without these rows; each says why."""
    if not rows:
        return planned
    return _narrowed(planned, lambda change: rows.get(change.key, change))


def _without_doubles(planned: Planned, kept: Callable[[Change], Change | LeftOut | None], key_column: str) -> Planned:
    """Narrowed, and without those that would get a key which its item keeps."""
    chosen = {id(change): kept(change) for change in planned.plan.changes}
    while True:
        staying = freed_keys([one for one in planned.plan.changes if chosen[id(one)] is not one], key_column)
        refused = [
            (one, key)
            for one in planned.plan.changes
            if chosen[id(one)] is one and (key := taken(one, key_column)) is not None and key in staying
        ]
        if not refused:
            return _narrowed(planned, lambda change: chosen[id(change)])
        for one, key in refused:
            facts = {"key": key, "items": str(staying[key])}
            chosen[id(one)] = LeftOut(one.key, RowOutcome.FAILED, "key-held", facts, _items(one), one.title)


def _narrowed(planned: Planned, kept: Callable[[Change], Change | LeftOut | None]) -> Planned:
    plan = planned.plan
    changes: list[Change] = []
    refused: list[LeftOut] = []
    dropped: list[Change] = []
    for change in plan.changes:
        match kept(change):
            case Change() as one:
                changes.append(one)
            case LeftOut() as row:
                refused.append(row)
                dropped.append(change)
            case _:
                dropped.append(change)
    rows = [change for change in dropped if change.kind is not ChangeKind.FLAG]
    gone = {change.key for change in rows}
    failed = [row for row in refused if row.key in gone]  # a refused flag is no source row; the next plan has it again
    expected = {key: text for key, text in planned.expected.items() if key not in gone}
    smaller = replace(
        plan,
        changes=tuple(changes),
        left_out=(*plan.left_out, *failed),
        filtered=plan.filtered + len(rows) - len(failed),
        blanked=_blanked(changes),
        controls=tuple(
            replace(control, source=(total := _sum(expected, at)), left_out=control.left_out + control.source - total)
            for at, control in enumerate(plan.controls)
        ),
    )
    return Planned(smaller, expected)


def _identity(change: Change) -> tuple[str, int | None]:
    """A source row is one change, whichever item it is for now; flags are for items."""
    return change.key, change.item_id if change.kind is ChangeKind.FLAG else None


def _content(change: Change) -> list[object]:
    fields = [(one.column, encode_value(one.before), encode_value(one.after)) for one in change.fields if not one.stamp]
    return [change.kind, change.item_id, fields]


def _items(change: Change) -> tuple[int, ...]:
    return () if change.item_id is None else (change.item_id,)


def _blanked(changes: Collection[Change]) -> dict[str, int]:
    found: dict[str, int] = {}
    for change in changes:
        for one in change.fields:
            if change.kind is ChangeKind.UPDATE and one.after is None:
                found[one.column] = found.get(one.column, 0) + 1
    return found


def _sum(expected: dict[str, str], position: int) -> Decimal:
    return sum(expected_values(expected, position).values(), Decimal(0))
