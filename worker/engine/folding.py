"""Many calls, one act: whoever acts takes along all who wait.

For writes that cost the same however much they hold. Each caller returns when its own part is done, so nothing that was
answered is only in memory. The alternative, a thread that writes now and then, would answer too early.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from worker.errors import WorkerError

W = TypeVar("W")
R = TypeVar("R")


class _Part(Generic[W, R]):
    """One caller's: `done` holds its result, once there is one."""

    def __init__(self, wanted: W) -> None:
        self.wanted = wanted
        self.done: tuple[R] | None = None
        self.error: WorkerError | None = None


class Folding(Generic[W, R]):
    """`act` gets what callers want, in the order they came, and gives one result for each. Thread-safe."""

    def __init__(self, act: Callable[[Sequence[W]], Sequence[R]]) -> None:
        self._act = act
        self._acting = threading.Lock()
        self._lock = threading.Lock()
        self._waiting: list[_Part[W, R]] = []

    def __call__(self, wanted: W) -> R:
        """Raises what `act` raised for the lot this one was in."""
        mine: _Part[W, R] = _Part(wanted)
        with self._lock:
            self._waiting.append(mine)
        with self._acting:
            if mine.done is None and mine.error is None:
                self._act_for(self._taken(mine))
        if mine.error is not None:
            raise mine.error.with_traceback(None)
        assert mine.done is not None  # noqa: S101  # acted for, without an error
        return mine.done[0]

    def _taken(self, mine: _Part[W, R]) -> list[_Part[W, R]]:
        """Everybody who waits. One whose lot ended in a fault of ours waits no longer, and acts for itself."""
        with self._lock:
            taken, self._waiting = self._waiting, []
        return taken if mine in taken else [mine, *taken]

    def _act_for(self, taken: Sequence[_Part[W, R]]) -> None:
        try:
            results = self._act([part.wanted for part in taken])
        except WorkerError as error:
            for part in taken:
                part.error = error
            return
        for part, result in zip(taken, results, strict=True):
            part.done = (result,)
