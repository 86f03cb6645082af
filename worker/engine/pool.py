"""Threads that take messages and work them: what the queue trigger does on Azure, for a process of our own.

The rules are the queue trigger's: a message stays hidden while it is worked, comes back when the process dies, is tried
again after an unknown error, and goes to poison after five tries, where its job is marked as failed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from worker.engine.engine import Engine
from worker.errors import LeaseLostError, WorkerError
from worker.ports import Delivery, WorkQueue

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """In seconds. `tick` None: somebody else ticks."""

    workers: int = 2
    tick: float | None = 30.0
    hide: float = 60.0  # how long a message of a killed process stays unseen
    idle: float = 1.0  # between looks at an empty queue
    retry: float = 30.0  # after an unknown error
    max_tries: int = 5


class Pool:
    """Workers and the ticking thread. `stop` is the engine's: once it is set, what is in hand is finished."""

    def __init__(self, engine: Engine, stop: threading.Event, options: PoolOptions | None = None) -> None:
        self._engine = engine
        self._queue = engine.stores.queue
        self._stop = stop
        self._options = options or PoolOptions()
        loops: list[tuple[str, Callable[[], None]]] = [
            (f"worker-{number}", self._work) for number in range(1, self._options.workers + 1)
        ]
        if self._options.tick is not None:
            loops.append(("ticker", self._tick))
        self._threads = [threading.Thread(target=loop, name=name, daemon=True) for name, loop in loops]

    def start(self) -> None:
        """Starts the threads."""
        for thread in self._threads:
            thread.start()

    def join(self, timeout: float) -> bool:
        """Waits until every thread has finished what it has in hand; False when that took too long."""
        end = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                worked = self._one(self._queue, self._handle) or self._one(self._queue.poison(), self._bury)
            except WorkerError as error:
                log.warning("the store can't be reached: %s", error)
                worked = False
            if not worked:
                self._stop.wait(self._options.idle)

    def _tick(self) -> None:
        while True:
            try:
                for name, fault in self._engine.tick().faults.items():
                    log.warning("connection=%s %s", name, fault)
            except WorkerError as error:
                log.warning("the store can't be reached: %s", error)
            except Exception:
                log.exception("the tick failed; the next one comes")
            if self._stop.wait(self._options.tick):
                return

    def _one(self, queue: WorkQueue, act: Callable[[WorkQueue, Delivery], None]) -> bool:
        delivery = queue.receive(self._options.hide)
        if delivery is None:
            return False
        failed = False
        with _Hidden(queue, delivery, self._options.hide) as hidden:
            try:
                act(queue, delivery)
            except Exception:
                log.exception("message failed tries=%d", delivery.tries)
                failed = True
        if failed:
            queue.give_back(hidden.delivery, self._options.retry)
        else:
            queue.done(hidden.delivery)
        return True

    def _handle(self, queue: WorkQueue, delivery: Delivery) -> None:
        if delivery.tries > self._options.max_tries:
            queue.bury(delivery)
        else:
            self._engine.handle(delivery.body, delivery.tries)

    def _bury(self, _queue: WorkQueue, delivery: Delivery) -> None:
        self._engine.buried(delivery.body)


class _Hidden:
    """Keeps a message hidden while it is worked."""

    def __init__(self, queue: WorkQueue, delivery: Delivery, seconds: float) -> None:
        self._queue = queue
        self.delivery = delivery
        self._seconds = seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._extend, name="message-keeper", daemon=True)

    def __enter__(self) -> _Hidden:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _extend(self) -> None:
        while not self._over.wait(self._seconds / 3):
            try:
                self.delivery = self._queue.extend(self.delivery, self._seconds)
            except LeaseLostError:
                return  # somebody else has it now; the connection's lease keeps the two apart
            except WorkerError as error:
                log.warning("message not extended: %s", type(error).__name__)
