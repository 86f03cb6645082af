"""Performs a plan, change by change, one outcome per row.

The target answers each write by itself. What an answer leaves open is settled by looking, never by guessing:

- no answer: the item is looked up by its key; what stands there tells whether the write was done, and only what is
  still missing is sent again, so a create whose answer was lost is never doubled;
- changed meanwhile (412): the item is read again, the plan's columns are compared with what a person left there,
  and what still differs is sent once more;
- duplicate: somebody, or an earlier create of ours, already made the item: the same look and compare.

What is about to be overwritten is told to the journal before it is sent, each time it is sent: first as the plan saw
it, which the item's version proves, then as it was found when looked at again. What was answered it is told as well:
of a killed run all else may never have been sent.

Keys that go from one item to another go in waves (see `domain.key_order`): who gives one up is settled before who gets
it is sent, and nobody gets it while it still stands in the other item.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice

from worker.domain.encode import encode_value
from worker.domain.existing import key_text
from worker.domain.fit import normal
from worker.domain.key_order import parked, taken, unparked, waves
from worker.domain.plan import Change, ChangeKind, FieldChange
from worker.domain.planning import may_write
from worker.domain.profile import Profile, WriteRule
from worker.domain.values import Item, Value
from worker.errors import WorkerError
from worker.ports import Create, Progress, StopSignal, Target, Update, Write, WriteOutcome, WriteStatus

# A lost answer can be lost again; at 30 % losses ten looks leave one row in 170,000 open.
_ROUNDS = 10
# Changes told to the journal at once: two batches. Of a killed run as many may be kept that were never sent.
_KEPT = 200
_SURPRISES = frozenset({WriteStatus.CHANGED_MEANWHILE, WriteStatus.GONE, WriteStatus.DUPLICATE})


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one change. `code` is a key of `domain.reasons` when it was not done."""

    change: Change
    done: bool
    code: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    item_id: int | None = None


@dataclass(slots=True)
class _Open:
    """A change that needs another look. `sent`: what the answer is about."""

    planned: Change
    sent: Change
    status: WriteStatus
    detail: str = ""
    conflicts: int = 0


