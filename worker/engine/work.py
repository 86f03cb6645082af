"""One slice of a job: goes on where the checkpoint says, until the job is over or the time budget is.

Profile by profile: plan, store the plan, brake, write in chunks, prove, report. What is written to the store comes
before what depends on it, so a worker that is killed anywhere leaves the next one a place to go on from:

- a plan is stored before the checkpoint names its fingerprint; without the fingerprint it is made anew;
- a chunk of changes is noted as begun, sent, its outcomes stored, and then counted. A chunk that was begun and not
  counted is looked up in the list, change by change, before anything of it is sent again;
- the run list is written once all profiles are over; a second writing finds the rows of the first by their run id.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from zoneinfo import ZoneInfo

from worker.domain.brake import brake_reasons
from worker.domain.key_order import freed_keys
from worker.domain.narrowing import only_agreed, only_keys
from worker.domain.plan import Change
from worker.domain.planning import Planned
from worker.domain.profile import Profile
from worker.domain.profile_row import profile_digest, profile_from_json, profile_to_json
from worker.domain.report import LastRun, RunMode, RunReport, RunStatus
from worker.domain.rows import RunFacts
from worker.domain.values import TargetKind
from worker.engine.checkpoint import Checkpoint, Phase
from worker.engine.jobs import Job, JobRun, JobState
from worker.engine.kept_source import KeptSource
from worker.engine.notes import JobNotes
from worker.engine.opened import Opened
from worker.engine.rest import apply_chunk, narrowed
from worker.engine.stored_plan import DamagedError, Shelf, StoredPlan
from worker.errors import BrakeError, ConfigError, LeaseLostError, Problem, StalePlanError, WorkerError
from worker.ports import Progress, StopSignal, Usage
from worker.sync.applier import Applied, Applier
from worker.sync.bindings import Bindings, bind_profiles
from worker.sync.outcome import finished_report, message_for, previewed_report
from worker.sync.planner import Planner
from worker.sync.proof import prove
from worker.sync.runner import refuse_braked
from worker.sync.snapshot import Snapshot
from worker.telemetry import count_rows, log_context, report_lag, span

log = logging.getLogger(__name__)
_REPLANS = 3  # after that, rows that people keep changing are settled one by one
_CANCELLED = "Cancelled before it began; nothing was written."


class OutOfTimeError(Exception):
    """The slice's budget is over; the rest is for the next message. Never leaves the engine."""


