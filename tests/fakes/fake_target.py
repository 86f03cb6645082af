"""A CRM site in memory. Its items are open, so a test can act as a person between two steps."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from worker.domain.values import Column, Item, TargetKind, Value
from worker.errors import ConfigError, IncompleteReadError, Problem, WorkerError
from worker.ports import Create, Target, Usage, Write, WriteOutcome, WriteStatus

BATCH = 100


@dataclass
class FakeTarget:
    """Implements ports.Target. Unique columns hold each value once, letter case ignored; blanks don't count.

    `script` holds what happens to the next writes instead of being done well, one entry per write: see the functions
    at the end of this module. `missing` items are promised and not delivered, as in a broken read. `broken` is raised
    by whatever is asked next.
    """

    kind: TargetKind
    columns: Mapping[str, Column]
    held: dict[int, Item] = field(default_factory=dict)
    script: deque[Answer] = field(default_factory=deque)
    missing: int = 0
    broken: WorkerError | None = None
    reads: int = 0
    batches: int = 0
    written: list[Write] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)  # items that people saved
    typed: set[tuple[int, str]] = field(default_factory=set)  # what in them people gave another value
    next_id: int = 1

    def items(self, columns: Sequence[str]) -> Iterator[Item]:
        self._asked()
        for item in sorted(self.held.values(), key=lambda one: one.item_id):
            yield replace(item, values={name: item.values.get(name) for name in columns})
        if self.missing:
            raise IncompleteReadError(f"The list holds {len(self.held) + self.missing} items; {len(self.held)} came.")

    def find(self, column: str, values: Sequence[str], columns: Sequence[str]) -> list[Item]:
        self._asked()
        wanted = {value.casefold() for value in values if value}
        return [
            replace(item, values={name: item.values.get(name) for name in columns})
            for item in sorted(self.held.values(), key=lambda one: one.item_id)
            if str(item.values.get(column) or "").casefold() in wanted
        ]

    def item(self, item_id: int, columns: Sequence[str]) -> Item | None:
        self._asked()
        found = self.held.get(item_id)
        return found and replace(found, values={name: found.values.get(name) for name in columns})

    def never_touched(self, item_id: int) -> bool:
        self._asked()
        found = self.held.get(item_id)
        return found is not None and item_id not in self.touched

    def given_by_worker(self, item_id: int, columns: Sequence[str]) -> frozenset[str]:
        self._asked()
        return frozenset(name for name in columns if item_id in self.held and (item_id, name) not in self.typed)

    def recycle(self, item_id: int, version: str) -> bool:
        self._asked()
        found = self.held.get(item_id)
        if found is None or found.version != version:
            return False
        del self.held[item_id]
        return True

    def write(self, writes: Iterable[Write]) -> Iterator[WriteOutcome]:
        source = iter(writes)
        while batch := list(islice(source, BATCH)):
            self._asked()
            self.batches += 1
            for write in batch:
                self.written.append(write)
                answer = self.script.popleft() if self.script else done
                yield answer(self, write)

    # What people and the server do.

    def add(self, **values: Value) -> int:
        """A person makes an item."""
        return self.keep(self.next_id, 1, values).item_id

    def edit(self, item_id: int, **values: Value) -> None:
        """A person saves an item; its version moves on."""
        item = self.held[item_id]
        self.touched.add(item_id)
        self.typed |= {(item_id, name) for name, value in values.items() if value != item.values.get(name)}
        self.keep(item_id, _number(item.version) + 1, {**item.values, **values})

    def remove(self, item_id: int) -> None:
        """A person deletes an item."""
        del self.held[item_id]

    def keep(self, item_id: int, number: int, values: Mapping[str, Value]) -> Item:
        blankless = {name: value for name, value in values.items() if value not in (None, "")}
        self.held[item_id] = Item(item_id, f'"guid-{item_id},{number}"', dict(blankless))
        self.next_id = max(self.next_id, item_id + 1)
        return self.held[item_id]

    def doubled(self, write: Write) -> bool:
        """Whether a unique column already holds a value of `write` in another item."""
        own = None if isinstance(write, Create) else write.item_id
        return any(
            item.item_id != own and str(item.values.get(name) or "").casefold() == str(write.values[name]).casefold()
            for name, column in self.columns.items()
            if column.unique and write.values.get(name) not in (None, "")
            for item in self.held.values()
        )

    def _asked(self) -> None:
        self.reads += 1
        if self.broken is not None:
            error, self.broken = self.broken, None
            raise error


Answer = Callable[[FakeTarget, Write], WriteOutcome]


def done(target: FakeTarget, write: Write) -> WriteOutcome:
    """A well-behaved server: rules of the list first, then the save."""
    if isinstance(write, Create):
        if target.doubled(write):
            return WriteOutcome(write, WriteStatus.DUPLICATE)
        item = target.keep(target.next_id, 1, write.values)
        return WriteOutcome(write, WriteStatus.DONE, item.item_id, item.version)
    old = target.held.get(write.item_id)
    if old is None:
        return WriteOutcome(write, WriteStatus.GONE)
    if write.version not in ("*", old.version):
        return WriteOutcome(write, WriteStatus.CHANGED_MEANWHILE)
    if target.doubled(write):
        return WriteOutcome(write, WriteStatus.DUPLICATE)
    item = target.keep(old.item_id, _number(old.version) + 1, {**old.values, **write.values})
    target.typed -= {(item.item_id, name) for name in write.values if write.values[name] != old.values.get(name)}
    return WriteOutcome(write, WriteStatus.DONE, item.item_id, item.version)


def lost_after_saving(target: FakeTarget, write: Write) -> WriteOutcome:
    """Saved, but the answer never came."""
    done(target, write)
    return WriteOutcome(write, WriteStatus.UNKNOWN)


def lost_before_saving(_target: FakeTarget, write: Write) -> WriteOutcome:
    """The request never arrived, and no answer says so."""
    return WriteOutcome(write, WriteStatus.UNKNOWN)


def rejected(_target: FakeTarget, write: Write) -> WriteOutcome:
    """A rule of the list refuses the row."""
    return WriteOutcome(write, WriteStatus.REJECTED, detail="The list has a rule against it.")


def _number(version: str) -> int:
    return int(version.strip('"').rpartition(",")[2])


@dataclass
class FakeSite:
    """Implements ports.Site over fake targets."""

    targets: Mapping[TargetKind, FakeTarget]

    def bind(self, wanted: Mapping[str, tuple[TargetKind, Sequence[str]]]) -> Mapping[TargetKind, Target]:
        problems = [
            Problem(f"{label}: {kind.value}", f"column {name} is not in the list.")
            for label, (kind, columns) in wanted.items()
            for name in columns
            if kind not in self.targets or name not in self.targets[kind].columns
        ]
        if problems:
            raise ConfigError(problems)
        return {kind: self.targets[kind] for kind, _ in wanted.values()}

    def has_list(self, kind: TargetKind) -> bool:
        return kind in self.targets

    def usage(self) -> Usage:
        asked = sum(target.reads for target in self.targets.values())
        return Usage(asked, sum(target.batches for target in self.targets.values()), float(asked))
