"""The command `economic-sync`: global options and the list of commands."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from worker.cli import (
    checks,
    create,
    demo,
    emulate,
    explain,
    hooks,
    link,
    plans,
    profiles,
    reconcile,
    runs,
    send,
    serve,
    undo,
)
from worker.cli.context import OPTIONS, set_up_logging
from worker.cli.output import say, set_up_streams

EPILOG = (
    "Exit codes: 0 all done; 1 done, but rows failed; 2 settings, a profile or a list is wrong; 3 the run can't go on; "
    "4 stopped by the brake; 5 the plan is stale; 6 a service is away, try later; 7 a ledger or control sum differs; "
    "8 another run is under way; 70 unexpected; 130 stopped by Ctrl-C."
)


class _Anywhere(TyperGroup):
    """Takes the global options behind the command's name as well: `plan --debug` is what people type."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Moves them to the front."""
        return super().parse_args(ctx, global_options_first(args))


def global_options_first(args: list[str]) -> list[str]:
    """The same arguments with the global options before the command; what follows `--` is left alone."""
    cut = args.index("--") if "--" in args else len(args)
    front: list[str] = []
    rest: list[str] = []
    words = iter(args[:cut])
    for word in words:
        if word in _FLAGS or word.startswith(tuple(f"{name}=" for name in _VALUED)):
            front.append(word)
        elif word in _VALUED:
            front += [word, *([value] if (value := next(words, None)) is not None else [])]
        else:
            rest.append(word)
    return [*front, *rest, *args[cut:]]


_FLAGS = frozenset({"--debug", "--verbose", "--version"})
_VALUED = frozenset({"--config", "--connection"})

app = typer.Typer(
    cls=_Anywhere,
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
    connection: Annotated[str | None, typer.Option(help="Which connection, when there are several.")] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log each decision on standard error.")] = False,
    version: Annotated[  # noqa: ARG001  # its callback does the work
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options for every command."""
    OPTIONS.config, OPTIONS.connection, OPTIONS.debug = config, connection, debug
    set_up_logging(verbose or debug)


app.command()(checks.check)
app.command()(checks.provision)
app.add_typer(profiles.app, name="profiles", help="The mapping profiles.")
app.command()(plans.plan)
app.command()(plans.apply)
app.command()(runs.run)
app.command(name="runs")(runs.recent)
app.command()(undo.undo)
app.command()(explain.explain)
app.command()(link.link)
app.command(name="create-customer")(create.create_customer)
app.command(name="send-fields")(send.send)
app.command()(reconcile.reconcile)
app.command()(hooks.hooks)
app.command()(serve.serve)
app.command(name="login-link")(serve.login_link)
app.command()(emulate.emulate)
app.command()(demo.demo)


def main() -> None:
    """Entry point."""
    set_up_streams()
    app()
