"""Undoing a run over real connections: found by its id, planned, and applied alone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from worker.domain.plan import ChangeKind
from worker.domain.report import Ledger, RunMode, RunReport, RunStatus, Trigger
from worker.engine.book import Book
from worker.engine.journal import Kept
from worker.errors import BrakeError, ConfigError, NotKeptError, Problem, StalePlanError, WorkerError
from worker.ports import NoJournal, Stores
from worker.sync.undo_plan import Ran, Undo, Undone
from worker.sync.undoing import Undoer
from worker.wiring.app import App
from worker.wiring.holding import connection_held

log = logging.getLogger(__name__)
_AGAIN = "Look at it again: the lists have changed since."
_ONCE_MORE = "Where this row stays as it is, the undoing was interrupted: undo the run once more."


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be undone. `profiles` empty = all of the run."""

    run: str
    profiles: tuple[str, ...] = ()
    remove_created: bool = False
    most_created: int | None = None  # items that are looked at one by one, some five requests each; None = any number


def find_runs(app: App, stores: Stores | None, choice: Choice) -> list[Ran]:
    """The profiles' runs of a run id or of a job, in the order they ran. Raises NotKeptError when none is kept,
    ConfigError when it made more items than `choice` lets be removed."""
    journal = app.journal
    ids = [choice.run]
    job = Book(stores.records).job(app.settings.name, choice.run) if stores else None
    if job is not None:
        ids = [run.run_id for run in job.runs]
    kept = [one for one in (journal.read(run_id) for run_id in ids) if one is not None] if journal else []
    wanted = {title.casefold() for title in choice.profiles}
    chosen = [one for one in kept if not wanted or one.profile.title.casefold() in wanted]
    if not chosen:
        days = app.settings.sync.undo_days
        raise NotKeptError(
            f"Nothing is kept of run {choice.run}: it wrote nothing, or is older than {days} days.",
            hint="See the runs and their ids: economic-sync runs",
        )
    made = sum(change.kind is ChangeKind.CREATE for one in chosen for change in one.changes)
    if choice.remove_created and choice.most_created is not None and made > choice.most_created:
        problem = Problem(f"run {choice.run}", f"made {made} items, too many to look at on a page.")
        raise ConfigError([problem], hint=f"Use the command: economic-sync undo {choice.run} --remove-created")
    return [Ran(one.run_id, one.profile, one.changes, one.existing, one.unsure) for one in sorted(chosen, key=_order)]


def plan_undo(app: App, stores: Stores | None, choice: Choice) -> list[Undo]:
    """What would be taken back; the latest profile first. Writes nothing."""
    runs = find_runs(app, stores, choice)
    return _undoer(app).plan(runs, remove_created=choice.remove_created)


def digest_of(undos: Sequence[Undo]) -> str:
    """Stands for exactly these."""
    return "-".join(undo.digest[:8] for undo in undos)


def apply_undo(
    app: App, stores: Stores | None, choice: Choice, *, expected: str = "", override_brake: bool = False
) -> list[tuple[Undo, Undone]]:
    """Plans once more and does it. `expected`: the digest that was looked at. However it ends, the run list says what
    was done and what not; undoing once more does the rest.

    Raises StalePlanError when it would do something else than that, BrakeError when it changes too much, BusyError.
    """
    with connection_held(stores, app.settings.name):
        undoer = _undoer(app)
        undos = undoer.plan(find_runs(app, stores, choice), remove_created=choice.remove_created)
        if expected and digest_of(undos) != expected:
            raise StalePlanError("Undoing would now do something else than what was shown.", hint=_AGAIN)
        braked = [reason for undo in undos for reason in undo.braked]
        if braked and not override_brake:
            raise BrakeError(
                f"Undoing was stopped before writing: {' '.join(braked)}",
                reasons=braked,
                hint="Look at it, and say that it may change so much.",
            )
        work = [_Work(app.new_run_id(), undo, undo.begun()) for undo in undos]
        started = app.clock.now()
        app.runs.opened([_opening(choice, one, started) for one in work])
        try:
            for one in work:
                undoer.apply(one.undo, one.run_id, one.done)
        except WorkerError as error:
            _close(app, [_report(app, choice, one, started, error) for one in work])
            raise
        app.runs.closed([_report(app, choice, one, started) for one in work])
    return [(one.undo, one.done) for one in work]


@dataclass(frozen=True, slots=True)
class _Work:
    """One profile's undo under way."""

    run_id: str
    undo: Undo
    done: Undone

    @property
    def name(self) -> str:
        """In the run list; one of its own, as an undoing is no good run of the profile."""
        return f"Undo: {self.undo.ran.profile.title}"[:255]


def _undoer(app: App) -> Undoer:
    return Undoer(app.site, app.today, app.stop, app.journal or NoJournal())


def _order(one: Kept) -> tuple[int, str]:
    return one.profile.order, one.profile.title


def _close(app: App, reports: Sequence[RunReport]) -> None:
    """After an error, which is told in any case."""
    try:
        app.runs.closed(reports)
    except WorkerError as error:
        log.warning("the run list could not be written: %s", error)


def _opening(choice: Choice, one: _Work, started: datetime) -> RunReport:
    """The row that stands there while it works, and for good where it is killed."""
    changes, removals = len(one.undo.plan.changes), len(one.undo.removals)
    text = f"Undoing run {choice.run}: {changes} items to set back, {removals} to the recycle bin. {_ONCE_MORE}"
    return RunReport(one.run_id, one.name, RunMode.APPLY, Trigger.MANUAL, RunStatus.RUNNING, started, message=text)


def _report(app: App, choice: Choice, one: _Work, started: datetime, error: WorkerError | None = None) -> RunReport:
    """What was done, and what not."""
    done, changes = one.done, len(one.undo.plan.changes)
    failed = len(done.failed)
    text = f"Undid run {choice.run}: {done.reverted} items set back, {done.removed} to the recycle bin, "
    parts = [f"{text}{len(done.left)} left as they are."]
    parts += [f"{failed} were refused."] if failed else []
    parts += [f"{len(done.open)} were not reached: undo the run once more."] if done.open else []
    parts += [error.message] if error is not None and done.open else []
    return RunReport(
        run_id=one.run_id,
        profile=one.name,
        mode=RunMode.APPLY,
        trigger=Trigger.MANUAL,
        status=_status(done, error),
        started=started,
        finished=app.clock.now(),
        ledger=Ledger(changes, updated=done.reverted, skipped=changes - done.reverted - failed, failed=failed),
        message=" ".join(parts),
    )


def _status(done: Undone, error: WorkerError | None) -> RunStatus:
    if done.open:
        return RunStatus.FAILED if error else RunStatus.PAUSED
    return RunStatus.WITH_ERRORS if done.failed else RunStatus.SUCCEEDED
