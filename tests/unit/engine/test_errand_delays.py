"""An errand that failed for what may pass comes again: soon when it is small, late when it reads both sides whole."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from tests.fakes.fake_work import FakeQueue, make_fake_stores
from worker.engine.errand_handler import ErrandHandler
from worker.engine.errands import Errand, ErrandMessage, errand_message, read_errand
from worker.engine.terms import EngineOptions, Verdict
from worker.errors import ThrottledError, UnavailableError

NOW = datetime(2026, 1, 15, 2, tzinfo=UTC)


class Clock:
    def now(self) -> datetime:
        return NOW


class Failing:
    """Stands where errands and the opener stand."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def tenant(self, _connection: str) -> str:
        return "tenant"

    def creates(self, _connection: str) -> bool:
        return True

    def fail(self, *_: object, **__: object) -> None:
        raise self._error

    create = reconcile = digest = send = fail


def delay_of(errand: Errand, error: Exception) -> float:
    """Seconds until the message that was sent again is seen."""
    stores, world = make_fake_stores(Clock()), Failing(error)
    side: Any = world
    handler = ErrandHandler(stores, side, Clock(), EngineOptions(), threading.Event(), side)
    assert handler.handle(ErrandMessage("default", errand)) is Verdict.WAITING
    assert isinstance(stores.queue, FakeQueue)
    (message,) = stores.queue.messages
    return message.visible - NOW.timestamp()


@pytest.mark.parametrize("errand", [Errand.RECONCILE, Errand.DIGEST, Errand.SEND])
def test_what_reads_both_sides_as_a_whole_is_tried_again_after_a_quarter_of_an_hour(errand):
    assert 900 <= delay_of(errand, UnavailableError("No answer.")) <= 990


def test_a_look_for_requests_comes_again_soon():
    assert 30 <= delay_of(Errand.CREATE, UnavailableError("No answer.")) <= 33


@pytest.mark.parametrize("errand", [Errand.CREATE, Errand.SEND])
def test_what_the_service_asks_for_is_kept(errand):
    assert delay_of(errand, ThrottledError("Too many.", retry_after=77.0)) == 77.0


def test_a_look_for_requests_comes_later_each_time_it_fails():
    stores, world = make_fake_stores(Clock()), Failing(UnavailableError("No answer."))
    side: Any = world
    handler = ErrandHandler(stores, side, Clock(), EngineOptions(), threading.Event(), side)
    assert isinstance(stores.queue, FakeQueue)
    stores.queue.send(errand_message("default", Errand.CREATE))
    delays = []
    for _ in range(4):
        message = stores.queue.messages.pop()
        target = read_errand(message.body)
        assert target is not None
        assert handler.handle(target) is Verdict.WAITING
        delays.append(stores.queue.messages[-1].visible - NOW.timestamp())
    assert all(2 / 1.1 <= later / sooner <= 2 * 1.1 for sooner, later in pairwise(delays))
