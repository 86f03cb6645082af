"""Jobs and runs as pages show them: how far, how fast, what came of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from worker.domain.report import Ledger, RunMode, RunStatus
from worker.engine.jobs import Job, JobRun, JobState
from worker.ports import RunSummary
from worker.wiring.reconciling import COMPARISON, comparison_by


@dataclass(frozen=True, slots=True)
class Pace:
    """How a run gets on. `rate` is changes a minute; `left` seconds; both None until something is written."""

    step: str
    done: int
    total: int
    share: float
    rate: float | None
    left: float | None
    waited: float


def pace_of(run: JobRun, now: datetime) -> Pace:
    """Rate and remaining time from what is settled since the run began."""
    progress = run.progress
    seconds = (now - run.started).total_seconds() if run.started else 0.0
    rate = progress.done / seconds if progress.done and seconds > 0 else None
    left = (progress.total - progress.done) / rate if rate else None
    share = progress.done / progress.total if progress.total else 0.0
    per_minute = None if rate is None else rate * 60
    return Pace(progress.step, progress.done, progress.total, share, per_minute, left, run.waited_seconds)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the history: a job of ours, a run that a command made (`run_id`), or a comparison. `verdict` is a
    word of the run list."""

    moment: datetime
    job_id: str
    verdict: str
    mode: str
    started_by: str
    profiles: tuple[str, ...]
    seconds: float | None
    ledger: Ledger
    run_id: str = ""


def verdict_of(job: Job) -> str:
    """One word for a job: its own state, or when it is done that of its worst run."""
    return job.worst.value if job.state is JobState.DONE else job.state.value


def line_of(job: Job) -> Line:
    """A job."""
    seconds = (job.finished - job.started).total_seconds() if job.finished and job.started else None
    by = job.by or job.trigger.value
    titles = tuple(run.profile for run in job.runs)
    return Line(job.created, job.job_id, verdict_of(job), job.mode.value, by, titles, seconds, total(job.runs))


def total(runs: Sequence[JobRun]) -> Ledger:
    """All rows of some runs."""
    names = ("source_rows", "created", "updated", "unchanged", "skipped", "failed", "flagged")
    return Ledger(**{name: sum(getattr(run.ledger, name) for run in runs) for name in names})


def latest(jobs: Sequence[Job], summaries: Sequence[RunSummary], most: int) -> list[Line]:
    """Jobs of ours and runs that commands made, newest first."""
    lines = [*map(line_of, jobs), *_by_commands(summaries, jobs)]
    return sorted(lines, key=lambda line: line.moment, reverse=True)[:most]


def _by_commands(summaries: Sequence[RunSummary], jobs: Sequence[Job]) -> list[Line]:
    """Rows of the run list that belong to none of these jobs; a command's run stands only there."""
    known = {run.run_id for job in jobs for run in job.runs}
    oldest = min((job.created for job in jobs), default=None)
    return [_command_line(one) for one in summaries if one.run_id not in known and not _older(one, oldest)]


def _older(one: RunSummary, oldest: datetime | None) -> bool:
    """A job's run whose job is not among the latest any more."""
    return "." in one.run_id and oldest is not None and one.started < oldest


def _command_line(one: RunSummary) -> Line:
    seconds = (one.finished - one.started).total_seconds() if one.finished else None
    ledger = Ledger(**dict(one.counts))
    by = comparison_by(one.run_id)
    if by is not None:
        return Line(one.started, "", one.status, COMPARISON, by.value, (), seconds, ledger)
    return Line(one.started, "", one.status, one.mode, "Command", (one.profile,), seconds, ledger, one.run_id)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the history's chart, in the units of its viewBox. `part` names what it counts."""

    x: float
    y: float
    height: float
    part: str


CHART_HEIGHT = 100.0
CHART_STEP = 20.0


def bars(lines: Sequence[Line]) -> list[Bar]:
    """Changes and failures of each run, oldest on the left, stacked, the tallest run filling the height."""
    shown = [line for line in reversed(lines) if line.mode == RunMode.APPLY.value]
    parts = [(("ok", line.ledger.created + line.ledger.updated), ("not", line.ledger.failed)) for line in shown]
    highest = max((sum(count for _, count in stack) for stack in parts), default=0)
    found: list[Bar] = []
    for at, stack in enumerate(parts):
        y = CHART_HEIGHT
        for part, count in stack:
            height = max(2.0, CHART_HEIGHT * count / highest) if count else 0.0
            y = max(0.0, y - height)
            if height:
                found.append(Bar(at * CHART_STEP, round(y, 1), round(height, 1), part))
    return found


def can_apply(job: Job) -> bool:
    """Whether its plans can be applied as they were looked at."""
    planned = any(run.plan_digest for run in job.runs)
    return job.mode is RunMode.PLAN and job.state is JobState.DONE and planned


def is_braked(job: Job) -> bool:
    """Whether an approval would let something go on."""
    return job.state.is_over and any(run.status is RunStatus.BRAKED for run in job.runs)
