"""A run by command while a worker runs by itself: never both at one connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from worker.engine.book import Book, busy
from worker.engine.names import work_name
from worker.engine.tenant import Keeper
from worker.errors import BusyError
from worker.settings import load_installation
from worker.wiring.app import App
from worker.wiring.engine import has_stores, open_stores

_LEASE, _RENEW = 30.0, 10.0


@contextmanager
def run_alone(app: App, config: Path | None = None) -> Iterator[None]:
    """Holds the machine's run lock and, where work is kept in a store, the connection's lease as a worker does.

    Raises BusyError when another command, or a job of `serve` or of Azure Functions, is at it.
    """
    with app.run_lock():
        installation = load_installation(config)
        if not has_stores(installation):
            yield
            return
        stores = open_stores(installation)
        running = Book(stores.records).running(app.settings.name)
        if running is not None:
            raise busy(running)
        hold = stores.leases.acquire(work_name(app.settings.name), _LEASE)
        if hold is None:
            raise BusyError(
                f"A worker is at the connection '{app.settings.name}'.", hint="Wait until it is done, and try again."
            )
        with Keeper(stores.leases, [hold], _LEASE, _RENEW):
            yield
