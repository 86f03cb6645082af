"""Progress on standard error: a bar for the step in hand on a terminal, and one line for each step that is done.

A bar lives from the start of its step to its end, so that nothing is drawn while results are printed.
"""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from worker.domain.render.values import one_line


class RichProgress:
    """A context manager; steps come one after the other. A step that had nothing to do leaves no line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Progress | None = None
        self._label = ""
        self._count = 0

    def __enter__(self) -> RichProgress:
        return self

    def __exit__(self, *_: object) -> None:
        """An error may have left a step open: its bar goes."""
        self._end_bar()

    def started(self, label: str, total: int | None) -> None:
        """A bar with an end when the total is known, else one that only counts."""
        self._end_bar()
        self._label, self._count = one_line(label), 0
        if self._console.is_terminal:
            self._bar = _bar(self._console)
            self._bar.add_task(self._label, total=total)
            self._bar.start()

    def advanced(self, count: int) -> None:
        """So many more are done."""
        self._count += count
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0], count)

    def finished(self) -> None:
        """The step is over: its bar goes, its count stays."""
        self._end_bar()
        if self._count:
            self._console.print(Text(f"  {self._label}: {self._count:,}"))
            self._count = 0

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _bar(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        # Results belong to standard output, wherever that leads: a bar must not draw them to its own console.
        redirect_stdout=False,
    )
