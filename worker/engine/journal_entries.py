"""What the journal's portions say of a run when they are put together: what it overwrote, what it made, and what nobody
knows of it.

A change is kept before it is sent. Until its answer is kept as well it may never have been sent: the run was killed.
What a later run found standing otherwise was not written, or is gone again: what stands there now is not this run's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from worker.domain.encode import encode_value
from worker.domain.plan import Change, ChangeKind

Ident = tuple[str, object]  # of an item, by its id; of a new one by its key


@dataclass(frozen=True, slots=True)
class Portion:
    """`moment`: when it was kept, as a text that sorts."""

    moment: str
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one item in the end. `since`: when it was kept what nobody answered; empty once somebody did."""

    change: Change
    since: str = ""


def put_together(portions: Iterable[Portion]) -> dict[Ident, Known]:
    """Each item once, in the order they were first kept."""
    found: dict[Ident, Known] = {}
    for portion in portions:
        for change in portion.changes:
            ident = _ident(change)
            before = found.get(ident)
            found[ident] = Known(
                _joined(before.change if before else None, change), portion.moment if change.fields else ""
            )
    return found


def without_disproved(known: dict[Ident, Known], later: Iterable[Portion]) -> dict[Ident, Known]:
    """Unanswered changes without what the first of `later` portions to touch the same column, or to make an item of the
    same key, found standing otherwise. `later` are of the same list and the same key, in order."""
    rest = dict(known)
    seen: set[tuple[Ident, str]] = set()
    for portion in later:
        for change in portion.changes:
            ident = _ident(change)
            one = rest.get(ident)
            if one is None or not "" < one.since < portion.moment:
                continue
            if change.kind is ChangeKind.CREATE and one.change.item_id is None:
                rest[ident] = replace(one, change=replace(one.change, kind=ChangeKind.UPDATE, fields=()))
                continue
            stood = {f.column: encode_value(f.before) for f in change.fields if (ident, f.column) not in seen}
            seen.update((ident, column) for column in stood)
            rest[ident] = replace(one, change=_as_it_stood(one.change, stood))
    return rest


def written(known: Mapping[Ident, Known]) -> Iterator[Known]:
    """Without columns that were not written after all, and items of which none was."""
    for one in known.values():
        fields = tuple(f for f in one.change.fields if encode_value(f.before) != encode_value(f.after))
        if one.change.kind is ChangeKind.CREATE or any(not f.stamp for f in fields):
            yield replace(one, change=replace(one.change, fields=fields))


def _as_it_stood(change: Change, stood: Mapping[str, str]) -> Change:
    """A column that stood otherwise later on counts as not written."""
    fields = tuple(
        replace(one, before=one.after) if stood.get(one.column, same) != same else one
        for one in change.fields
        for same in [encode_value(one.after)]
    )
    return replace(change, fields=fields)


def _ident(change: Change) -> Ident:
    made = change.kind is ChangeKind.CREATE or change.item_id is None
    return ("new", change.key) if made else ("item", change.item_id)


def _joined(before: Change | None, change: Change) -> Change:
    if before is None:
        return change
    fields = {one.column: one for one in (*before.fields, *change.fields)}
    return replace(
        change,
        fields=tuple(fields.values()),
        item_id=change.item_id if change.item_id is not None else before.item_id,
        title=change.title or before.title,
    )
