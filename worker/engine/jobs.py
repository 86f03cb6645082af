"""A job: some profiles of one connection, run in their order. The record a person, the API and the workers share.

Kept as JSON under `jobs/<connection>/<job id>`; job ids sort by time. Nothing in it is secret.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from worker.domain.encode import plain_decimal
from worker.domain.report import ControlLine, Ledger, RunMode, RunStatus, Trigger


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "Queued"
    RUNNING = "Running"
    DONE = "Done"
    FAILED = "Failed"
    CANCELLED = "Cancelled"

    @property
    def is_over(self) -> bool:
        """Nothing more will happen to it."""
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the profile in hand is: changes settled of all, and how many messages (slices) it took so far."""

    step: str = ""  # reading, comparing, writing, proving
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class JobRun:
    """One profile of a job. `status` is QUEUED until its turn; `plan_digest` is set once it is planned."""

    profile: str
    run_id: str
    status: RunStatus = RunStatus.QUEUED
    ledger: Ledger = field(default_factory=Ledger)
    controls: tuple[ControlLine, ...] = ()
    plan_digest: str = ""
    braked: tuple[str, ...] = ()
    message: str = ""
    started: datetime | None = None
    finished: datetime | None = None
    progress: Progress = field(default_factory=Progress)
    source_requests: int = 0
    target_requests: int = 0
    units: float = 0.0
    waited_seconds: float = 0.0

    @property
    def is_over(self) -> bool:
        """It was run, or will not be."""
        return self.finished is not None


@dataclass(frozen=True, slots=True)
class Job:
    """`expected`: profile -> digest of the plan that alone may be applied. `approved`: digests that pass the brake."""

    connection: str
    job_id: str
    mode: RunMode
    trigger: Trigger
    created: datetime
    runs: tuple[JobRun, ...]
    state: JobState = JobState.QUEUED
    started: datetime | None = None
    finished: datetime | None = None
    heartbeat: datetime | None = None
    slices: int = 0  # messages that worked on it
    cancel: bool = False
    expected: Mapping[str, str] = field(default_factory=dict)
    approved: tuple[str, ...] = ()
    plan_of: str = ""  # id of the job whose plans alone may be applied, row by row
    keys: tuple[str, ...] = ()  # rows that alone are written; empty = all
    by: str = ""  # who asked for it: a name for people, never a token
    message: str = ""
    followed: bool = False  # its end was told, and what comes after it was started

    @property
    def name(self) -> str:
        """Of its record."""
        return job_name(self.connection, self.job_id)

    @property
    def worst(self) -> RunStatus:
        """The status of its runs that most needs a person."""
        found = [run.status for run in self.runs]
        return next((status for status in _WORST_FIRST if status in found), RunStatus.SUCCEEDED)

    def with_run(self, run: JobRun) -> Job:
        """The job with this run in the place of the one of the same profile."""
        return replace(self, runs=tuple(run if one.profile == run.profile else one for one in self.runs))


_WORST_FIRST = (
    RunStatus.FAILED,
    RunStatus.BRAKED,
    RunStatus.PAUSED,
    RunStatus.WITH_ERRORS,
    RunStatus.RUNNING,
    RunStatus.QUEUED,
)


def runs_of(profiles: Iterable[str], job_id: str) -> tuple[JobRun, ...]:
    """One run for each profile; a title that occurs twice is run once."""
    return tuple(JobRun(title, f"{job_id}.{at}") for at, title in enumerate(dict.fromkeys(profiles)))


def job_name(connection: str, job_id: str) -> str:
    """The name of a job's record."""
    return f"jobs/{connection}/{job_id}"


