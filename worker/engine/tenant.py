"""What the workers of one tenant share: its resource units, its gate, and its places.

SharePoint throttles by app and tenant, not by worker. So the units of a minute stand in one record that every worker
of the tenant draws from, a pause that one is told holds for all, and only so many may write at the same time.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from worker.engine.names import slot_name, tenant_name
from worker.errors import ConflictError, LeaseLostError, WorkerError
from worker.ports import Hold, Leases, Records

log = logging.getLogger(__name__)
_DRAW = 0.02  # share of a minute's units that is drawn at once, so that the record is not written for each request
_TRIES = 50


@dataclass(slots=True)
class _State:
    """`units` may be negative: a request is let through after the wait that pays for it. Seconds since 1970."""

    units: float
    at: float
    not_before: float = 0.0


class TenantBudget:
    """Implements ports.Budget over a record. `units_per_minute` are the worker's share of the tenant's; the bucket
    holds at most `burst` of them. Thread-safe. `now` is the wall clock, since it is shared between processes: a clock
    that jumps forward refills at most one bucket, one that jumps back refills nothing until it has caught up, or a
    minute has passed.
    """

    def __init__(
        self,
        records: Records,
        tenant: str,
        units_per_minute: float,
        burst: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._records = records
        self._name = tenant_name(tenant)
        self._rate = units_per_minute / 60
        self._burst = burst
        self._draw = max(1.0, units_per_minute * _DRAW)
        self._now = now
        self._lock = threading.Lock()
        self._drawn = 0.0

    def take(self, units: float) -> float:
        """Spends `units`; returns the seconds to wait before they may be used."""
        with self._lock:
            if units <= self._drawn:
                self._drawn -= units
                return 0.0
            need = max(units - self._drawn, self._draw)
            wait = self._change(lambda state, now: self._spend(state, now, need))
            self._drawn += need - units
            return wait

    def hold(self, seconds: float) -> None:
        """Nobody of this tenant sends for `seconds`."""

        def closed(state: _State, now: float) -> float:
            state.not_before = max(state.not_before, now + seconds)
            return 0.0

        if seconds > 0:
            with self._lock:
                self._drawn = 0.0
                self._change(closed)

    def closed_for(self) -> float:
        """Seconds until the gate opens; 0 when it is open."""
        record = self._records.read(self._name)
        state = self._read(record.content if record else b"")
        # A pause is hours at the very most; more is a clock that was wrong when it was noted.
        return min(max(0.0, state.not_before - self._now()), 3600.0)

    def _spend(self, state: _State, now: float, units: float) -> float:
        passed = now - state.at
        if passed < -60:
            passed, state.at = 60.0, now
        state.units = min(self._burst, state.units + max(0.0, passed) * self._rate) - units
        state.at = max(state.at, now)
        return max(0.0, -state.units / self._rate, state.not_before - now)

    def _change(self, change: Callable[[_State, float], float]) -> float:
        """Compare-and-swap until it is ours."""
        for attempt in range(_TRIES):
            record = self._records.read(self._name)
            state = self._read(record.content if record else b"")
            wait = change(state, self._now())
            content = json.dumps(asdict(state)).encode()
            try:
                self._records.write(self._name, content, record.version if record else None)
            except ConflictError:
                time.sleep(random.uniform(0, 0.01 * (attempt + 1)))  # others draw at this very moment
            else:
                return wait
        log.warning("tenant budget is contended name=%s", self._name)
        return 1.0

    def _read(self, content: bytes) -> _State:
        try:
            return _State(**{name: float(value) for name, value in json.loads(content).items()})
        except (ValueError, TypeError, AttributeError):
            return _State(self._burst, self._now())


def take_slot(leases: Leases, tenant: str, slots: int, seconds: float) -> Hold | None:
    """One of the tenant's places, beginning anywhere; None when all are taken."""
    first = random.randrange(slots)
    for number in range(slots):
        hold = leases.acquire(slot_name(tenant, (first + number) % slots), seconds)
        if hold is not None:
            return hold
    return None


class Keeper:
    """Renews leases from a thread of its own until it is left. `lost` is set when one is gone: stop, write nothing
    more."""

    def __init__(self, leases: Leases, holds: list[Hold], seconds: float, every: float) -> None:
        self._leases = leases
        self._holds = holds
        self._seconds = seconds
        self._every = every
        self._over = threading.Event()
        self.lost = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lease-keeper", daemon=True)

    def __enter__(self) -> Keeper:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for hold in self._holds:
            self._leases.release(hold)

    def _renew(self) -> None:
        failed_since: float | None = None
        while not self._over.wait(self._every):
            try:
                for hold in self._holds:
                    self._leases.renew(hold, self._seconds)
            except WorkerError as error:
                # The store may be away for a moment; a lease that was not renewed in time is lost all the same.
                failed_since = failed_since or time.monotonic()
                log.warning("lease not renewed name=%s reason=%s", self._holds[0].name, type(error).__name__)
                if isinstance(error, LeaseLostError) or time.monotonic() - failed_since + self._every >= self._seconds:
                    self.lost.set()
                    return
            else:
                failed_since = None
