"""What people have decided about links, remembered in the store: a pair that was refused is not offered again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from worker.engine.json_record import JsonRecord
from worker.ports import Records

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
        self._record = JsonRecord(records, f"decisions/{connection}", Decisions(), _load, _dump)

    def read(self) -> Decisions:
        """A damaged record counts as none: the worst is that a refused pair is offered again."""
        return self._record.read()

    def refuse(self, pairs: Iterable[Pair]) -> None:
        """Remembers a no."""
        wanted = frozenset(pairs)
        self._record.change(lambda one: Decisions(one.refused | wanted, one.accepted))

    def accept(self, pairs: Iterable[Pair], by: str, moment: str) -> None:
        """Remembers a yes that was written."""
        wanted = tuple((item, number, by, moment) for item, number in pairs)
        self._record.change(lambda one: Decisions(one.refused, (*one.accepted, *wanted)[-_KEPT:]))


def _load(data: Any) -> Decisions:
    refused = frozenset((int(item), int(number)) for item, number in data["refused"])
    return Decisions(refused, tuple((int(i), int(n), str(by), str(at)) for i, n, by, at in data["accepted"]))


def _dump(decisions: Decisions) -> dict[str, Any]:
    return {"refused": sorted(map(list, decisions.refused)), "accepted": list(map(list, decisions.accepted))}
