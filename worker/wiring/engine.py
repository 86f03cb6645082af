"""The engine over real stores and connections: the same for `serve`, for Azure Functions and for tests."""

from __future__ import annotations

import threading
from pathlib import Path

from worker.alerts import NoAlerts, WebhookAlerts
from worker.engine.engine import Engine
from worker.engine.terms import EngineOptions
from worker.errors import WorkerError
from worker.ports import Alerts, Clock, Records, Secrets, Stores
from worker.settings import EngineSettings, Installation, Settings, load_installation, load_settings
from worker.stores import sqlite
from worker.stores.secret_files import SecretFiles
from worker.transport import origin
from worker.wiring.app import App, SystemClock
from worker.wiring.errands import WiredErrands
from worker.wiring.hooks import HookSecrets, Subscriber
from worker.wiring.live import LiveSettings
from worker.wiring.opening import Connections

DATABASE = "work.sqlite"
JOURNAL = "journal.sqlite"


class Host:
    """Everything a process needs that runs by itself. A context manager: leaving it asks the engine to stop."""

    def __init__(  # noqa: PLR0913  # what a process is made of
        self,
        installation: Installation,
        stores: Stores,
        *,
        clock: Clock | None = None,
        alerts: Alerts | None = None,
        options: EngineOptions | None = None,
        secrets: Secrets | None = None,
        patient: bool = True,
        journal: Records | None = None,
    ) -> None:
        self.installation = installation
        self.settings: EngineSettings = installation.engine
        self.stores = stores
        kept = secrets or open_secrets(installation)
        self.live = LiveSettings(installation, stores.records, kept)
        self.clock: Clock = clock or SystemClock()
        self.hook_secrets = HookSecrets(kept, self.live.names)
        self.subscriber = Subscriber(stores.records, self.hook_secrets, installation.engine.public_url, self.clock)
        self.stop = threading.Event()
        self.alerts: Alerts = alerts or _alerts(installation.engine)
        self._opener = Connections(self.live, stores.records, clock=clock, patient=patient, journal=journal)
        self.errands = WiredErrands(stores, self._opener, self.subscriber, self.clock, self.alerts)
        self.engine = Engine(
            self.live.names,
            stores,
            self._opener,
            self.clock,
            self.alerts,
            options or engine_options(installation.engine),
            self.stop,
            self.errands,
        )

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()

    def open(self, connection: str, patience: float = 60.0) -> App:
        """An app for one connection, to be used as a context manager. Raises ConfigError, NotFoundError."""
        return self._opener.app(connection, patience=patience)

    def notice(self, connection: str) -> None:
        """The companies' list changed: somebody may have asked for a customer. Not while a run is under way, which
        changes the list itself all the time; the next tick looks anyway."""
        if self.errands.creates(connection) and self.engine.running(connection) is None:
            self.engine.look_for_requests(connection)

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
    journal = open_journal(installation) if stores is None else None
    return Host(installation, stores or open_stores(installation), clock=clock, alerts=alerts, journal=journal)


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


def open_journal(installation: Installation) -> Records | None:
    """Where it is kept what runs changed. On one machine a file of its own: a command that keeps a journal must not
    make the store that workers share, with its leases. None: the store itself."""
    if installation.engine.store != "sqlite":
        return None
    return sqlite.open_stores(installation.folder / JOURNAL).records


def has_journal(installation: Installation) -> bool:
    """Whether a run ever kept one here; looking for it must not make it."""
    return installation.engine.store == "sqlite" and (installation.folder / JOURNAL).exists()


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
