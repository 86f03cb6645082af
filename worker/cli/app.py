"""The command `economic-sync`: global options and the list of commands."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from worker.cli import checks, demo, emulate, profiles, runs
from worker.cli.context import OPTIONS, set_up_logging
from worker.cli.output import say

EPILOG = (
    "Exit codes: 0 all done; 1 done, but rows failed; 2 settings, a profile or a list is wrong; 3 the run can't go on; "
    "4 stopped by the brake; 5 the plan is stale; 6 a service is away, try later; 7 a ledger or control sum differs; "
    "8 another run is under way; 70 unexpected; 130 stopped by Ctrl-C."
)

app = typer.Typer(
    name="economic-sync",
    help="Keeps the SharePoint lists behind iGlobe CRM true to Visma e-conomic.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        say(f"economic-sync {metadata.version('iglobe-economic-sync')}")
        raise typer.Exit


@app.callback()
def options(
    config: Annotated[Path | None, typer.Option(help="Settings file (TOML) instead of config/settings.toml.")] = None,
    debug: Annotated[bool, typer.Option(help="Show tracebacks.")] = False,
    verbose: Annotated[bool, typer.Option(help="Log each decision on standard error.")] = False,
    version: Annotated[  # noqa: ARG001  # its callback does the work
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options for every command."""
    OPTIONS.config, OPTIONS.debug = config, debug
    set_up_logging(verbose or debug)


app.command()(checks.check)
app.command()(checks.provision)
app.add_typer(profiles.app, name="profiles", help="The mapping profiles.")
app.command()(runs.plan)
app.command()(runs.apply)
app.command()(runs.run)
app.command(name="runs")(runs.recent)
app.command()(checks.explain)
app.command()(emulate.emulate)
app.command()(demo.demo)


def main() -> None:
    """Entry point."""
    app()
