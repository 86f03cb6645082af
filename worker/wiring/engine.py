"""The engine over real stores and connections: the same for `serve`, for Azure Functions and for tests."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from worker.alerts import NoAlerts, WebhookAlerts
from worker.engine.engine import Engine
from worker.engine.opened import Opened
from worker.engine.tenant import TenantBudget
from worker.engine.terms import EngineOptions
from worker.errors import WorkerError
from worker.ports import Alerts, Clock, Progress, Records, Secrets, StopSignal, Stores
from worker.settings import EngineSettings, Installation, Settings, load_installation, load_settings
from worker.stores import sqlite
from worker.stores.secret_files import SecretFiles
from worker.transport import RetryPolicy, origin
from worker.wiring.app import App, NoProgress, SystemClock, build_app
from worker.wiring.live import LiveSettings

DATABASE = "work.sqlite"


class Connections:
    """Implements engine.opened.Opener over settings as they are now."""

    def __init__(
        self, live: LiveSettings, records: Records, *, clock: Clock | None = None, patient: bool = True
    ) -> None:
        self.live = live
        self._records = records
        self._clock = clock
        self._moment = (lambda: clock.now().timestamp()) if clock else time.time
        self._patient = patient
        self._budgets: dict[str, TenantBudget] = {}
        self._lock = threading.Lock()

    def tenant(self, connection: str) -> str:
        """Throttling is by tenant, which in SharePoint is the host."""
        try:
            return _tenant(self.live.of(connection))
        except WorkerError:
            return f"none-{connection}"

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
        settings = self.live.of(connection)
        return build_app(
            settings,
            clock=self._clock,
            progress=progress or NoProgress(),
            stop=stop,
            patient=self._patient,
            policy=None if patience is None else RetryPolicy(total_seconds=patience),
            budget=self._budget(settings),
        )

    def _budget(self, settings: Settings) -> TenantBudget:
        """One for each tenant, since a process draws units ahead."""
        tenant, sharepoint = _tenant(settings), settings.sharepoint
        with self._lock:
            if tenant not in self._budgets:
                share = sharepoint.units_per_minute * sharepoint.units_share
                burst = sharepoint.units_per_minute - share
                self._budgets[tenant] = TenantBudget(self._records, tenant, share, burst, self._moment)
            return self._budgets[tenant]


def _tenant(settings: Settings) -> str:
    return re.sub(r"[^a-z0-9.-]", "-", urlsplit(settings.sharepoint.site_url).netloc.lower())


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
        secrets: Secrets | None = None,
        patient: bool = True,
    ) -> None:
        self.installation = installation
        self.settings: EngineSettings = installation.engine
        self.stores = stores
        self.live = LiveSettings(installation, stores.records, secrets or open_secrets(installation))
        self.clock: Clock = clock or SystemClock()
        self.stop = threading.Event()
        self.alerts: Alerts = alerts or _alerts(installation.engine)
        self._opener = Connections(self.live, stores.records, clock=clock, patient=patient)
        self.engine = Engine(
            self.live.names,
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

    def open(self, connection: str, patience: float = 60.0) -> App:
        """An app for one connection, to be used as a context manager. Raises ConfigError, NotFoundError."""
        return self._opener.app(connection, patience=patience)

    def site_origins(self) -> list[str]:
        """Where the CRM's sites are: scheme and host of each connection that is set up."""
        found = []
        for name in self.live.names:
            try:
                found.append(origin(self.live.of(name).sharepoint.site_url))
            except WorkerError:
                continue
        return list(dict.fromkeys(found))


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
        return sqlite.open_stores(installation.folder / DATABASE, engine.queue)
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


def open_secrets(installation: Installation) -> Secrets:
    """Where tokens saved in the console go."""
    engine = installation.engine
    if engine.vault_url:
        from worker.stores.key_vault import KeyVault  # needs the extra [azure]

        return KeyVault(engine.vault_url, engine.storage_identity or "")
    return SecretFiles(installation.folder / "secrets")


def current_settings(config: Path | None, connection: str | None) -> Settings:
    """One connection's settings with what was typed in the console, for commands. Raises ConfigError."""
    if not has_stores(installation := load_installation(config)):
        return load_settings(config, connection)
    live = LiveSettings(installation, open_stores(installation).records, open_secrets(installation))
    if connection is None and len(live.names) == 1:
        connection = live.names[0]
    return live.of(connection) if connection in live.names else load_settings(config, connection)


def has_stores(installation: Installation) -> bool:
    """Whether work was ever kept here; looking for it must not make a store."""
    return installation.engine.store != "sqlite" or (installation.folder / DATABASE).exists()


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
