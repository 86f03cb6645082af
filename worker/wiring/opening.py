"""Connections opened by name, over settings as they are now."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from worker.engine.opened import Opened
from worker.engine.tenant import TenantBudget
from worker.errors import WorkerError
from worker.ports import Clock, Progress, Records, StopSignal
from worker.settings import Settings
from worker.transport import RetryPolicy
from worker.wiring.app import App, NoProgress, build_app
from worker.wiring.live import LiveSettings


class Connections:
    """Implements engine.opened.Opener over settings as they are now."""

    def __init__(
        self,
        live: LiveSettings,
        records: Records,
        *,
        clock: Clock | None = None,
        patient: bool = True,
        journal: Records | None = None,
    ) -> None:
        self.live = live
        self._records = records
        self._journal = journal
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
            records=self._records,
            journal=self._journal,
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
