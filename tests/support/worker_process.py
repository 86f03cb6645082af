"""A worker process of its own: queue workers over the environment's settings and store, for tests and measurements.

WORKER_OPTIONS (JSON) changes the engine's limits, WORKER_THREADS the number of workers. A line is written to LEASE_LOG
whenever a lease is got or given back, so that a test can see whether two workers ever held one at the same time.
"""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

from worker.engine.pool import Pool, PoolOptions
from worker.engine.terms import EngineOptions
from worker.logs import set_up_logs
from worker.ports import Hold, Leases
from worker.settings import load_installation
from worker.wiring.engine import Host, open_stores

RESTLESS = EngineOptions(
    slice_seconds=4.0,
    patience=60.0,  # nobody waits here, but retries go on as they do with the default limits
    chunk=15,
    lease_seconds=15.0,
    renew_seconds=3.0,
    busy_delay=(0.1, 0.5),
    first_delay=0.2,
    longest_delay=2.0,
)


class ToldLeases:
    """Leases that say in a file who held what, when (wall clock), by appending whole lines."""

    def __init__(self, leases: Leases, log: Path) -> None:
        self._leases = leases
        self._file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def acquire(self, name: str, seconds: float) -> Hold | None:
        hold = self._leases.acquire(name, seconds)
        if hold is not None:
            self._tell("got", name)
        return hold

    def renew(self, hold: Hold, seconds: float) -> None:
        self._leases.renew(hold, seconds)

    def release(self, hold: Hold) -> None:
        self._tell("gave", hold.name)
        self._leases.release(hold)

    def _tell(self, what: str, name: str) -> None:
        os.write(self._file, f"{time.time()} {what} {name} {os.getpid()}\n".encode())


def main() -> None:
    installation = load_installation()
    set_up_logs("text")
    stores = open_stores(installation)
    told = replace(stores, leases=ToldLeases(stores.leases, Path(os.environ["LEASE_LOG"])))
    chosen = os.environ.get("WORKER_OPTIONS")
    options = EngineOptions(**json.loads(chosen)) if chosen else RESTLESS
    host = Host(installation, told, options=options, patient=chosen is not None)
    workers = int(os.environ.get("WORKER_THREADS", "1"))
    Pool(host.engine, host.stop, PoolOptions(workers=workers, tick=None, hide=15.0, idle=0.1, retry=0.5)).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
