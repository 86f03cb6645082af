"""Errands, worked: what a message or a tick asks for. The rules for "busy" are those of jobs (see `handler`).

Of each connection one message goes round for hints (see `hints`), however long they wait: whoever sends it on says when
it is due, and one that comes before that is left from before and dropped.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from worker.domain.report import RunMode, Trigger
from worker.engine.book import Book
from worker.engine.errands import SCHEDULED, Due, Errand, ErrandMessage, Errands, errand_message
from worker.engine.gate import EitherStop, Gate
from worker.engine.hints import HintBook, is_early
from worker.engine.jobs import Job, JobState
from worker.engine.opened import Opener
from worker.engine.terms import EngineOptions, Verdict
from worker.errors import BusyError, LeaseLostError, RetriableError, ThrottledError, WorkerError
from worker.ports import Clock, StopSignal, Stores

log = logging.getLogger(__name__)


class ErrandHandler:
    """One for all threads of a process."""

    def __init__(
        self,
        stores: Stores,
        opener: Opener,
        clock: Clock,
        options: EngineOptions,
        stop: StopSignal,
        errands: Errands,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stores = stores
        self._opener = opener
        self._clock = clock
        self._options = options
        self._stop = stop
        self._errands = errands
        self._book = Book(stores.records)
        self._gate = Gate(stores, clock, options)
        self._lock = threading.Lock()
        self._timer = timer
        self._polled: dict[str, float] = {}

    def handle(self, target: ErrandMessage) -> Verdict:
        """Works one message. Raises only what is unknown."""
        try:
            return self._create(target) if target.errand is Errand.CREATE else self._held(target)
        except (BusyError, LeaseLostError):
            return self._later(target, random.uniform(*self._options.busy_delay))
        except RetriableError as error:
            log.warning("errand delayed connection=%s errand=%s reason=%s", target.connection, target.errand, error)
            if target.moment:
                self._errands.failing(target.connection, _due(target), error)
            return self._later(replace(target, tries=target.tries + 1), self._delay(target, error))
        except WorkerError as error:
            log.warning("errand failed connection=%s errand=%s reason=%s", target.connection, target.errand, error)
            if target.moment:
                self._errands.done(target.connection, _due(target))
            return Verdict.FAILED

    def buried(self, target: ErrandMessage) -> None:
        """A message failed too often for unknown reasons."""
        self._errands.buried(target.connection, target.errand)

    def round(self, connection: str) -> str:
        """What a tick does: sends messages again that were lost, starts what has a schedule of its own, and looks for
        what people asked for. One that fails holds up none of the others. What failed, in sentences, else ""."""
        now = self._clock.now()
        steps = [
            partial(self._remind, connection, now),
            *(partial(self._start, connection, errand, now) for errand in SCHEDULED),
            partial(self._look, connection),
        ]
        return " ".join(fault for step in steps if (fault := _fault(connection, step)))

    def follow(self, job: Job) -> None:
        """What comes after a job: a night's run is followed by the way back, whose moment is the run's end. Of two
        messages the second is dropped."""
        night = job.state is JobState.DONE and job.trigger is Trigger.TIMER and job.mode is RunMode.APPLY
        if night and job.finished is not None and self._errands.sends(job.connection):
            self._stores.queue.send(errand_message(job.connection, Errand.SEND, job.finished.isoformat()))

    def _remind(self, connection: str, now: datetime) -> None:
        if self._hints(connection).overdue(now):
            self._stores.queue.send(errand_message(connection, Errand.LIVE))

    def _start(self, connection: str, errand: Errand, now: datetime) -> None:
        due = self._errands.due(connection, errand, now)
        if due is not None:
            # In this order: who dies in between sends it twice at most, and the second is dropped.
            self._stores.queue.send(errand_message(connection, errand, due.moment))
            self._errands.sent(connection, due)

    def _look(self, connection: str) -> None:
        """Once in so many seconds: each look costs a request. Also where creating is switched off, since a request must
        be answered, and a creation that was under way be ended."""
        now = self._timer()
        with self._lock:
            if now - self._polled.get(connection, float("-inf")) < self._options.look_seconds:
                return
            self._polled[connection] = now
        self._errands.create(connection, self._stop)

    def _create(self, target: ErrandMessage) -> Verdict:
        if not self._errands.creates(target.connection):
            return Verdict.DROPPED
        self._errands.create(target.connection, self._stop)
        return Verdict.FINISHED

    def _held(self, target: ErrandMessage) -> Verdict:
        """Never while a job is under way: what the job has read is older than what a hint is about, and lists that are
        being written are not to be compared."""
        connection = target.connection
        if target.errand is Errand.LIVE and not self._is_wanted(connection):
            return Verdict.DROPPED
        if self._book.running(connection) is not None:
            raise BusyError("A run is under way.")
        tenant = self._opener.tenant(connection)
        closed = self._gate.closed_for(tenant)
        if closed > 0:
            return self._later(target, closed + random.uniform(0, 1))
        entered = self._gate.enter(tenant, connection)
        if entered is None:
            raise BusyError("A worker is at this connection.")
        _, keeper = entered
        with keeper:
            # Asked where nobody else is at the connection: of two messages for one moment the second comes too late.
            if target.moment and self._errands.is_done(connection, _due(target)):
                return Verdict.DROPPED
            waits = self._work(target, EitherStop(self._stop, keeper.lost))
            if target.moment:
                self._errands.done(connection, _due(target))
        return self._later(target, 0.0) if waits else Verdict.FINISHED

    def _work(self, target: ErrandMessage, stop: StopSignal) -> bool:
        """True when there is more to do."""
        match target.errand:
            case Errand.RECONCILE:
                self._errands.reconcile(target.connection, stop, asked=not target.moment)
            case Errand.DIGEST:
                self._errands.digest(target.connection, stop)
            case Errand.SEND:
                self._errands.send(target.connection, stop)
            case _:
                self._hints(target.connection).sent(self._clock.now())  # this one is not lost while it is worked
                return self._errands.live(target.connection, stop)
        return False

    def _is_wanted(self, connection: str) -> bool:
        pending = self._hints(connection).read()
        return pending.waits and not is_early(pending, self._clock.now())

    def _delay(self, target: ErrandMessage, error: RetriableError) -> float:
        """As jobs are delayed: what the service asked for, else longer with each go that failed. What reads both sides
        as a whole is never soon tried again."""
        if isinstance(error, ThrottledError) and error.retry_after is not None:
            return error.retry_after
        if target.errand not in (Errand.LIVE, Errand.CREATE):
            delay = self._options.longest_delay
        else:
            live = target.errand is Errand.LIVE
            failures = self._hints(target.connection).read().failures if live else target.tries + 1
            delay = self._options.delay_after(failures)
        return delay + random.uniform(0, 0.1) * delay

    def _later(self, target: ErrandMessage, delay: float) -> Verdict:
        body = errand_message(target.connection, target.errand, target.moment, target.tries)
        self._stores.queue.send(body, delay)
        if target.errand is Errand.LIVE:
            self._hints(target.connection).sent(self._clock.now() + timedelta(seconds=delay))
        return Verdict.WAITING

    def _hints(self, connection: str) -> HintBook:
        return HintBook(self._stores.records, connection)


def _fault(connection: str, step: Callable[[], None]) -> str:
    """Does it; a sentence when that failed."""
    try:
        step()
    except BusyError:
        return ""  # another process is at it
    except WorkerError as error:
        log.warning("errands failed connection=%s reason=%s", connection, error)
        return error.told
    return ""


def _due(target: ErrandMessage) -> Due:
    return Due(target.errand, target.moment)
