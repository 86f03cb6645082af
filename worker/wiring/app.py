"""One invocation: both sides of one connection, its profiles and its run list."""

from __future__ import annotations

import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from filelock import FileLock, Timeout

from worker.domain.profile import Profile
from worker.domain.profile_row import profile_from_json
from worker.domain.report import RunReport, Trigger
from worker.domain.trend import TrendRules
from worker.domain.values import TargetKind
from worker.economic.client import EconomicClient
from worker.economic.one_customer import OneCustomer
from worker.economic.source import EconomicSource
from worker.errors import BusyError, ConfigError, Problem
from worker.ports import Budget, Clock, ProfileRow, Progress, StopSignal
from worker.settings import Settings, SharePointSettings
from worker.sharepoint.auth import Identity, Tokens, make_tokens
from worker.sharepoint.client import SharePointClient
from worker.sharepoint.definitions import Definitions, load_definitions
from worker.sharepoint.formatting import load_looks
from worker.sharepoint.profiles import SharePointProfiles
from worker.sharepoint.provision import Provisioner, ProvisionPlan
from worker.sharepoint.runs import SharePointRuns
from worker.sharepoint.site import SharePointSite, SiteOptions
from worker.sync.linking import COLUMNS as LINK_COLUMNS
from worker.sync.linking import LinkAssistant
from worker.sync.runner import RunOptions, Session, World, problem_report
from worker.transport import Http, RetryPolicy, Waits, origin

