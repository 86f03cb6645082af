"""run and runs: the nightly job, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from worker.cli.context import (
    INTERRUPTED,
    OPTIONS,
    ROWS_FAILED,
    chosen_profiles,
    guarded,
    opened_app,
    stop_on_interrupt,
    stores,
)
from worker.cli.output import results, say, say_json, tell, tell_error
from worker.cli.reports import conflict_line, control_lines, report_data, report_table
from worker.domain.profile import RunRequest
from worker.domain.render.values import one_line, plain, some
from worker.domain.report import RunMode, RunReport, RunStatus, Trigger
from worker.errors import BrakeError, ConfigError, LedgerError, NotFoundError, WorkerError
from worker.ports import ProfileRow, RunSummary
from worker.sync.live import MOST
from worker.sync.runner import SessionResult
from worker.wiring import App
from worker.wiring.alone import run_alone
from worker.wiring.errands import live_sync
from worker.wiring.reconciling import COMPARISON, comparison_by
from worker.wiring.sending import columns_sent, send_by_itself

Titles = Annotated[list[str] | None, typer.Argument(help="Profile titles; none = all enabled profiles.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
ReallyYes = Annotated[bool, typer.Option("--yes-really", help="Go on although the brake says stop.")]


class StartedBy(StrEnum):
    """Who starts a run."""

    TIMER = "timer"
    MANUAL = "manual"


def run(
    profile: Titles = None,
    every: Annotated[bool, typer.Option("--all", help="All enabled profiles (the default).")] = False,
    yes_really: ReallyYes = False,
    requested: Annotated[
        bool, typer.Option("--requested", help="Only what people asked for in the column Run request.")
    ] = False,
    trigger: Annotated[StartedBy, typer.Option(help="Who starts the run; stands in the run list.")] = StartedBy.MANUAL,
    customer: Annotated[
        list[int] | None,
        typer.Option(
            metavar="NUMBER", min=1, max=999_999_999, help="Only this customer, through all profiles; repeatable."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Plan and apply: the nightly job, or single customers at once."""
    if sum(map(bool, (every, profile, requested, customer))) > 1:
        raise typer.BadParameter("give profile titles, --all, --requested or --customer")
    if customer and len(set(customer)) > MOST:
        raise typer.BadParameter(f"give {MOST} customers at most; a run brings all up to date")
    with guarded(), stop_on_interrupt() as stop, opened_app(stop, writes=True) as app, run_alone(app, OPTIONS.config):
        if customer:
            _run_customers(app, customer, as_json=as_json)
            return
        if requested:
            finish(_run_requests(app), as_json=as_json)
            return
        chosen, broken = chosen_profiles(app, profile or [])
        started_by = Trigger(trigger.value.capitalize())
        result = SessionResult()
        if chosen:
            options = app.run_options(trigger=started_by, override_brake=yes_really)
            with app.session(chosen, options) as session:
                result = session.run()
        _report_broken(app, result, broken, started_by)
        code = _shown(result, as_json=as_json)
        if started_by is Trigger.TIMER and result.error is None and not result.stopped:
            after = _sent(app)
            code = code or after
        if code:
            raise typer.Exit(code)


def _sent(app: App) -> int:
    """The way back, as it follows a night of `serve`: what is new for a person is told once. The exit code."""
    if not columns_sent(app):
        return 0
    result, news = send_by_itself(app, stores().records)
    tell(f"{some(len(result.sendings), 'customer')} sent to e-conomic, {some(len(news), 'new conflict')}.")
    for clash in news:
        tell(conflict_line(clash), "yellow")
    if result.stopped:
        return INTERRUPTED
    return ROWS_FAILED if news else 0


def _run_customers(app: App, numbers: Sequence[int], *, as_json: bool) -> None:
    result = live_sync(app, sorted(set(numbers)))
    unknown = [number for number in result.unknown if number in numbers]
    if len(unknown) == len(set(numbers)):
        raise NotFoundError(_nobody(unknown), hint="Check the number in e-conomic.")
    if not as_json:
        if unknown:
            tell(_nobody(unknown), "yellow")
        tell(f"Only {some(len(result.numbers), 'customer')}: no row in the run list, and the brake is not asked.")
        if result.left:
            tell(f"Left to the next run: {', '.join(map(one_line, result.left))}.", "yellow")
    finish(result.session, as_json=as_json)


