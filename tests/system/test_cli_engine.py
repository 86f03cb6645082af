"""Commands beside a worker that runs by itself, and `serve` with settings that can't work."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.world import World
from worker.engine.names import work_name
from worker.engine.terms import StartRequest
from worker.settings import EngineSettings, Installation
from worker.stores import sqlite
from worker.wiring.engine import DATABASE, Host


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        made.set_up()
        yield made


def call(world: World, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **world.environment(), **variables}
    command = [sys.executable, "-m", "worker", *arguments]
    return subprocess.run(
        command, env=environment, cwd=world.folder, capture_output=True, text=True, timeout=120, check=False
    )


def words(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join((done.stdout + done.stderr).split())


def host_of(world: World) -> Host:
    stores = sqlite.open_stores(world.folder / "data" / DATABASE)
    return Host(Installation(EngineSettings(), {"default": world.settings()}), stores)


def test_a_run_by_command_waits_for_the_workers_job(world):
    """Exit code 8 while a job is under way; afterwards it goes through."""
    host = host_of(world)
    job, _ = host.engine.start(StartRequest("default", profiles=("Customers",)))
    refused = call(world, "run", "Customers")
    assert refused.returncode == 8
    assert "under way already" in words(refused)
    delivery = host.stores.queue.receive(60)
    assert delivery is not None
    host.engine.handle(delivery.body)
    assert call(world, "run", "Customers").returncode == 0
    assert job.job_id


def test_a_comparison_by_command_waits_for_the_workers_job(world):
    """Half a run's work would show as differences."""
    host = host_of(world)
    host.engine.start(StartRequest("default", profiles=("Customers",)))
    refused = call(world, "reconcile")
    assert refused.returncode == 8
    assert "under way already" in words(refused)
    assert host.stores.records.read("reconcile/default") is None
    assert world.rows("Sync runs") == []


def test_a_worker_waits_for_a_comparison_by_command(world):
    """The command holds the connection's lease while it reads."""
    host = host_of(world)
    world.control("sharepoint", "hold", {"at": 20, "when": "after"})
    command = [sys.executable, "-m", "worker", "reconcile"]
    running = subprocess.Popen(
        command, env={**os.environ, **world.environment()}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert world.control("sharepoint", "hold/wait")["holding"]
    assert host.stores.leases.acquire(work_name("default"), 15) is None
    world.release("sharepoint")
    assert running.wait(60) == 7
    assert host.stores.leases.acquire(work_name("default"), 15) is not None


def test_a_worker_waits_for_a_run_by_command(world):
    """The command holds the connection's lease."""
    host = host_of(world)
    world.control("sharepoint", "hold", {"at": 20, "when": "after"})
    command = [sys.executable, "-m", "worker", "run"]
    running = subprocess.Popen(
        command, env={**os.environ, **world.environment()}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert world.control("sharepoint", "hold/wait")["holding"]
    assert host.stores.leases.acquire(work_name("default"), 15) is None
    world.release("sharepoint")
    assert running.wait(60) == 0
    assert host.stores.leases.acquire(work_name("default"), 15) is not None


def test_several_connections_need_a_name(world):
    (world.folder / "two.toml").write_text(
        f'[connections.acme.sharepoint]\nsite_url = "{world.site_url}"\n[connections.birk.sharepoint]\n'
        f'site_url = "{world.site_url}"\n'
    )
    asked = call(world, "--config", "two.toml", "runs")
    assert asked.returncode == 2
    assert "acme, birk" in words(asked)
    assert call(world, "--config", "two.toml", "runs", "--connection", "acme").returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "code", "told"),
    [
        ({"ENGINE_STORE": "azure"}, 2, "ENGINE_STORAGE_ACCOUNT"),
        pytest.param(
            {
                "ENGINE_STORE": "azure",
                "ENGINE_STORAGE_CONNECTION": "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=c2VjcmV0LWtleQ==;"
                "BlobEndpoint=http://127.0.0.1:9/a;QueueEndpoint=http://127.0.0.1:9/a;",
            },
            6,
            "",
            marks=pytest.mark.long,  # the storage library's own retries
        ),
        ({"ENGINE_WORKERS": "99"}, 2, "ENGINE_WORKERS"),
        ({"SYNC_CONFIG": "nowhere.toml"}, 2, "does not exist"),
        ({"SHAREPOINT_SITE_URL": "ftp://x"}, 2, "SHAREPOINT_SITE_URL"),
    ],
    ids=["no account", "account away", "too many workers", "no file", "wrong site"],
)
def test_serve_with_settings_that_can_not_work_says_so_and_ends(world, variables, code, told):
    done = call(world, "serve", "--port", "0", "--no-http", **variables)
    assert done.returncode == code, words(done)
    assert told in words(done)
    assert "Traceback" not in words(done)
    assert "c2VjcmV0LWtleQ" not in words(done)


def test_a_file_that_is_no_database_is_said_with_the_next_step(world):
    (world.folder / "data").mkdir(exist_ok=True)
    (world.folder / "data" / DATABASE).write_bytes(b"not a database" * 100)
    done = call(world, "serve", "--port", "0")
    assert done.returncode == 3
    assert "is no SQLite database" in words(done)
    assert "Next:" in words(done)
