"""plan, apply, run, runs."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from worker.cli.context import INTERRUPTED, ROWS_FAILED, chosen_profiles, guarded, opened_app, stop_on_interrupt
from worker.cli.output import control_lines, errors, report_data, report_table, results, say, say_json, tell, tell_error
from worker.domain.plan_file import PlanEntry, PlanFile, dump_plan_file, load_plan_file, plan_to_data
from worker.domain.profile import RunRequest
from worker.domain.profile_row import profile_digest
from worker.domain.render.html import plan_html
from worker.domain.render.markdown import plan_markdown
from worker.domain.render.text import plan_text
from worker.domain.render.values import one_line
from worker.domain.report import RunReport, RunStatus, Trigger
from worker.errors import BrakeError, LedgerError, NotFoundError, StalePlanError
from worker.sync.runner import ProfilePlan, SessionResult
from worker.wiring import App

Titles = Annotated[list[str] | None, typer.Argument(help="Profile titles; none = all enabled profiles.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
ReallyYes = Annotated[bool, typer.Option("--yes-really", help="Go on although the brake says stop.")]


class StartedBy(StrEnum):
    """Who starts a run."""

    TIMER = "timer"
    MANUAL = "manual"


def plan(
    profile: Titles = None,
    out: Annotated[Path | None, typer.Option(help="Write a plan file for `apply`.")] = None,
    as_json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="As Markdown.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write an HTML page.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Changes and rows shown per profile; 0 = all.")] = 20,
) -> None:
    """Show exactly what a run would change, field by field. Writes nothing to SharePoint."""
    with guarded(), opened_app() as app:
        chosen, _ = chosen_profiles(app, profile or [])
        with app.session(chosen, app.run_options()) as session:
            plans = session.plan()
            file = PlanFile(session.started, session.snapshot.agreement.number, tuple(map(_entry, plans)))
        if out is not None:
            _write(out, dump_plan_file(file))
            tell(f"Plan file {out} written. Apply it with: economic-sync apply {out}")
        if html is not None:
            page = plan_html(file, limit=0, units_per_minute=_budget(app), language=app.settings.sync.language)
            _write(html, page)
            tell(f"Page {html} written.")
        if as_json:
            say_json({"agreement": file.agreement, "profiles": [plan_to_data(one.plan) for one in plans]})
        elif html is None or markdown:
            _show(app, plans, limit, markdown=markdown)


def apply(
    plan_file: Annotated[Path, typer.Argument(help="A file written by `plan --out`.")],
    yes_really: ReallyYes = False,
    as_json: Json = False,
) -> None:
    """Apply a plan file, exactly. Refuses when the world has moved since."""
    with guarded(), stop_on_interrupt() as stop, opened_app(stop) as app, app.run_lock():
        file = load_plan_file(_read(plan_file), plan_file.name)
        chosen, _ = chosen_profiles(app, list(file.digests))
        changed = [
            one.title
            for one in chosen
            if profile_digest(one) != next(e.profile_digest for e in file.entries if e.plan.profile == one.title)
        ]
        if changed:
            raise StalePlanError(
                f"The profile was changed since the plan was made: {', '.join(changed)}.",
                hint="Make a new plan: economic-sync plan --out FILE",
            )
        if app.source.agreement().number != file.agreement:
            raise StalePlanError(
                f"The plan was made for e-conomic agreement {file.agreement}, not for this one.",
                hint="Use the settings of that agreement, or make a new plan.",
            )
        with app.session(chosen, app.run_options(override_brake=yes_really)) as session:
            result = session.apply(file.digests)
        _finish(result, as_json=as_json)


def run(
    profile: Titles = None,
    every: Annotated[bool, typer.Option("--all", help="All enabled profiles (the default).")] = False,
    yes_really: ReallyYes = False,
    requested: Annotated[
        bool, typer.Option("--requested", help="Only what people asked for in the column Run request.")
    ] = False,
    trigger: Annotated[StartedBy, typer.Option(help="Who starts the run; stands in the run list.")] = StartedBy.MANUAL,
    as_json: Json = False,
) -> None:
    """Plan and apply: the nightly job."""
    if sum(map(bool, (every, profile, requested))) > 1:
        raise typer.BadParameter("give profile titles, --all or --requested")
    with guarded(), stop_on_interrupt() as stop, opened_app(stop) as app, app.run_lock():
        if requested:
            _finish(_run_requests(app), as_json=as_json)
            return
        chosen, broken = chosen_profiles(app, profile or [])
        started_by = Trigger(trigger.value.capitalize())
        options = app.run_options(trigger=started_by, override_brake=yes_really)
        with app.session(chosen, options) as session:
            result = session.run()
        result.reports += app.report_broken(broken, started_by)
        _finish(result, as_json=as_json)


def recent(
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many.")] = 20,
    as_json: Json = False,
) -> None:
    """Show the latest runs."""
    with guarded(), opened_app(quiet=True) as app:
        rows = app.runs.recent(limit)
        if as_json:
            say_json(
                [
                    {
                        "runId": row.run_id,
                        "profile": row.profile,
                        "mode": row.mode,
                        "status": row.status,
                        "started": row.started,
                        "finished": row.finished,
                        **row.counts,
                        "message": row.message,
                    }
                    for row in rows
                ]
            )
            return
        for row in rows:
            counts = ", ".join(f"{count} {name}" for name, count in row.counts.items() if name != "source_rows")
            say(f"{row.started:%Y-%m-%d %H:%M} UTC  {one_line(row.profile):<28} {row.status:<22} {counts}")
            if row.message:
                say(f"    {one_line(row.message)}")


def _run_requests(app: App) -> SessionResult:
    """Plans first what people want planned, then applies what they want applied."""
    asked = app.profiles.take_requests()
    if not asked:
        tell("Nobody asked for a run.")
    result = SessionResult()
    result.reports += app.report_broken([row for row in asked if row.profile is None], Trigger.MANUAL)
    for request in (RunRequest.PLAN, RunRequest.APPLY):
        chosen = [row.profile for row in asked if row.profile is not None and row.request is request]
        if chosen and result.error is None:
            with app.session(chosen, app.run_options()) as session:
                part = session.preview() if request is RunRequest.PLAN else session.run()
            result.reports += part.reports
            result.error, result.stopped = part.error, part.stopped
    return result


def _entry(one: ProfilePlan) -> PlanEntry:
    return PlanEntry(one.plan, profile_digest(one.profile), one.braked)


def _budget(app: App) -> float:
    sharepoint = app.settings.sharepoint
    return sharepoint.units_per_minute * sharepoint.units_share


def _show(app: App, plans: Sequence[ProfilePlan], limit: int, *, markdown: bool) -> None:
    render = plan_markdown if markdown else plan_text
    for one in plans:
        lines = render(
            one.plan,
            one.braked,
            limit=limit,
            units_per_minute=_budget(app),
            language=app.settings.sync.language,
        )
        say(*lines, "")
    source, site = app.source.usage(), app.site.usage()
    tell(f"Reading took {source.requests} calls to e-conomic and {site.requests} to SharePoint.")


def _write(path: Path, text: str) -> None:
    """Plans hold names and addresses: only the owner may read the file."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFoundError(f"There is no plan file {path}.", hint="Make one: economic-sync plan --out FILE") from None
    except UnicodeDecodeError:
        raise StalePlanError(f"{path} is not a readable plan file.", hint="Make a new plan.") from None


def _finish(result: SessionResult, *, as_json: bool) -> None:
    if as_json:
        say_json([report_data(report) for report in result.reports])
    else:
        console = results()
        console.print(report_table(result.reports))
        for line in control_lines(result.reports):
            console.print(line)
    for report in result.reports:
        if report.message:
            tell(f"{report.profile}: {report.message}", "yellow")
    if result.error is not None:
        tell_error(result.error)
        raise typer.Exit(result.error.exit_code)
    code = exit_code(result.reports, stopped=result.stopped)
    if code == INTERRUPTED:
        errors().print("Stopped on request. Run it again: it goes on where it stopped.")
    if code:
        raise typer.Exit(code)


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
        return 2
    return ROWS_FAILED if RunStatus.WITH_ERRORS in states else 0
