"""One session: profiles in order, each read, planned, braked, applied, proved and reported.

All profiles are bound before anything is read from e-conomic. A profile that can't be bound or is stopped by the brake
does not hold up the others; a service that fails ends the session, with what was done so far reported.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from worker.domain.brake import brake_reasons
from worker.domain.key_order import freed_keys
from worker.domain.plan import Plan
from worker.domain.planning import Planned
from worker.domain.profile import Profile
from worker.domain.profile_row import profile_digest
from worker.domain.reasons import Language
from worker.domain.renumbering import Said
from worker.domain.report import LastRun, RunMode, RunReport, RunStatus, Trigger
from worker.domain.rows import RunFacts
from worker.domain.trend import DEFAULT_RULES, TrendRules
from worker.domain.values import TargetKind
from worker.errors import BrakeError, ConfigError, Problem, StalePlanError, WorkerError
from worker.ports import Clock, Journal, NoJournal, Progress, RunStore, Site, Source, StopSignal, Usage
from worker.sync.applier import Applied, Applier
from worker.sync.bindings import Bindings, bind_profiles
from worker.sync.explain import CustomerStory, explain_customer
from worker.sync.outcome import finished_report, message_for, previewed_report
from worker.sync.planner import Planner
from worker.sync.proof import prove
from worker.sync.snapshot import Snapshot
from worker.telemetry import log_context, span

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a session runs. `zone` is the agreement's local time; `year_start` MM-DD overrides e-conomic's years."""

    zone: str = "Europe/Copenhagen"
    year_start: str | None = None
    trend: TrendRules = DEFAULT_RULES
    trigger: Trigger = Trigger.MANUAL
    override_brake: bool = False


@dataclass(slots=True)
class SessionResult:
    """Reports in the order the profiles ran; `error` is what ended the session early."""

    reports: list[RunReport] = field(default_factory=list)
    error: WorkerError | None = None
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class ProfilePlan:
    """One profile's plan and what the brake says to it."""

    profile: Profile
    planned: Planned
    facts: RunFacts
    braked: tuple[str, ...] = ()

    @property
    def plan(self) -> Plan:
        """The plan itself."""
        return self.planned.plan


@dataclass(frozen=True, slots=True)
class World:
    """What a session works with."""

    source: Source
    site: Site
    runs: RunStore
    clock: Clock
    progress: Progress
    stop: StopSignal
    new_id: Callable[[], str]
    said: Callable[[], Said] = Said  # about renumbered customers; asked when a plan is made
    journal: Journal = field(default_factory=NoJournal)
    seen: frozenset[str] | None = None  # see Planner


