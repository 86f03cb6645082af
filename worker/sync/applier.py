"""Performs a plan, change by change, one outcome per row.

The target answers each write by itself. What an answer leaves open is settled by looking, never by guessing:

- no answer: the item is looked up by its key; what stands there tells whether the write was done, and only what is
  still missing is sent again, so a create whose answer was lost is never doubled;
- changed meanwhile (412): the item is read again, the plan's columns are compared with what a person left there,
  and what still differs is sent once more;
- duplicate: somebody, or an earlier create of ours, already made the item: the same look and compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from worker.domain.encode import encode_value
from worker.domain.existing import key_text
from worker.domain.fit import normal
from worker.domain.plan import Change, ChangeKind, FieldChange
from worker.domain.planning import may_write
from worker.domain.profile import Profile, WriteRule
from worker.domain.values import Item
from worker.ports import Create, Progress, StopSignal, Target, Update, Write, WriteOutcome, WriteStatus

# A lost answer can be lost again; at 30 % losses ten looks leave one row in 170,000 open.
_ROUNDS = 10
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
    """A change that needs another look."""

    planned: Change
    status: WriteStatus
    detail: str = ""
    conflicts: int = 0


class Applier:
    """Applies changes of one profile to one target. `versions` holds the newest etags our own writes were given."""

    def __init__(
        self, profile: Profile, target: Target, versions: dict[int, str], stop: StopSignal, progress: Progress
    ) -> None:
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
        waiting = dict(enumerate(changes))
        if unsure:
            begun = {index: _Open(change, WriteStatus.UNKNOWN) for index, change in waiting.items()}
            self._settle_all(begun, results)
        else:
            self._settle_all(self._round(waiting, results, {}, self._stop.is_set), results)
        for index, change in enumerate(changes):
            results.setdefault(index, Applied(change, False, "stopped"))
        return [results[index] for index in range(len(changes))]

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
        for outcome in self._target.write(self._feed(changes, sent, stopped)):
            index, change = sent.pop(id(outcome.write))
            self._progress.advanced(1)
            left = self._judge(outcome, change, history.get(index))
            if isinstance(left, _Open):
                unsettled[index] = left
            else:
                results[index] = left
        return unsettled

    def _feed(
        self, changes: Mapping[int, Change], sent: dict[int, tuple[int, Change]], stopped: Callable[[], bool]
    ) -> Iterator[Write]:
        for index, change in changes.items():
            if stopped():
                return
            write = self._write(change)
            sent[id(write)] = (index, change)
            yield write

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
                return Applied(planned, True, item_id=outcome.item_id)
            case WriteStatus.GONE:
                return Applied(planned, False, "gone", {"item": change.item_id}, change.item_id)
            case WriteStatus.REJECTED:
                return Applied(planned, False, "rejected", {"detail": outcome.detail}, change.item_id)
            case WriteStatus.UNKNOWN:
                return _Open(planned, outcome.status, outcome.detail, before.conflicts if before else 0)
        conflicts = (before.conflicts if before else 0) + 1
        if conflicts > 1:
            code = "changed-meanwhile" if outcome.status is WriteStatus.CHANGED_MEANWHILE else "duplicate-key"
            return Applied(planned, False, code, {"key": change.key}, change.item_id)
        return _Open(planned, outcome.status, outcome.detail, conflicts)

    def _settle(self, unsettled: Mapping[int, _Open], results: dict[int, Applied]) -> dict[int, _Open]:
        """Looks at what stands in the list and sends what is still missing."""
        items = self._look(unsettled.values())
        again: dict[int, Change] = {}
        for index, left in unsettled.items():
            found = _one(left.planned, items.get(left.planned.key, []))
            if isinstance(found, Applied):
                results[index] = found
                continue
            change = self._revised(left.planned, found)
            if change is None:
                results[index] = Applied(left.planned, True, item_id=found.item_id if found else None)
            else:
                again[index] = change
        return self._round(again, results, unsettled, lambda: False) if again else {}

    def _look(self, unsettled: Iterable[_Open]) -> dict[str, list[Item]]:
        keys = [left.planned.key for left in unsettled]
        columns = list(dict.fromkeys([self._key_column, *self._rules]))
        found: dict[str, list[Item]] = {}
        for item in self._target.find(self._key_column, keys, columns):
            key = key_text(normal(item.values.get(self._key_column), self._target.columns[self._key_column]))
            if key is not None:
                found.setdefault(key, []).append(item)
        return found

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

    def _field(self, planned: FieldChange, item: Item, *, created: bool) -> FieldChange | None:
        column = self._target.columns[planned.column]
        now = normal(item.values.get(planned.column), column)
        if encode_value(now) == encode_value(planned.after):
            return None
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
