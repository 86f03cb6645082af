"""A run by command while a worker runs by itself: never both at one connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from worker.settings import load_installation
from worker.wiring.app import App
from worker.wiring.engine import has_stores, open_stores
from worker.wiring.holding import connection_held


@contextmanager
def run_alone(app: App, config: Path | None = None) -> Iterator[None]:
    """Holds the machine's run lock and, where work is kept in a store, the connection's lease as a worker does.

    Raises BusyError when another command, or a job of `serve` or of Azure Functions, is at it.
    """
    installation = load_installation(config)
    stores = open_stores(installation) if has_stores(installation) else None
    with app.run_lock(), connection_held(stores, app.settings.name):
        yield
