"""The pool keeps the queue trigger's rules: retried, hidden while worked, poison after five tries, stopped gently."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.fakes.fake_work import FakeQueue, make_fake_stores
from tests.fakes.quiet import StillClock
from worker.engine.pool import Pool, PoolOptions
from worker.engine.terms import Ticked, Verdict
from worker.errors import UnavailableError
from worker.ports import Stores

QUICK = PoolOptions(workers=2, tick=None, hide=60.0, idle=0.01, retry=0.0, max_tries=5)


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Doing:
    """Stands where the engine stands; does what a test says with each message."""

    act: Callable[[str, int], None]
    stores: Stores = field(default_factory=lambda: make_fake_stores(RealClock()))
    seen: list[tuple[str, int]] = field(default_factory=list)
    poisoned: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    ticks: int = 0

    def handle(self, body: str, tries: int = 1) -> Verdict:
        self.seen.append((body, tries))
        self.act(body, tries)
        return Verdict.FINISHED

    def buried(self, body: str) -> None:
        self.poisoned.append(body)
        self.over.set()

    def tick(self) -> Ticked:
        self.ticks += 1
        self.over.set()
        if self.ticks == 1:
            raise RuntimeError("a fault of the first tick")
        return Ticked()


def run(engine: Doing, options: PoolOptions = QUICK) -> None:
    stop = threading.Event()
    pool = Pool(engine, stop, options)  # type: ignore[arg-type]
    pool.start()
    assert engine.over.wait(20)
    stop.set()
    assert pool.join(20)


def test_a_message_is_worked_and_removed():
    engine = Doing(lambda *_: engine.over.set())
    engine.stores.queue.send("a")
    run(engine)
    assert engine.seen == [("a", 1)]
    assert engine.stores.queue.waiting() == 0


def test_an_unknown_error_is_tried_five_times_and_then_goes_to_poison():
    def fail(_body: str, _tries: int) -> None:
        raise RuntimeError("unknown")

    engine = Doing(fail)
    engine.stores.queue.send("bad")
    run(engine)
    assert engine.seen == [("bad", tries) for tries in range(1, 6)]
    assert engine.poisoned == ["bad"]
    assert engine.stores.queue.waiting() == engine.stores.queue.poison().waiting() == 0


def test_an_error_that_passes_costs_one_try():
    def once(_body: str, tries: int) -> None:
        if tries == 1:
            raise UnavailableError("away")
        engine.over.set()

    engine = Doing(once)
    engine.stores.queue.send("a")
    run(engine)
    assert [tries for _, tries in engine.seen] == [1, 2]


def test_what_is_in_hand_is_finished_when_it_is_asked_to_stop():
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(_body: str, _tries: int) -> None:
        begun.set()
        assert may_end.wait(20)
        ended.set()

    engine = Doing(slow)
    engine.stores.queue.send("a")
    stop = threading.Event()
    pool = Pool(engine, stop, QUICK)  # type: ignore[arg-type]
    pool.start()
    assert begun.wait(20)
    stop.set()
    assert not pool.join(0.05)
    may_end.set()
    assert pool.join(20)
    assert ended.is_set()
    assert engine.stores.queue.waiting() == 0


def test_a_long_piece_of_work_stays_hidden_from_others():
    """Twice the hiding time passes, a bit after each extension; the message is worked once. A busy machine can't make
    it seen: the queue's time goes on only here."""
    worked: list[int] = []
    clock = StillClock()

    def extended(receipt: str) -> str:
        queue = engine.stores.queue
        assert isinstance(queue, FakeQueue)
        for _ in range(10_000):
            if queue.messages[0].receipt != receipt:
                return queue.messages[0].receipt
            threading.Event().wait(0.002)
        raise AssertionError("the message was not extended")

    def slow(_body: str, tries: int) -> None:
        worked.append(tries)
        receipt = ""
        for _ in range(5):
            receipt = extended(receipt)
            clock.moment += timedelta(seconds=0.2)
        engine.over.set()

    engine = Doing(slow, make_fake_stores(clock))
    engine.stores.queue.send("a")
    run(engine, PoolOptions(workers=3, tick=None, hide=0.5, idle=0.01, retry=0.0))
    assert worked == [1]


def test_a_tick_that_fails_is_followed_by_the_next():
    engine = Doing(lambda *_: None)
    stop = threading.Event()
    pool = Pool(engine, stop, PoolOptions(workers=1, tick=0.01, idle=0.01))  # type: ignore[arg-type]
    pool.start()
    for _ in range(2000):
        if engine.ticks >= 3:
            break
        threading.Event().wait(0.005)
    stop.set()
    assert pool.join(20)
    assert engine.ticks >= 3
