"""One invocation: both sides of one connection, its profiles and its run list."""

from __future__ import annotations

import sys
import threading
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from filelock import FileLock, Timeout

from worker.domain.new_customer import Defaults
from worker.domain.profile import Profile
from worker.domain.profile_row import profile_from_json
from worker.domain.renumbering import Said
from worker.domain.report import RunReport, Trigger
from worker.domain.trend import TrendRules
from worker.domain.values import TargetKind
from worker.economic.client import EconomicClient
from worker.economic.desk import EconomicDesk
from worker.economic.few_customers import FewCustomers
from worker.economic.source import EconomicSource
from worker.economic.writer import EconomicWriter
from worker.engine.journal import RunJournal
from worker.errors import BusyError, ConfigError, Problem
from worker.ports import Budget, Clock, Journal, NoJournal, ProfileRow, Progress, Records, StopSignal
from worker.settings import Settings, SharePointSettings
from worker.sharepoint.auth import Identity, Tokens, make_tokens
from worker.sharepoint.client import SharePointClient
from worker.sharepoint.definitions import Definitions, load_definitions
from worker.sharepoint.formatting import load_looks
from worker.sharepoint.profiles import SharePointProfiles
from worker.sharepoint.provision import Provisioner, ProvisionPlan
from worker.sharepoint.runs import SharePointRuns
from worker.sharepoint.site import SharePointSite, SiteOptions
from worker.sharepoint.target import SharePointTarget
from worker.sync.creating import COLUMNS as CREATE_COLUMNS
from worker.sync.creating import Creator, Rules
from worker.sync.creating_contact import COLUMNS as CREATE_CONTACT_COLUMNS
from worker.sync.linking import COLUMNS as LINK_COLUMNS
from worker.sync.linking import LinkAssistant
from worker.sync.runner import RunOptions, Session, World, problem_report
from worker.transport import Http, RetryPolicy, Waits, origin
from worker.wiring.let_go import LetGoBook, LetGoJournal
from worker.wiring.renumbered import RenumberBook

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

    def __init__(  # noqa: PLR0913  # what an invocation is made of
        self,
        settings: Settings,
        clock: Clock,
        progress: Progress,
        stop: StopSignal,
        *,
        patient: bool = True,
        policy: RetryPolicy | None = None,
        budget: Budget | None = None,
        records: Records | None = None,
        journal: Records | None = None,
    ) -> None:
        self.settings = settings
        self._records = records
        self._journal = journal or records
        self.clock = clock
        self._progress = progress
        self.stop = stop
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
            entries_version=economic.bookedentriesapi_version,
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

    @property
    def today(self) -> date:
        """The agreement's local date."""
        return self.clock.now().astimezone(ZoneInfo(self.settings.sync.time_zone)).date()

    def companies(self, columns: Sequence[str]) -> SharePointTarget:
        """The list of companies with those of these columns that it has. Raises ConfigError when the site has none."""
        target = self.site.view_of(TargetKind.COMPANY, columns)
        if target is None:
            raise no_companies()
        return target

    def link_assistant(self) -> LinkAssistant:
        """Finds which companies are which debtors. Raises ConfigError when the site has no list for them."""
        return LinkAssistant(self.companies(LINK_COLUMNS), self.source)

    def creator(self) -> Creator:
        """Makes customers in e-conomic for companies of the CRM. Raises ConfigError when the site has no list for
        them, or the list lacks the columns."""
        companies, contacts = self.companies(CREATE_COLUMNS), None
        if self.settings.create.contact:
            contacts = self.site.view_of(TargetKind.CONTACT, CREATE_CONTACT_COLUMNS)
        return Creator(companies, self.desk, create_rules(self.settings), self.clock, _new_key, contacts)

    @cached_property
    def desk(self) -> EconomicDesk:
        """e-conomic, where customers are made."""
        client = self.source.client
        return EconomicDesk(self.source, EconomicWriter(self.settings.economic.base_url, client.http, client.rate))

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

    def session_for(
        self, numbers: Sequence[int], seen: Collection[str], profiles: Sequence[Profile], options: RunOptions
    ) -> Session:
        """A session that sees these customers of e-conomic only, and reads no more than they take. `seen`: the numbers
        of companies that count. For explaining: a plan or run of it would take every other customer for missing."""
        world = replace(self.world(), source=FewCustomers(self.source, numbers), seen=frozenset(seen))
        return Session(world, profiles, options)

    def world(self) -> World:
        """Both sides and the run list."""
        journal: Journal = self.journal or NoJournal()
        if (book := self._let_go) is not None:
            journal = LetGoJournal(journal, book)
        return World(
            self.source, self.site, self.runs, self.clock, self._progress, self.stop, _new_run_id, self.said, journal
        )

    def said(self) -> Said:
        """What webhooks and people have said about renumbered customers, and which numbers runs took from companies."""
        said = Said() if self._records is None else RenumberBook(self._records, self.settings.name).said()
        return said if self._let_go is None else replace(said, let_go=self._let_go.read())

    def new_run_id(self) -> str:
        """An id no run has."""
        return _new_run_id()

    @cached_property
    def _let_go(self) -> LetGoBook | None:
        return None if self._journal is None else LetGoBook(self._journal, self.settings.name, self.clock)

    @property
    def journal(self) -> RunJournal | None:
        """What runs changed; None where nothing is kept."""
        if self._journal is None:
            return None
        return RunJournal(self._journal, self.settings.name, self.clock, self.settings.sync.undo_days)

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


def build_app(  # noqa: PLR0913  # what an invocation may be given
    settings: Settings,
    *,
    clock: Clock | None = None,
    progress: Progress | None = None,
    stop: StopSignal | None = None,
    patient: bool = True,
    policy: RetryPolicy | None = None,
    budget: Budget | None = None,
    records: Records | None = None,
    journal: Records | None = None,
) -> App:
    """An app over real services. `patient` False keeps every retry limit but does not wait, for tests. `policy` limits
    one call's retries and waits; `budget` is the tenant's, shared with other workers; `records` hold what people and
    webhooks said before, `journal` what runs changed (default: the same)."""
    sync = settings.sync
    return App(
        settings,
        clock or SystemClock(sync.as_of, sync.time_zone),
        progress or NoProgress(),
        stop or threading.Event(),
        patient=patient,
        policy=policy,
        budget=budget,
        records=records,
        journal=journal,
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


def no_companies() -> ConfigError:
    """The site has no list of companies."""
    problem = Problem("list of companies", "is not on the site.")
    return ConfigError([problem], hint="Make it on the page Connection, or run: economic-sync provision")


def create_rules(settings: Settings) -> Rules:
    """A connection's rules for creating customers."""
    create = settings.create
    numbers = (create.number_first, create.number_last) if create.number_first and create.number_last else None
    defaults = Defaults(
        create.group, create.payment_terms, create.vat_zone, create.currency, numbers, create.without_cvr
    )
    zone = ZoneInfo(settings.sync.time_zone)
    return Rules(create.allow, defaults, create.contact, settings.sync.language, zone)


def _new_key() -> str:
    return uuid.uuid4().hex


def _new_run_id() -> str:
    return uuid.uuid4().hex[:12]


def _no_sleep(_seconds: float) -> None:
    return None
