"""A timer that fires each minute looks each minute, although no two of its firings are sixty seconds apart."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fakes.fake_work import make_fake_stores
from worker.engine.errand_handler import ErrandHandler
from worker.engine.terms import EngineOptions
from worker.engine.ticking import Ticker
from worker.ports import ProfileRow

# Seconds at which Azure's timer was seen to fire, and at which `serve` looks: each 30 s and a little.
AZURE = [0.0, 59.9, 120.2, 179.95, 240.0]
SERVE = [0.0, 30.1, 60.3, 90.4, 120.6, 150.7, 180.9, 211.0, 241.2]


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 1, 15, 2, tzinfo=UTC)


@dataclass
class Side:
    """Stands where errands, the opener and the profiles of a connection stand; counts what it is asked."""

    looks: int = 0
    reads: int = 0

    def due(self, *_: object) -> None:
        return None

    def create(self, *_: object) -> None:
        self.looks += 1

    @contextmanager
    def open(self, *_: object) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(profiles=SimpleNamespace(profiles=self.read))

    def read(self) -> Sequence[ProfileRow]:
        self.reads += 1
        return []


@pytest.mark.parametrize("moments", [AZURE, SERVE], ids=["azure", "serve"])
def test_requests_and_profiles_are_looked_at_each_minute(moments):
    clock, side, now = Clock(), Side(), [0.0]
    stores, stop = make_fake_stores(clock), threading.Event()
    options = EngineOptions()
    assert options.profiles_refresh == 60.0
    timer = lambda: now[0]  # noqa: E731
    world: Any = side
    handler = ErrandHandler(stores, world, clock, options, stop, world, timer)
    ticker = Ticker(["default"], stores, world, clock, options, stop, handler, timer)
    for now[0] in moments:
        ticker.tick(clock.now())
    assert (side.looks, side.reads) == (5, 5)