def _nobody(numbers: Sequence[int]) -> str:
    whom = "a customer" if len(numbers) == 1 else "the customers"
    return f"Neither e-conomic nor the CRM has {whom} {', '.join(map(str, numbers))}."


def recent(
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many.")] = 20,
    as_json: Json = False,
) -> None:
    """Show the latest runs."""
    with guarded(), opened_app(quiet=True) as app:
        rows = app.runs.recent(limit)
        if as_json:
            say_json([_summary_data(row) for row in rows])
            return
        if not rows:
            tell("No run stands in the list yet.")
        for row in rows:
            _say_summary(row)


def _summary_data(row: RunSummary) -> dict[str, Any]:
    return {
        "runId": row.run_id,
        "profile": row.profile,
        "mode": row.mode if comparison_by(row.run_id) is None else COMPARISON,
        "status": row.status,
        "started": row.started,
        "finished": row.finished,
        **row.counts,
        "message": row.message,
    }


def _say_summary(row: RunSummary) -> None:
    counts = ", ".join(f"{count:,} {name}" for name, count in row.counts.items() if name != "source_rows")
    status = f"{row.status} (plan)" if row.mode == RunMode.PLAN else row.status
    if comparison_by(row.run_id) is not None:  # it has a verdict and no rows
        status, counts = f"{row.status} ({COMPARISON.lower()})", ""
    say(f"{row.started:%Y-%m-%d %H:%M} UTC  {one_line(row.profile):<28} {status:<22} {counts}".rstrip())
    for line in row.message.splitlines():
        say(f"    {plain(line)}")


def _run_requests(app: App) -> SessionResult:
    """Plans first what people want planned, then applies what they want applied."""
    asked = [row for row in app.profiles.profiles() if row.request is not RunRequest.NONE]
    app.profiles.clear_requests(asked)
    if not asked:
        tell("Nobody asked for a run.")
    result = SessionResult()
    _report_broken(app, result, [row for row in asked if row.profile is None], Trigger.MANUAL)
    for request in (RunRequest.PLAN, RunRequest.APPLY):
        chosen = [row.profile for row in asked if row.profile is not None and row.request is request]
        if chosen and result.error is None:
            with app.session(chosen, app.run_options()) as session:
                part = session.preview() if request is RunRequest.PLAN else session.run()
            result.reports += part.reports
            result.error, result.stopped = part.error, part.stopped
    return result


def finish(result: SessionResult, *, as_json: bool) -> None:
    """Shows what a session did and ends the command with its exit code."""
    if code := _shown(result, as_json=as_json):
        raise typer.Exit(code)


def _shown(result: SessionResult, *, as_json: bool) -> int:
    if as_json:
        say_json([report_data(report) for report in result.reports])
    elif result.reports:
        console = results()
        console.print(report_table(result.reports, console.width))
        for line in control_lines(result.reports):
            console.print(line)
    for report in result.reports:
        if report.message:
            tell(f"{plain(report.profile)}: {report.message}", "yellow")
    if result.error is not None:
        tell_error(result.error)
        return result.error.exit_code
    code = exit_code(result.reports, stopped=result.stopped)
    if code == INTERRUPTED:
        tell("Stopped on request. Run it again: it goes on where it stopped.", "yellow")
    return code


def _report_broken(app: App, result: SessionResult, broken: Sequence[ProfileRow], trigger: Trigger) -> None:
    """Into the run list; a session that already failed keeps its own error."""
    try:
        result.reports += app.report_broken(broken, trigger)
    except WorkerError as error:
        result.error = result.error or error


def exit_code(reports: Sequence[RunReport], *, stopped: bool) -> int:
    """The exit code of a session that no error ended."""
    states = {report.status for report in reports}
    if stopped or RunStatus.PAUSED in states:
        return INTERRUPTED
    if any(not line.agrees for report in reports for line in report.controls):
        return LedgerError.exit_code
    if RunStatus.BRAKED in states:
        return BrakeError.exit_code
    if RunStatus.FAILED in states:
        return ConfigError.exit_code
    return ROWS_FAILED if RunStatus.WITH_ERRORS in states else 0
