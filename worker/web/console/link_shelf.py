"""What the page of links was last worked out from, so that looking at its next page, or saying yes, reads and weighs
nothing again.

What was read is believed for ten minutes at most, not beyond a change of the connection's settings, and never when a
number is written: the item's etag decides there. People's decisions are read for every look, from the store that all
processes share, so that what one accepted is gone for everybody at once.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from worker.domain.matching import Match, Matcher
from worker.domain.renumbering import Said
from worker.ports import Records
from worker.sync.linking import Move, Sides, Suggestions
from worker.wiring.app import App
from worker.wiring.decisions import DecisionBook, Decisions, Pair
from worker.wiring.renumbered import RenumberBook

_KEPT_SECONDS = 600.0
_KEPT = 2  # connections; both sides as a whole take some megabytes


@dataclass(frozen=True, slots=True)
class Seen:
    """What can be offered now, and when both sides were read."""

    found: Suggestions
    moment: datetime

    @property
    def mark(self) -> str:
        """Stands for exactly these certain matches."""
        pairs = sorted((match.company.item_id, match.candidates[0].number) for match in self.found.certain)
        return hashlib.sha256(repr(pairs).encode()).hexdigest()[:16]


@dataclass(slots=True)
class _Kept:
    """`before`: the decisions when reading began. `matches` and `moves` with what they were worked out for."""

    sides: Sides
    matcher: Matcher
    before: Decisions
    moment: datetime
    read: float
    settings: object
    matches: tuple[frozenset[Pair], list[Match]] | None = None
    moves: tuple[Said, tuple[Move, ...]] | None = None


class LinkShelf:
    """Thread-safe. `now` is monotonic seconds."""

    def __init__(self, records: Records, now: Callable[[], float] = time.monotonic) -> None:
        self._records = records
        self._now = now
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def look(self, app: App) -> Seen:
        """Reads both sides when that was not done lately. Raises what reading raises."""
        name = app.settings.name
        decisions, said = DecisionBook(self._records, name).read(), RenumberBook(self._records, name).said()
        kept = self._fresh(app) or self._read(app, decisions)
        matches, moves = kept.matches, kept.moves
        if matches is None or matches[0] != decisions.refused:
            kept.matches = matches = decisions.refused, kept.matcher.matches(kept.sides.companies, decisions.refused)
        if moves is None or moves[0] != said:
            kept.moves = moves = said, kept.sides.moves(said)
        found = kept.sides.suggestions(matches[1], moves[1])
        since = set(decisions.accepted) - set(kept.before.accepted)
        return Seen(found.without({(item, number) for item, number, _, _ in since}), kept.moment)

    def forget(self, connection: str) -> None:
        """The next look reads both sides."""
        with self._lock:
            self._kept.pop(connection, None)

    def _fresh(self, app: App) -> _Kept | None:
        with self._lock:
            kept = self._kept.get(app.settings.name)
        fresh = kept is not None and kept.settings is app.settings and self._now() - kept.read < _KEPT_SECONDS
        return kept if fresh else None

    def _read(self, app: App, decisions: Decisions) -> _Kept:
        moment, begun = app.clock.now(), self._now()
        sides = app.link_assistant().read()
        kept = _Kept(sides, Matcher(sides.customers), decisions, moment, begun, app.settings)
        with self._lock:
            self._kept[app.settings.name] = kept
            self._kept.move_to_end(app.settings.name)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return kept
