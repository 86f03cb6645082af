"""What a go of single customers is told as: its numbers, and the first thing that went wrong in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from worker.domain.plan import RowOutcome
from worker.domain.report import RunReport, RunStatus
from worker.engine.hints import Done
from worker.sync.live import LiveResult


def done_of(result: LiveResult, moment: datetime) -> Done:
    """A profile that failed, rows that failed and sums that differ are told, whatever else was written."""
    done = Done(
        moment.isoformat(), len(result.numbers), result.written, left=result.left, numbers=tuple(result.numbers)
    )
    if result.session.error is not None:
        return replace(done, problem=result.session.error.message)
    bad = next((report for report in result.session.reports if report.status is not RunStatus.SUCCEEDED), None)
    return done if bad is None else _with_problem(done, bad)


def _with_problem(done: Done, report: RunReport) -> Done:
    done = replace(done, profile=report.profile, failed=report.ledger.failed)
    if report.status is not RunStatus.WITH_ERRORS:
        return replace(done, problem=report.message.partition("\n")[0] or f"{report.status.value}.")
    row = next((row for row in report.rows if row.outcome == RowOutcome.FAILED), None)
    if row is None:
        return done
    return replace(done, code=row.code, facts={name: str(value) for name, value in row.facts.items()})
