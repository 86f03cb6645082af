"""plan and apply: what a run would change, on screen and on file, and doing exactly that."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from worker.cli.context import (
    OPTIONS,
    all_problems,
    chosen_profiles,
    guarded,
    opened_app,
    stop_on_interrupt,
    write_file,
)
from worker.cli.output import say, say_json, tell, tell_problems
from worker.cli.runs import Json, ReallyYes, Titles, finish
from worker.domain.plan_file import PlanEntry, PlanFile, dump_plan_file, load_plan_file
from worker.domain.profile import Profile
from worker.domain.profile_row import profile_digest
from worker.domain.render.html import plan_html
from worker.domain.render.json import plan_json
from worker.domain.render.markdown import plan_markdown
from worker.domain.render.text import plan_text
from worker.domain.render.values import forecast_all, one_line, some
from worker.errors import ConfigError, NotFoundError, StalePlanError
from worker.ports import ProfileRow
from worker.sync.runner import ProfilePlan
from worker.wiring import App
from worker.wiring.alone import run_alone

_ON_SCREEN = 20
_ON_PAGE = 5_000  # a browser can search these at once; a first load has hundreds of thousands


def plan(
    profile: Titles = None,
    out: Annotated[Path | None, typer.Option(help="Write a plan file for `apply`.")] = None,
    as_json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="As Markdown.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write an HTML page.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=0, help="Changes and rows shown per profile; 0 = all. [20; on a page 5,000]")
    ] = None,
) -> None:
    """Show exactly what a run would change, field by field. Writes nothing to SharePoint."""
    if as_json and markdown:
        raise typer.BadParameter("give --json or --markdown")
    with guarded(), opened_app() as app:
        chosen, broken = chosen_profiles(app, profile or [])
        file = _planned(app, chosen)
        if out is not None:
            write_file(out, dump_plan_file(file))
            tell(f"Plan file {out} written. Apply it with: economic-sync apply {out}")
        if html is not None:
            rows = _ON_PAGE if limit is None else limit
            page = plan_html(file, limit=rows, units_per_minute=_budget(app), language=app.settings.sync.language)
            write_file(html, page)
            tell(f"Page {html} written.")
        if as_json:
            say_json(plan_json(file, units_per_minute=_budget(app), language=app.settings.sync.language))
        elif html is None or markdown:
            _show(app, file, _ON_SCREEN if limit is None else limit, markdown=markdown)
        _name_broken(broken)


def apply(
    plan_file: Annotated[Path, typer.Argument(help="A file written by `plan --out`.")],
    yes_really: ReallyYes = False,
    as_json: Json = False,
) -> None:
    """Apply a plan file, exactly. Refuses when the world has moved since."""
    with guarded():
        file = load_plan_file(_read(plan_file), plan_file.name)
        with stop_on_interrupt() as stop, opened_app(stop, writes=True) as app, run_alone(app, OPTIONS.config):
            chosen, _ = chosen_profiles(app, list(file.digests)) if file.entries else ([], [])
            _refuse_other_profiles(file, chosen)
            _refuse_other_agreement(file, app)
            with app.session(chosen, app.run_options(override_brake=yes_really)) as session:
                result = session.apply(file.digests)
            finish(result, as_json=as_json)


def _planned(app: App, chosen: Sequence[Profile]) -> PlanFile:
    with app.session(chosen, app.run_options()) as session:
        plans = session.plan()
        return PlanFile(session.started, session.snapshot.agreement.number, tuple(map(_entry, plans)))


def _entry(one: ProfilePlan) -> PlanEntry:
    return PlanEntry(one.plan, profile_digest(one.profile), one.braked)


def _budget(app: App) -> float:
    sharepoint = app.settings.sharepoint
    return sharepoint.units_per_minute * sharepoint.units_share


def _show(app: App, file: PlanFile, limit: int, *, markdown: bool) -> None:
    render = plan_markdown if markdown else plan_text
    language = app.settings.sync.language
    for entry in file.entries:
        lines = render(entry.plan, entry.braked, limit=limit, units_per_minute=_budget(app), language=language)
        say(*lines, "")
    if len(file.entries) > 1:
        say(f"To apply all of it: {forecast_all((entry.plan for entry in file.entries), _budget(app))}")
    economic, sharepoint = app.source.usage().requests, app.site.usage().requests
    tell(f"Reading took {some(economic, 'call')} to e-conomic and {sharepoint:,} to SharePoint; a run reads as much.")


def _name_broken(broken: Sequence[ProfileRow]) -> None:
    """The plan is shown for what can be read; the command still fails, as a run would."""
    if broken:
        tell(f"{some(len(broken), 'profile')} could not be read and {'is' if len(broken) == 1 else 'are'} not planned:")
        tell_problems(all_problems(broken))
        tell("Next: correct the list Mapping profiles.")
        raise typer.Exit(ConfigError.exit_code)


def _refuse_other_profiles(file: PlanFile, chosen: Sequence[Profile]) -> None:
    digests = {entry.plan.profile: entry.profile_digest for entry in file.entries}
    changed = [one_line(one.title) for one in chosen if digests.get(one.title) != profile_digest(one)]
    if changed:
        raise StalePlanError(
            f"The profile was changed since the plan was made: {', '.join(changed)}.",
            hint="Make a new plan: economic-sync plan --out FILE",
        )


def _refuse_other_agreement(file: PlanFile, app: App) -> None:
    if app.source.agreement().number != file.agreement:
        raise StalePlanError(
            f"The plan was made for e-conomic agreement {file.agreement}, not for this one.",
            hint="Use the settings of that agreement, or make a new plan.",
        )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFoundError(f"There is no plan file {path}.", hint="Make one: economic-sync plan --out FILE") from None
    except UnicodeDecodeError:
        raise StalePlanError(f"{path} is not a readable plan file.", hint="Make a new plan.") from None
    except OSError as error:
        raise NotFoundError(
            f"{path} can't be read ({error.strerror or type(error).__name__}).", hint="Give a plan file."
        ) from None
