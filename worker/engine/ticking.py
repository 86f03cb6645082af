"""The tick: at each connection, by itself and side by side, what is due is started and what was lost is sent again."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

from worker.domain.profile import RunRequest
from worker.domain.report import RunMode, Trigger
from worker.engine.book import Book, Standing, new_job_id, waits_for_message
from worker.engine.due import DueRun, find_due
from worker.engine.errand_handler import ErrandHandler
from worker.engine.handler import message
from worker.engine.jobs import Job, JobRun, JobState, runs_of
from worker.engine.opened import Opener
from worker.engine.terms import EngineOptions, Ticked
from worker.errors import BusyError, ConflictError, WorkerError
from worker.ports import Clock, ProfileRow, Progress, StopSignal, Stores

log = logging.getLogger(__name__)
_TOGETHER = 8  # connections looked at side by side
_CLEAR_EVERY = 3600.0
_GHOST_AFTER = timedelta(minutes=15)
_PATIENCE = 20.0  # seconds for one call; the next tick comes anyway


class _Nobody:
    """Nobody watches a tick."""

    def started(self, label: str, total: int | None) -> None:
        """Nothing."""

    def advanced(self, count: int) -> None:
        """Nothing."""

    def finished(self) -> None:
        """Nothing."""


class Ticker:
    """Remembers the profiles it read for a while, so that frequent ticks cost no requests."""

    def __init__(  # noqa: PLR0913  # what a tick is made of
        self,
        connections: Sequence[str],
        stores: Stores,
        opener: Opener,
        clock: Clock,
        options: EngineOptions,
        stop: StopSignal,
        errands: ErrandHandler | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timer = timer
        self._errands = errands
        self._connections = tuple(connections)
        self._stores = stores
        self._opener = opener
        self._clock = clock
        self._options = options
        self._stop = stop
        self._book = Book(stores.records)
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Sequence[ProfileRow]]] = {}
        self._cleared = float("-inf")

    def tick(self, now: datetime) -> Ticked:
        """See the module."""
        if not self._connections:
            return Ticked()
        with ThreadPoolExecutor(min(_TOGETHER, len(self._connections)), "tick") as pool:
            results = list(pool.map(lambda name: self._one(name, now), self._connections))
        started = tuple(job for jobs, _ in results for job in jobs)
        faults = {name: fault for name, (_, fault) in zip(self._connections, results, strict=True) if fault}
        self._clear(now)
        return Ticked(started, faults)

    def read_profiles(self, connection: str) -> Sequence[ProfileRow]:
        """The rows as they are now."""
        nobody: Progress = _Nobody()
        with self._opener.open(connection, self._stop, nobody, _PATIENCE) as opened:
            rows = opened.profiles.profiles()
        with self._lock:
            self._known[connection] = (self._timer(), rows)
        return rows

    def _one(self, connection: str, now: datetime) -> tuple[list[Job], str]:
        if self._stop.is_set():
            return [], ""
        fault = self._errands.round(connection) if self._errands else ""
        try:
            return self._started(connection, now), fault
        except (BusyError, ConflictError):
            return [], fault  # another tick was faster
        except WorkerError as error:
            log.warning("tick failed connection=%s reason=%s", connection, error)
            return [], f"{fault} {error.told}".strip()

    def _started(self, connection: str, now: datetime) -> list[Job]:
        standing = self._book.standing(connection)
        running = self._book.job(connection, standing.current.job) if standing.current.job else None
        if running is not None and not running.state.is_over:
            self._revive(running, now)
            return []
        rows = self._rows(connection)
        asked = self._asked(connection, rows, now)
        if asked is not None:
            return [asked]
        found = find_due(rows, standing.current.fired, standing.current.seen, now)
        standing = self._note_seen(connection, standing, dict(found.seen))
        return [self._begin(connection, found.due, rows, now)] if found.due else []

    def _note_seen(self, connection: str, standing: Standing, seen: dict[str, tuple[str, str]]) -> Standing:
        if seen != standing.current.seen:
            current = replace(standing.current, seen=seen)
            self._book.change_standing(connection, current, standing.version)
            return self._book.standing(connection)
        return standing

    def _rows(self, connection: str) -> Sequence[ProfileRow]:
        with self._lock:
            known = self._known.get(connection)
        if known is not None and self._timer() - known[0] < self._options.look_seconds:
            return known[1]
        return self.read_profiles(connection)

    def _begin(self, connection: str, due: Sequence[DueRun], rows: Sequence[ProfileRow], now: datetime) -> Job:
        """Starts the due profiles, and reports the broken ones with them."""
        broken = [
            JobRun(row.title, f"{row.title}:{due[0].run_id.rpartition(':')[2]}") for row in rows if not row.profile
        ]
        runs = (*(JobRun(one.profile.title, one.run_id) for one in due), *broken)
        job = Job(connection, new_job_id(now), RunMode.APPLY, Trigger.TIMER, now, runs)
        job = self._book.begin(job, {one.profile.title: one.moment.isoformat() for one in due})
        self._stores.queue.send(message(connection, job.job_id))
        log.info("started connection=%s job=%s profiles=%d", connection, job.job_id, len(runs))
        return job

    def _asked(self, connection: str, rows: Sequence[ProfileRow], now: datetime) -> Job | None:
        """What people asked for in the profiles list: plans first, then runs. The request is cleared once the job is
        there, so a worker that is killed in between starts it twice rather than never."""
        for request, mode in ((RunRequest.PLAN, RunMode.PLAN), (RunRequest.APPLY, RunMode.APPLY)):
            chosen = [row for row in rows if row.request is request]
            if not chosen:
                continue
            job_id = new_job_id(now)
            runs = runs_of((row.title for row in chosen), job_id)
            job = self._book.begin(Job(connection, job_id, mode, Trigger.MANUAL, now, runs, by="the profiles list"))
            self._stores.queue.send(message(connection, job.job_id))
            nobody: Progress = _Nobody()
            with self._opener.open(connection, self._stop, nobody, _PATIENCE) as opened:
                opened.profiles.clear_requests(chosen)
            with self._lock:
                self._known.pop(connection, None)
            return job
        return None

    def _revive(self, job: Job, now: datetime) -> None:
        """A job that nobody seems to work on gets a message again; one message too many is harmless."""
        if not waits_for_message(job, now, self._options.queued_stale, self._options.running_stale):
            return
        log.warning("message sent again connection=%s job=%s", job.connection, job.job_id)
        self._book.change(job.connection, job.job_id, lambda one: replace(one, heartbeat=now))
        self._stores.queue.send(message(job.connection, job.job_id))

    def _clear(self, now: datetime) -> None:
        """Once an hour: jobs older than they are kept for, and those that were written down but never begun."""
        if self._timer() - self._cleared < _CLEAR_EVERY:
            return
        self._cleared = self._timer()
        oldest = now - timedelta(days=self._options.keep_days)
        for connection in self._connections:
            current = self._book.standing(connection).current.job
            for job in self._book.newest(connection, 10_000):
                if job.job_id == current:
                    continue
                if (job.state is JobState.QUEUED and now - job.created > _GHOST_AFTER) or (
                    job.state.is_over and job.created < oldest
                ):
                    self._book.forget(job)