# In a checkout, and where a wheel puts it.
SHIPPED = (Path(__file__).parents[2] / "config", Path(sys.prefix) / "share" / "iglobe-economic-sync")


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock; `as_of` moves the date and keeps the time of day."""

    as_of: date | None = None
    zone: str = "Europe/Copenhagen"

    def now(self) -> datetime:
        """Aware UTC."""
        moment = datetime.now(UTC)
        if self.as_of is None:
            return moment
        local = moment.astimezone(ZoneInfo(self.zone))
        return datetime.combine(self.as_of, time(local.hour, local.minute, local.second), local.tzinfo).astimezone(UTC)


class NoProgress:
    """Nobody watches."""

    def started(self, label: str, total: int | None) -> None:
        """Nothing."""

    def advanced(self, count: int) -> None:
        """Nothing."""

    def finished(self) -> None:
        """Nothing."""


class App:
    """Everything for one invocation. A context manager: leaving it closes the connections."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        progress: Progress,
        stop: StopSignal,
        *,
        patient: bool = True,
        policy: RetryPolicy | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self._progress = progress
        self._stop = stop
        self._policy = policy
        self._budget = budget
        self._sleep: Callable[[float], None] | None = None if patient else _no_sleep
        self._close: list[Callable[[], None]] = []

    def __enter__(self) -> App:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        for close in self._close:
            close()

    @cached_property
    def source(self) -> EconomicSource:
        """e-conomic."""
        economic = self.settings.economic
        http = Http(
            "e-conomic",
            frozenset({origin(economic.base_url), origin(economic.openapi_url)}),
            {
                "X-AppSecretToken": economic.app_secret.get_secret_value(),
                "X-AgreementGrantToken": economic.grant_token.get_secret_value(),
            },
            policy=self._policy or RetryPolicy(),
            waits=self._waits(),
            pool=economic.parallel + 1,
        )
        client = EconomicClient(
            economic.base_url,
            economic.openapi_url,
            http,
            contacts_version=economic.customersapi_version,
            parallel=economic.parallel,
        )
        self._close.append(client.close)
        return EconomicSource(client, expected_agreement=economic.agreement)

    @cached_property
    def site(self) -> SharePointSite:
        """The CRM's site."""
        settings = self.settings.sharepoint
        client = SharePointClient(
            settings.site_url,
            _tokens(settings),
            units_per_minute=settings.units_per_minute,
            units_share=settings.units_share,
            waits=self._waits(),
            policy=self._policy,
            budget=self._budget,
        )
        self._close.append(client.close)
        options = SiteOptions(settings.lists, settings.columns, settings.time_zone, settings.concurrency)
        return SharePointSite(client, self.definitions, options)

    @cached_property
    def profiles(self) -> SharePointProfiles:
        """The profiles list."""
        return SharePointProfiles(self.site)

    @cached_property
    def runs(self) -> SharePointRuns:
        """The run list and row results."""
        return SharePointRuns(self.site, self.profiles, self.settings.sync.language)

    def link_assistant(self) -> LinkAssistant:
        """Finds which companies are which debtors. Raises ConfigError when the site has no list for them."""
        target = self.site.view_of(TargetKind.COMPANY, LINK_COLUMNS)
        if target is None:
            problem = Problem("list of companies", "is not on the site.")
            raise ConfigError([problem], hint="Make it on the page Connection, or run: economic-sync provision")
        return LinkAssistant(target, self.source)

    def report_broken(self, rows: Sequence[ProfileRow], trigger: Trigger) -> list[RunReport]:
        """Profiles that can't be parsed, reported in the run list as failed runs with everything that is wrong."""
        now = self.clock.now()
        reports = [problem_report(row.title, row.problems, now, _new_run_id(), trigger) for row in rows]
        if reports:
            self.runs.closed(reports)
        return reports

    def session(self, profiles: Sequence[Profile], options: RunOptions) -> Session:
        """A session over these profiles."""
        return Session(self.world(), profiles, options)

    def session_for(self, number: int, profiles: Sequence[Profile], options: RunOptions) -> Session:
        """A session that sees one customer of e-conomic only, and reads no more than that one takes. For explaining:
        a plan or run of it would take every other customer for missing."""
        world = replace(self.world(), source=OneCustomer(self.source, number))
        return Session(world, profiles, options)

    def world(self) -> World:
        """Both sides and the run list."""
        return World(self.source, self.site, self.runs, self.clock, self._progress, self._stop, _new_run_id)

    def run_options(self, *, trigger: Trigger = Trigger.MANUAL, override_brake: bool = False) -> RunOptions:
        """Options from the settings."""
        sync = self.settings.sync
        trend = TrendRules(
            Decimal(str(sync.trend_growing_pct)),
            Decimal(str(sync.trend_declining_pct)),
            sync.trend_lapsed_months,
            sync.trend_new_months,
        )
        return RunOptions(sync.time_zone, sync.financial_year_start, trend, trigger, override_brake)

    @contextmanager
    def run_lock(self) -> Iterator[None]:
        """Held while this data directory's worker writes. Raises BusyError when another process holds it; a killed
        process holds nothing."""
        folder = self.settings.sync.data_dir
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(folder / "run.lock", timeout=0):
                yield
        except Timeout:
            raise BusyError(
                "Another run is under way on this machine.", hint="Wait for it, or look at: economic-sync runs"
            ) from None

    @cached_property
    def definitions(self) -> Definitions:
        """The lists as the worker knows them."""
        unique = self.settings.sync.companies_unique_key
        return load_definitions(self.config_dir / "lists", unique_customer_id=unique)

    @cached_property
    def _provisioner(self) -> Provisioner:
        looks = load_looks(self.config_dir / "formatting", self.definitions)
        return Provisioner(self.site, self.definitions, self.settings.sync.language, looks)

    @property
    def config_dir(self) -> Path:
        """Where lists/ and profiles/ are."""
        return self.settings.sync.config_dir or next((path for path in SHIPPED if path.is_dir()), SHIPPED[0])

    def provision_plan(self, *, economy_url: str | None = None, reset_formatting: bool = False) -> ProvisionPlan:
        """What provisioning would do. See Provisioner.plan."""
        return self._provisioner.plan(economy_url=economy_url, reset_formatting=reset_formatting)

    def provision(self, plan: ProvisionPlan, told: Callable[[str], None] = lambda _text: None) -> None:
        """Does it."""
        self._provisioner.apply(plan, told)

    def has_profiles_list(self) -> bool:
        """Whether the list of profiles is on the site yet."""
        return self.site.find_list("mapping-profiles") is not None

    def missing_profiles(self) -> list[Profile]:
        """Shipped profiles of which the list has none by that title."""
        there = {row.title.casefold() for row in self.profiles.profiles()} if self.has_profiles_list() else set()
        return [profile for profile in self.shipped_profiles() if profile.title.casefold() not in there]

    def shipped_profiles(self) -> list[Profile]:
        """The default profiles, in file order."""
        files = sorted((self.config_dir / "profiles").glob("*.json"))
        return [profile_from_json(file.read_text(encoding="utf-8"), f"file {file.name}") for file in files]

    def _waits(self) -> Waits:
        return Waits() if self._sleep is None else Waits(self._sleep)


def build_app(
    settings: Settings,
    *,
    clock: Clock | None = None,
    progress: Progress | None = None,
    stop: StopSignal | None = None,
    patient: bool = True,
    policy: RetryPolicy | None = None,
    budget: Budget | None = None,
) -> App:
    """An app over real services. `patient` False keeps every retry limit but does not wait, for tests. `policy` limits
    one call's retries and waits; `budget` is the tenant's, shared with other workers."""
    sync = settings.sync
    return App(
        settings,
        clock or SystemClock(sync.as_of, sync.time_zone),
        progress or NoProgress(),
        stop or threading.Event(),
        patient=patient,
        policy=policy,
        budget=budget,
    )


def _tokens(settings: SharePointSettings) -> Tokens:
    password, token = settings.certificate_password, settings.token
    identity = Identity(
        mode=settings.auth,
        tenant_id=settings.tenant_id,
        client_id=settings.client_id,
        certificate_path=settings.certificate_path,
        certificate_password=password.get_secret_value() if password else None,
        token=token.get_secret_value() if token else None,
    )
    return make_tokens(identity, settings.site_url)


def _new_run_id() -> str:
    return uuid.uuid4().hex[:12]


def _no_sleep(_seconds: float) -> None:
    return None
