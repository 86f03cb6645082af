"""Serving, holding, latency and the control routes, over real loopback HTTP."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from worker.emulators.common.control import control_routes
from worker.emulators.common.faults import Faults
from worker.emulators.common.hold import Hold
from worker.emulators.common.meter import Meter
from worker.emulators.common.middleware import EmulatorMiddleware, Latency, note_of
from worker.emulators.common.server import EmulatorServer
from worker.emulators.common.switches import Switch, Switches

TIMEOUT = 20


class CountingStore:
    """A store of one number, which each handled request raises."""

    def __init__(self) -> None:
        self.handled = 0
        self._kept = 0

    def snapshot(self) -> None:
        self._kept = self.handled

    def restore(self) -> None:
        self.handled = self._kept


def make_app(store: CountingStore) -> EmulatorMiddleware:
    async def handle(request: Request) -> PlainTextResponse:
        await request.body()
        store.handled += 1
        note_of(request.scope).target = "things"
        return PlainTextResponse("done")

    meter, hold, latency = Meter(), Hold(), Latency()
    switches = Switches({"delete": Switch(("recycle", "permanent"), "what DELETE does")})
    routes = control_routes(meter, Faults(known=frozenset({"cut"})), hold, switches, store, latency)
    app = Starlette(routes=[*routes, Route("/things", handle, methods=["GET", "POST"])])
    return EmulatorMiddleware(app, meter=meter, hold=hold, latency=latency)


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


@pytest.fixture
def url(store: CountingStore) -> Iterator[str]:
    with EmulatorServer(make_app(store)) as server:
        yield server.url


def control(url: str, method: str, path: str, body: object = None) -> dict[str, object]:
    answer = requests.request(method, f"{url}/_emulator/{path}", json=body, timeout=TIMEOUT)
    answer.raise_for_status()
    return answer.json()


def raw_request(url: str) -> socket.socket:
    """A connection with one whole request sent on it."""
    host, port = url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=TIMEOUT)
    connection.sendall(b"POST /things HTTP/1.1\r\nHost: x\r\nUser-Agent: raw\r\nContent-Length: 2\r\n\r\n{}")
    return connection


def test_counts_requests_but_not_control_calls(url: str) -> None:
    """Stats count what callers asked, not the asking for stats."""
    requests.get(f"{url}/things", headers={"User-Agent": "me/1 extra"}, timeout=TIMEOUT)
    requests.post(f"{url}/things", headers={"User-Agent": "me/1"}, timeout=TIMEOUT)
    control(url, "GET", "stats")
    stats = control(url, "GET", "stats")
    assert list(stats["callers"]) == ["me/1"]
    assert stats["total"]["by_target"] == {"things": {"reads": 1, "writes": 1}}
    control(url, "POST", "stats/reset")
    assert control(url, "GET", "stats")["total"]["requests"] == 0


def test_port_taken_is_an_error(url: str) -> None:
    """A port that is in use raises OSError at once instead of a server that never starts."""
    with pytest.raises(OSError, match="use"):
        EmulatorServer(make_app(CountingStore()), int(url.rsplit(":", 1)[1]))


def test_stop_frees_the_port(store: CountingStore) -> None:
    """After stop the same port can be served again."""
    with EmulatorServer(make_app(store)) as first:
        port = int(first.url.rsplit(":", 1)[1])
        requests.get(f"{first.url}/things", timeout=TIMEOUT)
    with EmulatorServer(make_app(store), port) as second:
        assert requests.get(f"{second.url}/things", timeout=TIMEOUT).text == "done"


def test_held_before_and_client_gone_is_never_handled(url: str, store: CountingStore) -> None:
    """A client that dies while held before handling leaves no trace in the data."""
    control(url, "POST", "hold", {"at": 2, "when": "before"})
    requests.get(f"{url}/things", timeout=TIMEOUT)
    connection = raw_request(url)
    assert control(url, "GET", "hold/wait") == {"holding": True}
    connection.close()
    control(url, "DELETE", "hold")
    assert store.handled == 1
    requests.get(f"{url}/things", timeout=TIMEOUT)
    assert store.handled == 2


def test_held_before_and_released_is_answered(url: str, store: CountingStore) -> None:
    """A held request whose client waits is handled and answered after release, its body intact."""
    control(url, "POST", "hold", {"at": 1, "when": "before"})
    connection = raw_request(url)
    control(url, "GET", "hold/wait")
    assert store.handled == 0
    assert control(url, "GET", "hold") == {
        "armed": {"at": 1, "when": "before"},
        "holding": True,
        "seen": 1,
    }
    control(url, "DELETE", "hold")
    assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    connection.close()
    assert store.handled == 1


def test_held_after_is_committed_but_not_answered(url: str, store: CountingStore) -> None:
    """A request held after handling has changed the data while its client still waits."""
    control(url, "POST", "hold", {"at": 1, "when": "after"})
    connection = raw_request(url)
    control(url, "GET", "hold/wait")
    assert store.handled == 1
    connection.close()
    control(url, "DELETE", "hold")
    assert control(url, "GET", "hold") == {"armed": None, "holding": False, "seen": 0}


def test_waiting_for_a_cancelled_hold_ends(url: str) -> None:
    """A waiter learns that the hold it waits for was cancelled."""
    control(url, "POST", "hold", {"at": 5, "when": "before"})
    answers: list[dict[str, object]] = []
    waiter = threading.Thread(target=lambda: answers.append(control(url, "GET", "hold/wait")))
    waiter.start()
    control(url, "DELETE", "hold")
    waiter.join(TIMEOUT)
    assert answers == [{"holding": False}]


def test_stop_ends_a_held_request(store: CountingStore) -> None:
    """A server can be stopped while it holds a request."""
    with EmulatorServer(make_app(store)) as server:
        control(server.url, "POST", "hold", {"at": 1, "when": "before"})
        connection = raw_request(server.url)
        control(server.url, "GET", "hold/wait")
    connection.close()
    assert store.handled == 0


def test_snapshot_and_restore(url: str, store: CountingStore) -> None:
    """Restore puts back what snapshot kept."""
    requests.get(f"{url}/things", timeout=TIMEOUT)
    control(url, "POST", "snapshot")
    requests.get(f"{url}/things", timeout=TIMEOUT)
    control(url, "POST", "restore")
    assert store.handled == 1


def test_faults_switches_and_latency_over_http(url: str) -> None:
    """Faults, switches and latency are read and set over HTTP; a wrong name gets 400 and a sentence."""
    assert control(url, "POST", "faults", {"cut": 0.5, "once": {"cut": 2}}) == {
        "cut": 0.5,
        "once": {"cut": 2},
    }
    assert control(url, "POST", "faults", {}) == {"once": {}}
    assert control(url, "POST", "switches", {"delete": "permanent"})["delete"]["value"] == "permanent"
    assert control(url, "POST", "latency", {"ms": 1}) == {"ms": 1.0}
    assert requests.get(f"{url}/things", timeout=TIMEOUT).text == "done"
    wrong = requests.post(f"{url}/_emulator/faults", json={"x": 1}, timeout=TIMEOUT)
    assert wrong.status_code == 400
    assert "the faults are cut" in wrong.json()["error"]


RUN_FOREVER = """
import sys
from starlette.applications import Starlette
from worker.emulators.common.server import run_forever
run_forever([(Starlette(), 0), (Starlette(), 0)], lambda urls: print(*urls, flush=True))
print("stopped", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")
def test_run_forever_announces_once_and_stops_on_sigterm() -> None:
    """Several apps are announced together when all accept, and SIGTERM ends them cleanly."""
    process = subprocess.Popen([sys.executable, "-c", RUN_FOREVER], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        urls = process.stdout.readline().split()
        assert [requests.get(url, timeout=TIMEOUT).status_code for url in urls] == [404, 404]
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=TIMEOUT)[0] == "stopped\n"
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()
