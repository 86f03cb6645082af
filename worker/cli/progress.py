"""Progress on standard error: a bar for each step on a terminal, one line when it is done elsewhere."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text


class RichProgress:
    """A context manager; steps come one after the other."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = console.is_terminal
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not self._live,
        )
        self._task: TaskID | None = None
        self._label = ""
        self._count = 0

    def __enter__(self) -> RichProgress:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def started(self, label: str, total: int | None) -> None:
        """A bar with an end when the total is known, else one that only counts."""
        self._label, self._count = label, 0
        self._task = self._progress.add_task(label, total=total)

    def advanced(self, count: int) -> None:
        """So many more are done."""
        self._count += count
        if self._task is not None:
            self._progress.advance(self._task, count)

    def finished(self) -> None:
        """The step is over."""
        if self._task is None:
            return
        if self._live:
            self._progress.update(self._task, total=self._count, completed=self._count)
        elif self._count:
            self._console.print(Text(f"  {self._label}: {self._count:,}"))
        self._task = None
