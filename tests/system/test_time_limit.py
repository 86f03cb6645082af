"""A first load that takes longer than any one invocation may: it ends over many messages, and its ledger is exact."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.world import World
from worker.domain.report import RunStatus
from worker.engine.jobs import JobState
from worker.engine.terms import StartRequest
from worker.settings import EngineSettings, load_installation
from worker.wiring.engine import Host, open_stores

LIMIT = 20.0


@pytest.mark.long
def test_a_first_load_longer_than_the_function_limit_ends_over_slices(tmp_path, monkeypatch):
    """The worker is killed whenever one message takes longer than the limit, as the platform does it."""
    with World(tmp_path, "small") as world:
        world.set_up()
        world.control("sharepoint", "latency", {"ms": 250})
        world.control("economic", "latency", {"ms": 250})
        for name, value in {**world.environment(), "ENGINE_FUNCTION_LIMIT": str(LIMIT)}.items():
            monkeypatch.setenv(name, value)
        host = Host(load_installation(), open_stores(load_installation()))
        job_id = host.engine.start(StartRequest("default"))[0].job_id
        longest = work_until_over(host, job_id, tmp_path)
        world.control("sharepoint", "latency", {"ms": 0})
        job = host.engine.job("default", job_id)
        assert job is not None
        assert job.state is JobState.DONE, job.message
        assert longest < LIMIT
        assert job.slices >= 3
        assert {run.status for run in job.runs} == {RunStatus.SUCCEEDED}
        assert all(run.ledger.balances and all(line.agrees for line in run.controls) for run in job.runs)
        rows = sum(run.ledger.created + run.ledger.updated for run in job.runs)
        assert rows > 3000
        counts = {title: len(items) for title, items in world.truth().items()}
        by_profile = {run.profile: run.ledger for run in job.runs}
        assert by_profile["Invoices"].created == counts["Invoices"]
        assert by_profile["Contacts"].created == counts["Contacts"]
        assert host.stores.queue.poison().waiting() == 0


def work_until_over(host: Host, job_id: str, folder: Path) -> float:
    """One process after the other; returns the longest time between two signs of a new message."""
    options = {"slice_seconds": EngineSettings(function_limit=LIMIT).slice_seconds, "chunk": 200}
    environment = {**os.environ, "LEASE_LOG": str(folder / "leases.log"), "WORKER_OPTIONS": json.dumps(options)}
    command = [sys.executable, "-m", "tests.support.worker_process"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    longest, since, slices = 0.0, time.monotonic(), 0
    end = time.monotonic() + 240
    try:
        while time.monotonic() < end:
            job = host.engine.job("default", job_id)
            assert job is not None
            if job.slices != slices or job.state.is_over:
                longest = max(longest, time.monotonic() - since) if slices else longest
                since, slices = time.monotonic(), job.slices
            if job.state.is_over:
                return longest
            if slices and time.monotonic() - since > LIMIT:
                process.send_signal(signal.SIGKILL)
                raise AssertionError(f"slice {slices} took longer than the limit")
            time.sleep(0.1)  # between two looks; what is waited for is the job's own record
        raise AssertionError("the load did not end")
    finally:
        process.kill()
        process.wait()
