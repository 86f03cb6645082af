"""The engine over real stores and connections: the same for `serve`, for Azure Functions and for tests."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from worker.alerts import NoAlerts, WebhookAlerts
from worker.engine.engine import Engine
from worker.engine.opened import Opened
from worker.engine.tenant import TenantBudget
from worker.engine.terms import EngineOptions
from worker.errors import ConfigError, NotFoundError
from worker.ports import Alerts, Clock, Progress, Records, StopSignal, Stores
from worker.settings import EngineSettings, Installation, Settings, load_installation
from worker.stores import sqlite
from worker.transport import RetryPolicy
from worker.wiring.app import App, NoProgress, SystemClock, build_app

DATABASE = "work.sqlite"


class Connections:
    """Implements engine.opened.Opener over settings. `broken`: what is wrong with those that can't be opened."""

    def __init__(
        self,
        settings: Mapping[str, Settings],
        records: Records,
        *,
        broken: Mapping[str, ConfigError] | None = None,
        clock: Clock | None = None,
        patient: bool = True,
    ) -> None:
        self.settings = settings
        self._broken = dict(broken or {})
        self._records = records
        self._clock = clock
        self._moment = (lambda: clock.now().timestamp()) if clock else time.time
        self._patient = patient
        self._budgets: dict[str, TenantBudget] = {}
        self._lock = threading.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, the broken ones too, so that a person sees what is wrong."""
        return (*self.settings, *self._broken)

    def tenant(self, connection: str) -> str:
        """Throttling is by tenant, which in SharePoint is the host."""
        if connection not in self.settings:
            return f"none-{connection}"
        return re.sub(r"[^a-z0-9.-]", "-", urlsplit(self.settings[connection].sharepoint.site_url).netloc.lower())

    @contextmanager
    def open(self, connection: str, stop: StopSignal, progress: Progress, patience: float) -> Iterator[Opened]:
        """See engine.opened.Opener."""
        with self.app(connection, stop=stop, progress=progress, patience=patience) as app:
            yield Opened(app.world(), app.profiles, app.run_options())

    def app(
        self,
        connection: str,
        *,
        stop: StopSignal | None = None,
        progress: Progress | None = None,
        patience: float | None = None,
    ) -> App:
        """One connection's app. Raises ConfigError when its settings are wrong, NotFoundError when there is none."""
        if connection in self._broken:
            raise self._broken[connection]
        if connection not in self.settings:
            raise NotFoundError(f"There is no connection '{connection}'.", hint=f"There are: {', '.join(self.names)}")
        settings = self.settings[connection]
        return build_app(
            settings,
            clock=self._clock,
            progress=progress or NoProgress(),
            stop=stop,
            patient=self._patient,
            policy=None if patience is None else RetryPolicy(total_seconds=patience),
            budget=self._budget(connection),
        )

    def _budget(self, connection: str) -> TenantBudget:
        """One for each tenant, since a process draws units ahead."""
        tenant, sharepoint = self.tenant(connection), self.settings[connection].sharepoint
        with self._lock:
            if tenant not in self._budgets:
                share = sharepoint.units_per_minute * sharepoint.units_share
                burst = sharepoint.units_per_minute - share
                self._budgets[tenant] = TenantBudget(self._records, tenant, share, burst, self._moment)
            return self._budgets[tenant]


class Host:
    """Everything a process needs that runs by itself. A context manager: leaving it asks the engine to stop."""

    def __init__(
        self,
        installation: Installation,
        stores: Stores,
        *,
        clock: Clock | None = None,
        alerts: Alerts | None = None,
        options: EngineOptions | None = None,
        patient: bool = True,
    ) -> None:
        self.installation = installation
        self.settings: EngineSettings = installation.engine
        self.connections: Mapping[str, Settings] = installation.connections
        self.stores = stores
        self.clock: Clock = clock or SystemClock()
        self.stop = threading.Event()
        self.alerts: Alerts = alerts or _alerts(installation.engine)
        self._opener = Connections(
            installation.connections, stores.records, broken=installation.broken, clock=clock, patient=patient
        )
        self.engine = Engine(
            self._opener.names,
            stores,
            self._opener,
            self.clock,
            self.alerts,
            options or engine_options(installation.engine),
            self.stop,
        )

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()

    def open(self, connection: str) -> App:
        """An app for one connection, to be used as a context manager. Raises ConfigError, NotFoundError."""
        return self._opener.app(connection, patience=60.0)


def build_host(
    config: Path | None = None,
    *,
    stores: Stores | None = None,
    clock: Clock | None = None,
    alerts: Alerts | None = None,
) -> Host:
    """Everything from the environment and the settings file. Raises ConfigError."""
    installation = load_installation(config)
    return Host(installation, stores or open_stores(installation), clock=clock, alerts=alerts)


def open_stores(installation: Installation) -> Stores:
    """The stores that the settings choose."""
    engine = installation.engine
    if engine.store == "sqlite":
        return sqlite.open_stores(data_dir(installation) / DATABASE, engine.queue)
    from worker.stores import azure  # needs the extra [azure]

    connection = engine.storage_connection
    return azure.open_stores(
        azure.AzureStorage(
            account=engine.storage_account or "",
            connection=connection.get_secret_value() if connection else "",
            blob_url=engine.storage_blob_url or "",
            queue_url=engine.storage_queue_url or "",
            identity=engine.storage_identity or "",
            queue=engine.queue,
            container=engine.container,
        )
    )


def data_dir(installation: Installation) -> Path:
    """The directory of the whole installation: that of its first connection."""
    found = next(iter(installation.connections.values()), None)
    return found.sync.data_dir if found else Path(".data")


def engine_options(settings: EngineSettings) -> EngineOptions:
    """Limits from the settings."""
    return EngineOptions(
        slice_seconds=settings.slice_seconds,
        slots=settings.slots,
        profiles_refresh=settings.profiles_refresh,
        keep_days=settings.keep_days,
        public_url=settings.public_url or "",
    )


def _alerts(settings: EngineSettings) -> Alerts:
    if settings.alert_url is None:
        return NoAlerts()
    return WebhookAlerts(settings.alert_url.get_secret_value(), settings.alert_format)
