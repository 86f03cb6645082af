"""Where words go: results to standard output, everything else to standard error. Text from outside is never markup."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from worker.domain.render.values import one_line
from worker.domain.report import RunReport, RunStatus
from worker.errors import ConfigError, WorkerError

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
    """Standard output."""
    return Console(highlight=False, soft_wrap=True)


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
    """One line per profile: outcomes, requests, units."""
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    table.add_column("profile")
    for name in ("source", "created", "updated", "unchanged", "skipped", "failed", "flagged", "calls", "units"):
        table.add_column(name, justify="right")
    table.add_column("result")
    for report in reports:
        ledger = report.ledger
        numbers = (
            ledger.source_rows,
            ledger.created,
            ledger.updated,
            ledger.unchanged,
            ledger.skipped,
            ledger.failed,
            ledger.flagged,
            report.source_requests + report.target_requests,
            round(report.units),
        )
        cells = [Text(f"{number:,}", style="" if number else "dim") for number in numbers]
        status = Text(report.status.value, style=_STYLES.get(report.status, ""))
        table.add_row(Text(one_line(report.profile)), *cells, status)
    return table


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
    ledger = report.ledger
    return {
        "runId": report.run_id,
        "profile": report.profile,
        "status": report.status.value,
        "started": report.started,
        "finished": report.finished,
        "sourceRows": ledger.source_rows,
        "created": ledger.created,
        "updated": ledger.updated,
        "unchanged": ledger.unchanged,
        "skipped": ledger.skipped,
        "failed": ledger.failed,
        "flagged": ledger.flagged,
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
