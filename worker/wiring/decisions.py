"""What people have decided about links, remembered in the store: a pair that was refused is not offered again."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from worker.errors import ConflictError
from worker.ports import Records

log = logging.getLogger(__name__)
_TRIES = 20
_KEPT = 20_000  # accepted links, for looking up who said so

Pair = tuple[int, int]  # item id, debtor number


@dataclass(frozen=True, slots=True)
class Decisions:
    """`accepted`: item id, number, who, when (ISO, UTC)."""

    refused: frozenset[Pair] = frozenset()
    accepted: tuple[tuple[int, int, str, str], ...] = field(default=())


class DecisionBook:
    """One connection's decisions. Thread- and process-safe, as the store is."""

    def __init__(self, records: Records, connection: str) -> None:
        self._records = records
        self._name = f"links/{connection}"

    def read(self) -> Decisions:
        """A damaged record counts as none: the worst is that a refused pair is offered again."""
        return self._read()[0]

    def refuse(self, pairs: Iterable[Pair]) -> None:
        """Remembers a no."""
        wanted = frozenset(pairs)
        self._change(lambda one: Decisions(one.refused | wanted, one.accepted))

    def accept(self, pairs: Iterable[Pair], by: str, moment: str) -> None:
        """Remembers a yes that was written."""
        wanted = tuple((item, number, by, moment) for item, number in pairs)
        self._change(lambda one: Decisions(one.refused, (*one.accepted, *wanted)[-_KEPT:]))

    def _read(self) -> tuple[Decisions, str | None]:
        record = self._records.read(self._name)
        if record is None:
            return Decisions(), None
        try:
            data = json.loads(record.content)
            refused = frozenset((int(item), int(number)) for item, number in data["refused"])
            accepted = tuple((int(i), int(n), str(by), str(at)) for i, n, by, at in data["accepted"])
        except (ValueError, TypeError, KeyError):
            log.warning("the decisions about links are damaged; they start anew")
            return Decisions(), record.version
        return Decisions(refused, accepted), record.version

    def _change(self, change: Callable[[Decisions], Decisions]) -> None:
        for _ in range(_TRIES):
            before, version = self._read()
            after = change(before)
            if after == before:
                return
            data = {"refused": sorted(map(list, after.refused)), "accepted": list(map(list, after.accepted))}
            try:
                self._records.write(self._name, json.dumps(data).encode(), version)
            except ConflictError:
                continue
            return
        raise ConflictError("The decisions are written faster than they can be read.", hint="Try again.")
