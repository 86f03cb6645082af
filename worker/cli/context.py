"""What every command shares: settings, the app, Ctrl-C, and errors turned into words and exit codes."""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import typer

from worker.cli.output import errors, tell, tell_error
from worker.cli.progress import RichProgress
from worker.domain.profile import Profile
from worker.errors import ConfigError, Problem, WorkerError
from worker.logs import quiet_libraries
from worker.ports import ProfileRow, Stores
from worker.settings import Settings, load_installation
from worker.wiring import App, build_app
from worker.wiring.engine import current_settings, has_journal, has_stores, open_journal, open_stores

INTERRUPTED = 130
UNEXPECTED = 70
ROWS_FAILED = 1
_STOPPING = "Stopping after the batch in hand; run it again to go on. Press Ctrl-C again to end at once."


@dataclass(slots=True)
class Options:
    """The global options."""

    config: Path | None = None
    connection: str | None = None
    debug: bool = False


OPTIONS = Options()


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Errors become one sentence, the next step and an exit code; a traceback only with --debug."""
    try:
        yield
    except (typer.Exit, BrokenPipeError):  # an end on purpose, or of a reader such as `head`: typer's business
        raise
    except WorkerError as error:
        _show_traceback(error)
        tell_error(error)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        tell("Stopped. Run it again: it goes on where it stopped.", "yellow")
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:  # noqa: BLE001  # the outermost door: a person gets a sentence, whatever it was
        _show_traceback(error)
        tell(f"Something unexpected happened ({type(error).__name__}).", "bold red")
        tell("Next: run it again with --debug and report what it prints.")
        raise typer.Exit(UNEXPECTED) from None


def _show_traceback(error: Exception) -> None:
    if OPTIONS.debug:
        tell("".join(traceback.format_exception(error)), "dim")


def settings() -> Settings:
    """All settings. Raises ConfigError with every problem."""
    return current_settings(OPTIONS.config, OPTIONS.connection)


def stores() -> Stores:
    """The stores that the installation's settings choose."""
    return open_stores(load_installation(OPTIONS.config))


@contextlib.contextmanager
def opened_app(stop: threading.Event | None = None, *, quiet: bool = False, writes: bool = False) -> Iterator[App]:
    """The app over the real services, with progress on standard error. `writes`: what a run changes is kept. What
    earlier runs kept is read in any case: a plan must see what the run sees that applies it."""
    with contextlib.ExitStack() as stack:
        progress = None if quiet else stack.enter_context(RichProgress(errors()))
        installation = load_installation(OPTIONS.config)
        records = open_stores(installation).records if has_stores(installation) else None
        journal = open_journal(installation) if writes or has_journal(installation) else None
        app = build_app(settings(), progress=progress, stop=stop, records=records, journal=journal)
        yield stack.enter_context(app)


@contextlib.contextmanager
def stop_on_interrupt(words: str = _STOPPING) -> Iterator[threading.Event]:
    """The first Ctrl-C or SIGTERM asks the run to stop after the batch in hand; a second Ctrl-C ends at once."""
    stop = threading.Event()

    def asked(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        tell(words, "yellow")

    with _handlers({signal.SIGINT: asked, signal.SIGTERM: asked}):
        yield stop


def wait_for(stop: threading.Event) -> None:
    """Until somebody asks to stop. In steps: on Windows a wait without end does not hear Ctrl-C."""
    while not stop.wait(0.5):
        pass


@contextlib.contextmanager
def _handlers(wanted: dict[signal.Signals, Callable[[int, FrameType | None], None]]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return
    before = {number: signal.signal(number, handler) for number, handler in wanted.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def chosen_profiles(app: App, titles: Sequence[str]) -> tuple[list[Profile], list[ProfileRow]]:
    """Profiles by title, all enabled ones without titles; and the rows that could not be parsed.

    Raises ConfigError when a title is unknown or a profile asked for by name is wrong.
    """
    rows = app.profiles.profiles()
    if not titles:
        good = [row.profile for row in rows if row.profile and row.profile.enabled]
        broken = [row for row in rows if row.profile is None]
        if not good and not broken:
            tell("No profile is enabled. Next: economic-sync provision, or enable one in the list.", "yellow")
        return good, broken
    by_title = {row.title.casefold(): row for row in rows}
    problems: list[Problem] = []
    chosen: list[Profile] = []
    for title in titles:
        row = by_title.get(title.strip().casefold())
        if row is None:
            known = tuple(one.title for one in rows)
            problems.append(Problem(f"profile '{title}'", "does not exist in the list Mapping profiles.", known))
        elif row.profile is None:
            problems += row.problems
        else:
            chosen.append(row.profile)
    if problems:
        raise ConfigError(problems, hint="See: economic-sync profiles list")
    return chosen, []


def all_problems(broken: Sequence[ProfileRow]) -> list[Problem]:
    """Everything that is wrong with profiles that could not be parsed."""
    return [problem for row in broken for problem in row.problems]


def write_file(path: Path, text: str) -> None:
    """Writes a file that holds names and addresses: readable for its owner only, also where it stood before.

    Raises ConfigError when the place can't be written.
    """
    try:
        path.touch(mode=0o600)
        if path.is_file():  # a device such as /dev/stdout keeps its rights
            path.chmod(0o600)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            [Problem(f"file {path}", f"can't be written ({error.strerror or type(error).__name__}).")],
            hint="Choose another place, or make the directory first.",
        ) from None


def set_up_logging(verbose: bool) -> None:
    """Log lines on standard error: decisions with --verbose, else warnings only."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )
    quiet_libraries()
