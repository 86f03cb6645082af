"""What the engine needs of one connection while it works on it; `wiring` gives it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from worker.ports import ProfileStore, Progress, StopSignal
from worker.sync.runner import RunOptions, World


@dataclass(frozen=True, slots=True)
class Opened:
    """Both sides of a connection, its profiles, and how it runs."""

    world: World
    profiles: ProfileStore
    options: RunOptions


class Opener(Protocol):
    """Opens connections by name."""

    def tenant(self, connection: str) -> str:
        """Whose unit budget it draws from; a name fit for a record."""
        ...

    def open(
        self, connection: str, stop: StopSignal, progress: Progress, patience: float
    ) -> AbstractContextManager[Opened]:
        """`patience`: seconds that one call may spend on retries and waits before its error is raised.

        Raises ConfigError when the connection's settings are wrong.
        """
        ...
