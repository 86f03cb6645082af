"""Which jobs people should hear about, and in which words."""

from __future__ import annotations

from worker.domain.report import RunStatus
from worker.engine.jobs import Job, JobState
from worker.ports import Alert

_ERRORS = frozenset({RunStatus.FAILED, RunStatus.BRAKED})
_WARNINGS = frozenset({RunStatus.WITH_ERRORS})


def alert_for(job: Job, public_url: str = "") -> Alert | None:
    """None for a job that went well, that was cancelled on purpose, or that only planned."""
    if job.state is JobState.CANCELLED:
        return None
    bad = [run for run in job.runs if run.status in _ERRORS]
    warned = [run for run in job.runs if run.status in _WARNINGS]
    if job.state is not JobState.FAILED and not bad and not warned:
        return None
    is_error = bool(bad) or job.state is JobState.FAILED
    facts = {run.profile: _numbers(job, run.profile) for run in job.runs}
    text = job.message or " ".join(run.message for run in (*bad, *warned) if run.message)
    return Alert(
        title=f"e-conomic sync: {'failed' if is_error else 'done with errors'} ({job.connection})",
        text=text or "Some rows could not be written.",
        severity="error" if is_error else "warning",
        connection=job.connection,
        facts=facts,
        link=f"{public_url}/manage/runs/{job.connection}/{job.job_id}" if public_url else "",
    )


def _numbers(job: Job, profile: str) -> str:
    run = next(one for one in job.runs if one.profile == profile)
    ledger = run.ledger
    return (
        f"{run.status.value}: {ledger.created} created, {ledger.updated} updated, {ledger.unchanged} unchanged, "
        f"{ledger.skipped} skipped, {ledger.failed} failed"
    )
