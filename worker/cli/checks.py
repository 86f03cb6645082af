"""check and provision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from worker.cli.context import all_problems, chosen_profiles, guarded, opened_app
from worker.cli.output import say, tell, tell_error
from worker.domain.profile import Profile
from worker.domain.render.values import one_line
from worker.errors import ConfigError, Problem, WorkerError
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
        problems = [*all_problems(broken), *_unbound(app, chosen)]
        if problems:
            raise ConfigError(
                problems, hint="Correct the list Mapping profiles, or name lists and columns in the settings."
            )
    except WorkerError as error:
        tell_error(error)
        return error
    if chosen:
        say(f"Profiles: {len(chosen)} enabled, every column is bound.")
    return None


def _unbound(app: App, chosen: Sequence[Profile]) -> Sequence[Problem]:
    """What keeps enabled profiles from being bound."""
    if not chosen:
        return ()
    try:
        with app.session(chosen, app.run_options()) as session:
            session.check()
    except ConfigError as error:
        return error.problems
    return ()


def _missing_profiles(app: App, *, dry_run: bool) -> list[str]:
    there = {row.title.casefold() for row in app.profiles.profiles()} if app.has_profiles_list() else set()
    missing = [profile for profile in app.shipped_profiles() if profile.title.casefold() not in there]
    if not dry_run:
        for profile in missing:
            app.profiles.save(profile)
    return [profile.title for profile in missing]