class CancelledError(Exception):
    """A person cancelled the job. Never leaves the engine."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """`out_of_time` and `stop` are asked between steps and chunks; a chunk is so many changes."""

    out_of_time: Callable[[], bool]
    stop: StopSignal
    chunk: int


class Slice:
    """One message's work on a job."""

    def __init__(
        self,
        opened: Opened,
        notes: JobNotes,
        shelf: Shelf,
        kept: Callable[[Callable[[], None], Callable[[], None]], KeptSource],
        bounds: Bounds,
        progress: Progress,
        agreed: Callable[[str], StoredPlan | None],
    ) -> None:
        self._agreed = agreed
        self._chunk = bounds.chunk
        self._opened = opened
        self._world = opened.world
        self._notes = notes
        self._shelf = shelf
        self._source = kept(self._breathe, notes.progressed)
        self._out_of_time = bounds.out_of_time
        self._stop = bounds.stop
        self._progress = progress
        self._profiles: dict[str, Profile] = {}
        self._versions: dict[TargetKind, dict[int, str]] = {}
        self._bindings = Bindings()
        self._snapshot: Snapshot | None = None
        self._planner: Planner | None = None
        self._last: Mapping[str, LastRun] = {}
        self._stored: dict[str, StoredPlan] = {}
        self.started = self._world.clock.now()
        self.today: date = self.started.date()

    def __enter__(self) -> Slice:
        return self

    def __exit__(self, *_: object) -> None:
        if self._snapshot is not None:
            self._snapshot.close()

    # The job

    def work(self) -> None:
        """Returns when the job is over. Raises OutOfTimeError, or what ends or delays the job."""
        try:
            self._prepare()
            self._each_run()
            state = JobState.DONE
        except CancelledError:
            self._cancel_rest()
            state = JobState.CANCELLED
        self._close()
        self._finish(state)

    def fail(self, error: WorkerError) -> None:
        """Ends the job with `error`; what was done so far is reported."""
        for run in self._waiting():
            self._end_run(run.profile, RunStatus.FAILED, message_for(error))
        try:
            self._close()
        except LeaseLostError:
            raise
        except WorkerError as second:
            log.warning("the run list could not be written: %s", second)
        self._finish(JobState.FAILED, message_for(error))

    def _each_run(self) -> None:
        if self._job.mode is RunMode.PLAN or self._job.expected:
            for run in self._waiting():
                self._alone(run, self._ensure_planned)
            self._refuse_stale()
        for run in self._waiting():
            self._alone(run, self._preview if self._job.mode is RunMode.PLAN else self._perform)

    @property
    def _job(self) -> Job:
        return self._notes.job

    @property
    def _checkpoint(self) -> Checkpoint:
        return self._notes.checkpoint

    def _waiting(self) -> list[JobRun]:
        return [run for run in self._job.runs if not run.is_over]

    def _alone(self, run: JobRun, step: Callable[[JobRun], None]) -> None:
        """A profile that can't be run does not hold up the others; a damaged record is made anew, once."""
        names = {"connection": self._job.connection, "profile": run.profile}
        with log_context(run=run.run_id, profile=run.profile), span("sync.run", **names), self._counted(run.profile):
            try:
                step(run)
            except DamagedError as error:
                log.warning("job=%s profile=%s %s", self._job.job_id, run.profile, error)
                self._start_over(run.profile)
                step(run)
            except BrakeError as error:
                self._end_run(run.profile, RunStatus.BRAKED, message_for(error), braked=error.reasons)
            except ConfigError as error:
                self._end_run(run.profile, RunStatus.FAILED, message_for(error))

    def _start_over(self, profile: str) -> None:
        """Plans a profile anew: what is done already shows as unchanged, so nothing is done twice."""
        self._checkpoint.plans.pop(profile, None)
        self._checkpoint.rests.pop(profile, None)
        self._stored.pop(profile, None)
        self._checkpoint.next_profile(profile)
        self._notes.save()

    # Getting ready

    def _prepare(self) -> None:
        if self._stop.is_set():
            raise OutOfTimeError
        facts = self._shelf.get("profiles")
        if facts is None:
            facts = self._keep_profiles()
        self.started = datetime.fromisoformat(facts[0])
        self.today = self.started.astimezone(ZoneInfo(self._opened.options.zone)).date()
        self._profiles = {p.title: p for p in (profile_from_json(text, "a kept profile") for text in facts[1:])}
        wanted = [self._profiles[run.profile] for run in self._waiting() if run.profile in self._profiles]
        self._bindings = bind_profiles(self._world.site, wanted)
        bound = [profile for profile in self._all_profiles() if profile.title not in self._bindings.unbound]
        options = self._opened.options
        self._snapshot = Snapshot(self._source, bound, self.today, options.year_start, options.trend)
        self._planner = Planner(self._bindings.targets, self._snapshot, self._progress, self._world.said())

    def _keep_profiles(self) -> list[str]:
        """The profiles as they are now; an edit while the job runs counts from the next one on."""
        rows = {row.title: row for row in self._opened.profiles.profiles()}
        found = []
        for run in self._waiting():
            row = rows.get(run.profile)
            if row is not None and row.profile is not None:
                found.append(row.profile)
            else:
                self._end_run(run.profile, RunStatus.FAILED, _problems(row.problems if row else ()))
        facts = [self._world.clock.now().isoformat(), *map(profile_to_json, found)]
        self._shelf.put("profiles", facts)
        return facts

    def _all_profiles(self) -> list[Profile]:
        """In the order they run."""
        return sorted(self._profiles.values(), key=lambda profile: (profile.order, profile.title))

    def _breathe(self) -> None:
        """Between two steps: may we go on?"""
        if self._stop.is_set():
            raise OutOfTimeError
        if self._notes.is_cancelled():
            raise CancelledError
        if self._notes.fruitful and self._out_of_time():  # each slice gets something done, however short it is
            raise OutOfTimeError

    # Planning

    def _ensure_planned(self, run: JobRun) -> None:
        self._stored[run.profile] = self._plan_of(run)

    def _plan_of(self, run: JobRun) -> StoredPlan:
        ready = self._stored.get(run.profile)
        if ready is not None:
            return ready
        index, known = self._index(run.profile), self._checkpoint.plans.get(run.profile)
        stored = self._shelf.plan(index, known) if known else None
        return stored or self._make_plan(run, index)

    def _make_plan(self, run: JobRun, index: int) -> StoredPlan:
        self._breathe()
        profile = self._profile(run.profile)
        facts = RunFacts(run.run_id, self.started, self.today)
        self._notes.change_run(run.profile, lambda one: replace(one, status=RunStatus.RUNNING, started=self.started))
        planned = self._narrowed(profile, self._the_planner.plan(profile, facts))
        if not self._last:
            self._last = self._world.runs.last_good([one.title for one in self._all_profiles()])
            self._tell_lag()
        braked = tuple(brake_reasons(planned.plan, profile.max_change_pct, self._last.get(profile.title)))
        stored = StoredPlan(planned, facts, profile_digest(profile), braked)
        self._checkpoint.plans[run.profile] = self._shelf.put_plan(index, stored)
        self._notes.progressed()
        self._notes.save()
        digest = planned.plan.digest
        self._notes.change_run(run.profile, lambda one: replace(one, plan_digest=digest, braked=braked))
        return stored

    def _narrowed(self, profile: Profile, planned: Planned) -> Planned:
        """No more than was asked for: some rows, or what a plan showed."""
        if self._job.keys:
            planned = only_keys(planned, self._job.keys, profile.key_target)
        if self._job.plan_of:
            planned = only_agreed(planned, self._agreed_plan(profile).plan, profile.key_target)
        return planned

    def _agreed_plan(self, profile: Profile) -> StoredPlan:
        agreed = self._agreed(profile.title)
        if agreed is None or agreed.profile_digest != profile_digest(profile):
            what = "is no longer kept" if agreed is None else "was made from another version of the profile"
            raise ConfigError([Problem(f"plan of '{profile.title}'", f"{what}.")], hint="Make a new plan.")
        return agreed

    def _judged(self, run: JobRun) -> frozenset[str] | None:
        """Rows this run can say are well; None = all of them."""
        if self._job.keys:
            return frozenset(self._job.keys)
        agreed = self._agreed(run.profile) if self._job.plan_of else None
        return frozenset(change.key for change in agreed.plan.changes) if agreed else None

    def _tell_lag(self) -> None:
        for title, last in self._last.items():
            lag = (self._world.clock.now() - last.finished).total_seconds()
            report_lag(self._job.connection, title, lag)

    def _refuse_stale(self) -> None:
        """With digests to keep to, all plans are compared before anything is written."""
        expected = self._job.expected
        planned = {run.profile: run.plan_digest for run in self._job.runs if run.profile in expected}
        stale = [title for title, digest in expected.items() if planned.get(title) != digest]
        if stale:
            raise StalePlanError(
                f"The plan is no longer what would be done now: {', '.join(stale)}.",
                hint="Make a new plan, look at it, and apply that one.",
            )

    def _preview(self, run: JobRun) -> None:
        stored = self._plan_of(run)
        head = self._head(run, RunMode.PLAN, RunStatus.SUCCEEDED)
        self._report(run, previewed_report(head, stored.plan, stored.profile_digest, stored.braked))

    # Writing

    def _perform(self, run: JobRun) -> None:
        if self._checkpoint.profile != run.profile:
            self._checkpoint.next_profile(run.profile)
            self._stored = {run.profile: self._stored[run.profile]} if run.profile in self._stored else {}
        stored = self._plan_of(run)
        if self._checkpoint.phase is Phase.PLAN:
            self._begin_writing(run, stored)
        changes, settled = self._newest(run, stored)
        if self._checkpoint.phase is Phase.WRITE:
            self._write(run, stored, changes, settled)
        self._breathe()
        outcomes = self._shelf.outcomes(self._index(run.profile), self._checkpoint.segments, stored.plan.changes)
        profile = self._profile(run.profile)
        controls = prove(profile, stored.planned, outcomes, self._the_planner, self._the_snapshot)
        head = self._head(run, RunMode.APPLY, RunStatus.RUNNING)
        head = replace(head, profile_digest=stored.profile_digest, plan_digest=stored.plan.digest)
        self._report(run, finished_report(head, stored.plan, outcomes, controls))

    def _begin_writing(self, run: JobRun, stored: StoredPlan) -> None:
        if stored.braked and stored.plan.digest not in self._job.approved and not self._overrides:
            refuse_braked(self._world.runs, stored.plan, stored.braked)
        if not stored.plan.is_empty:
            head = self._head(run, RunMode.APPLY, RunStatus.RUNNING)
            self._world.runs.opened([replace(head, plan_digest=stored.plan.digest, finished=None)])
            self._checkpoint.opened.append(run.profile)
        self._checkpoint.phase = Phase.WRITE
        self._notes.save()

    @property
    def _overrides(self) -> bool:
        return self._opened.options.override_brake or "*" in self._job.approved

    def _newest(self, run: JobRun, stored: StoredPlan) -> tuple[Sequence[Change], dict[int, Applied]]:
        known = self._checkpoint.rests.get(run.profile)
        if known is None:
            return stored.plan.changes, {}
        return self._shelf.rest(self._index(run.profile), known, stored.plan.changes)

    def _write(
        self, run: JobRun, stored: StoredPlan, changes: Sequence[Change], settled: Mapping[int, Applied]
    ) -> None:
        profile, checkpoint = self._profile(run.profile), self._checkpoint
        versions = self._versions.setdefault(profile.target, {})
        target = self._bindings.targets[profile.target]
        keep = partial(self._world.journal.keep, run.run_id, profile, stored.plan.existing)
        self._progress.started(f"{run.profile}: writing", len(changes))
        self._progress.advanced(checkpoint.position)
        while checkpoint.position < len(changes):
            start, unsure = checkpoint.position, checkpoint.in_hand > checkpoint.position
            if not unsure:  # what was begun is settled first, whatever a person or the clock says
                self._breathe()
            end = min(checkpoint.in_hand if unsure else start + self._chunk, len(changes))
            if not unsure:
                checkpoint.in_hand = end
                self._notes.save()
            freed = freed_keys(changes, profile.key_target)
            applier = Applier(profile, target, versions, self._stop, self._progress, keep, freed)
            outcomes = apply_chunk(applier, changes, settled, start, end, unsure=unsure)
            self._settle(run, start, [one for one in outcomes if one.code != "stopped"])
            made = ((o.change.key, o.item_id) for o in outcomes if o.done and o.change.item_id is None)
            self._the_planner.created(profile, [(key, item_id) for key, item_id in made if item_id is not None])
            rest = len(changes) - checkpoint.position
            if applier.surprises and rest and checkpoint.replans < _REPLANS and not self._stop.is_set():
                self._replan(run, stored, changes)
                changes, settled = self._newest(run, stored)
        self._progress.finished()
        checkpoint.phase = Phase.PROVE
        self._notes.save()

    def _settle(self, run: JobRun, start: int, outcomes: Sequence[Applied]) -> None:
        """Outcomes first, then the checkpoint that counts them."""
        checkpoint = self._checkpoint
        if outcomes:
            self._shelf.put_segment(self._index(run.profile), checkpoint.segments, start, outcomes)
            checkpoint.segments += 1
            self._notes.progressed()
        checkpoint.position = checkpoint.in_hand = start + len(outcomes)
        self._notes.save()

    def _replan(self, run: JobRun, stored: StoredPlan, changes: Sequence[Change]) -> None:
        """The list is not what the plan saw: what is left is compared with the list as it stands now. The plan never
        grows: only its own rows and columns are looked at."""
        checkpoint = self._checkpoint
        profile = self._profile(run.profile)
        again = self._the_planner.plan(profile, stored.facts)
        rest, settled = narrowed(changes[checkpoint.position :], checkpoint.position, again)
        checkpoint.replans += 1
        checkpoint.rests[run.profile] = self._shelf.put_rest(
            self._index(run.profile), checkpoint.position, rest, settled
        )
        self._notes.save()
        log.info(
            "replanned job=%s profile=%s left=%d settled=%d", self._job.job_id, run.profile, len(rest), len(settled)
        )

    # Reports

    def _head(self, run: JobRun, mode: RunMode, status: RunStatus) -> RunReport:
        return RunReport(
            run.run_id, run.profile, mode, self._job.trigger, status, self.started, self._world.clock.now()
        )

    def _report(self, run: JobRun, report: RunReport) -> None:
        self._shelf.put_rows(self._index(run.profile), report.rows)
        self._stored.pop(run.profile, None)

        def over(one: JobRun) -> JobRun:
            return replace(
                one,
                status=report.status,
                ledger=report.ledger,
                controls=report.controls,
                plan_digest=report.plan_digest,
                message=report.message,
                started=one.started or self.started,
                finished=self._world.clock.now(),
            )

        self._notes.progressed()
        self._notes.change_run(run.profile, over)
        ledger = report.ledger
        for outcome in ("created", "updated", "unchanged", "skipped", "failed", "flagged"):
            count_rows(outcome, getattr(ledger, outcome), connection=self._job.connection, profile=run.profile)

    def _end_run(self, profile: str, status: RunStatus, message: str, braked: Sequence[str] = ()) -> None:
        now = self._world.clock.now()
        self._notes.change_run(
            profile,
            lambda one: replace(
                one,
                status=status,
                message=message,
                braked=tuple(braked) or one.braked,
                started=one.started or self.started,
                finished=now,
            ),
        )

    def _cancel_rest(self) -> None:
        """The profile in hand reports what it did; those that had not begun say so."""
        for run in self._waiting():
            index = self._index(run.profile)
            begun = self._checkpoint.profile == run.profile and self._checkpoint.phase is not Phase.PLAN
            stored = self._shelf.plan(index, self._checkpoint.plans.get(run.profile)) if begun else None
            if stored is None:
                self._end_run(run.profile, RunStatus.PAUSED, _CANCELLED)
                continue
            outcomes = self._shelf.outcomes(index, self._checkpoint.segments, stored.plan.changes)
            left = [Applied(change, False, "stopped") for change in stored.plan.changes[len(outcomes) :]]
            head = self._head(run, RunMode.APPLY, RunStatus.RUNNING)
            head = replace(head, profile_digest=stored.profile_digest, plan_digest=stored.plan.digest)
            self._report(run, finished_report(head, stored.plan, [*outcomes, *left], ()))

    def _close(self) -> None:
        """The run list, once for the whole job."""
        if self._checkpoint.closing:
            self._world.runs.resumed([run.run_id for run in self._job.runs])
        else:
            self._checkpoint.closing = True
            self._notes.save()
            opened = self._checkpoint.opened
            self._world.runs.resumed([run.run_id for run in self._job.runs if run.profile in opened])
        self._world.runs.closed([self._final(run) for run in self._job.runs])

    def _final(self, run: JobRun) -> RunReport:
        return RunReport(
            run_id=run.run_id,
            profile=run.profile,
            mode=self._job.mode,
            trigger=self._job.trigger,
            status=run.status,
            started=run.started or self.started,
            finished=run.finished,
            ledger=run.ledger,
            controls=run.controls,
            rows=tuple(self._shelf.rows(self._index(run.profile))),
            profile_digest=profile_digest(self._profiles[run.profile]) if run.profile in self._profiles else "",
            plan_digest=run.plan_digest,
            message=run.message,
            source_requests=run.source_requests,
            target_requests=run.target_requests,
            units=run.units,
            waited_seconds=run.waited_seconds,
            judged=self._judged(run),
        )

    def _finish(self, state: JobState, message: str = "") -> None:
        now = self._world.clock.now()
        kept = state is JobState.CANCELLED  # who cancelled it
        self._notes.change(
            lambda job: replace(job, state=state, finished=now, heartbeat=now, message=job.message if kept else message)
        )

    # Odds and ends

    def _index(self, profile: str) -> int:
        return next(index for index, run in enumerate(self._job.runs) if run.profile == profile)

    def _profile(self, title: str) -> Profile:
        if title in self._bindings.unbound:
            raise self._bindings.unbound[title]
        return self._profiles[title]

    @property
    def _the_planner(self) -> Planner:
        if self._planner is None:
            raise RuntimeError("a slice is prepared before it plans")
        return self._planner

    @property
    def _the_snapshot(self) -> Snapshot:
        if self._snapshot is None:
            raise RuntimeError("a slice is prepared before it reads")
        return self._snapshot

    @contextmanager
    def _counted(self, profile: str) -> Iterator[None]:
        """Adds what both sides were asked meanwhile to the profile's figures."""
        before = self._usage()
        try:
            yield
        finally:
            source, site = (after.since(earlier) for after, earlier in zip(self._usage(), before, strict=True))
            self._notes.change_run(
                profile,
                lambda one: replace(
                    one,
                    source_requests=one.source_requests + source.requests,
                    target_requests=one.target_requests + site.requests,
                    units=one.units + site.units,
                    waited_seconds=one.waited_seconds + source.waited_seconds + site.waited_seconds,
                ),
            )

    def _usage(self) -> tuple[Usage, Usage]:
        return self._source.usage(), self._world.site.usage()


def _problems(problems: Sequence[object]) -> str:
    return "\n".join(map(str, problems)) or "The profile is not in the list Mapping profiles any more."
