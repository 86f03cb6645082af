"""The records of jobs: made once, changed by compare-and-swap, one at a time for each connection."""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from worker.engine.jobs import Job, JobState, dump_job, job_name, load_job
from worker.engine.names import current_name, data_prefix, jobs_prefix, key_name
from worker.engine.stored_plan import Shelf
from worker.errors import BusyError, ConflictError, NotFoundError
from worker.ports import Records

log = logging.getLogger(__name__)
_TRIES = 20


@dataclass(slots=True)
class Current:
    """What a connection is at. `fired`: profile -> the last due moment that was started; `seen`: profile -> its
    schedule and since when we know it, so that a new profile does not run at once for a moment in the past."""

    job: str = ""
    fired: dict[str, str] = field(default_factory=dict)
    seen: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """A `Current` as it was read, with the version to change it by."""

    current: Current
    version: str | None


class Book:
    """Reads and changes the records. Thread- and process-safe, as the store is."""

    def __init__(self, records: Records) -> None:
        self.records = records

    def standing(self, connection: str) -> Standing:
        """What the connection is at; a damaged record counts as nothing, since every start is harmless to repeat."""
        record = self.records.read(current_name(connection))
        if record is None:
            return Standing(Current(), None)
        try:
            data = json.loads(record.content)
            seen = {str(name): (str(text), str(since)) for name, (text, since) in data["seen"].items()}
            return Standing(Current(str(data["job"]), dict(data["fired"]), seen), record.version)
        except (ValueError, TypeError, KeyError, AttributeError):
            log.warning("record of schedules is damaged connection=%s; it starts anew", connection)
            return Standing(Current(), record.version)

    def change_standing(self, connection: str, current: Current, version: str | None) -> None:
        """Raises ConflictError when somebody was faster."""
        self.records.write(current_name(connection), json.dumps(asdict(current)).encode(), version)

    def running(self, connection: str) -> Job | None:
        """The job that is under way."""
        current = self.standing(connection).current
        job = self.job(connection, current.job) if current.job else None
        return None if job is None or job.state.is_over else job

    def begin(self, job: Job, fired: Mapping[str, str] | None = None) -> Job:
        """Makes `job` the connection's current one. Raises BusyError when another is under way; with `fired`, which is
        the tick's, ConflictError when another tick was faster. A person's start does not lose to a tick that only noted
        something: it is tried again."""
        made = False
        for _ in range(1 if fired else _TRIES):
            standing = self.standing(job.connection)
            before = self.job(job.connection, standing.current.job) if standing.current.job else None
            if before is not None and not before.state.is_over:
                if made and before.job_id != job.job_id:
                    self.records.remove(job.name)
                raise busy(before)
            try:
                self.records.write(job.name, dump_job(job), None)
                made = True
            except ConflictError:
                if standing.current.job == job.job_id:
                    return self.known(job.connection, job.job_id)
            current = replace(standing.current, job=job.job_id, fired={**standing.current.fired, **(fired or {})})
            try:
                self.change_standing(job.connection, current, standing.version)
            except ConflictError:
                now = self.running(job.connection)
                if now is not None and now.job_id == job.job_id:
                    return now
                continue
            return job
        if made:
            self.records.remove(job.name)
        running = self.running(job.connection)
        if running is not None:
            raise busy(running)
        raise ConflictError("Another start was faster.", hint="Try again.")

    def job(self, connection: str, job_id: str) -> Job | None:
        """A job by its id; None when there is none or its record is damaged."""
        record = self.records.read(job_name(connection, job_id)) if is_job_id(job_id) else None
        if record is None:
            return None
        try:
            return load_job(record.content)
        except (ValueError, KeyError, TypeError, AttributeError):
            log.warning("record of a job is damaged connection=%s job=%s", connection, job_id)
            return None

    def known(self, connection: str, job_id: str) -> Job:
        """A job that must be there. Raises NotFoundError."""
        job = self.job(connection, job_id)
        if job is None:
            raise NotFoundError("There is no such run.", hint="See the list of runs.")
        return job

    def change(self, connection: str, job_id: str, change: Callable[[Job], Job]) -> Job:
        """Reads, changes and writes until nobody came between. Raises NotFoundError."""
        for _ in range(_TRIES):
            record = self.records.read(job_name(connection, job_id))
            if record is None:
                break
            try:
                job = load_job(record.content)
            except (ValueError, KeyError, TypeError, AttributeError):
                break
            changed = change(job)
            if changed == job:
                return job
            try:
                self.records.write(job.name, dump_job(changed), record.version)
            except ConflictError:
                continue
            return changed
        raise NotFoundError("There is no such run, or its record is damaged.", hint="See the list of runs.")

    def newest(self, connection: str, limit: int) -> list[Job]:
        """The latest jobs, newest first."""
        prefix = jobs_prefix(connection)
        ids = [name.removeprefix(prefix) for name in self.records.names(prefix)]
        found = (self.job(connection, job_id) for job_id in sorted(ids, reverse=True)[:limit])
        return [job for job in found if job is not None]

    def by_key(self, connection: str, key: str, new_id: str) -> str:
        """The job id that belongs to a client's key: `new_id` the first time, the same one ever after."""
        name = key_name(connection, hashlib.sha256(key.encode()).hexdigest()[:40])
        try:
            self.records.write(name, new_id.encode(), None)
        except ConflictError:
            record = self.records.read(name)
            return record.content.decode() if record else new_id
        return new_id

    def shelf(self, job: Job) -> Shelf:
        """Where its plans and outcomes are."""
        return Shelf(self.records, data_prefix(job.connection, job.job_id))

    def drop_source(self, job: Job) -> None:
        """What was read from e-conomic is not kept once the job is over."""
        self._remove(f"{data_prefix(job.connection, job.job_id)}source-")

    def forget(self, job: Job) -> None:
        """Removes a job that is over with everything it kept."""
        self._remove(data_prefix(job.connection, job.job_id))
        self.records.remove(job.name)

    def _remove(self, prefix: str) -> None:
        for name in self.records.names(prefix):
            self.records.remove(name)


def new_job_id(now: datetime) -> str:
    """Sorts by time."""
    return f"{now:%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:6]}"


def is_job_id(text: str) -> bool:
    """Whether a text may be a job's id; anything else never reaches the store."""
    return 0 < len(text) <= 60 and text.isascii() and all(c.isalnum() or c in "-T" for c in text)


def busy(job: Job) -> BusyError:
    """The error that names the job that is in the way."""
    return BusyError(
        f"A run of '{job.connection}' is under way already.",
        running=f"{job.connection}/{job.job_id}",
        hint="Wait for it, or cancel it.",
    )


def waits_for_message(job: Job, now: datetime, queued: float, running: float) -> bool:
    """Whether nobody seems to be working on a job: its message may have been lost. Seconds."""
    last = job.heartbeat or job.created
    limit = queued if job.state is JobState.QUEUED else running
    return not job.state.is_over and abs((now - last).total_seconds()) > limit