class Applier:
    """Applies changes of one profile to one target. `versions` holds the newest etags our own writes were given; `keep`
    is told what is about to be overwritten, see ports.Journal; `freed`: keys of the whole plan that items give up, with
    these items."""

    def __init__(
        self,
        profile: Profile,
        target: Target,
        versions: dict[int, str],
        stop: StopSignal,
        progress: Progress,
        keep: Callable[[Sequence[Change]], None],
        freed: Mapping[str, int],
    ) -> None:
        self._keep = keep
        self._learned: list[Change] = []  # for the journal: what was made, done or refused
        self._freed = freed
        self._target = target
        self._versions = versions
        self._stop = stop
        self._progress = progress
        self._key_column = profile.key_target
        self._rules = {rule.target: rule.write for rule in profile.rules}
        self.surprises = 0  # writes that found something else in the list than the plan had seen

    def apply(self, changes: Sequence[Change], *, unsure: bool = False) -> list[Applied]:
        """One `Applied` per change, in the order of `changes`. Stops taking new changes once the signal is set;
        what was sent is always settled. `unsure`: somebody may have sent these before and was cut off, so each is
        looked up first."""
        results: dict[int, Applied] = {}
        try:
            for wave in waves(changes, self._key_column):
                if self._stop.is_set() and not unsure:
                    break
                waiting = self._without_held({index: changes[index] for index in wave}, results)
                if unsure:
                    begun = {index: _Open(change, change, WriteStatus.UNKNOWN) for index, change in waiting.items()}
                    self._settle_all(begun, results)
                else:
                    self._settle_all(self._round(waiting, results, {}, self._stop.is_set), results)
        except WorkerError:
            self._tell()
            raise
        self._tell()
        for index, change in enumerate(changes):
            results.setdefault(index, Applied(change, False, "stopped"))
        return [results[index] for index in range(len(changes))]

    def _without_held(self, waiting: dict[int, Change], results: dict[int, Applied]) -> dict[int, Change]:
        """Without those whose key the item that was to give it up carries still: a second one would be a double."""
        wanted = {
            index: key for index, one in waiting.items() if (key := taken(one, self._key_column)) in self._freed and key
        }
        if not wanted:
            return waiting
        items = self._target.find(self._key_column, sorted(set(wanted.values())), [self._key_column])
        standing = {(key_text(item.values.get(self._key_column)), item.item_id) for item in items}
        for index, key in wanted.items():
            if (key, self._freed[key]) in standing:
                facts = {"key": key, "items": str(self._freed[key])}
                results[index] = Applied(waiting[index], False, "key-held", facts, waiting[index].item_id)
        return {index: change for index, change in waiting.items() if index not in results}

    def _settle_all(self, unsettled: dict[int, _Open], results: dict[int, Applied]) -> None:
        for _ in range(_ROUNDS):
            if not unsettled:
                return
            unsettled = self._settle(unsettled, results)
        for index, left in unsettled.items():
            results[index] = Applied(left.planned, False, "unknown-outcome")

    def _round(
        self,
        changes: Mapping[int, Change],
        results: dict[int, Applied],
        history: Mapping[int, _Open],
        stopped: Callable[[], bool],
    ) -> dict[int, _Open]:
        """Sends each change once; returns those whose answer left something open."""
        sent: dict[int, tuple[int, Change]] = {}
        unsettled: dict[int, _Open] = {}
        told = bool(history)  # those that were looked at
        with closing(self._feed(changes, sent, stopped, told=told)) as feed:
            for outcome in self._target.write(feed):
                index, change = sent.pop(id(outcome.write))
                self._progress.advanced(1)
                left = self._judge(outcome, change, history.get(index))
                if isinstance(left, _Open):
                    unsettled[index] = left
                else:
                    results[index] = left
        return unsettled

    def _feed(
        self,
        changes: Mapping[int, Change],
        sent: dict[int, tuple[int, Change]],
        stopped: Callable[[], bool],
        *,
        told: bool,
    ) -> Generator[Write, None, None]:
        rest = iter(changes.items())
        while not stopped() and (some := deque(islice(rest, _KEPT))):
            if not told:
                self._tell(one for _, change in some for one in _kept(change))
            try:
                while some and not stopped():
                    index, change = some.popleft()
                    write = self._write(change)
                    sent[id(write)] = (index, change)
                    yield write
            finally:  # also when nobody takes them any more
                self._learned += [unwritten(change) for _, change in some]

    def _tell(self, changes: Iterable[Change] = ()) -> None:
        """The journal, with what was learned since."""
        news, self._learned = [*self._learned, *changes], []
        if news:
            self._keep(news)

    def _write(self, change: Change) -> Write:
        if change.item_id is None:
            return Create(change.key, change.values)
        version = self._versions.get(change.item_id, change.version or "")
        return Update(change.key, change.item_id, version, change.values)

    def _judge(self, outcome: WriteOutcome, change: Change, before: _Open | None) -> Applied | _Open:
        planned = before.planned if before else change
        self.surprises += outcome.status in _SURPRISES
        match outcome.status:
            case WriteStatus.DONE:
                if outcome.item_id is not None and outcome.version:
                    self._versions[outcome.item_id] = outcome.version
                self._learned.append(_made(change, outcome.item_id) if change.item_id is None else answered(change))
                return Applied(planned, True, item_id=outcome.item_id)
            case WriteStatus.GONE:
                self._learned.append(unwritten(change))
                return Applied(planned, False, "gone", {"item": change.item_id}, change.item_id)
            case WriteStatus.REJECTED:
                self._learned.append(unwritten(change))
                return Applied(planned, False, "rejected", {"detail": outcome.detail}, change.item_id)
            case WriteStatus.UNKNOWN:
                return _Open(planned, change, outcome.status, outcome.detail, before.conflicts if before else 0)
        conflicts = (before.conflicts if before else 0) + 1
        if conflicts > 1:
            self._learned.append(unwritten(change))
            code = "changed-meanwhile" if outcome.status is WriteStatus.CHANGED_MEANWHILE else "duplicate-key"
            return Applied(planned, False, code, {"key": change.key}, change.item_id)
        return _Open(planned, change, outcome.status, outcome.detail, conflicts)

    def _settle(self, unsettled: Mapping[int, _Open], results: dict[int, Applied]) -> dict[int, _Open]:
        """Looks at what stands in the list and sends what is still missing."""
        items = self._look(unsettled.values())
        again: dict[int, Change] = {}
        seen: list[Change] = []
        for index, left in unsettled.items():
            found = _one(left.planned, items.get(left.planned.key, []))
            if isinstance(found, Applied):
                results[index] = found
                continue
            change = self._revised(left.planned, found)
            seen += self._seen(left, found, change)
            if change is None:
                results[index] = Applied(left.planned, True, item_id=found.item_id if found else None)
            else:
                again[index] = change
        self._tell(seen)
        return self._round(again, results, unsettled, lambda: False) if again else {}

    def _look(self, unsettled: Collection[_Open]) -> dict[str, list[Item]]:
        keys = [left.planned.key for left in unsettled]
        columns = list(dict.fromkeys([self._key_column, *self._rules]))
        found: dict[str, list[Item]] = {}
        for item in self._target.find(self._key_column, keys, columns):
            key = key_text(normal(item.values.get(self._key_column), self._target.columns[self._key_column]))
            if key is not None:
                found.setdefault(key, []).append(item)
        for left in unsettled:
            self._look_under_old_key(left.planned, columns, found)
        return found

    def _look_under_old_key(self, planned: Change, columns: Sequence[str], found: dict[str, list[Item]]) -> None:
        """An item that is to get another key stands under its old one until then; one that is to give it up, under none
        afterwards; one that steps aside, under what it carries meanwhile, or where it was going."""
        moved = next((one for one in planned.fields if one.column == self._key_column), None)
        if planned.item_id is None or moved is None or moved.before is None:
            return
        item = self._target.item(planned.item_id, columns)
        way = unparked(planned.key)
        places = {key_text(moved.before), key_text(moved.after), parked(moved.before, moved.after)}
        places |= {way[1]} if way else set()
        if item is not None and key_text(item.values.get(self._key_column)) in places:
            found.setdefault(planned.key, []).append(item)

    def _revised(self, planned: Change, item: Item | None) -> Change | None:
        """`planned` against what stands there now: None when nothing is left to do."""
        if item is None:
            return planned
        self._versions.pop(item.item_id, None)
        fields = [self._field(one, item, created=planned.kind is ChangeKind.CREATE) for one in planned.fields]
        left = tuple(one for one in fields if one is not None)
        if all(one.stamp for one in left):
            return None
        return replace(planned, fields=left, item_id=item.item_id, version=item.version)

    def _seen(self, left: _Open, item: Item | None, again: Change | None) -> list[Change]:
        """What the journal must know, once it was looked at and `again` is still to be sent: the values that stand
        there now. A value that is as it shall be is ours only when the answer was lost; where the write was refused,
        somebody else typed it."""
        planned = left.planned
        if item is None:
            return [planned]
        lost = left.status is WriteStatus.UNKNOWN
        refused = set() if lost else {one.column for one in left.sent.fields}
        open_ones = {one.column: one for one in again.fields} if again else {}
        fields = tuple(
            open_ones.get(one.column) or replace(one, before=one.after)
            for one in planned.fields
            if one.column in open_ones or one.column in refused or not self._stands(one, item)
        )
        found = replace(planned, fields=fields, item_id=item.item_id)
        if planned.item_id is None and lost:
            return [_made(planned, item.item_id), replace(found, kind=ChangeKind.UPDATE)]
        return _kept(found) if fields else []

    def _stands(self, planned: FieldChange, item: Item) -> bool:
        return encode_value(self._now(planned.column, item)) == encode_value(planned.after)

    def _now(self, column: str, item: Item) -> Value:
        return normal(item.values.get(column), self._target.columns[column])

    def _field(self, planned: FieldChange, item: Item, *, created: bool) -> FieldChange | None:
        if self._stands(planned, item):
            return None
        now = self._now(planned.column, item)
        rule = self._rules.get(planned.column, WriteRule.ERP_OWNS)
        if not may_write(rule, filled=now is not None) and not (created and now is None):
            return None
        return replace(planned, before=now)


