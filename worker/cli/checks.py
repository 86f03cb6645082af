"""check and provision."""

from __future__ import annotations

from typing import Annotated

import typer

from worker.cli.context import OPTIONS, guarded, opened_app
from worker.cli.output import say, tell, tell_error
from worker.errors import ConfigError, WorkerError
from worker.settings import load_installation
from worker.wiring import App
from worker.wiring.checking import CheckStep, check_connection


def check() -> None:
    """Test both connections, rights, lists, and the binding of every profile. Changes nothing."""
    with guarded(), opened_app(quiet=True) as app:
        found = [_told(step) for step in check_connection(app)]
        worst = next((error for error in found if error is not None), None)
        if worst is not None:
            raise typer.Exit(worst.exit_code)
        say("Everything is in order. Next: economic-sync plan")


def _told(step: CheckStep) -> WorkerError | None:
    for line in step.lines:
        say(line)
    for warning in step.warnings:
        tell(f"  {warning}", "yellow")
    if step.error is not None:
        tell_error(step.error)
    return step.error


def provision(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    profiles: Annotated[bool, typer.Option(help="Also save the shipped profiles that are not in the list.")] = True,
    reset_formatting: Annotated[
        bool, typer.Option("--reset-formatting", help="Also put back looks that people changed.")
    ] = False,
) -> None:
    """Make missing lists, columns, indexes, views, looks and profiles. Never drops or renames anything."""
    with guarded(), opened_app(quiet=True) as app:
        address = load_installation(OPTIONS.config).economy_address(app.settings.name)
        plan = app.provision_plan(economy_url=address, reset_formatting=reset_formatting)
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


def _missing_profiles(app: App, *, dry_run: bool) -> list[str]:
    missing = app.missing_profiles()
    if not dry_run:
        for profile in missing:
            app.profiles.save(profile)
    return [profile.title for profile in missing]
