"""Changes that give keys from one item to another, in an order in which no two items ever carry one. Pure.

An item gives its key up before another gets it. Where items exchange keys in a ring, one of them steps aside first: it
carries "OLD>NEW" for that moment, which says to whoever finds it after an interruption what was on its way. Refused: a
blank key for the moment, which would say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from worker.domain.existing import key_text
from worker.domain.plan import Change, ChangeKind, FieldChange
from worker.domain.values import Value

_PARKED = re.compile(r"([^>]+)>([^>]+)")


def unparked(key: str) -> tuple[str, str] | None:
    """Old and new key of an item that stepped aside; None for any other key."""
    found = _PARKED.fullmatch(key)
    return None if found is None else (found[1], found[2])


def parked(before: Value, after: Value) -> str:
    """The key of an item that steps aside on its way."""
    return f"{key_text(before)}>{key_text(after)}"


def given_up(change: Change, key_column: str) -> str | None:
    """The key that an item no longer carries after this change."""
    found = _of_key(change, key_column)
    return None if found is None or change.item_id is None else key_text(found.before)


def taken(change: Change, key_column: str) -> str | None:
    """The key that an item did not carry before this change."""
    found = _of_key(change, key_column)
    return None if found is None else key_text(found.after)


def freed_keys(changes: Sequence[Change], key_column: str) -> Mapping[str, int]:
    """Key -> the item that gives it up."""
    found = {}
    for change in changes:
        key = given_up(change, key_column)
        if key is not None and change.item_id is not None:
            found[key] = change.item_id
    return found


def in_order(changes: Sequence[Change], key_column: str) -> list[Change]:
    """`changes` with those first that give up a key or take one that is given up, each after the one it depends on, and
    with a step aside for each ring. The others keep their places."""
    givers = {key: change for change in changes if (key := given_up(change, key_column))}
    passed = {key for change in changes if (key := taken(change, key_column)) in givers}
    if not passed:
        return list(changes)
    tied = [one for one in changes if {given_up(one, key_column), taken(one, key_column)} & passed]
    others = [one for one in changes if not {given_up(one, key_column), taken(one, key_column)} & passed]
    return [*_without_rings(tied, givers, key_column), *others]


def waves(changes: Sequence[Change], key_column: str) -> Iterator[range]:
    """Positions that can be written side by side; each wave after the one before."""
    start, given = 0, set[str]()
    for at, change in enumerate(changes):
        if taken(change, key_column) in given:
            yield range(start, at)
            start, given = at, set()
        if (key := given_up(change, key_column)) is not None:
            given.add(key)
    if start < len(changes):
        yield range(start, len(changes))


def _of_key(change: Change, key_column: str) -> FieldChange | None:
    """None also where the same key is only written in another way."""
    found = next((one for one in change.fields if one.column == key_column), None)
    return None if found is None or key_text(found.before) == key_text(found.after) else found


def _without_rings(tied: Sequence[Change], givers: Mapping[str, Change], key_column: str) -> list[Change]:
    """By how many changes each depends on; of a ring the first one steps aside."""
    depths: dict[int, int] = {}
    steps: list[Change] = []
    for change in tied:
        path: list[Change] = []
        one: Change | None = change
        while one is not None and id(one) not in depths and not any(one is other for other in path):
            path.append(one)
            one = givers.get(taken(one, key_column) or "")
        if one is not None and id(one) not in depths:
            # Here the ring closes: what takes this one's key finds it free once it stepped aside.
            steps.append(_step_aside(one, key_column))
            ring = path[next(at for at, other in enumerate(path) if other is one) :]
            for depth, member in enumerate([*reversed(ring[1:]), one], 1):
                depths[id(member)] = depth
        for member in reversed(path):
            if id(member) not in depths:
                giver = givers.get(taken(member, key_column) or "")
                depths[id(member)] = 0 if giver is None else depths[id(giver)] + 1
    return [*steps, *sorted(tied, key=lambda one: depths[id(one)])]


def _step_aside(change: Change, key_column: str) -> Change:
    """The change itself stays as it is: what it says stood there before is what undoing it gives back."""
    moved = _of_key(change, key_column)
    if moved is None:
        raise ValueError(f"change {change.key!r} gives up no key")
    aside = parked(moved.before, moved.after)
    return replace(change, kind=ChangeKind.FLAG, key=aside, fields=(replace(moved, after=aside),))