def dump_job(job: Job) -> bytes:
    """As stored."""
    data = {**job_data(job), "followed": job.followed}
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def load_job(content: bytes) -> Job:
    """Reads a record. Raises ValueError, KeyError or TypeError when it is none."""
    data = json.loads(content)
    return Job(
        connection=data["connection"],
        job_id=data["id"],
        mode=RunMode(data["mode"]),
        trigger=Trigger(data["trigger"]),
        created=datetime.fromisoformat(data["created"]),
        runs=tuple(_load_run(one) for one in data["runs"]),
        state=JobState(data["state"]),
        started=_moment(data["started"]),
        finished=_moment(data["finished"]),
        heartbeat=_moment(data["heartbeat"]),
        slices=data["slices"],
        cancel=data["cancel"],
        expected=data["expected"],
        approved=tuple(data["approved"]),
        plan_of=data.get("planOf", ""),  # records of earlier versions have none
        keys=tuple(data.get("keys", ())),
        by=data["by"],
        message=data["message"],
        followed=data.get("followed", False),
    )


def job_data(job: Job) -> dict[str, Any]:
    """As JSON, for people and programs; moments are ISO 8601 in UTC, amounts texts in the base currency."""
    return {
        "connection": job.connection,
        "id": job.job_id,
        "mode": job.mode.value,
        "trigger": job.trigger.value,
        "state": job.state.value,
        "created": job.created.isoformat(),
        "started": _text(job.started),
        "finished": _text(job.finished),
        "heartbeat": _text(job.heartbeat),
        "slices": job.slices,
        "cancel": job.cancel,
        "expected": dict(job.expected),
        "approved": list(job.approved),
        "planOf": job.plan_of,
        "keys": list(job.keys),
        "by": job.by,
        "message": job.message,
        "runs": [_run_data(run) for run in job.runs],
    }


def _run_data(run: JobRun) -> dict[str, Any]:
    return {
        "profile": run.profile,
        "runId": run.run_id,
        "status": run.status.value,
        "planDigest": run.plan_digest,
        "braked": list(run.braked),
        "message": run.message,
        "started": _text(run.started),
        "finished": _text(run.finished),
        "progress": {"step": run.progress.step, "done": run.progress.done, "total": run.progress.total},
        "ledger": {
            "sourceRows": run.ledger.source_rows,
            "created": run.ledger.created,
            "updated": run.ledger.updated,
            "unchanged": run.ledger.unchanged,
            "skipped": run.ledger.skipped,
            "failed": run.ledger.failed,
            "flagged": run.ledger.flagged,
        },
        "controls": [_control_data(line) for line in run.controls],
        "requests": {"economic": run.source_requests, "sharepoint": run.target_requests},
        "units": run.units,
        "waitedSeconds": run.waited_seconds,
    }


def _load_run(data: Mapping[str, Any]) -> JobRun:
    ledger = data["ledger"]
    return JobRun(
        profile=data["profile"],
        run_id=data["runId"],
        status=RunStatus(data["status"]),
        ledger=Ledger(
            ledger["sourceRows"],
            ledger["created"],
            ledger["updated"],
            ledger["unchanged"],
            ledger["skipped"],
            ledger["failed"],
            ledger["flagged"],
        ),
        controls=tuple(_load_control(one) for one in data["controls"]),
        plan_digest=data["planDigest"],
        braked=tuple(data["braked"]),
        message=data["message"],
        started=_moment(data["started"]),
        finished=_moment(data["finished"]),
        progress=Progress(**data["progress"]),
        source_requests=data["requests"]["economic"],
        target_requests=data["requests"]["sharepoint"],
        units=data["units"],
        waited_seconds=data["waitedSeconds"],
    )


def _control_data(line: ControlLine) -> dict[str, Any]:
    return {
        "column": line.column,
        "economic": plain_decimal(line.source),
        "list": plain_decimal(line.target),
        "agrees": line.agrees,
        "rowsOff": list(line.rows_off),
        "ownTotal": None if line.own_total is None else plain_decimal(line.own_total),
        "leftOut": plain_decimal(line.left_out),
    }


def _load_control(data: Mapping[str, Any]) -> ControlLine:
    own = data["ownTotal"]
    return ControlLine(
        data["column"],
        Decimal(data["economic"]),
        Decimal(data["list"]),
        tuple(data["rowsOff"]),
        None if own is None else Decimal(own),
        Decimal(data["leftOut"]),
    )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
