"""Where words go: results to standard output, everything else to standard error.

Text from outside is never markup and never controls the terminal: every line loses its control characters here, at the
last door, so that no caller can forget it.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from worker.domain.render.values import plain
from worker.errors import ConfigError, Problem, WorkerError

LOG_WIDTH = 120  # a pipe or a log is as wide as a table needs
# Legal in JSON texts, but a terminal obeys some of them and hides others.
_UNSEEN = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def set_up_streams() -> None:
    """Both streams take any character: UTF-8 into files and pipes; a console's own encoding with marks for the rest."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")


def errors() -> Console:
    """Standard error, as it is now: tests and pipes may have replaced it."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def results() -> Console:
    """Standard output; where that is no terminal, wide enough for any table."""
    console = Console(highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=LOG_WIDTH)


def say(*lines: str) -> None:
    """Results for people, one per line."""
    for line in lines:
        sys.stdout.write(f"{plain(line)}\n")


def say_json(data: Any) -> None:
    """A result for programs."""
    say_json_text(json.dumps(data, ensure_ascii=False, indent=1, default=_json_value))


def say_json_text(text: str) -> None:
    """A JSON text as it is; what a terminal would obey is written as an escape, which means the same."""
    sys.stdout.write(_UNSEEN.sub(lambda mark: f"\\u{ord(mark.group()):04x}", text.rstrip()) + "\n")


def tell(text: str, style: str = "") -> None:
    """What is going on; may have several lines."""
    console = errors()
    for line in text.splitlines() or [""]:
        console.print(Text(plain(line), style=style))


def tell_error(error: WorkerError) -> None:
    """An error: what, and the next step. Never a traceback."""
    tell(error.message, "bold red")
    if isinstance(error, ConfigError) and len(error.problems) > 1:
        tell_problems(error.problems)
    if error.hint:
        tell(f"Next: {error.hint}")


def tell_problems(problems: Iterable[Problem]) -> None:
    """Each problem on a line of its own."""
    for problem in problems:
        tell(f"  - {plain(str(problem))}")


def verdict(right: bool, text: str, wrong: str = "WRONG") -> Text:
    """A line with its mark."""
    mark = Text("  ok   " if right else f"  {wrong} ", style="green" if right else "bold red")
    return mark.append(plain(text), style="default")


def _json_value(value: object) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
