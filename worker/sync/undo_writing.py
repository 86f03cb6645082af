"""Does one planned undo: first what goes to the recycle bin, so that its number is free, then what is set back.

Nothing is written over a version that was not looked at: an item that somebody saved since is looked at once more, and
what that person changed is left. What is about to be overwritten is told to the journal first, so that an undo can be
undone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from worker.domain.encode import encode_value
from worker.domain.fit import normal
from worker.domain.plan import Change, ChangeKind
from worker.domain.values import Item, TargetKind
from worker.errors import WorkerError
from worker.ports import Journal, StopSignal, Target, Update, Write, WriteOutcome, WriteStatus
from worker.sync.applier import answered, unwritten
from worker.sync.undo_bin import Bin
from worker.sync.undo_numbers import free, holders_of, number_columns, parted, wanted, without_taken
from worker.sync.undo_plan import Left, Removal, Undo, Undone

_TRIES = 5

# What our own writes made of a version that was looked at: profiles of one run share items.
Versions = dict[tuple[TargetKind, int, str], str]


class UndoWriting:
    """Of one profile's undo over its target; fills `done` as it goes, so that an error leaves it true."""

    def __init__(
        self, undo: Undo, target: Target, removed: Bin, versions: Versions, journal: Journal, stop: StopSignal
    ) -> None:
        self._undo = undo
        self._target = target
        self._bin = removed
        self._versions = versions
        self._journal = journal
        self._stop = stop
        self._columns = number_columns(undo.ran.profile, target)
        self._back: dict[int, frozenset[str]] = {}  # columns that were set back, by item
        self._unsure: set[int] = set()  # items whose write was not answered
        self._done: set[int] = set()  # and those whose write was answered well
        self._met: set[int] = set()  # items that somebody saved since they were looked at

    def run(self, run_id: str, done: Undone) -> None:
        """`run_id`: what the journal knows this undo by."""
        for removal in self._undo.removals:
            if self._stop.is_set():
                return
            self._remove(removal, done)
        changes = self._undo.plan.changes
        self._write(run_id, [one for one in changes if not wanted(one, self._columns)], done)
        self._give_numbers(run_id, [one for one in changes if wanted(one, self._columns)], done)

    def _remove(self, removal: Removal, done: Undone) -> None:
        kind, item_id = self._target.kind, removal.item_id
        stays = self._bin.is_pointed_at(self._target, item_id)
        if not stays and self._target.recycle(item_id, self._newest(item_id, removal.version)):
            done.removed += 1
            self._forget(removal.key)
        else:
            self._bin.discard(kind, item_id)
            done.left.append(Left(removal.key, item_id, "touched"))
        done.open.discard(item_id)

    def _forget(self, key: str) -> None:
        """An item that a person fetches back from the recycle bin is the run's no more."""
        ran = self._undo.ran
        made = (one for one in ran.changes if one.kind is ChangeKind.CREATE and one.key == key)
        gone = [unwritten(replace(one, item_id=None)) for one in made]
        self._journal.keep(ran.run_id, ran.profile, ran.existing, gone)

    def _give_numbers(self, run_id: str, waiting: list[Change], done: Undone) -> None:
        """In turn: as soon as no other item carries the number, looked up right before."""
        while waiting and not self._stop.is_set():
            holders = holders_of(self._target, waiting, self._columns)
            ready = free(waiting, self._columns, holders)
            if not ready:
                rest, left = without_taken(waiting, self._columns, holders)
                done.left += left
                done.open -= {one.item_id or 0 for one in waiting} - {one.item_id or 0 for one in rest}
                waiting = rest
                continue
            self._write(run_id, ready, done)
            over = {one.item_id for one in ready}
            waiting = [one for one in waiting if one.item_id not in over]

    def _write(self, run_id: str, changes: Sequence[Change], done: Undone) -> None:
        if not changes or self._stop.is_set():
            return
        self._journal.keep(run_id, self._undo.ran.profile, self._undo.plan.existing, changes)
        try:
            self._send({change.item_id or 0: change for change in changes}, done)
        except WorkerError:
            self._tell(run_id, changes)
            raise
        self._tell(run_id, changes)

    def _tell(self, run_id: str, changes: Sequence[Change]) -> None:
        """The journal: what was never sent, refused, or left, and what was answered. Where an answer was lost it may
        have been written."""
        learned: list[Change] = []
        for change in changes:
            back = self._back.get(change.item_id or 0, frozenset())
            fields = tuple(one for one in change.fields if one.column not in back)
            if fields and change.item_id not in self._unsure:
                learned.append(unwritten(replace(change, fields=fields)))
            if change.item_id in self._done:
                learned.append(answered(change))
        if learned:
            self._journal.keep(run_id, self._undo.ran.profile, self._undo.plan.existing, learned)

    def _send(self, waiting: dict[int, Change], done: Undone) -> None:
        for _ in range(_TRIES):
            if not waiting or self._stop.is_set():
                return
            waiting = self._round(waiting, done)
        for item_id, change in waiting.items():
            done.failed[change.key] = "SharePoint gave no answer; undo it once more."
            done.open.discard(item_id)

    def _round(self, waiting: Mapping[int, Change], done: Undone) -> dict[int, Change]:
        """Sends each once; gives those that are still to be sent, after a look at those whose answer leaves it open."""
        again: dict[int, Change | None] = dict(waiting)
        looks: dict[int, bool] = {}  # whether the answer was lost
        for outcome in self._target.write(self._feed(waiting)):
            assert isinstance(outcome.write, Update)  # noqa: S101  # for the type checker
            item_id = outcome.write.item_id
            if outcome.status is WriteStatus.UNKNOWN:
                looks[item_id] = True
                continue
            self._unsure.discard(item_id)
            if outcome.status is WriteStatus.CHANGED_MEANWHILE and item_id not in self._met:
                self._met.add(item_id)
                looks[item_id] = False
            else:
                again[item_id] = self._answered(outcome, waiting[item_id], done)
        for item_id, lost in looks.items():
            again[item_id] = self._looked_at(waiting[item_id], done, lost=lost)
        return {item_id: change for item_id, change in again.items() if change is not None}

    def _feed(self, waiting: Mapping[int, Change]) -> Iterator[Write]:
        for item_id, one in waiting.items():
            if self._stop.is_set():
                return
            self._unsure.add(item_id)
            yield Update(one.key, item_id, self._newest(item_id, one.version or ""), one.values)

    def _answered(self, outcome: WriteOutcome, change: Change, done: Undone) -> Change | None:
        """What is to be sent in its stead: all but the number, when another item got it in this moment."""
        item_id = change.item_id or 0
        match outcome.status:
            case WriteStatus.DONE:
                self._done.add(item_id)
                self._is_back(change, outcome.version, done)
            case WriteStatus.CHANGED_MEANWHILE:
                done.left += [Left(change.key, item_id, "changed", one.column) for one in change.fields]
            case WriteStatus.GONE:
                done.left.append(Left(change.key, item_id, "gone"))
            case WriteStatus.DUPLICATE if wanted(change, self._columns):
                everywhere = {number: {0} for number in wanted(change, self._columns)}
                rest, left = without_taken([change], self._columns, everywhere)
                done.left += left
                if rest:
                    return rest[0]
            case _:
                done.failed[change.key] = outcome.detail or "SharePoint refused the row."
        done.open.discard(item_id)
        return None

    def _looked_at(self, change: Change, done: Undone, *, lost: bool) -> Change | None:
        """What is still to be sent, by what stands there now. One value that is back shows that a write whose answer
        was lost was done: what else differs, somebody has changed since."""
        item_id = change.item_id or 0
        item = self._target.item(item_id, list(self._target.columns))
        if item is not None and item.version == self._newest(item_id, change.version or ""):
            return change
        self._unsure.discard(item_id)
        if item is None:
            done.left.append(Left(change.key, item_id, "gone"))
            done.open.discard(item_id)
            return None
        back = [one for one in change.fields if self._stands(item, one.column) == encode_value(one.after)]
        open_ones = [one for one in change.fields if self._stands(item, one.column) == encode_value(one.before)]
        open_ones = [] if lost and back else open_ones
        changed = [one.column for one in change.fields if one not in (*back, *open_ones)]
        waits, bound = parted(open_ones, self._columns, self._columns.intersection(changed))
        done.left += [Left(change.key, item_id, "changed", name) for name in changed]
        done.left += [Left(change.key, item_id, "number", name) for name in bound]
        if waits:
            self._versions[self._target.kind, item_id, change.version or ""] = item.version
            return replace(change, fields=waits)
        if back:
            self._is_back(replace(change, fields=tuple(back) if lost else ()), item.version, done)
        done.open.discard(item_id)
        return None

    def _stands(self, item: Item, column: str) -> str:
        return encode_value(normal(item.values.get(column), self._target.columns[column]))

    def _is_back(self, change: Change, version: str, done: Undone) -> None:
        """An answer without a version leaves the item to the next undoing."""
        done.reverted += 1
        done.open.discard(change.item_id or 0)
        self._back[change.item_id or 0] = frozenset(one.column for one in change.fields)
        if version and change.item_id is not None:
            self._versions[self._target.kind, change.item_id, change.version or ""] = version

    def _newest(self, item_id: int, version: str) -> str:
        return self._versions.get((self._target.kind, item_id, version), version)
