"""Turns a plan and what became of it into a run's report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from worker.domain.ledger import applied_ledger, planned_ledger
from worker.domain.plan import Change, ChangeKind, LeftOut, Plan, RowOutcome
from worker.domain.planning import STATUS_COLUMN
from worker.domain.report import ControlLine, RowResult, RunReport, RunStatus
from worker.errors import ConfigError, WorkerError
from worker.sync.applier import Applied

_NAMED = 20


def message_for(error: WorkerError) -> str:
    """An error as the run list shows it: what, and the next step."""
    lines = [str(problem) for problem in error.problems] if isinstance(error, ConfigError) else [error.message]
    return "\n".join([*lines, error.hint] if error.hint else lines)


def finished_report(
    report: RunReport, plan: Plan, outcomes: Sequence[Applied], controls: tuple[ControlLine, ...]
) -> RunReport:
    """`report` with ledger, control sums, row results, status and message. Raises LedgerError."""
    ledger = applied_ledger(plan, _undone(outcomes))
    stopped = any(outcome.code == "stopped" for outcome in outcomes)
    status = RunStatus.WITH_ERRORS if ledger.failed else RunStatus.SUCCEEDED
    if stopped:
        status = RunStatus.PAUSED
    if not all(line.agrees for line in controls):
        status = RunStatus.FAILED
    rows = (*_left_out(plan), *_failed(outcomes), *_flagged(plan, outcomes))
    message = " ".join([*map(_difference, controls), *_unmatched(plan)]).strip()
    if stopped:
        message = f"Stopped on request. Run it again: it goes on where it stopped. {message}".strip()
    return replace(report, status=status, ledger=ledger, controls=controls, rows=rows, message=message)


def previewed_report(report: RunReport, plan: Plan, profile_digest: str, braked: Sequence[str]) -> RunReport:
    """`report` of a plan that is not applied: its counts and, when the brake would stop it, why."""
    status = RunStatus.BRAKED if braked else RunStatus.SUCCEEDED
    message = " ".join([*braked, *_unmatched(plan)]) or "Planned only; nothing was written."
    return replace(
        report,
        status=status,
        ledger=planned_ledger(plan),
        message=message,
        profile_digest=profile_digest,
        plan_digest=plan.digest,
    )


def _undone(outcomes: Sequence[Applied]) -> dict[ChangeKind, tuple[int, int]]:
    undone: dict[ChangeKind, tuple[int, int]] = {}
    for outcome in outcomes:
        if not outcome.done:
            failed, stopped = undone.get(outcome.change.kind, (0, 0))
            is_stop = outcome.code == "stopped"
            undone[outcome.change.kind] = (failed + (not is_stop), stopped + is_stop)
    return undone


def _left_out(plan: Plan) -> list[RowResult]:
    """Rows that need a person; those an import type leaves out on purpose are only counted."""
    return [_row(row) for row in plan.left_out if row.outcome is RowOutcome.FAILED]


def _row(row: LeftOut) -> RowResult:
    item_id = row.item_ids[0] if row.item_ids else None
    return RowResult(row.key, row.outcome.value, row.code, row.facts, item_id, row.title)


def _failed(outcomes: Sequence[Applied]) -> list[RowResult]:
    return [
        RowResult(o.change.key, RowOutcome.FAILED.value, o.code, o.facts, o.item_id, o.change.title)
        for o in outcomes
        if not o.done and o.code != "stopped"
    ]


def _flagged(plan: Plan, outcomes: Sequence[Applied]) -> list[RowResult]:
    done = [(o.change.key, o.change.item_id) for o in outcomes if o.done and _says_missing(o.change)]
    return [
        RowResult(key, "Flagged", "missing-in-erp", {"key": key}, item_id)
        for key, item_id in [*plan.still_missing, *done]
    ]


def _says_missing(change: Change) -> bool:
    return change.kind is ChangeKind.FLAG and any(one.column == STATUS_COLUMN for one in change.fields)


def _unmatched(plan: Plan) -> list[str]:
    keys = [row.key for row in plan.left_out if row.code == "unmatched"]
    if not keys:
        return []
    more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
    return [f"{len(keys)} rows have no item to update: {', '.join(keys[:_NAMED])}{more}."]


def _difference(line: ControlLine) -> str:
    if line.agrees:
        return ""
    names = ", ".join(line.rows_off[:_NAMED]) or "none by itself"
    own = "" if line.own_total in (None, line.source) else f", e-conomic's own total {line.own_total}"
    return f"Control sum {line.column} differs: e-conomic {line.source}, list {line.target}{own}. Rows: {names}."
