"""Many workers, many agreements, duplicated messages, kills at random and every fault at once: the same end."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.azurite import shared
from tests.support.worker_process import RESTLESS
from tests.support.world import World
from worker.domain.report import Ledger, RunStatus
from worker.emulators.economic.gate import FAULTS as ECONOMIC_FAULTS
from worker.emulators.sharepoint.switches import FAULTS as SHAREPOINT_FAULTS
from worker.engine.handler import message
from worker.engine.jobs import Job, JobState
from worker.engine.terms import StartRequest
from worker.errors import RetriableError
from worker.settings import load_installation
from worker.wiring.engine import Host, open_stores

AGREEMENTS, WORKERS, KILLS = 8, 4, 12
LIMIT = 300.0  # seconds until the test gives up
PERMANENT = {"revoked"}  # no fault that passes


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, World]]:
    """Eight agreements with data of their own, and what an undisturbed run makes of each."""
    folder = tmp_path_factory.mktemp("chaos")
    with ExitStack() as stack:
        made: dict[str, World] = {}
        for number in range(1, AGREEMENTS + 1):
            world = stack.enter_context(World(folder / f"a{number}", seed=number))
            world.set_up()
            world.snapshot()
            result = world.run()
            world.ledgers = {report.profile: report.ledger for report in result.reports}
            world.expected = world.truth()
            made[f"a{number}"] = world
        yield made


def write_settings(path: Path, worlds: Mapping[str, World]) -> None:
    lines: list[str] = []
    for name, world in worlds.items():
        lines += [
            f"[connections.{name}.economic]",
            f'base_url = "{world.economic.url}"',
            f'openapi_url = "{world.economic.url}"',
            f"[connections.{name}.sharepoint]",
            f'site_url = "{world.site_url}"',
            'auth = "static-token"',
            "units_per_minute = 1000000000",
            f"[connections.{name}.sync]",
            "as_of = 2026-11-25",
        ]
    path.write_text("\n".join(lines))


class Crew:
    """Worker processes; one that is killed is replaced."""

    def __init__(self, folder: Path) -> None:
        self._log = (folder / "workers.log").open("ab")
        self.told = folder / "leases.log"
        self.deaths: dict[int, float] = {}
        self.processes = [self._start() for _ in range(WORKERS)]

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "LEASE_LOG": str(self.told)}
        command = [sys.executable, "-m", "tests.support.worker_process"]
        return subprocess.Popen(command, env=environment, stdout=self._log, stderr=self._log)

    def kill_one(self, dice: random.Random) -> None:
        at = dice.randrange(WORKERS)
        self._kill(self.processes[at])
        self.processes[at] = self._start()

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.deaths[process.pid] = time.time()

    def end(self) -> None:
        for process in self.processes:
            self._kill(process)
        self._log.close()

    def overlaps(self) -> list[str]:
        """Leases of a connection that somebody got while another, alive, had not given it back."""
        holders: dict[str, tuple[int, float]] = {}
        found = []
        for line in sorted(self.told.read_text().splitlines(), key=lambda text: float(text.split()[0])):
            moment, what, name, pid = line.split()
            if not name.startswith("work/"):
                continue
            if what == "gave":
                holders.pop(name, None)
                continue
            before = holders.get(name)
            if before is not None and self.deaths.get(before[0], float("inf")) > float(moment):
                found.append(line)
            holders[name] = (int(pid), float(moment))
        return found


@pytest.fixture(params=["sqlite", "azurite"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The environment of all processes."""
    name = f"chaos-{uuid.uuid4().hex[:8]}"
    variables = {
        "SYNC_CONFIG": str(tmp_path / "settings.toml"),
        "SYNC_DATA_DIR": str(tmp_path / "data"),
        "ECONOMIC_APP_SECRET": "test-app-secret",
        "ECONOMIC_GRANT_TOKEN": "test-token",
        "SHAREPOINT_TOKEN": "test-token",
        "ENGINE_STORE": "sqlite",
        "ENGINE_QUEUE": name,
    }
    if request.param == "azurite":
        variables |= {
            "ENGINE_STORE": "azure",
            "ENGINE_STORAGE_CONNECTION": shared().connection(),
            "ENGINE_CONTAINER": name,
        }
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    return str(request.param)


def start_all(host: Host, worlds: Mapping[str, World], round_number: int) -> dict[str, str]:
    """A job for each agreement, each with three messages instead of one."""
    ids: dict[str, str] = {}
    for name in worlds:
        while name not in ids:
            try:
                job, _ = host.engine.start(StartRequest(name, key=f"round {round_number}"))
                ids[name] = job.job_id
            except RetriableError:
                continue  # the faults hit the test's own requests too: it asks again
        for _ in range(2):
            host.stores.queue.send(message(name, ids[name]))
    return ids


def wait_for(host: Host, ids: Mapping[str, str], crew: Crew, dice: random.Random, kills: int, end: float) -> int:
    """Until all jobs are over; kills on the way. Returns the kills so far."""
    next_kill = time.monotonic() + 1.0
    while any(not job_of(host, name, job_id).state.is_over for name, job_id in ids.items()):
        assert time.monotonic() < end, f"not over: {[job_of(host, n, i) for n, i in ids.items()]}"
        if kills < KILLS and time.monotonic() >= next_kill:
            crew.kill_one(dice)
            kills += 1
            next_kill = time.monotonic() + dice.uniform(0.5, 2.5)
        threading.Event().wait(0.2)
    return kills


def job_of(host: Host, connection: str, job_id: str) -> Job:
    job = host.engine.job(connection, job_id)
    assert job is not None
    return job


def set_faults(worlds: Mapping[str, World], rate: float) -> None:
    for world in worlds.values():
        world.control("economic", "faults", dict.fromkeys(ECONOMIC_FAULTS - PERMANENT, rate) if rate else {})
        world.control("sharepoint", "faults", dict.fromkeys(SHAREPOINT_FAULTS, rate) if rate else {})


@pytest.mark.long
def test_the_end_is_that_of_an_undisturbed_run(worlds, store, tmp_path):
    """0 overlapping runs, every ledger exact, nothing in poison, and the lists as if nothing had happened."""
    dice = random.Random(1)
    write_settings(tmp_path / "settings.toml", worlds)
    for world in worlds.values():
        world.restore()
    installation = load_installation()
    host = Host(installation, open_stores(installation), options=RESTLESS, patient=False)
    set_faults(worlds, 0.05)
    crew = Crew(tmp_path)
    end = time.monotonic() + LIMIT
    kills = 0
    first: dict[str, str] = {}
    try:
        round_number = 0
        while kills < KILLS or not first:
            ids = start_all(host, worlds, round_number)
            first = first or ids
            kills = wait_for(host, ids, crew, dice, kills, end)
            round_number += 1
    finally:
        crew.end()
        set_faults(worlds, 0)
    assert kills >= KILLS
    assert crew.overlaps() == []
    assert host.stores.queue.poison().waiting() == 0
    for name, world in worlds.items():
        job = job_of(host, name, first[name])
        assert job.state is JobState.DONE, job.message
        assert {run.status for run in job.runs} == {RunStatus.SUCCEEDED}, [run.message for run in job.runs]
        assert all(line.agrees for run in job.runs for line in run.controls)
        assert ledgers(job) == world.ledgers
        assert world.truth() == world.expected
        run_ids = [row["RunID"] for row in world.rows("Sync runs")]
        assert len(run_ids) == len(set(run_ids))


def ledgers(job: Job) -> dict[str, Ledger]:
    return {run.profile: run.ledger for run in job.runs}
