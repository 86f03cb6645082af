"""reconcile: do both systems say the same?"""

from __future__ import annotations

import typer
from rich.table import Table
from rich.text import Text

from worker.cli.context import OPTIONS, guarded, opened_app, stores
from worker.cli.output import results, say, say_json, tell, verdict
from worker.cli.runs import Json
from worker.domain.render.values import one_line, shown
from worker.errors import LedgerError
from worker.sync.reconcile_data import report_data
from worker.sync.reconcile_report import Difference, Report, Saved
from worker.wiring.alone import run_alone
from worker.wiring.reconciling import StartedBy, reconcile_and_keep, summary

_SHOWN = 20


def reconcile(as_json: Json = False) -> None:
    """Compare both systems row by row and sum by sum, by independent counting. Changes no data; refuses while a run is
    under way, which would show as differences."""
    with guarded(), opened_app() as app, run_alone(app, OPTIONS.config):
        report = reconcile_and_keep(app, stores().records, StartedBy.COMMAND)
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
    _show_doubles(report)
    if report.differences:
        _show_differences(report.differences[:_SHOWN])
    for column in report.not_compared:
        say(str(column))
    say("Both systems say the same." if report.agrees else summary(report))
    if not report.agrees:
        tell("Next: --json names up to 200 of each kind; the console's page Reconcile has them with links.")


def _show_doubles(report: Report) -> None:
    for double in report.doubles[:_SHOWN]:
        tell(f"{double.kind} {one_line(double.key)}: items {_ids(double.items)} carry the same number", "yellow")
    if report.doubles:
        tell("Next: keep one item of each number, move what belongs to the others to it, and delete those.")
    for twin in report.twins[:_SHOWN]:
        name = one_line(twin.name)
        said = f"company {name}, item {twin.item_id}: no customer number, but the CVR number of customer {twin.key}"
        tell(f"{said}, item {_ids(twin.linked)}", "yellow")
    if report.twins:
        tell("Next: merge the two items or delete one; leave a branch that is to stay a company of its own.")


def _show_differences(differences: tuple[Difference, ...]) -> None:
    table = Table("what", "item", "column", "e-conomic", "CRM", "last saved in the CRM", box=None, pad_edge=False)
    for one in differences:
        last = _last(one.saved) if one.saved else ""
        values = (Text(shown(one.economic)), Text(shown(one.crm)))
        table.add_row(f"{one.kind} {one_line(one.key)}", str(one.item_id), one.column, *values, last)
    results().print(table)


def _ids(items: tuple[int, ...]) -> str:
    return ", ".join(map(str, items))


def _last(saved: Saved) -> str:
    """The value itself, or the item: that may have been another column."""
    what = "value" if saved.column else "item"
    return f"{what} saved by {one_line(saved.by)} at {saved.moment:%Y-%m-%d %H:%M} UTC"
