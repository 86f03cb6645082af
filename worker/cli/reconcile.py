"""reconcile: do both systems say the same?"""

from __future__ import annotations

import typer
from rich.table import Table
from rich.text import Text

from worker.cli.context import guarded, opened_app
from worker.cli.output import results, say, say_json, tell, verdict
from worker.cli.runs import Json
from worker.domain.render.values import one_line, shown, some
from worker.errors import LedgerError
from worker.sync.reconcile import Report
from worker.sync.reconcile_data import report_data
from worker.wiring.reconciling import reconcile as compared

_SHOWN = 20


def reconcile(as_json: Json = False) -> None:
    """Compare both systems row by row and sum by sum, by independent counting. Changes nothing."""
    with guarded(), opened_app() as app:
        report = compared(app)
        if as_json:
            say_json(report_data(report))
        else:
            _show(report)
        if not report.agrees:
            raise typer.Exit(LedgerError.exit_code)


def _show(report: Report) -> None:
    for name, count in report.counts.items():
        say(f"{count:>10,}  {name}")
    for total in report.sums:
        own = "" if total.own is None else f" = e-conomic's own total {total.own:,}"
        results().print(verdict(total.agrees, f"{total.name}: e-conomic {total.economic:,}, CRM {total.crm:,}{own}"))
    for missing in report.missing[:_SHOWN]:
        tell(f"{missing.kind} {one_line(missing.key)} {one_line(missing.name)}: only in {missing.side}", "yellow")
    for key, items in report.doubles[:_SHOWN]:
        tell(f"{key}: items {', '.join(map(str, items))} carry the same number", "yellow")
    if report.differences:
        table = Table("what", "item", "column", "e-conomic", "CRM", "saved last", box=None, pad_edge=False)
        for one in report.differences[:_SHOWN]:
            last = f"{one.changed:%Y-%m-%d %H:%M} {one_line(one.by)}" if one.changed else ""
            values = (Text(shown(one.economic)), Text(shown(one.crm)))
            table.add_row(f"{one.kind} {one_line(one.key)}", str(one.item_id), one.column, *values, last)
        results().print(table)
    found = len(report.missing) + len(report.doubles) + len(report.differences)
    say("Both systems say the same." if report.agrees else f"{some(found, 'difference')} named; --json has them all.")
