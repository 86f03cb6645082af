"""The rest of a plan: a chunk of it performed, or all of it looked at again after the list was found changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from worker.domain.plan import Change
from worker.domain.planning import Planned
from worker.sync.applier import Applied, Applier


def narrowed(rest: Sequence[Change], position: int, again: Planned) -> tuple[list[Change], list[tuple[int, Applied]]]:
    """The rest of a plan as the newest planning sees it.

    A row that planning would still write keeps the plan's columns, with the values and the version that stand there
    now. A row that it would not write any more is settled: it is right already, or it can't be written. A row whose
    item is gone stays as it is, and the writing finds that out.
    """
    changes = {(change.kind.value == "Flag", change.key): change for change in again.plan.changes}
    left = {row.key: row for row in again.plan.left_out}
    newest: list[Change] = []
    settled: list[tuple[int, Applied]] = []
    for number, change in enumerate(rest, position):
        now = changes.get((change.kind.value == "Flag", change.key))
        newest.append(change if now is None else _within(change, now))
        if now is None and change.key in left:
            row = left[change.key]
            settled.append((number, Applied(change, False, row.code, row.facts)))
        elif now is None:
            settled.append((number, Applied(change, True, item_id=change.item_id)))
    return newest, settled


def _within(planned: Change, now: Change) -> Change:
    """`now` with no more than the plan's columns; the plan's own change when the item it was about is gone."""
    if planned.item_id is not None and now.item_id != planned.item_id:
        return planned
    columns = {field.column for field in planned.fields}
    return replace(now, kind=planned.kind, fields=tuple(field for field in now.fields if field.column in columns))


def apply_chunk(
    applier: Applier,
    changes: Sequence[Change],
    settled: Mapping[int, Applied],
    start: int,
    end: int,
    *,
    unsure: bool,
) -> list[Applied]:
    """The changes from `start` to `end`, leaving out those that need no write any more."""
    wanted = [number for number in range(start, end) if number not in settled]
    done = dict(zip(wanted, applier.apply([changes[n] for n in wanted], unsure=unsure), strict=True))
    return [settled[number] if number in settled else done[number] for number in range(start, end)]
