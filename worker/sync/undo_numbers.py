"""Numbers that go back to an item that had them: never while another item carries the same one.

A run that let a company go and made another one of the same number can be undone in one order only: the new one goes
first. Where it stays, the old one gets everything back but the number and what says how it stands with it: a company
without a number would pass for an active customer, and no later run would correct it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from worker.domain.existing import key_text
from worker.domain.fit import normal
from worker.domain.plan import Change, FieldChange
from worker.domain.planning import REVIEW_COLUMN, SINCE_COLUMN, STATUS_COLUMN
from worker.domain.profile import Profile
from worker.domain.values import TargetKind, Value
from worker.ports import Target
from worker.sync.planner import COMPANY_KEY
from worker.sync.undo_plan import Left

Number = tuple[str, str]  # a column, and what stands in it as it is compared
Holders = Mapping[Number, Collection[int]]

# What e-conomic says of the number that an item carries.
_STANDING = frozenset({STATUS_COLUMN, SINCE_COLUMN, REVIEW_COLUMN})


def number_columns(profile: Profile, target: Target) -> frozenset[str]:
    """Columns in which no two items may hold the same: the key, and what else says whose item it is."""
    names = {profile.key_target, *(rule.target for rule in profile.rules if rule.source == "ImportID")}
    if profile.target is TargetKind.COMPANY:
        names.add(COMPANY_KEY)
    return frozenset(names & target.columns.keys())


def wanted(change: Change, columns: Collection[str]) -> list[Number]:
    """The numbers a change gives to its item."""
    return _numbers((one.column, one.after) for one in change.fields if one.column in columns)


def given_up(change: Change, columns: Collection[str]) -> list[Number]:
    """The numbers its item carries until then."""
    return _numbers((one.column, one.before) for one in change.fields if one.column in columns)


def parted(
    fields: Sequence[FieldChange], columns: Collection[str], stay: Collection[str]
) -> tuple[tuple[FieldChange, ...], list[str]]:
    """What goes back where these numbers stay, and the columns that stay with them: other numbers, and the standing."""
    bound = {*columns, *_STANDING} if stay else set()
    rest = tuple(one for one in fields if one.column not in bound)
    return rest, [one.column for one in fields if one.column in bound and one.column not in stay]


def holders_of(target: Target, changes: Iterable[Change], columns: Collection[str]) -> dict[Number, set[int]]:
    """Who carries now what these changes give."""
    found: dict[Number, set[int]] = {}
    numbers = [number for change in changes for number in wanted(change, columns)]
    for column in sorted({column for column, _ in numbers}):
        keys = [key for name, key in numbers if name == column]
        for item in target.find(column, keys, [column]):
            value = normal(item.values.get(column), target.columns[column])
            for number in _numbers([(column, value)]):
                found.setdefault(number, set()).add(item.item_id)
    return found


def free(waiting: Sequence[Change], columns: Collection[str], holders: Holders) -> list[Change]:
    """Those whose numbers no other item carries; of several that want the same, the first."""
    found: list[Change] = []
    claimed: set[Number] = set()
    for change in waiting:
        numbers = wanted(change, columns)
        if not claimed.intersection(numbers) and not any(_others(one, change, holders) for one in numbers):
            claimed.update(numbers)
            found.append(change)
    return found


def without_taken(
    waiting: Sequence[Change], columns: Collection[str], holders: Holders
) -> tuple[list[Change], list[Left]]:
    """The changes without numbers that another item carries and what goes with these, and what is left of them."""
    rest: list[Change] = []
    left: list[Left] = []
    for change in waiting:
        taken = {name for name, key in wanted(change, columns) if _others((name, key), change, holders)}
        left += [Left(change.key, change.item_id, "taken", name) for name in sorted(taken)]
        fields, bound = parted(change.fields, columns, taken)
        left += [Left(change.key, change.item_id, "number", name) for name in bound]
        if fields:
            rest.append(replace(change, fields=fields))
    return rest, left


def in_turn(changes: Sequence[Change], columns: Collection[str], holders: Holders) -> tuple[list[Change], list[Left]]:
    """All that can be done, an item giving its number up before another gets it, and what is left. `holders` as they
    are before the first change."""
    carried = {number: set(ids) for number, ids in holders.items()}
    done: list[Change] = []
    left: list[Left] = []
    waiting = [change for change in changes if wanted(change, columns)]
    ready = [change for change in changes if not wanted(change, columns)]
    while ready or waiting:
        for change in ready:
            for number in given_up(change, columns):
                carried.get(number, set()).discard(change.item_id or 0)
            for number in wanted(change, columns):
                carried.setdefault(number, set()).add(change.item_id or 0)
        done += ready
        over = {change.item_id for change in ready}
        waiting = [change for change in waiting if change.item_id not in over]
        ready = free(waiting, columns, carried)
        if not ready:
            waiting, more = without_taken(waiting, columns, carried)
            left += more
            ready = free(waiting, columns, carried)
    return done, left


def _others(number: Number, change: Change, holders: Holders) -> bool:
    return any(item_id != change.item_id for item_id in holders.get(number, ()))


def _numbers(values: Iterable[tuple[str, Value]]) -> list[Number]:
    keyed = ((column, key_text(value)) for column, value in values)
    return [(column, key.casefold()) for column, key in keyed if key is not None]
