"""Takes back what a run wrote: a plan like any other, made by looking at what stands in the lists now.

A value goes back only where exactly what the run wrote stands there still; what anybody changed since is left, column
by column, and named. Items that the run made are left too, unless the caller says otherwise: then those that nobody but
the worker ever saved, and that nothing else points to, go to the recycle bin. A number goes back only where no other
item carries it, and what says how it stands with a number goes back with it or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date

from worker.domain.brake import undo_brake_reasons
from worker.domain.encode import encode_value
from worker.domain.existing import key_text
from worker.domain.fit import normal
from worker.domain.plan import Change, ChangeKind, FieldChange, Plan
from worker.domain.values import Item, Value
from worker.ports import Journal, Site, StopSignal, Target
from worker.sync.undo_bin import Bin
from worker.sync.undo_numbers import holders_of, in_turn, number_columns, parted
from worker.sync.undo_plan import Left, Ran, Removal, Undo, Undone
from worker.sync.undo_writing import UndoWriting, Versions

_FEW = 60  # items that are read one by one; more are read with the whole list


class Undoer:
    """Over a site. Runs are given in the order they ran; undoing goes backwards."""

    def __init__(self, site: Site, today: date, stop: StopSignal, journal: Journal) -> None:
        self._site = site
        self._today = today
        self._stop = stop
        self._journal = journal
        self._bin = Bin(site)
        self._versions: Versions = {}

    def plan(self, runs: Sequence[Ran], *, remove_created: bool = False) -> list[Undo]:
        """Reads what stands there now; writes nothing. Raises ConfigError when a list lacks a column."""
        self._bin.empty()
        return [self._planned(ran, remove_created=remove_created) for ran in reversed(runs)]

    def apply(self, undo: Undo, run_id: str, done: Undone) -> None:
        """Does exactly this, which `plan` gave last. `done` is what `undo.begun()` gave; it is true after an error as
        well. `run_id`: by which this undo can itself be undone."""
        target = self._bound(undo.ran)
        UndoWriting(undo, target, self._bin, self._versions, self._journal, self._stop).run(run_id, done)

    def _planned(self, ran: Ran, *, remove_created: bool) -> Undo:
        target = self._bound(ran)
        created = [change for change in ran.changes if change.kind is ChangeKind.CREATE]
        removals: list[Removal] = []
        left: list[Left] = []
        for one in self._created(ran, target, created, remove=remove_created):
            if isinstance(one, Removal):
                removals.append(one)
            else:
                left.append(one)
        standing = len(removals) + len(left)  # of those the run made
        going = {one.item_id for one in removals}
        changed = [one for one in ran.changes if one.kind is not ChangeKind.CREATE and one.item_id not in going]
        there = self._items(target, changed)
        columns = number_columns(ran.profile, target)
        changes, more = _reverses(changed, there, target, columns, ran.unsure)
        holders = {number: ids - going for number, ids in holders_of(target, changes, columns).items()}
        changes, taken = in_turn(changes, columns, holders)
        plan = Plan(
            profile=ran.profile.title,
            target=ran.profile.target.value,
            import_type=ran.profile.import_type.value,
            as_of=self._today,
            changes=tuple(changes),
            source_rows=len(changes),
            existing=max(ran.existing + standing, len(there)),
        )
        braked = tuple(undo_brake_reasons(plan, len(removals), ran.profile.max_change_pct))
        return Undo(ran, plan, tuple(removals), (*more, *taken, *left), braked)

    def _bound(self, ran: Ran) -> Target:
        columns = dict.fromkeys([ran.profile.key_target, *(f.column for c in ran.changes for f in c.fields)])
        kind = ran.profile.target
        return self._site.bind({ran.profile.title: (kind, list(columns))})[kind]

    def _items(self, target: Target, changes: Sequence[Change]) -> dict[int, Item]:
        """The items of these changes, and with many of them all others, by id."""
        columns = list(target.columns)
        ids = {change.item_id for change in changes if change.item_id is not None}
        if len(ids) > _FEW:
            return {item.item_id: item for item in target.items(columns)}
        found = (target.item(item_id, columns) for item_id in sorted(ids))
        return {item.item_id: item for item in found if item is not None}

    def _created(
        self, ran: Ran, target: Target, created: Sequence[Change], *, remove: bool
    ) -> Iterator[Removal | Left]:
        """Items the run made: which go, and which stay and why."""
        key = ran.profile.key_target
        for change, item in self._standing(target, key, created):
            if change.item_id is None and key not in target.given_by_worker(item.item_id, [key]):
                continue  # a person made it under the same key; the run never came to it
            if not remove:
                yield Left(change.key, item.item_id, "made")
            elif not target.never_touched(item.item_id) or self._bin.is_pointed_at(target, item.item_id):
                yield Left(change.key, item.item_id, "touched")
            else:
                self._bin.add(target.kind, item.item_id)
                yield Removal(change.key, item.item_id, item.version, change.title)

    @staticmethod
    def _standing(target: Target, key_column: str, created: Sequence[Change]) -> Iterator[tuple[Change, Item]]:
        """Those that stand in the list still: by the id that the run was told, or where a kill came before that, by the
        key. Of several with one key nobody knows which it was."""
        if not created:
            return
        if len(created) <= _FEW:
            unknown = [change.key for change in created if change.item_id is None]
            known = (target.item(change.item_id, [key_column]) for change in created if change.item_id is not None)
            found = [item for item in known if item is not None]
            found += target.find(key_column, unknown, [key_column]) if unknown else []
        else:
            found = list(target.items([key_column]))
        by_id = {item.item_id: item for item in found}
        by_key: dict[str, list[Item]] = {}
        for item in by_id.values():
            key = key_text(normal(item.values.get(key_column), target.columns[key_column]))
            by_key.setdefault(key or "", []).append(item)
        for change in created:
            if change.item_id is None:
                items = by_key.get(change.key, [])
            else:
                items = [by_id[change.item_id]] if change.item_id in by_id else []
            if len(items) == 1:
                yield change, items[0]


def _reverses(
    changed: Sequence[Change],
    there: dict[int, Item],
    target: Target,
    numbers: Collection[str],
    unsure: Collection[int],
) -> tuple[list[Change], list[Left]]:
    """Each change the other way round, as far as its item stands so still."""
    changes: list[Change] = []
    left: list[Left] = []
    for change in changed:
        item = there.get(change.item_id or 0)
        if item is None:
            left.append(Left(change.key, change.item_id, "gone"))
            continue
        fields, kept = _reversed(change, item, target)
        if fields and item.item_id in unsure:
            fields, others = _given_by_worker(change, item, target, fields)
            kept += others
        fields, bound = parted(fields, numbers, {one.column for one in kept} & set(numbers))
        kept += [Left(change.key, item.item_id, "number", name) for name in bound]
        left += kept
        if fields:
            changes.append(Change(ChangeKind.UPDATE, change.key, fields, item.item_id, item.version, change.title))
    return changes, left


def _reversed(change: Change, item: Item, target: Target) -> tuple[tuple[FieldChange, ...], list[Left]]:
    """Columns that go back, and those that do not. A stamp of the run is no value of anybody's."""
    fields: list[FieldChange] = []
    left: list[Left] = []
    for one in change.fields:
        now = _now(item, one.column, target)
        if one.stamp or encode_value(now) == encode_value(one.before):
            continue
        if encode_value(now) == encode_value(one.after):
            fields.append(replace(one, before=now, after=one.before))
        else:
            left.append(Left(change.key, item.item_id, "changed", one.column))
    return tuple(fields), left


def _given_by_worker(
    change: Change, item: Item, target: Target, fields: Sequence[FieldChange]
) -> tuple[tuple[FieldChange, ...], list[Left]]:
    """Of a change that may never have been sent: what a person typed just like it is not the run's."""
    ours = target.given_by_worker(item.item_id, [one.column for one in fields])
    left = [Left(change.key, item.item_id, "changed", one.column) for one in fields if one.column not in ours]
    return tuple(one for one in fields if one.column in ours), left


def _now(item: Item, column: str, target: Target) -> Value:
    return normal(item.values.get(column), target.columns[column])