class Session:
    """One invocation over some profiles. Make a new one for each; `close` drops the temporary file."""

    def __init__(self, world: World, profiles: Sequence[Profile], options: RunOptions) -> None:
        self._world = world
        self._options = options
        self.profiles = sorted(profiles, key=lambda profile: (profile.order, profile.title))
        self.started = world.clock.now()
        self.today = self.started.astimezone(ZoneInfo(options.zone)).date()
        self.result = SessionResult()
        self._versions: dict[TargetKind, dict[int, str]] = {}
        self._last: Mapping[str, LastRun] = {}
        self._snapshot: Snapshot | None = None
        self._planner: Planner | None = None
        self._bindings = Bindings()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        if self._snapshot is not None:
            self._snapshot.close()

    @property
    def snapshot(self) -> Snapshot:
        """What the session reads from e-conomic."""
        if self._snapshot is None:
            raise RuntimeError("a session is prepared before it reads")
        return self._snapshot

    @property
    def planner(self) -> Planner:
        """What reads both sides and plans."""
        if self._planner is None:
            raise RuntimeError("a session is prepared before it plans")
        return self._planner

    def plan(self) -> list[ProfilePlan]:
        """Plans every profile and writes nothing. Raises ConfigError when any can't be bound."""
        self._prepare()
        self._bindings.raise_unbound()
        return [self._planned(profile, self._facts()) for profile in self.profiles]

    def explain(self, number: int, language: Language = "en") -> CustomerStory | None:
        """One customer through every profile that reads customers; None when e-conomic has none of this number.
        Raises ConfigError when any profile can't be bound."""
        self._prepare()
        self._bindings.raise_unbound()
        targets = {profile.title: self._bindings.targets[profile.target] for profile in self.profiles}
        return explain_customer(number, self.profiles, targets, self.planner, self.snapshot, self._facts(), language)

    def check(self) -> None:
        """Binds every profile and reads nothing else. Raises ConfigError with every problem."""
        self._bind()
        self._bindings.raise_unbound()

    def preview(self) -> SessionResult:
        """Plans every profile and puts the counts in the run list, where a person who asked for them looks. A plan that
        the brake would stop can be approved there."""
        try:
            plans = self.plan()
        except WorkerError as error:
            self.result.error = error
            return self.result
        now = self._world.clock.now()
        started_by = self._options.trigger
        for one in plans:
            head = RunReport(
                one.facts.run_id, one.plan.profile, RunMode.PLAN, started_by, RunStatus.SUCCEEDED, self.started, now
            )
            self.result.reports.append(previewed_report(head, one.plan, profile_digest(one.profile), one.braked))
        self._close()
        return self.result

    def run(self) -> SessionResult:
        """Plans and applies profile by profile."""
        try:
            self._prepare()
        except WorkerError as error:
            self.result.error = error
            return self.result
        return self._work((profile, None) for profile in self.profiles)

    def apply(self, expected: Mapping[str, str]) -> SessionResult:
        """Plans everything again, compares with the digests of a plan on file (`expected`: title -> digest), and only
        when all agree applies exactly that. Raises StalePlanError before anything is written."""
        plans = self.plan()
        stale = [one.plan.profile for one in plans if expected.get(one.plan.profile) != one.plan.digest]
        if stale:
            names = ", ".join(stale)
            raise StalePlanError(
                f"The plan is no longer what would be done now: {names}.",
                hint="Make a new plan, look at it, and apply that one.",
            )
        return self.apply_planned(plans)

    def apply_planned(self, plans: Sequence[ProfilePlan]) -> SessionResult:
        """Applies plans that this session made."""
        return self._work((one.profile, one) for one in plans)

    def _work(self, steps: Iterable[tuple[Profile, ProfilePlan | None]]) -> SessionResult:
        try:
            for profile, ready in steps:
                if self._world.stop.is_set():
                    self.result.stopped = True
                    break
                with log_context(profile=profile.title), span("sync.run", profile=profile.title):
                    self._run_one(profile, ready)
        except WorkerError as error:
            self.result.error = error
        self._close()
        return self.result

    def _prepare(self) -> None:
        self._bind()
        bound = [profile for profile in self.profiles if profile.title not in self._bindings.unbound]
        self._snapshot = Snapshot(self._world.source, bound, self.today, self._options.year_start, self._options.trend)
        _ = self._snapshot.agreement  # the wrong agreement, or refused tokens, end the session before anything is read
        world = self._world
        self._planner = Planner(self._bindings.targets, self._snapshot, world.progress, world.said(), world.seen)
        self._last = self._world.runs.last_good([profile.title for profile in bound])

    def _bind(self) -> None:
        self._bindings = bind_profiles(self._world.site, self.profiles)
        if len(self._bindings.unbound) == len(self.profiles):
            self._bindings.raise_unbound()

    def _facts(self) -> RunFacts:
        return RunFacts(run_id=self._world.new_id(), started=self.started, today=self.today)

    def _planned(self, profile: Profile, facts: RunFacts) -> ProfilePlan:
        planned = self.planner.plan(profile, facts)
        last = self._last.get(profile.title)
        return ProfilePlan(profile, planned, facts, tuple(brake_reasons(planned.plan, profile.max_change_pct, last)))

    def _run_one(self, profile: Profile, ready: ProfilePlan | None) -> None:
        facts = ready.facts if ready else self._facts()
        report = RunReport(
            run_id=facts.run_id,
            profile=profile.title,
            mode=RunMode.APPLY,
            trigger=self._options.trigger,
            status=RunStatus.RUNNING,
            started=self._world.clock.now(),
            profile_digest=profile_digest(profile),
        )
        before = (self._world.source.usage(), self._world.site.usage())
        try:
            if profile.title in self._bindings.unbound:
                raise self._bindings.unbound[profile.title]
            one = ready or self._planned(profile, facts)
            report = replace(report, plan_digest=one.plan.digest)
            report = self._applied(one, report)
        except (BrakeError, ConfigError) as error:
            status = RunStatus.BRAKED if isinstance(error, BrakeError) else RunStatus.FAILED
            report = replace(report, status=status, message=message_for(error))
        except WorkerError as error:
            report = replace(report, status=RunStatus.FAILED, message=message_for(error))
            raise
        finally:
            self.result.reports.append(self._with_usage(report, before))

    def _applied(self, one: ProfilePlan, report: RunReport) -> RunReport:
        if one.braked and not self._options.override_brake:
            refuse_braked(self._world.runs, one.plan, one.braked)
        outcomes: list[Applied] = []
        if not one.plan.is_empty:
            self._world.runs.opened([report])
            outcomes = self._write(one)
        controls = prove(one.profile, one.planned, outcomes, self.planner, self.snapshot)
        return finished_report(report, one.plan, outcomes, controls)

    def _write(self, one: ProfilePlan) -> list[Applied]:
        profile, world = one.profile, self._world
        versions = self._versions.setdefault(profile.target, {})
        keep = partial(world.journal.keep, one.facts.run_id, profile, one.plan.existing)
        freed = freed_keys(one.plan.changes, profile.key_target)
        target = self._bindings.targets[profile.target]
        applier = Applier(profile, target, versions, world.stop, world.progress, keep, freed)
        world.progress.started(f"{profile.title}: writing", len(one.plan.changes))
        outcomes = applier.apply(one.plan.changes)
        world.progress.finished()
        made = ((o.change.key, o.item_id) for o in outcomes if o.done and o.change.item_id is None)
        self.planner.created(profile, [(key, item_id) for key, item_id in made if item_id is not None])
        return outcomes

    def _with_usage(self, report: RunReport, before: tuple[Usage, Usage]) -> RunReport:
        source, site = self._world.source.usage(), self._world.site.usage()
        return replace(
            report,
            finished=self._world.clock.now(),
            source_requests=source.requests - before[0].requests,
            target_requests=site.requests - before[1].requests,
            units=site.units - before[1].units,
            waited_seconds=(source.waited_seconds + site.waited_seconds)
            - (before[0].waited_seconds + before[1].waited_seconds),
        )

    def _close(self) -> None:
        """Writes the run list. A session that already failed keeps its own error."""
        if not self.result.reports:
            return
        try:
            self._world.runs.closed(self.result.reports)
        except WorkerError as error:
            log.warning("the run list could not be written: %s", error)
            self.result.error = self.result.error or error


def refuse_braked(runs: RunStore, plan: Plan, braked: Sequence[str]) -> None:
    """Raises BrakeError unless a person approved exactly this plan in the run list."""
    if runs.approved(plan.profile, plan.digest):
        log.info("brake approved profile=%s plan=%s", plan.profile, plan.digest[:12])
        return
    raise BrakeError(
        f"Profile '{plan.profile}' was stopped before writing: {' '.join(braked)}",
        reasons=braked,
        hint=(
            f'Look at it with: economic-sync plan "{plan.profile}". If it is right, set Approved on this run '
            "in the run list, or run it again with --yes-really."
        ),
    )


def problem_report(title: str, problems: Sequence[Problem], now: datetime, run_id: str, trigger: Trigger) -> RunReport:
    """The report of a profile that could not even be parsed."""
    return RunReport(
        run_id=run_id,
        profile=title,
        mode=RunMode.APPLY,
        trigger=trigger,
        status=RunStatus.FAILED,
        started=now,
        finished=now,
        message=message_for(ConfigError(problems)),
    )
