"""`python -m tests.bench.scale`: how far more workers carry, and whether they stay within one tenant's units.

First: agreements of tenants of their own, each a first load and 80 ms from both services, worked by 1, 2 and 4
processes. Then: agreements of one tenant with one budget of units, worked by 4 processes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.support.world import World
from worker.emulators.common.server import EmulatorServer
from worker.emulators.sharepoint.throttle import Budget
from worker.engine.jobs import JobState
from worker.engine.terms import StartRequest
from worker.settings import load_installation
from worker.wiring.engine import Host, open_stores

LATENCY_MS = 80
OPTIONS = {"busy_delay": [0.2, 1.0], "lease_seconds": 15.0, "renew_seconds": 5.0}


@dataclass
class Measured:
    """One round."""

    workers: int
    seconds: float
    requests: int
    throttled: int


class Tenant:
    """Several sites behind one address, with one budget of units."""

    def __init__(self, worlds: dict[str, World], units_per_minute: int) -> None:
        self.budget = Budget(units_per_minute)
        self._apps: dict[str, ASGIApp] = {name: world.sharepoint_app for name, world in worlds.items()}
        for world in worlds.values():
            world.sharepoint_app.state.budget = self.budget

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._apps[scope["path"].split("/")[2]](scope, receive, send)


def write_settings(path: Path, sites: dict[str, tuple[World, str]], units: int) -> None:
    lines: list[str] = []
    for name, (world, site_url) in sites.items():
        lines += [
            f"[connections.{name}.economic]",
            f'base_url = "{world.economic.url}"',
            f'openapi_url = "{world.economic.url}"',
            f"[connections.{name}.sharepoint]",
            f'site_url = "{site_url}"',
            'auth = "static-token"',
            f"units_per_minute = {units}",
            f"[connections.{name}.sync]",
            "as_of = 2026-11-25",
        ]
    path.write_text("\n".join(lines))


@contextmanager
def crew(folder: Path, workers: int) -> Iterator[None]:
    environment = {**os.environ, "LEASE_LOG": str(folder / "leases.log"), "WORKER_OPTIONS": json.dumps(OPTIONS)}
    command = [sys.executable, "-m", "tests.support.worker_process"]
    processes = [subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) for _ in range(workers)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def work(folder: Path, worlds: dict[str, World], workers: int) -> Measured:
    """Starts a job for each and waits for all; every job must end well."""
    shutil.rmtree(folder / "data", ignore_errors=True)
    installation = load_installation()
    host = Host(installation, open_stores(installation))
    set_latency(worlds, 0)
    for name, world in worlds.items():
        world.restore()
        host.engine.start(StartRequest(name))
        for side in ("economic", "sharepoint"):
            world.control(side, "stats/reset", {})
    set_latency(worlds, LATENCY_MS)
    with crew(folder, workers):
        begun = time.monotonic()
        while not all(job.state.is_over for job in host.engine.jobs(limit=1000)):
            time.sleep(0.1)
        seconds = time.monotonic() - begun
    set_latency(worlds, 0)
    wrong = [job for job in host.engine.jobs(limit=1000) if job.state is not JobState.DONE]
    if wrong:
        raise SystemExit(f"{len(wrong)} jobs did not end well: {wrong[0].message}")
    totals = [world.control(side, "stats")["total"] for world in worlds.values() for side in ("economic", "sharepoint")]
    throttled = sum(count for one in totals for status, count in one["by_status"].items() if status in ("429", "503"))
    return Measured(workers, seconds, sum(one["requests"] for one in totals), throttled)


def set_latency(worlds: dict[str, World], milliseconds: int) -> None:
    for world in worlds.values():
        for side in ("economic", "sharepoint"):
            world.control(side, "latency", {"ms": milliseconds})


def make_worlds(stack: ExitStack, folder: Path, count: int, **options: Any) -> dict[str, World]:
    made: dict[str, World] = {}
    for number in range(1, count + 1):
        name = f"a{number}"
        more = {key: value.format(name=name) for key, value in options.items()}
        world = stack.enter_context(World(folder / name, seed=number, **more))
        world.set_up()
        world.snapshot()
        made[name] = world
    return made


def scale_out(console: Console, count: int) -> None:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        worlds = make_worlds(stack, folder, count)
        environment(folder)
        sites = {one: (world, world.site_url) for one, world in worlds.items()}
        write_settings(folder / "settings.toml", sites, 10**9)
        rounds = [work(folder, worlds, workers) for workers in (1, 2, 4)]
    table = Table(title=f"{count} agreements, first load each, {LATENCY_MS} ms latency")
    for heading in ("workers", "seconds", "agreements a minute", "times as fast as one", "requests"):
        table.add_column(heading, justify="right")
    for one in rounds:
        ratio = rounds[0].seconds / one.seconds
        row = (str(one.workers), f"{one.seconds:.0f}", f"{60 * count / one.seconds:.0f}", f"{ratio:.2f}")
        table.add_row(*row, str(one.requests))
    console.print(table)


def one_tenant(console: Console, count: int, units: int) -> None:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        worlds = make_worlds(stack, folder, count, site_path="/sites/{name}")
        tenant = Tenant(worlds, units)
        server = EmulatorServer(tenant)
        server.start()
        stack.callback(server.stop)
        environment(folder)
        sites = {one: (world, f"{server.url}/sites/{one}") for one, world in worlds.items()}
        write_settings(folder / "settings.toml", sites, units)
        tenant.budget.reset()
        found = work(folder, worlds, 4)
    share = 100 * found.throttled / found.requests
    console.print(
        f"One tenant, {count} agreements, 4 workers, {units} units a minute: {found.seconds:.0f} s, "
        f"{found.requests} requests, {found.throttled} throttled ({share:.2f} %)."
    )


def environment(folder: Path) -> None:
    os.environ.update(
        {
            "SYNC_CONFIG": str(folder / "settings.toml"),
            "SYNC_DATA_DIR": str(folder / "data"),
            "ECONOMIC_APP_SECRET": "test-app-secret",
            "ECONOMIC_GRANT_TOKEN": "test-token",
            "SHAREPOINT_TOKEN": "test-token",
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agreements", type=int, default=40)
    parser.add_argument("--tenant-agreements", type=int, default=12)
    parser.add_argument("--units", type=int, default=1250)
    chosen = parser.parse_args()
    console = Console()
    scale_out(console, chosen.agreements)
    one_tenant(console, chosen.tenant_agreements, chosen.units)


if __name__ == "__main__":
    main()
