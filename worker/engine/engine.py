"""The engine's front door: the tick, a message, and what people ask for. The same calls in every host."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from worker.domain.plan_file import PlanEntry
from worker.domain.report import RowResult, RunMode, RunStatus, Trigger
from worker.engine.alerting import alert_for
from worker.engine.book import Book, busy, new_job_id
from worker.engine.errand_handler import ErrandHandler
from worker.engine.errands import Errand, ErrandMessage, Errands, errand_message, read_errand
from worker.engine.handler import Handler, message, read_message
from worker.engine.hints import Heard, HintBook
from worker.engine.jobs import Job, runs_of
from worker.engine.opened import Opener
from worker.engine.terms import EngineOptions, StartRequest, Ticked, Verdict
from worker.engine.ticking import Ticker
from worker.errors import ConfigError, FatalError, NotFoundError, Problem
from worker.ports import Alerts, Clock, ProfileRow, StopSignal, Stores
from worker.telemetry import count_slices, log_context, span

__all__ = ["Engine", "StartRequest", "Ticked", "Verdict"]

log = logging.getLogger(__name__)


class Engine:
    """One for a process. Thread-safe."""

    def __init__(  # noqa: PLR0913  # what an engine is made of
        self,
        connections: Sequence[str],
        stores: Stores,
        opener: Opener,
        clock: Clock,
        alerts: Alerts,
        options: EngineOptions | None = None,
        stop: StopSignal | None = None,
        errands: Errands | None = None,
    ) -> None:
        self.connections = tuple(connections)
        self.stores = stores
        self.options = options or EngineOptions()
        self._opener = opener
        self._clock = clock
        self._alerts = alerts
        self._stop = stop or threading.Event()
        self._book = Book(stores.records)
        self._lock = threading.Lock()
        self._looking: dict[str, float] = {}
        self._hints = {name: HintBook(stores.records, name) for name in self.connections}  # calls fold in one book
        self._handler = Handler(stores, opener, clock, self.options, self._stop)
        self._errands = (
            ErrandHandler(stores, opener, clock, self.options, self._stop, errands) if errands is not None else None
        )
        self._ticker = Ticker(self.connections, stores, opener, clock, self.options, self._stop, self._errands)

    # By itself

    def tick(self, now: datetime | None = None) -> Ticked:
        """Starts what is due at every connection, sends lost messages again, and clears away what is old.

        A connection that can't be asked is named in the answer and holds up none of the others.
        """
        return self._ticker.tick(now or self._clock.now())

    def handle(self, body: str, tries: int = 1) -> Verdict:
        """Works one message; see `handler`. Raises only what is unknown, so that tries and poison apply."""
        errand = read_errand(body)
        if errand is not None:
            return self._run_errand(errand)
        target = read_message(body)
        names = {"connection": target.connection, "job": target.job_id} if target else {}
        with log_context(**names), span("sync.slice", tries=tries, **names) as current:
            verdict = self._handler.handle(body, frozenset(self.connections))
            current.set_attribute("verdict", verdict.value)
            count_slices(verdict.value)
            log.info("message worked verdict=%s tries=%d", verdict, tries)
        over = verdict in (Verdict.FINISHED, Verdict.FAILED, Verdict.DROPPED)
        if over and target is not None and target.connection in self.connections:
            self._follow(target.connection, target.job_id)
        return verdict

    def _follow(self, connection: str, job_id: str) -> None:
        """Once a job is over: people are told, and what comes after it is started. It is noted at the end, so that the
        message of a worker that died in between, which comes again, makes good what is missing."""
        job = self._book.job(connection, job_id)
        if job is None or not job.state.is_over or job.followed:
            return
        alert = alert_for(job, self.options.public_url)
        if alert is not None:
            self._alerts.send(alert)
        if self._errands is not None:
            self._errands.follow(job)
        self._book.change(connection, job_id, lambda one: replace(one, followed=True))

    def _run_errand(self, errand: ErrandMessage) -> Verdict:
        if self._errands is None or errand.connection not in self.connections:
            log.warning("errand dropped: it names no connection of this installation")
            return Verdict.DROPPED
        with log_context(connection=errand.connection), span("sync.errand", errand=errand.errand) as current:
            verdict = self._errands.handle(errand)
            current.set_attribute("verdict", verdict.value)
            log.info("errand worked errand=%s verdict=%s", errand.errand, verdict)
        return verdict

    def hear(self, connection: str, heard: Heard) -> None:
        """Takes in what a webhook said, and has somebody look. Raises ConfigError for an unknown connection."""
        if self._hints[self._known_connection(connection)].hear(heard, self._clock.now()):
            self.stores.queue.send(errand_message(connection, Errand.LIVE), self.options.fold_seconds)

    def refuse(self, connection: str) -> None:
        """Counts a webhook's call that can't be read. Raises ConfigError for an unknown connection."""
        self._hints[self._known_connection(connection)].refuse(self._clock.now())

    def look_for_requests(self, connection: str) -> None:
        """Has somebody look for companies that are to be created; calls that come until then are looked at with it.
        Raises ConfigError for an unknown connection."""
        name, now = self._known_connection(connection), time.monotonic()
        with self._lock:
            if now - self._looking.get(name, float("-inf")) < self.options.fold_seconds:
                return
            self._looking[name] = now
        self.stores.queue.send(errand_message(name, Errand.CREATE), self.options.fold_seconds)

    def ask_for_creation(self, connection: str) -> None:
        """Has somebody create at once what was asked for on the page. Raises ConfigError for an unknown connection."""
        self.stores.queue.send(errand_message(self._known_connection(connection), Errand.CREATE))

    def ask_for_sending(self, connection: str) -> None:
        """Has somebody send what the CRM owns to e-conomic. Raises ConfigError for an unknown connection."""
        self.stores.queue.send(errand_message(self._known_connection(connection), Errand.SEND))

    def ask_for_comparison(self, connection: str) -> None:
        """Has somebody compare both systems, as soon as no job is under way. Raises ConfigError for an unknown
        connection."""
        self.stores.queue.send(errand_message(self._known_connection(connection), Errand.RECONCILE))

    def running(self, connection: str) -> Job | None:
        """The job that is under way."""
        return self._book.running(connection)

    def buried(self, body: str) -> None:
        """A message failed too often: its job ends as failed, and somebody is told."""
        if (errand := read_errand(body)) is not None:
            log.error("an errand failed too often connection=%s errand=%s", errand.connection, errand.errand)
            if self._errands is not None and errand.connection in self.connections:
                self._errands.buried(errand)
            return
        target = read_message(body)
        if target is None:
            log.error("a message that is not ours went to poison")
            return
        job = self._book.job(target.connection, target.job_id)
        if job is None:
            return
        error = FatalError(
            "The run failed several times for an unexpected reason.", hint="Look at the log, then start it again."
        )
        self._handler.mark_failed(job, error)
        self._follow(target.connection, target.job_id)

    def ready(self) -> None:
        """Raises UnavailableError when the store can't be reached."""
        self.stores.records.read("ready")

    # On request

    def start(self, request: StartRequest) -> tuple[Job, bool]:
        """Queues runs; the flag is False when this key was seen before, and that job is returned.

        Raises BusyError (`running` names the job in the way), ConfigError for an unknown connection or profile.
        """
        connection = self._known_connection(request.connection)
        now = self._clock.now()
        job_id = new_job_id(now)
        if request.key:
            job_id = self._book.by_key(connection, request.key, job_id)
            before = self._book.job(connection, job_id)
            if before is not None and (before.state.is_over or self._is_current(before)):
                return before, False
        running = self._book.running(connection)
        if running is not None:
            raise busy(running)
        runs = runs_of((row.title for row in self._chosen(request)), job_id)
        job = Job(
            connection=connection,
            job_id=job_id,
            mode=request.mode,
            trigger=request.trigger,
            created=now,
            runs=runs,
            expected=dict(request.expected),
            approved=("*",) if request.override_brake else request.approved,
            plan_of=request.plan_of,
            keys=request.keys,
            by=request.by,
        )
        job = self._book.begin(job)
        self.stores.queue.send(message(connection, job.job_id))
        return job, True

    def jobs(self, connection: str | None = None, limit: int = 30) -> Sequence[Job]:
        """Newest first."""
        names = self.connections if connection is None else (self._known_connection(connection),)
        found = [job for name in names for job in self._book.newest(name, limit)]
        return sorted(found, key=lambda job: job.created, reverse=True)[:limit]

    def job(self, connection: str, job_id: str) -> Job | None:
        """One job; None when there is none."""
        return self._book.job(connection, job_id) if connection in self.connections else None

    def cancel(self, connection: str, job_id: str, by: str = "") -> Job:
        """Asks the job to stop after what is in hand. One that is over is returned as it is. Raises NotFoundError."""
        self._known_job(connection, job_id)
        text = f"Cancelled by {by}." if by else "Cancelled."
        return self._book.change(
            connection,
            job_id,
            lambda job: job if job.state.is_over or job.cancel else replace(job, cancel=True, message=text),
        )

    def approve(self, connection: str, job_id: str, by: str = "") -> Job:
        """Starts a new job that may apply the braked plans of that job, and no others.

        Raises NotFoundError, ConfigError when nothing is braked, BusyError.
        """
        job = self._known_job(connection, job_id)
        braked = [run for run in job.runs if run.status is RunStatus.BRAKED]
        if not braked:
            raise ConfigError([Problem(f"run {job_id}", "was not stopped by the brake.")], hint="See the list of runs.")
        digests = {run.profile: run.plan_digest for run in braked}
        request = StartRequest(
            connection,
            tuple(digests),
            RunMode.APPLY,
            Trigger.MANUAL,
            by=by,
            expected=digests,
            approved=tuple(digests.values()),
        )
        return self.start(request)[0]

    def apply_plan(self, connection: str, job_id: str, by: str = "", *, override_brake: bool = False) -> Job:
        """Starts a job that writes, row by row, what that job's plans showed and what is still the same.

        Raises NotFoundError, ConfigError when it holds no plan, BusyError.
        """
        job = self._known_job(connection, job_id)
        planned = tuple(run.profile for run in job.runs if run.plan_digest)
        if job.mode is not RunMode.PLAN or not job.state.is_over or not planned:
            raise ConfigError([Problem(f"run {job_id}", "holds no plan.")], hint="Make a plan first.")
        request = StartRequest(connection, planned, by=by, override_brake=override_brake, plan_of=job_id)
        return self.start(request)[0]

    def retry(self, connection: str, profile: str, keys: Sequence[str], by: str = "") -> Job:
        """Starts a job that writes these rows of a profile and no others. Raises ConfigError, BusyError."""
        if not keys:
            raise ConfigError([Problem("rows", "none was chosen.")], hint="Choose at least one row.")
        return self.start(StartRequest(connection, (profile,), by=by, keys=tuple(dict.fromkeys(keys))))[0]

    def plan_of(self, connection: str, job_id: str, profile: str) -> PlanEntry | None:
        """A profile's plan; None until it is planned. Raises NotFoundError."""
        job, index = self._run_of(connection, job_id, profile)
        return self._book.shelf(job).entry(index)

    def rows_of(self, connection: str, job_id: str, profile: str) -> Sequence[RowResult]:
        """Rows that need a person; none until the run is over. Raises NotFoundError."""
        job, index = self._run_of(connection, job_id, profile)
        return self._book.shelf(job).rows(index)

    # Inside

    def _run_of(self, connection: str, job_id: str, profile: str) -> tuple[Job, int]:
        job = self._known_job(connection, job_id)
        for index, run in enumerate(job.runs):
            if run.profile.casefold() == profile.casefold():
                return job, index
        raise NotFoundError("This run has no such profile.", hint="See the run's own list of profiles.")

    def _known_job(self, connection: str, job_id: str) -> Job:
        if connection not in self.connections:
            raise NotFoundError("There is no such run.", hint="See the list of runs.")
        return self._book.known(connection, job_id)

    def _known_connection(self, connection: str) -> str:
        if connection in self.connections:
            return connection
        raise ConfigError([Problem("connection", "is not configured.", self.connections)])

    def _is_current(self, job: Job) -> bool:
        return self._book.standing(job.connection).current.job == job.job_id

    def _chosen(self, request: StartRequest) -> list[ProfileRow]:
        """Rows by title, all enabled and all broken ones without titles."""
        rows = self._ticker.read_profiles(request.connection)
        if not request.profiles:
            chosen = [row for row in rows if row.profile is None or row.profile.enabled]
            if not chosen:
                raise ConfigError(
                    [Problem("profiles", "none is enabled.")], hint="Enable one in the list Mapping profiles."
                )
            return chosen
        by_title = {row.title.casefold(): row for row in rows}
        unknown = [title for title in request.profiles if title.strip().casefold() not in by_title]
        if unknown:
            known = tuple(row.title for row in rows)
            raise ConfigError(
                [
                    Problem(f"profile '{title}'", "does not exist in the list Mapping profiles.", known)
                    for title in unknown
                ]
            )
        found = {row.title: row for row in (by_title[title.strip().casefold()] for title in request.profiles)}
        return [row for row in rows if row.title in found]
