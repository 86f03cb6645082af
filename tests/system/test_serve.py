"""`economic-sync serve` as a person runs it: a process, its link, its API, and its end by signal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.world import World

KEY = "a-key-for-programs"


@dataclass
class Served:
    """A running server."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    address: str = ""
    link: str = ""
    ready: threading.Event = field(default_factory=threading.Event)
    reader: threading.Thread | None = None

    def read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if found := re.match(r"Listening on (\S+)", line):
                self.address = found[1]
            if found := re.search(r"Sign in once.*?: (\S+)", line):
                self.link = found[1]
            if line.startswith("Working for"):
                self.ready.set()
        self.ready.set()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.reader is not None
        self.reader.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"x-functions-key": KEY, **more.pop("headers", {})}
        return requests.request(method, f"{self.address}{path}", headers=headers, timeout=30, **more)

    def ended(self, job: dict[str, Any]) -> dict[str, Any]:
        """The job once it is over; the server answers as fast as it can, so this only asks again."""
        for _ in range(2000):
            answer = self.ask("GET", job["links"]["status"]).json()
            if answer["state"] in ("Done", "Failed", "Cancelled"):
                return answer
            threading.Event().wait(0.05)
        raise AssertionError(f"the job did not end: {answer}\n{''.join(self.lines)}")


def serve(world: World, *arguments: str) -> Served:
    environment = {**os.environ, **world.environment(), "ENGINE_API_KEY": KEY, "ENGINE_TICK": "1"}
    environment.pop("PYTHONUNBUFFERED", None)  # the server itself must say its link at once
    process = subprocess.Popen(
        [sys.executable, "-m", "worker", "serve", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=world.folder,
    )
    served = Served(process)
    served.reader = threading.Thread(target=served.read, daemon=True)
    served.reader.start()
    assert served.ready.wait(60)
    return served


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        made.set_up()
        yield made


@pytest.fixture
def server(world: World) -> Iterator[Served]:
    served = serve(world, "--port", "0")
    yield served
    served.end()


@pytest.mark.slow
def test_a_run_asked_for_over_http_is_done_and_told(world, server):
    started = server.ask("POST", "/manage/api/runs", json={}, headers={"Idempotency-Key": "one"})
    assert started.status_code == 202, started.text
    assert started.headers["Location"] == started.json()["links"]["status"]
    again = server.ask("POST", "/manage/api/runs", json={}, headers={"Idempotency-Key": "one"})
    assert (again.status_code, again.json()["id"]) == (200, started.json()["id"])
    job = server.ended(started.json())
    assert job["state"] == "Done", job
    assert {run["status"] for run in job["runs"]} == {"Succeeded"}
    customers = job["runs"][0]
    assert customers["ledger"]["created"] == sum(1 for row in world.rows("Companies") if row.get("CustomerID"))
    plan = server.ask("GET", job["links"]["plan"], params={"profile": "Customers", "limit": 2}).json()
    assert (plan["counts"]["Create"], len(plan["changes"])) == (customers["ledger"]["created"], 2)
    rows = server.ask("GET", job["links"]["rows"], params={"profile": "Customers"})
    assert rows.json() == {"total": 0, "offset": 0, "rows": []}


@pytest.mark.slow
def test_the_link_signs_in_once_and_the_session_works(server):
    browser = requests.Session()
    assert browser.get(f"{server.address}/manage/api/runs", timeout=30).status_code == 401
    answer = browser.get(server.link, timeout=30)
    assert answer.status_code == 200
    csrf = browser.get(f"{server.address}/manage/api/session", timeout=30).json()["csrf"]
    refused = browser.post(f"{server.address}/manage/api/check", json={}, timeout=30)
    assert refused.status_code == 403
    done = browser.post(f"{server.address}/manage/api/check", json={}, headers={"X-CSRF-Token": csrf}, timeout=60)
    assert done.json()["ok"] is True, done.text
    assert requests.get(server.link, timeout=30).status_code == 401


@pytest.mark.slow
def test_sigterm_finishes_the_batch_in_hand_and_the_next_start_goes_on(world, server):
    world.control("sharepoint", "hold", {"at": 30, "when": "after"})
    started = server.ask("POST", "/manage/api/runs", json={}).json()
    assert world.control("sharepoint", "hold/wait")["holding"]
    server.process.send_signal(signal.SIGTERM)
    world.release("sharepoint")
    assert server.process.wait(60) == 0, "".join(server.lines)
    again = serve(world, "--port", "0")
    try:
        job = again.ended(started)
        assert job["state"] == "Done"
        assert all(line["agrees"] for run in job["runs"] for line in run["controls"])
    finally:
        again.end()


@pytest.mark.slow
def test_a_second_serve_says_why_not_or_shares_the_work(world, server):
    port = server.address.rpartition(":")[2]
    second = serve(world, "--port", port)
    assert second.process.wait(30) == 8
    second.end()
    assert "--no-http" in " ".join("".join(second.lines).split())
    helper = serve(world, "--no-http")
    try:
        server.process.kill()
        job = helper_start(world)
        assert job
    finally:
        helper.end()


def helper_start(world: World) -> bool:
    """A person asks in the list; the one that is left does it."""
    world.edit("Mapping profiles", "Title", "Customers", {"RunRequest": "Apply"})
    for _ in range(1200):
        if any(row["RunStatus"] == "Succeeded" for row in world.rows("Sync runs")):
            return True
        threading.Event().wait(0.05)
    return False


@pytest.mark.slow
def test_health_needs_no_sign_in_and_tells_nothing(server):
    assert requests.get(f"{server.address}/healthz", timeout=30).json() == {"status": "ok"}
    assert requests.get(f"{server.address}/readyz", timeout=30).json() == {"status": "ok"}


@pytest.mark.slow
def test_no_secret_is_printed(world, server):
    server.ended(server.ask("POST", "/manage/api/runs", json={}).json())
    text = "".join(server.lines)
    for secret in (KEY, "test-app-secret", world.environment()["SHAREPOINT_TOKEN"]):
        assert secret not in text
