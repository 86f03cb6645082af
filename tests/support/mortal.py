"""Stores of a process that dies, and stores that are away for a while."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from worker.errors import UnavailableError
from worker.ports import Stores


class Killed(BaseException):
    """The process is gone. No handler may catch it, like SIGKILL."""


@dataclass
class Mortal:
    """Counts calls; dies at call number `at`, before or after it is carried out. 0 = never."""

    at: int = 0
    before: bool = True
    calls: int = 0
    dead: bool = False

    def call(self, function: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        if self.dead:
            raise Killed
        self.calls += 1
        if self.calls == self.at:
            self.dead = True
            if self.before:
                raise Killed
        result = function(*arguments, **more)
        if self.dead:
            raise Killed
        return result


@dataclass
class Away:
    """A store that can't be reached from call `first` on, for `count` calls."""

    first: int = 0
    count: int = 0
    calls: int = 0

    def call(self, function: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        self.calls += 1
        if self.first <= self.calls < self.first + self.count:
            raise UnavailableError("The store could not be reached.", hint="Try again later.")
        return function(*arguments, **more)


class _Part:
    def __init__(self, part: Any, mortal: Mortal | Away, names: frozenset[str]) -> None:
        self._part, self._mortal, self._names = part, mortal, names

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._part, name)
        if name not in self._names:
            return function
        return lambda *arguments, **more: self._mortal.call(function, *arguments, **more)


# What leaves something behind; a read that is not answered leaves nothing.
_MUTATING = frozenset({"send", "receive", "done", "write", "remove", "acquire", "release", "renew"})


def mortal_stores(stores: Stores, mortal: Mortal | Away) -> Stores:
    return Stores(
        _Part(stores.queue, mortal, _MUTATING),  # type: ignore[arg-type]
        _Part(stores.leases, mortal, _MUTATING),  # type: ignore[arg-type]
        _Part(stores.records, mortal, _MUTATING),  # type: ignore[arg-type]
    )
