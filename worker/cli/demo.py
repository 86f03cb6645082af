"""demo: the whole nightly job three times, over real HTTP, with the very same code that works on real services."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from worker.cli.context import guarded, stop_on_interrupt
from worker.cli.output import tell
from worker.errors import ConfigError, Problem

_MISSING = "The emulators are not installed: pip install 'iglobe-economic-sync[emulators]'"


def demo(
    size: Annotated[str, typer.Option(help="tiny, small or typical.")] = "small",
    seed: Annotated[int, typer.Option(help="The same seed gives the same data.")] = 1,
    keep: Annotated[Path | None, typer.Option(help="Keep the emulators' data in this directory.")] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Keep serving at the end, until Ctrl-C.")] = False,
) -> None:
    """Show the whole story on two local emulators: first load, the next day, and an unchanged night."""
    with guarded(), ExitStack() as stack:
        try:
            from worker.cli.demo_story import DemoStory
        except ModuleNotFoundError as error:
            raise ConfigError([Problem(f"module {error.name}", "is missing.")], hint=_MISSING) from None
        if keep is not None and any(keep.glob("*.sqlite")):
            raise ConfigError(
                [Problem(f"directory {keep}", "already holds emulators' data.")], hint="Choose a new directory."
            )
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="economic-sync-demo-")))
        story = stack.enter_context(DemoStory(folder, size, seed))
        failed = story.tell()
        story.where_to_look(kept=keep)
        if serve:
            with stop_on_interrupt() as stop:
                stop.wait()
        if failed:
            tell("The demo did not end as it should: see above.", "bold red")
            raise typer.Exit(1)