def _one(planned: Change, items: Sequence[Item]) -> Item | Applied | None:
    """The item a change is about: by its id when the plan knew one, else the only one with the key."""
    if planned.item_id is not None:
        for item in items:
            if item.item_id == planned.item_id:
                return item
        return Applied(planned, False, "gone", {"item": planned.item_id}, planned.item_id)
    if len(items) > 1:
        ids = ", ".join(str(item.item_id) for item in items)
        return Applied(planned, False, "key-ambiguous", {"key": planned.key, "items": ids})
    return items[0] if items else None


def _made(change: Change, item_id: int | None) -> Change:
    """A new row became this item."""
    return replace(change, fields=(), item_id=item_id)


def answered(change: Change) -> Change:
    """A change that was done, by the target's own answer; all else of it is kept already."""
    kind = ChangeKind.UPDATE if change.kind is ChangeKind.CREATE else change.kind
    return Change(kind, change.key, (), change.item_id)


def unwritten(change: Change) -> Change:
    """A change that was not done: it overwrote nothing."""
    kind = ChangeKind.UPDATE if change.kind is ChangeKind.CREATE else change.kind
    return replace(change, kind=kind, fields=tuple(replace(one, before=one.after) for one in change.fields))


def _kept(change: Change) -> list[Change]:
    """As the journal knows it: a new row whose item stands there already makes nothing, and overwrites."""
    if change.kind is not ChangeKind.CREATE or change.item_id is None:
        return [change]
    return [unwritten(replace(change, item_id=None)), replace(change, kind=ChangeKind.UPDATE)]
