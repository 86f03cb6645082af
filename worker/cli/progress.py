"""Progress on standard error: a bar for the step in hand on a terminal, and one line for each step that is done."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from worker.domain.render.values import one_line


class RichProgress:
    """A context manager; steps come one after the other. A step that had nothing to do leaves no line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
            # Results belong to standard output, wherever that leads: a bar must not draw them to its own console.
            redirect_stdout=False,
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
        self._label, self._count = one_line(label), 0
        self._task = self._progress.add_task(self._label, total=total)

    def advanced(self, count: int) -> None:
        """So many more are done."""
        self._count += count
        if self._task is not None:
            self._progress.advance(self._task, count)

    def finished(self) -> None:
        """The step is over: its bar goes, its count stays."""
        if self._task is None:
            return
        self._progress.remove_task(self._task)
        self._task = None
        if self._count:
            self._console.print(Text(f"  {self._label}: {self._count:,}"))
