"""Looking each minute for companies that are to become customers, for one request a look.

Where the list is and which columns it has is found out once and kept for a while. What a look knows of e-conomic is not
kept: one that found something to do ends with it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from worker.domain.values import TargetKind
from worker.ports import StopSignal
from worker.settings import Settings
from worker.sync.creating import NEEDED
from worker.wiring.app import App
from worker.wiring.opening import Connections

_KEPT = 600.0  # seconds for which a list's columns are believed
_REST = 3600.0  # seconds until a list that nobody could ask in is looked at again
_PATIENCE = 20.0  # seconds for one call; the next look comes anyway


@dataclass(slots=True)
class Look:
    """One look. `found`: it had something to do."""

    app: App
    since: float
    found: bool = False

    def can_be_asked(self) -> bool:
        """Whether the list of companies has the columns that a request is made and answered in."""
        target = self.app.site.view_of(TargetKind.COMPANY, NEEDED)
        return target is not None and target.columns.keys() >= set(NEEDED)


class Looks:
    """Of all connections; a change of a connection's settings ends what is kept. Thread-safe. `timer` is monotonic."""

    def __init__(self, connections: Connections, timer: Callable[[], float] = time.monotonic) -> None:
        self._connections = connections
        self._timer = timer
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[Settings, Look]] = {}
        self._resting: dict[str, tuple[Settings, float]] = {}

    def rests(self, connection: str, settings: Settings) -> bool:
        """Whether nobody can ask at this connection, as far as we know."""
        with self._lock:
            known, until = self._resting.get(connection, (None, 0.0))
        return known is settings and self._timer() < until

    def rest(self, connection: str, settings: Settings) -> None:
        """Nobody can ask there."""
        with self._lock:
            self._resting[connection] = (settings, self._timer() + _REST)

    @contextmanager
    def app(self, connection: str, settings: Settings, stop: StopSignal) -> Iterator[Look]:
        """One look, with what is known of the list. One at a time at a connection."""
        look = self._taken(connection, settings) or Look(
            self._connections.app(connection, stop=stop, patience=_PATIENCE), self._timer()
        )
        try:
            yield look
        except BaseException:
            look.app.close()
            raise
        if look.found:
            look.app.close()
            return
        with self._lock:
            self._kept[connection] = (settings, look)

    def forget(self, connection: str) -> None:
        """Something about the connection or its lists was changed."""
        with self._lock:
            self._resting.pop(connection, None)
            _, look = self._kept.pop(connection, (None, None))
        if look is not None:
            look.app.close()

    def _taken(self, connection: str, settings: Settings) -> Look | None:
        with self._lock:
            known, look = self._kept.pop(connection, (None, None))
        if look is None or (known is settings and self._timer() - look.since < _KEPT):
            return look
        look.app.close()
        return None
