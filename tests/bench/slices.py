"""`python -m tests.bench.slices [--size large] [--limit 20]`: a first load that no single invocation could do.

The engine works one message at a time, as a function with this time limit would. Prints slices, the longest one, rows
and whether ledger and control sums agree.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.__main__ import worker
from tests.bench.side import Emulators
from worker.domain.report import RunStatus
from worker.engine.terms import StartRequest
from worker.settings import load_installation
from worker.wiring.engine import Host, open_stores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="large")
    parser.add_argument("--limit", type=float, default=20.0)
    parser.add_argument("--latency-ms", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, Emulators(Path(name), chosen.size, chosen.latency_ms) as emulators:
        worker(emulators, "set-up")
        emulators.slow_down()
        os.environ.update(emulators.environment())
        os.environ.update({"ENGINE_FUNCTION_LIMIT": str(chosen.limit), "SYNC_DATA_DIR": str(Path(name) / "data")})
        installation = load_installation()
        host = Host(installation, open_stores(installation))
        job_id = host.engine.start(StartRequest("default"))[0].job_id
        longest, begun = 0.0, time.monotonic()
        while (delivery := host.stores.queue.receive(3600)) is not None:
            since = time.monotonic()
            host.engine.handle(delivery.body)
            host.stores.queue.done(delivery)
            longest = max(longest, time.monotonic() - since)
        job = host.engine.job("default", job_id)
        assert job is not None
        rows = sum(run.ledger.created + run.ledger.updated for run in job.runs)
        good = all(run.status is RunStatus.SUCCEEDED and run.ledger.balances for run in job.runs)
        sums = all(line.agrees for run in job.runs for line in run.controls)
        took = time.monotonic() - begun
        sys.stdout.write(
            f"{chosen.size}, limit {chosen.limit:.0f} s: {job.state.value}, {rows:,} rows in {job.slices} slices, "
            f"longest {longest:.1f} s, {took:.0f} s in all; ledger exact: {good}; control sums agree: {sums}\n"
        )


if __name__ == "__main__":
    main()
