"""A connection's work, held by one process while it writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from worker.engine.book import Book, busy
from worker.engine.names import work_name
from worker.engine.tenant import Keeper
from worker.errors import BusyError
from worker.ports import Leases, Stores

_LEASE, _RENEW = 30.0, 10.0


@contextmanager
def held(leases: Leases, name: str, refusal: BusyError) -> Iterator[None]:
    """Holds a lease by this name, and renews it. Raises `refusal` when another process has it."""
    hold = leases.acquire(name, _LEASE)
    if hold is None:
        raise refusal
    with Keeper(leases, [hold], _LEASE, _RENEW):
        yield


@contextmanager
def connection_held(stores: Stores | None, connection: str) -> Iterator[None]:
    """Holds the connection's lease as a worker does; without stores no worker shares it. Raises BusyError when a job
    is under way, or a worker is at it."""
    if stores is None:
        yield
        return
    running = Book(stores.records).running(connection)
    if running is not None:
        raise busy(running)
    refusal = BusyError(f"A worker is at the connection '{connection}'.", hint="Wait until it is done, and try again.")
    with held(stores.leases, work_name(connection), refusal):
        yield
