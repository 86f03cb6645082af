"""Reports of a session as tables, lines and data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from worker.cli.output import verdict
from worker.domain.render.values import one_line, plain, shown
from worker.domain.report import ControlLine, RunReport, RunStatus
from worker.domain.sending_texts import why_not
from worker.sync.sending import Conflict

# Name in JSON and in a wide table -> name where the terminal is narrow.
_COUNTED = {
    "source": "rows",
    "created": "new",
    "updated": "upd",
    "unchanged": "same",
    "skipped": "skip",
    "failed": "fail",
    "flagged": "flag",
    "calls": "calls",
    "units": "units",
}
_WORDS = {
    RunStatus.QUEUED: "queued",
    RunStatus.RUNNING: "running",
    RunStatus.PAUSED: "stopped",
    RunStatus.SUCCEEDED: "ok",
    RunStatus.WITH_ERRORS: "rows failed",
    RunStatus.FAILED: "FAILED",
    RunStatus.BRAKED: "BRAKED",
}
_STYLES = {
    RunStatus.SUCCEEDED: "green",
    RunStatus.WITH_ERRORS: "yellow",
    RunStatus.PAUSED: "yellow",
    RunStatus.BRAKED: "magenta",
    RunStatus.FAILED: "red",
}
_ROOMY = 115  # columns of a terminal that take the long names


def report_table(reports: Sequence[RunReport], width: int) -> Table:
    """One line per profile: what became of the source rows, requests to both sides, resource units, result."""
    roomy = width >= _ROOMY
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("profile", no_wrap=roomy)
    for name, short in _COUNTED.items():
        table.add_column(name if roomy else short, justify="right", no_wrap=True)
    table.add_column("result", no_wrap=True)
    for report in reports:
        numbers = _numbers(report)
        cells = [Text(f"{numbers[name]:,}", style="" if numbers[name] else "dim") for name in _COUNTED]
        status = Text(_WORDS[report.status], style=_STYLES.get(report.status, ""))
        table.add_row(Text(one_line(report.profile)), *cells, status)
    return table


def _numbers(report: RunReport) -> dict[str, int]:
    calls = report.source_requests + report.target_requests
    return {**_ledger(report), "calls": calls, "units": round(report.units)}


def _ledger(report: RunReport) -> dict[str, int]:
    names = ("created", "updated", "unchanged", "skipped", "failed", "flagged")
    return {"source": report.ledger.source_rows, **{name: getattr(report.ledger, name) for name in names}}


def control_lines(reports: Iterable[RunReport]) -> Iterator[Text]:
    """The control sums: e-conomic, list, and e-conomic's own total, each with its mark."""
    for report in reports:
        for line in report.controls:
            yield verdict(line.agrees, f"{plain(report.profile)}: {_sums(line)}", "DIFF ")


def _sums(line: ControlLine) -> str:
    joint = "=" if line.source == line.target else "is not"
    text = f"{line.column} e-conomic {line.source:,} {joint} list {line.target:,}"
    if line.own_total is not None:
        joint = "=" if line.source == line.own_total else "is not"
        text += f" {joint} e-conomic's own total {line.own_total:,}"
    if line.left_out:
        text += f" (rows left out: {line.left_out:,})"
    return text


def report_data(report: RunReport) -> Mapping[str, Any]:
    """A report as JSON-ready data."""
    return {
        "runId": report.run_id,
        "profile": report.profile,
        "mode": report.mode.value,
        "status": report.status.value,
        "started": report.started,
        "finished": report.finished,
        "rows": _ledger(report),
        "controls": [_control_data(line) for line in report.controls],
        "planDigest": report.plan_digest,
        "economicRequests": report.source_requests,
        "sharePointRequests": report.target_requests,
        "resourceUnits": report.units,
        "waitedSeconds": report.waited_seconds,
        "message": report.message,
    }


def _control_data(line: ControlLine) -> dict[str, Any]:
    return {
        "column": line.column,
        "economic": line.source,
        "list": line.target,
        "ownTotal": line.own_total,
        "leftOut": line.left_out,
        "agrees": line.agrees,
        "rowsOff": list(line.rows_off),
    }


def conflict_line(clash: Conflict) -> str:
    """A value of the CRM that was not sent to e-conomic, and why."""
    sides = f"e-conomic {shown(clash.economic)}, CRM {shown(clash.crm)}"
    what = f"items {', '.join(map(str, clash.items))}" if clash.why == "twice" else sides
    return f"{one_line(f'customer {clash.number} {clash.column}: {what}')}: {why_not(clash.why, clash.detail)}"
