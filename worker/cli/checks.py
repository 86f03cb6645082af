"""check, provision, explain."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from worker.cli.context import chosen_profiles, guarded, opened_app
from worker.cli.output import results, say, say_json, tell, tell_error
from worker.domain.render.values import one_line, shown
from worker.errors import ConfigError, NotFoundError, WorkerError
from worker.sync.explain import ProfileStory, story_data
from worker.wiring import App


def check() -> None:
    """Test both connections, rights, lists, and the binding of every profile. Changes nothing."""
    with guarded(), opened_app(quiet=True) as app:
        found = [_check_economic(app), _check_site(app)]
        if found[1] is None:
            found.append(_check_profiles(app))
        worst = next((error for error in found if error is not None), None)
        if worst is not None:
            raise typer.Exit(worst.exit_code)
        say("Everything is in order. Next: economic-sync plan")


def provision(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    profiles: Annotated[bool, typer.Option(help="Also save the shipped profiles that are not in the list.")] = True,
) -> None:
    """Make missing lists, columns, indexes, views and profiles. Never drops or renames anything."""
    with guarded(), opened_app(quiet=True) as app:
        plan = app.provision_plan()
        for step in plan.steps:
            say(f"{'would ' if dry_run else ''}{step}")
        if plan.problems:
            raise ConfigError(
                plan.problems, hint="Put these right in SharePoint; provisioning never changes a column's type."
            )
        if not dry_run:
            app.provision(plan)
        added = _missing_profiles(app, dry_run=dry_run) if profiles else []
        for title in added:
            say(f"{'would ' if dry_run else ''}save profile '{title}'")
        if not plan.steps and not added:
            say("Nothing is missing.")


def explain(
    customer: Annotated[int, typer.Argument(help="Customer number in e-conomic.")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """One customer field by field: source value, rule, value in the CRM, and what a run would do."""
    with guarded(), opened_app() as app:
        chosen, _ = chosen_profiles(app, [])
        with app.session(chosen, app.run_options()) as session:
            stories = session.explain(customer, app.settings.sync.language)
        if not stories:
            raise NotFoundError(
                f"e-conomic has no customer {customer}, or no enabled profile reads customers.",
                hint="Check the number in e-conomic.",
            )
        if as_json:
            say_json([story_data(story) for story in stories])
            return
        for story in stories:
            results().print(_story_table(story))


def _check_economic(app: App) -> WorkerError | None:
    try:
        report = app.source.connection_test()
    except WorkerError as error:
        tell_error(error)
        return error
    agreement = report.agreement
    say(
        f"e-conomic: {agreement.company_name or 'company without a name'}, agreement {agreement.number}, "
        f"base currency {agreement.base_currency}, app '{agreement.app_name}' with {', '.join(agreement.roles) or '?'}"
    )
    for warning in report.warnings:
        tell(f"  {warning}", "yellow")
    return None


def _check_site(app: App) -> WorkerError | None:
    try:
        access = app.site.check_access()
    except WorkerError as error:
        tell_error(error)
        return error
    if access.title:
        rights = [name for name, may in _rights(access.can_read, access.can_write, access.can_manage) if may]
        say(f"SharePoint: '{one_line(access.title)}' at {access.url}, may {', '.join(rights)}, zone {access.zone}")
    for title, there, count in access.lists:
        say(f"  list {title}: " + (f"'{one_line(there)}', {count:,} items" if there else "missing"))
    if not access.problems:
        return None
    wrong = ConfigError(access.problems)
    tell_error(wrong)
    return wrong


def _rights(read: bool, write: bool, manage: bool) -> tuple[tuple[str, bool], ...]:
    return ("read", read), ("write", write), ("provision", manage)


def _check_profiles(app: App) -> WorkerError | None:
    try:
        chosen, broken = chosen_profiles(app, [])
        if broken:
            raise ConfigError(
                [problem for row in broken for problem in row.problems], hint="Correct the list Mapping profiles."
            )
        if not chosen:
            tell("No profile is enabled. Next: economic-sync provision", "yellow")
            return None
        with app.session(chosen, app.run_options()) as session:
            session.check()
    except WorkerError as error:
        tell_error(error)
        return error
    say(f"Profiles: {len(chosen)} enabled, every column is bound.")
    return None


def _missing_profiles(app: App, *, dry_run: bool) -> list[str]:
    there = {row.title.casefold() for row in app.profiles.profiles()} if app.has_profiles_list() else set()
    missing = [profile for profile in app.shipped_profiles() if profile.title.casefold() not in there]
    if not dry_run:
        for profile in missing:
            app.profiles.save(profile)
    return [profile.title for profile in missing]


def _story_table(story: ProfileStory) -> Table:
    items = ", ".join(map(str, story.item_ids)) or "none"
    title = Text(f"{one_line(story.profile)}: {story.verdict}  (CRM item {items})")
    table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    for name in ("e-conomic field", "value", "converter", "rule", "CRM column", "wanted", "in the CRM", "a run"):
        table.add_column(name)
    for one in story.fields:
        cells = (
            one.source,
            shown(one.source_value),
            one.converter,
            one.rule,
            one.column,
            shown(one.wanted),
            shown(one.standing),
            one.says,
        )
        table.add_row(*(Text(cell) for cell in cells), style="bold" if one.says == "would be written" else "")
    return table
