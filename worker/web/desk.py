"""Connections kept open for pages: a page asks both services for little, so signing in and finding lists again for each
would be most of its work.

What is found out about a site (its lists and columns) is believed for two minutes at most, and not beyond a change of
the connection's settings or an error.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from worker.web.problems import asking_services
from worker.wiring.app import App
from worker.wiring.engine import Host

_KEPT_SECONDS = 120.0
_IDLE = 4  # of one connection: pages that are looked at in the same moment
_PATIENCE = 20.0  # seconds that one call may take; a person waits


@dataclass(frozen=True, slots=True)
class _Idle:
    app: App
    made: float
    settings: object


class Desk:
    """Thread-safe. `now` is monotonic seconds."""

    def __init__(self, host: Host, now: Callable[[], float] = time.monotonic) -> None:
        self.host = host
        self._now = now
        self._lock = threading.Lock()
        self._idle: dict[str, list[_Idle]] = {}

    @contextmanager
    def open(self, connection: str, *, anew: bool = False) -> Iterator[App]:
        """An app for one page. `anew`: forget what is known of the site. Errors of the services inside are told as
        theirs, see problems.asking_services. Raises ConfigError, NotFoundError for the connection itself."""
        if anew:
            self.forget(connection)
        settings = self.host.live.of(connection)
        taken = self._take(connection, settings) or _Idle(
            self.host.open(connection, patience=_PATIENCE), self._now(), settings
        )
        try:
            with asking_services():
                yield taken.app
        except BaseException:
            taken.app.close()
            raise
        self._give_back(connection, taken)

    def forget(self, connection: str) -> None:
        """Something about the connection was changed."""
        self.host.errands.forget(connection)
        with self._lock:
            dropped = self._idle.pop(connection, [])
        for one in dropped:
            one.app.close()

    def _take(self, connection: str, settings: object) -> _Idle | None:
        stale: list[_Idle] = []
        found: _Idle | None = None
        with self._lock:
            waiting = self._idle.get(connection, [])
            while waiting and found is None:
                one = waiting.pop()
                fresh = self._now() - one.made < _KEPT_SECONDS and one.settings is settings
                if fresh:
                    found = one
                else:
                    stale.append(one)
        for one in stale:
            one.app.close()
        return found

    def _give_back(self, connection: str, one: _Idle) -> None:
        with self._lock:
            waiting = self._idle.setdefault(connection, [])
            if len(waiting) < _IDLE:
                waiting.append(one)
                return
        one.app.close()
