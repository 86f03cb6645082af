"""What webhooks have said and nobody has looked at yet: hints, never facts.

A hint names a customer or an invoice; what is true is read from e-conomic afterwards. So a call that comes twice, late,
out of order or from a stranger costs at most a look, and one that is lost is made good by the night.

One message at a time goes round for a connection's hints. `sent` is the moment it can be taken at the earliest: one
that comes well before that is left from before, and one that does not come is sent again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from worker.engine.folding import Folding
from worker.engine.json_record import JsonRecord
from worker.ports import Records

REQUESTED = "REQUESTED"  # the event of a person or program that asks for a customer
FORGOTTEN = "These hints waited for two days; the runs since have looked at all customers."
MOST = 5000  # hints kept; beyond that a run is due anyway
TOGETHER = 3  # goes in a row that may fail before each of their hints is tried alone
ALONE = 5  # tries of a hint alone; with the delays between them an hour's outage passes before one is dropped
_FORGOTTEN = timedelta(seconds=60)  # a message that has not come by then is sent again
_EARLY = timedelta(seconds=5)  # clocks of two machines, and of a queue, may differ by that
_NEVER_AHEAD = timedelta(days=1)  # no message is delayed so long: a clock was wrong
_OLDEST = timedelta(days=2)  # two nights have looked at all customers since
_RESULTS = 20


@dataclass(frozen=True, slots=True)
class Heard:
    """One call: the customers it names, the invoice, and a renumbering (old number, new number)."""

    event: str
    customers: tuple[int, ...] = ()
    invoice: int | None = None
    renumbered: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """One go: when (ISO, UTC), how many customers and which, and changes written. What went wrong: a sentence, or how
    many rows failed and why the first did (`code`, `facts`: see `domain.reasons`), with the profile if it was one's.
    `left`: profiles that wait for the night."""

    at: str
    customers: int
    written: int = 0
    problem: str = ""
    profile: str = ""
    failed: int = 0
    code: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    left: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether all that it looked at is right now."""
        return not self.problem and not self.failed


@dataclass(frozen=True, slots=True)
class Pending:
    """`customers` and `invoices`: number -> when it was last named (ISO, UTC). `sent`: see the module. `calls`: event
    -> how many calls came, and when the last one. `renumbered`: old -> new number, until no company has the old one.
    `failures`: goes in a row that failed for what may pass. `doubted`: hint (`c` or `i` and its number) -> how often it
    failed alone, for those that were in such goes."""

    customers: Mapping[str, str] = field(default_factory=dict)
    invoices: Mapping[str, str] = field(default_factory=dict)
    renumbered: Mapping[str, int] = field(default_factory=dict)
    sent: str = ""
    calls: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    refused: int = 0
    done: tuple[Done, ...] = ()
    failures: int = 0
    doubted: Mapping[str, int] = field(default_factory=dict)

    @property
    def waits(self) -> bool:
        """Whether somebody should look."""
        return bool(self.customers or self.invoices)

    @property
    def names(self) -> list[str]:
        """Of the hints, as in `doubted`."""
        return [*(f"c{number}" for number in self.customers), *(f"i{number}" for number in self.invoices)]


class HintBook:
    """One connection's hints. Thread- and process-safe, as the store is; calls that one book takes in at the same time
    are written together, so whoever takes in many keeps one."""

    def __init__(self, records: Records, connection: str) -> None:
        self._record = JsonRecord(records, f"hints/{connection}", Pending(), _load, _dump)
        self._take_in: Folding[tuple[Heard | None, datetime], bool] = Folding(self._taken_in)

    def read(self) -> Pending:
        """A damaged record counts as none: the night makes it good."""
        return self._record.read()

    def hear(self, heard: Heard, now: datetime) -> bool:
        """Takes a call in; it is stored then. True when a message must be sent: nothing waited before, or its message
        was forgotten. Raises ConflictError when too many processes write."""
        return self._take_in((heard, now))

    def refuse(self, now: datetime) -> None:
        """Counts a call that was no hint."""
        self._take_in((None, now))

    def overdue(self, now: datetime) -> bool:
        """Whether hints wait whose message seems lost; True once, until that time is over again."""
        if not (before := self.read()).waits or not _is_forgotten(before, now):
            return False
        self.sent(now)
        return True

    def sent(self, due: datetime) -> None:
        """A message is under way that can be taken at `due`."""
        self._record.change(lambda before: replace(before, sent=due.isoformat()))

    def settle(self, taken: Pending, done: Done, vanished: Mapping[str, int] | None = None) -> bool:
        """Removes what was looked at, unless it was named again meanwhile, and renumberings whose old number no company
        has any more; True when something waits still."""
        gone = (vanished or {}).items()

        def change(before: Pending) -> Pending:
            left = _without(replace(before, done=_with(before.done, done), failures=0), taken)
            return replace(
                left, renumbered={old: new for old, new in left.renumbered.items() if (old, new) not in gone}
            )

        return self._record.change(change).waits

    def fail(self, taken: Pending, done: Done) -> None:
        """Notes a go that failed for what may pass: its hints stay. After a few such goes each of them is tried alone,
        and one that fails alone too often is dropped: it must not keep all others from being looked at."""

        def change(before: Pending) -> Pending:
            after = replace(before, done=_with(before.done, done), failures=before.failures + 1)
            if not _is_alone(taken, before):
                doubts = dict.fromkeys(taken.names, 0) if after.failures >= TOGETHER else {}
                return replace(after, doubted={**doubts, **before.doubted})
            (name,) = taken.names
            tries = before.doubted[name] + 1
            if tries >= ALONE:
                return _without(after, taken)
            return replace(after, doubted={**before.doubted, name: tries})

        self._record.change(change)

    def forget(self, now: datetime) -> None:
        """Drops hints that are so old that the nights since have looked at their customers. They would be tried before
        all newer ones."""

        def change(before: Pending) -> Pending:
            old = Pending(_before(before.customers, now - _OLDEST), _before(before.invoices, now - _OLDEST))
            if not old.waits:
                return before
            told = Done(now.isoformat(), len(old.customers), problem=FORGOTTEN)
            return _without(replace(before, done=_with(before.done, told)), old)

        self._record.change(change)

    def _taken_in(self, calls: Sequence[tuple[Heard | None, datetime]]) -> list[bool]:
        """The first of them sends the message, when there must be one."""
        send = False

        def change(before: Pending) -> Pending:
            nonlocal send
            after = _heard(before, calls)
            now = calls[-1][1]
            send = after.waits and (not before.waits or _is_forgotten(before, now))
            return replace(after, sent=now.isoformat()) if send else after

        self._record.change(change)
        return [send, *(False for _ in calls[1:])]


