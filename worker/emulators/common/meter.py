"""Counting what callers ask of an emulator: requests, reads, writes, cost, by target, route and status.

A batch is one request; the parts it carries are counted by target beside it, because both numbers matter:
round trips cost time, parts cost resource units.
"""

import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Note:
    """What a handler tells the meter about the request in hand; put into the ASGI scope by the middleware.

    `parts` are (target, is_write) of each part of a batch; `route` is a short stable name, not the raw URL.
    """

    route: str
    is_write: bool
    target: str | None = None
    cost: float = 1.0
    parts: list[tuple[str, bool]] = field(default_factory=list)
    counted: bool = True


class _Tally:
    """The counts of one caller."""

    def __init__(self) -> None:
        self.numbers: Counter[str] = Counter()
        self.cost = 0.0
        self.by_target: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.by_route: Counter[str] = Counter()
        self.by_status: Counter[str] = Counter()

    def add(self, method: str, status: int, note: Note) -> None:
        self.numbers["requests"] += 1
        self.numbers["writes" if note.is_write else "reads"] += 1
        self.cost += note.cost
        self.by_route[f"{method} {note.route}"] += 1
        self.by_status[str(status)] += 1
        if note.parts:
            self.numbers["batches"] += 1
            self.numbers["parts"] += len(note.parts)
        whole = [(note.target, note.is_write)] if note.target is not None else []
        for target, is_write in note.parts or whole:
            self.by_target[target]["writes" if is_write else "reads"] += 1

    def as_dict(self) -> dict[str, Any]:
        return {
            **{name: self.numbers[name] for name in ("requests", "reads", "writes", "batches", "parts")},
            "cost": self.cost,
            "by_target": {
                target: {"reads": counts["reads"], "writes": counts["writes"]}
                for target, counts in sorted(self.by_target.items())
            },
            "by_route": dict(sorted(self.by_route.items())),
            "by_status": dict(sorted(self.by_status.items())),
        }


class Meter:
    """Counts per caller (the User-Agent up to its first space) and in total."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callers: defaultdict[str, _Tally] = defaultdict(_Tally)
        self._total = _Tally()

    def record(
        self,
        caller: str,
        method: str,
        route: str,
        *,
        is_write: bool,
        target: str | None,
        cost: float,
        status: int,
    ) -> None:
        """Count one request; `cost` in the emulator's own unit."""
        self.record_note(caller, method, status, Note(route, is_write, target, cost))

    def record_note(self, caller: str, method: str, status: int, note: Note) -> None:
        """Count one request described by `note`, with the parts it carried."""
        with self._lock:
            self._callers[caller].add(method, status, note)
            self._total.add(method, status, note)

    def snapshot(self) -> dict[str, Any]:
        """`{"callers": {caller: counts}, "total": counts}`, ready for JSON."""
        with self._lock:
            callers = {name: tally.as_dict() for name, tally in sorted(self._callers.items())}
            return {"callers": callers, "total": self._total.as_dict()}

    def reset(self) -> None:
        """Start counting from zero."""
        with self._lock:
            self._callers.clear()
            self._total = _Tally()


def caller_of(user_agent: str) -> str:
    """The caller's name: the User-Agent up to its first space."""
    return user_agent.split(" ", 1)[0] or "unknown"
