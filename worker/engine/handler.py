"""One message: the steps that make it safe to deliver it twice, late, or to a worker that is killed.

1. The job is over, unknown, or not the one its connection is at: dropped.
2. The tenant's gate is closed, its places are taken, or somebody works on the connection: sent again with a delay.
   Never an error for "busy", since an error counts as a failed try and ends in poison.
3. With the lease: the checkpoint is read and a slice is worked. What the clock leaves is sent as a new message before
   this one is removed; a worker killed in between leaves two, and step 1 or 2 takes care of the second.
4. An error that may pass: sent again with a growing delay. A known permanent error ends the job. Anything unknown is
   raised, so that tries and poison apply.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from worker.domain.report import RunStatus
from worker.engine.book import Book
from worker.engine.checkpoint import Checkpoint, load_checkpoint
from worker.engine.gate import EitherStop, Gate
from worker.engine.jobs import Job, JobState, Progress
from worker.engine.kept_source import KeptSource
from worker.engine.names import data_prefix, work_name
from worker.engine.notes import JobNotes
from worker.engine.opened import Opener
from worker.engine.stored_plan import StoredPlan
from worker.engine.terms import EngineOptions, Verdict
from worker.engine.work import Bounds, OutOfTimeError, Slice
from worker.errors import (
    ConfigError,
    ConflictError,
    FatalError,
    LeaseLostError,
    RetriableError,
    ThrottledError,
    WorkerError,
)
from worker.ports import ANY_VERSION, Clock, Hold, StopSignal, Stores

log = logging.getLogger(__name__)
GIVEN_UP = 40  # messages in a row without anything achieved; with the delays between them that is half a day
_NOTE_EVERY = 2.0  # seconds between notes of progress on the job's record


@dataclass(frozen=True, slots=True)
class Target:
    """What a message is about."""

    connection: str
    job_id: str


def message(connection: str, job_id: str) -> str:
    """A message's body: ids only."""
    return json.dumps({"connection": connection, "job": job_id})


def read_message(body: str) -> Target | None:
    """None for what is no message of ours."""
    try:
        data = json.loads(body)
        target = Target(data["connection"], data["job"])
    except (ValueError, TypeError, KeyError):
        return None
    return target if isinstance(target.connection, str) and isinstance(target.job_id, str) else None


class _Noted:
    """Implements ports.Progress: what a slice is at goes to the job's record, not too often."""

    def __init__(self, notes: JobNotes, clock: Clock, timer: Callable[[], float]) -> None:
        self._notes = notes
        self._clock = clock
        self._timer = timer
        self._last = timer()
        self._now = Progress()

    def started(self, label: str, total: int | None) -> None:
        """A label is "<profile>: <step>"."""
        self._now = Progress(label, 0, total or 0)
        self._note()

    def advanced(self, count: int) -> None:
        """Counts."""
        self._now = replace(self._now, done=self._now.done + count)
        if self._timer() - self._last >= _NOTE_EVERY:
            self._note()

    def finished(self) -> None:
        """The next step notes itself."""

    def _note(self) -> None:
        self._last = self._timer()
        profile = self._now.step.rpartition(": ")[0]
        now = self._clock.now()

        def noted(job: Job) -> Job:
            run = next((one for one in job.runs if one.profile == profile), None)
            job = replace(job, heartbeat=now)
            return job if run is None else job.with_run(replace(run, progress=self._now))

        self._notes.change(noted)


