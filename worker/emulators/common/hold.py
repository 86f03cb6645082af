"""Holding one chosen request, so that a test can end a client process exactly at a request boundary.

`before` holds a request that was read but not handled; `after` holds the answer of one that was handled and
committed. Everything happens on the server's event loop, so plain attributes need no lock.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Literal

When = Literal["before", "after"]


@dataclass
class _Armed:
    at: int
    when: When
    seen: int = 0
    holding: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)  # holding began, or the hold was cancelled
    released: asyncio.Event = field(default_factory=asyncio.Event)


class Hold:
    """At most one armed hold: the `at`-th counted request from arming on."""

    def __init__(self) -> None:
        self._armed: _Armed | None = None

    def arm(self, at: int, when: When) -> None:
        """Hold the `at`-th counted request from now (1 = the next); an earlier hold is released."""
        self.release()
        self._armed = _Armed(at, when)

    def release(self) -> None:
        """Disarm; a held request goes on, and whoever waits for it is told."""
        armed, self._armed = self._armed, None
        if armed is not None:
            armed.holding = False
            armed.changed.set()
            armed.released.set()

    def count(self) -> When | None:
        """Count one request; tells where this one is to be held, if at all."""
        if self._armed is None:
            return None
        self._armed.seen += 1
        return self._armed.when if self._armed.seen == self._armed.at else None

    async def pause(self) -> None:
        """Hold the calling request until it is released."""
        armed = self._armed
        if armed is None:
            return
        armed.holding = True
        armed.changed.set()
        await armed.released.wait()

    async def wait(self) -> bool:
        """Wait until a request is being held (True) or the hold is cancelled (False)."""
        armed = self._armed
        if armed is None:
            return False
        await armed.changed.wait()
        return armed.holding

    def as_dict(self) -> dict[str, object]:
        """`armed` (null or `{"at","when"}`), `holding`, `seen`."""
        armed = self._armed
        if armed is None:
            return {"armed": None, "holding": False, "seen": 0}
        return {
            "armed": {"at": armed.at, "when": armed.when},
            "holding": armed.holding,
            "seen": armed.seen,
        }