def chosen(pending: Pending, customers: int, invoices: int) -> Pending:
    """What one go takes: the oldest hints, so many at most. Those that failing goes had taken come after all others,
    one at a time, the least tried first."""
    doubted = pending.doubted
    fresh = Pending(
        {number: moment for number, moment in pending.customers.items() if f"c{number}" not in doubted},
        {number: moment for number, moment in pending.invoices.items() if f"i{number}" not in doubted},
    )
    if fresh.waits or not pending.waits:
        return Pending(_oldest(fresh.customers, customers), _oldest(fresh.invoices, invoices))
    moments = {f"c{number}": moment for number, moment in pending.customers.items()}
    moments |= {f"i{number}": moment for number, moment in pending.invoices.items()}
    name = min(moments, key=lambda one: (doubted[one], moments[one]))
    alone = {name[1:]: moments[name]}
    return Pending(customers=alone) if name.startswith("c") else Pending(invoices=alone)


def is_early(pending: Pending, now: datetime) -> bool:
    """Whether a message that comes now is left from before: the one that counts is due later."""
    try:
        return _EARLY < datetime.fromisoformat(pending.sent) - now < _NEVER_AHEAD
    except ValueError:
        return False


def _heard(before: Pending, calls: Sequence[tuple[Heard | None, datetime]]) -> Pending:
    customers, invoices = dict(before.customers), dict(before.invoices)
    renumbered, counts = dict(before.renumbered), dict(before.calls)
    for heard, now in calls:
        if heard is None:
            continue
        moment = now.isoformat()
        customers.update((str(number), moment) for number in heard.customers)
        if heard.invoice is not None:
            invoices[str(heard.invoice)] = moment
        if heard.renumbered:
            old, new = heard.renumbered
            renumbered[str(old)] = new
        counts[heard.event] = (counts.get(heard.event, (0, ""))[0] + 1, moment)
    return replace(
        before,
        customers=_newest(customers),
        invoices=_newest(invoices),
        renumbered=dict(list(renumbered.items())[-MOST:]),
        calls=counts,
        refused=before.refused + sum(1 for heard, _ in calls if heard is None),
    )


def _load(data: dict[str, Any]) -> Pending:
    calls = {str(name): (int(count), str(at)) for name, (count, at) in data.pop("calls").items()}
    done = tuple(_load_done(one) for one in data.pop("done"))
    return Pending(**data, calls=calls, done=done)


def _load_done(data: dict[str, Any]) -> Done:
    left, numbers = tuple(map(str, data.pop("left", ()))), tuple(map(int, data.pop("numbers", ())))
    return Done(**data, left=left, numbers=numbers)


def _dump(pending: Pending) -> dict[str, Any]:
    """By hand: `asdict` copies each of thousands of hints, at every call."""
    return {**_fields(pending), "done": [_fields(one) for one in pending.done]}


def _fields(value: Pending | Done) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def _newest(named: Mapping[str, str]) -> Mapping[str, str]:
    return named if len(named) <= MOST else dict(sorted(named.items(), key=lambda one: one[1])[-MOST:])


def _oldest(named: Mapping[str, str], most: int) -> dict[str, str]:
    return dict(sorted(named.items(), key=lambda one: one[1])[:most])


def _before(named: Mapping[str, str], limit: datetime) -> dict[str, str]:
    return {number: moment for number, moment in named.items() if moment < limit.isoformat()}


def _with(done: tuple[Done, ...], one: Done) -> tuple[Done, ...]:
    return (*done, one)[-_RESULTS:]


def _without(before: Pending, taken: Pending) -> Pending:
    """A hint that was named again since it was taken stays: what was read of it may be older than the call."""
    left = replace(
        before,
        customers=_still(before.customers, taken.customers),
        invoices=_still(before.invoices, taken.invoices),
    )
    return replace(left, doubted=_kept(before.doubted, set(left.names) - set(taken.names)))


def _still(before: Mapping[str, str], taken: Mapping[str, str]) -> dict[str, str]:
    return {number: moment for number, moment in before.items() if taken.get(number) != moment}


def _kept(doubted: Mapping[str, int], names: Collection[str]) -> dict[str, int]:
    return {name: tries for name, tries in doubted.items() if name in names}


def _is_alone(taken: Pending, before: Pending) -> bool:
    return len(taken.names) == 1 and taken.names[0] in before.doubted


def _is_forgotten(pending: Pending, now: datetime) -> bool:
    try:
        waited = now - datetime.fromisoformat(pending.sent)
    except ValueError:
        return True
    return waited >= _FORGOTTEN or waited <= -_NEVER_AHEAD