class Handler:
    """Works messages. One for all threads of a process."""

    def __init__(self, stores: Stores, opener: Opener, clock: Clock, options: EngineOptions, stop: StopSignal) -> None:
        self._stores = stores
        self._opener = opener
        self._clock = clock
        self._options = options
        self._stop = stop
        self._book = Book(stores.records)
        self._gate = Gate(stores, clock, options)

    def handle(self, body: str, connections: frozenset[str]) -> Verdict:
        """See the module. Raises only what is unknown."""
        target = read_message(body)
        if target is None or target.connection not in connections:
            log.warning("message dropped: it names no connection of this installation")
            return Verdict.DROPPED
        job = self._book.job(target.connection, target.job_id)
        if job is None or job.state.is_over or self._book.standing(job.connection).current.job != job.job_id:
            return Verdict.DROPPED
        tenant = self._opener.tenant(job.connection)
        closed = self._gate.closed_for(tenant)
        if closed > 0:
            return self._later(job, closed + random.uniform(0, 1))
        entered = self._gate.enter(tenant, job.connection)
        if entered is None:
            return self._busy(job)
        hold, keeper = entered
        with keeper:
            return self._held(job, hold, keeper.lost)

    def _busy(self, job: Job) -> Verdict:
        low, high = self._options.busy_delay
        return self._later(job, random.uniform(low, high))

    def _later(self, job: Job, delay: float) -> Verdict:
        self._stores.queue.send(message(job.connection, job.job_id), delay)
        return Verdict.WAITING

    def _held(self, job: Job, hold: Hold, lost: threading.Event) -> Verdict:
        try:
            # Read again: somebody may have finished it before we had the lease.
            job = self._book.known(job.connection, job.job_id)
            if job.state.is_over:
                return Verdict.DROPPED
            notes = self._notes(job, hold)
            return self._worked(notes, lost)
        except LeaseLostError:
            log.warning("lease lost connection=%s job=%s; somebody else goes on", job.connection, job.job_id)
            return self._busy(job)

    def _notes(self, job: Job, hold: Hold) -> JobNotes:
        checkpoint = self._checkpoint(job)

        def save(now: Checkpoint) -> None:
            self._stores.records.write(hold.name, now.dump(), ANY_VERSION, hold)

        now = self._clock.now()
        notes = JobNotes(job, checkpoint, save, lambda change: self._book.change(job.connection, job.job_id, change))
        checkpoint.fruitless += 1  # taken back by the first thing achieved; a worker that is killed leaves it
        notes.save()
        notes.change(
            lambda one: replace(
                one, state=JobState.RUNNING, started=one.started or now, heartbeat=now, slices=one.slices + 1
            )
        )
        return notes

    def _checkpoint(self, job: Job) -> Checkpoint:
        record = self._stores.records.read(work_name(job.connection))
        try:
            found = load_checkpoint(record.content if record else b"")
        except ValueError:
            # Planning anew finds what is done already; nothing is lost but the time.
            log.warning("checkpoint is damaged connection=%s job=%s; planned anew", job.connection, job.job_id)
            found = Checkpoint()
        return found if found.job == job.job_id else Checkpoint(job=job.job_id)

    def _worked(self, notes: JobNotes, lost: threading.Event) -> Verdict:
        job = notes.job
        if notes.checkpoint.fruitless > GIVEN_UP:
            error = FatalError("The run got no further for hours.", hint="Look at the log, and start it again.")
            return self._failed(notes, lost, error)
        try:
            with self._slice(notes, lost) as part:
                part.work()
        except OutOfTimeError:
            if lost.is_set():
                raise LeaseLostError("The lease is gone.") from None
            return self._continued(notes)
        except (LeaseLostError, ConflictError):
            raise LeaseLostError("The lease is gone.") from None
        except RetriableError as error:
            return self._delayed(notes, error)
        except WorkerError as error:
            return self._failed(notes, lost, error)
        self._book.drop_source(job)
        return Verdict.FINISHED

    @contextmanager
    def _slice(self, notes: JobNotes, lost: threading.Event) -> Iterator[Slice]:
        """Opens the connection; closes it afterwards."""
        end = time.monotonic() + self._options.slice_seconds
        job, stop = notes.job, EitherStop(self._stop, lost)
        bounds = Bounds(lambda: time.monotonic() >= end, stop, self._options.chunk)
        shelf = self._book.shelf(job)
        progress = _Noted(notes, self._clock, time.monotonic)
        records, prefix = self._stores.records, data_prefix(job.connection, job.job_id)
        patience = self._options.patience or self._options.slice_seconds / 2
        with self._opener.open(job.connection, stop, progress, patience) as opened:
            kept = lambda before, then: KeptSource(opened.world.source, records, prefix, before, then)  # noqa: E731
            agreed = lambda profile: self._agreed(job, profile)  # noqa: E731
            with Slice(opened, notes, shelf, kept, bounds, progress, agreed) as part:
                yield part

    def _agreed(self, job: Job, profile: str) -> StoredPlan | None:
        """The plan of a profile that a person looked at, for a job that keeps to it."""
        looked_at = self._book.job(job.connection, job.plan_of)
        if looked_at is None:
            return None
        index = next((at for at, run in enumerate(looked_at.runs) if run.profile == profile), None)
        return None if index is None else self._book.shelf(looked_at).plan(index)

    def _continued(self, notes: JobNotes) -> Verdict:
        if not notes.fruitful and not self._stop.is_set():
            log.warning("slice without progress job=%s count=%d", notes.job.job_id, notes.checkpoint.fruitless)
        self._later(notes.job, 0.0)
        return Verdict.CONTINUED

    def _delayed(self, notes: JobNotes, error: RetriableError) -> Verdict:
        told = error.retry_after if isinstance(error, ThrottledError) else None
        delay = self._options.delay_after(notes.checkpoint.fruitless) if told is None else told
        text = f"{error.message} It goes on by itself in {round(delay)} s."
        notes.change(lambda job: replace(job, message=text))
        log.warning("delayed job=%s seconds=%.0f reason=%s", notes.job.job_id, delay, error)
        return self._later(notes.job, delay + random.uniform(0, 0.1) * delay)

    def _failed(self, notes: JobNotes, lost: threading.Event, error: WorkerError) -> Verdict:
        log.error("job failed job=%s reason=%s", notes.job.job_id, error)
        try:
            with self._slice(notes, lost) as part:
                part.fail(error)
        except ConfigError:
            self.mark_failed(notes.job, error)  # the connection itself is what is wrong
        self._book.drop_source(notes.job)
        return Verdict.FAILED

    def mark_failed(self, job: Job, error: WorkerError) -> Job:
        """Ends a job on its record only."""
        now = self._clock.now()
        text = error.told

        def failed(one: Job) -> Job:
            if one.state.is_over:
                return one
            ended = (
                run if run.is_over else replace(run, status=RunStatus.FAILED, message=text, finished=now)
                for run in one.runs
            )
            return replace(one, state=JobState.FAILED, runs=tuple(ended), finished=now, heartbeat=now, message=text)

        return self._book.change(job.connection, job.job_id, failed)
