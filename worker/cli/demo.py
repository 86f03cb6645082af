"""demo: the whole nightly job three times, over real HTTP, with the very same code that works on real services."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from worker.cli.context import guarded, stop_on_interrupt, wait_for
from worker.cli.output import tell
from worker.errors import ConfigError, Problem
from worker.wiring.engine import DATABASE

_DATA = Path(".data/demo")
_OURS = frozenset({".sqlite", ".sqlite-wal", ".sqlite-shm", ".snapshot"})
_MISSING = "The emulators are not installed: pip install 'iglobe-economic-sync[emulators]'"


def demo(
    size: Annotated[str, typer.Option(help="tiny, small or typical.")] = "small",
    seed: Annotated[int, typer.Option(help="The same seed gives the same data.")] = 1,
    data: Annotated[Path, typer.Option(help="Where the emulators keep their data; made anew.")] = _DATA,
    serve: Annotated[
        bool, typer.Option("--serve", help="Keep lists and console serving at the end, until Ctrl-C.")
    ] = False,
) -> None:
    """Show the whole story on two local emulators: first load, the next day, and an unchanged night."""
    with guarded(), ExitStack() as stack:
        try:
            from worker.cli.demo_story import DemoStory
        except ModuleNotFoundError as error:
            raise ConfigError([Problem(f"module {error.name}", "is missing.")], hint=_MISSING) from None
        _make_anew(data)
        story = stack.enter_context(DemoStory(data, size, seed))
        failed = story.tell()
        console = stack.enter_context(story.console()) if serve else None
        story.where_to_look(console)
        if serve:
            with stop_on_interrupt("Stopping.") as stop:
                wait_for(stop)
        if failed:
            tell("The demo did not end as it should: see above.", "bold red")
            raise typer.Exit(1)


def _make_anew(folder: Path) -> None:
    """Removes an earlier demo's databases; refuses a directory that holds anything else."""
    others = [path for path in folder.glob("*") if path.suffix not in _OURS and path.name != "worker"]
    if others:
        raise ConfigError(
            [Problem(f"directory {folder}", f"holds something that is not the demo's: {others[0].name}.")],
            hint="Choose another directory: economic-sync demo --data DIR",
        )
    for path in [*folder.glob("*"), *(folder / "worker").glob(f"{DATABASE}*")]:
        if path.is_file():
            path.unlink()
