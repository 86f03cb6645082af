"""What a worker passes before it works at a connection: the tenant's gate, a place of the tenant, the lease."""

from __future__ import annotations

from worker.engine.names import work_name
from worker.engine.tenant import Keeper, TenantBudget, take_slot
from worker.engine.terms import EngineOptions
from worker.ports import Clock, Hold, StopSignal, Stores


class Gate:
    """One for all threads of a process."""

    def __init__(self, stores: Stores, clock: Clock, options: EngineOptions) -> None:
        self._stores = stores
        self._clock = clock
        self._options = options

    def closed_for(self, tenant: str) -> float:
        """Seconds until the tenant may be asked again; 0 when it may."""
        return TenantBudget(self._stores.records, tenant, 1, 1, lambda: self._clock.now().timestamp()).closed_for()

    def enter(self, tenant: str, connection: str) -> tuple[Hold, Keeper] | None:
        """The connection's lease, and what keeps it and the place while it is entered; None when the places are taken
        or somebody is at the connection."""
        leases, seconds = self._stores.leases, self._options.lease_seconds
        slot = take_slot(leases, tenant, self._options.slots, seconds)
        if slot is None:
            return None
        hold = leases.acquire(work_name(connection), seconds)
        if hold is None:
            leases.release(slot)
            return None
        return hold, Keeper(leases, [hold, slot], seconds, self._options.renew_seconds)


class EitherStop:
    """Stop when asked to, or when the lease is gone."""

    def __init__(self, *signals: StopSignal) -> None:
        self._signals = signals

    def is_set(self) -> bool:
        """Whether any of them is."""
        return any(signal.is_set() for signal in self._signals)
