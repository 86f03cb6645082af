"""Where words go: results to standard output, everything else to standard error. Text from outside is never markup."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from worker.domain.render.values import one_line
from worker.domain.report import RunReport, RunStatus
from worker.errors import ConfigError, WorkerError

_WIDE = 120
_COUNTED = ("source", "created", "updated", "unchanged", "skipped", "failed", "flagged", "calls", "units")
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


def errors() -> Console:
    """Standard error, as it is now: tests and pipes may have replaced it."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def results() -> Console:
    """Standard output; a pipe or a log is as wide as a table needs."""
    console = Console(highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=_WIDE)


def say(*lines: str) -> None:
    """A result for people."""
    for line in lines:
        sys.stdout.write(f"{line}\n")


def say_json(data: Any) -> None:
    """A result for programs."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=1, default=str) + "\n")


def tell(text: str, style: str = "") -> None:
    """What is going on."""
    errors().print(Text(text, style=style))


def tell_error(error: WorkerError) -> None:
    """An error: what, and the next step. Never a traceback."""
    console = errors()
    if isinstance(error, ConfigError) and len(error.problems) > 1:
        console.print(Text(error.message, style="bold red"))
        for problem in error.problems:
            console.print(Text(f"  - {problem}"))
    else:
        console.print(Text(error.message, style="bold red"))
    if error.hint:
        console.print(Text(f"Next: {error.hint}"))


def report_table(reports: Sequence[RunReport]) -> Table:
    """One line per profile: what became of the source rows, requests to both sides, resource units, result."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("profile", no_wrap=True)
    for name in _COUNTED:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("result", no_wrap=True)
    for report in reports:
        numbers = {**_ledger(report), "calls": _calls(report), "units": round(report.units)}
        cells = [Text(f"{numbers[name]:,}", style="" if numbers[name] else "dim") for name in _COUNTED]
        status = Text(_WORDS[report.status], style=_STYLES.get(report.status, ""))
        table.add_row(Text(one_line(report.profile)), *cells, status)
    return table


def _ledger(report: RunReport) -> dict[str, int]:
    names = ("created", "updated", "unchanged", "skipped", "failed", "flagged")
    return {"source": report.ledger.source_rows, **{name: getattr(report.ledger, name) for name in names}}


def _calls(report: RunReport) -> int:
    return report.source_requests + report.target_requests


def control_lines(reports: Sequence[RunReport]) -> Iterable[Text]:
    """The control sums: e-conomic, list, and e-conomic's own total."""
    for report in reports:
        for line in report.controls:
            mark = Text("  ok   " if line.agrees else "  DIFF ", style="green" if line.agrees else "bold red")
            text = f"{report.profile}: {line.column} e-conomic {line.source:,} = list {line.target:,}"
            if line.own_total is not None:
                text += f" = e-conomic's own total {line.own_total:,}"
            if line.left_out:
                text += f" (rows left out: {line.left_out:,})"
            yield mark.append(text, style="default")


def report_data(report: RunReport) -> dict[str, Any]:
    """A report as JSON-ready data."""
    return {
        "runId": report.run_id,
        "profile": report.profile,
        "status": report.status.value,
        "started": report.started,
        "finished": report.finished,
        "rows": _ledger(report),
        "controls": [
            {
                "column": line.column,
                "economic": line.source,
                "list": line.target,
                "ownTotal": line.own_total,
                "leftOut": line.left_out,
                "agrees": line.agrees,
                "rowsOff": list(line.rows_off),
            }
            for line in report.controls
        ],
        "planDigest": report.plan_digest,
        "economicRequests": report.source_requests,
        "sharePointRequests": report.target_requests,
        "resourceUnits": report.units,
        "waitedSeconds": report.waited_seconds,
        "message": report.message,
    }
