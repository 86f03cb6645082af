"""Faults of single requests, and the unit budget with its warnings and refusals."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
import requests
from emu_sharepoint_kit import Emulator, serve
from test_emu_sharepoint_batch import parts, pnp_body, send

from worker.emulators.common.faults import Faults
from worker.emulators.sharepoint.app import create_app
from worker.emulators.sharepoint.options import SharePointOptions
from worker.emulators.sharepoint.store import SharePointStore
from worker.emulators.sharepoint.throttle import Budget


@pytest.fixture
def budgeted() -> Iterator[Emulator]:
    """A site whose app may use 20 units a minute."""
    yield from serve(SharePointOptions(ru_per_minute=20))


def test_500_after_commit(emulator: Emulator) -> None:
    """A single write answers 500 although it was kept; reads are never touched."""
    path = emulator.make_list("Invoices")
    emulator.app.state.faults.set("500-after-commit", 1.0)
    assert emulator.ask("GET", f"{path}/items").status_code == 200
    assert emulator.ask("POST", f"{path}/items", {"Title": "x"}).status_code == 500
    emulator.app.state.faults.clear()
    assert emulator.get(path)["ItemCount"] == 1


def test_cut_connection(emulator: Emulator) -> None:
    """The answer breaks off in the middle, after the write was kept."""
    path = emulator.make_list("Invoices")
    emulator.app.state.faults.once("cut")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        emulator.ask("POST", f"{path}/items", {"Title": "x"})
    emulator.app.state.faults.once("cut")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        emulator.merge(f"{path}/items(1)", {"Title": "y"})
    assert emulator.get(f"{path}/items(1)?$select=Title") == {"Title": "y"}


def test_html_page(emulator: Emulator) -> None:
    """The fault answers 200 with a web page."""
    emulator.app.state.faults.once("html")
    answer = emulator.ask("GET", "web")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_expired_token_once(emulator: Emulator) -> None:
    """One 401, then the same token works again."""
    emulator.app.state.faults.once("expired-token")
    assert [emulator.ask("GET", "web").status_code for _ in range(2)] == [401, 200]


def test_slow_answer() -> None:
    """The slow fault outlasts a client's read timeout."""
    for emulator in serve(SharePointOptions(ru_per_minute=0, slow_ms=400)):
        emulator.app.state.faults.once("slow")
        with pytest.raises(requests.exceptions.ReadTimeout):
            emulator.session.get(f"{emulator.site}/_api/web", timeout=0.1)


def test_retry_after_and_body_forms(emulator: Emulator) -> None:
    """Retry-After is seconds, a date or missing, and the body JSON or HTML, as the switches say."""
    faults = emulator.app.state.faults
    faults.set("429", 1.0)
    first = emulator.ask("GET", "web")
    assert first.json()["error"]["innererror"] == {"code": "throttledRequest"}
    assert first.headers["Retry-After"] == "1"
    emulator.switch(retry_after="date", throttle_body="html")
    second = emulator.ask("GET", "web")
    assert parsedate_to_datetime(second.headers["Retry-After"]) > datetime.now(UTC)
    assert "TOO MANY REQUESTS" in second.text
    emulator.switch(retry_after="none")
    assert "Retry-After" not in emulator.ask("GET", "web").headers


def test_unknown_faults_are_refused(emulator: Emulator) -> None:
    """The faults a caller may set are named."""
    with pytest.raises(ValueError, match="500-after-commit"):
        emulator.app.state.faults.parse(["nope=1"])
    store = SharePointStore()
    app = create_app(store, options=SharePointOptions(), faults=Faults(seed=3))
    app.state.faults.parse(["429=0.5"])
    with pytest.raises(ValueError, match="500-after-commit"):
        app.state.faults.set("nope", 1.0)
    store.close()


def test_budget_warns_then_refuses(budgeted: Emulator) -> None:
    """From 80 % on the RateLimit headers warn; a used-up budget is a 429 with the seconds left."""
    answers = [budgeted.ask("GET", "web") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert "RateLimit-Limit" not in answers[6].headers
    assert (answers[7].headers["RateLimit-Limit"], answers[7].headers["RateLimit-Remaining"]) == ("20", "4")
    assert answers[10].headers["RateLimit-Remaining"] == "0"
    assert 0 < int(answers[10].headers["Retry-After"]) <= 60
    budgeted.session.post(f"{budgeted.url}/_emulator/budget", json={"ru_per_minute": 1000}, timeout=20)
    assert budgeted.ask("GET", "web").status_code == 200


def test_batch_parts_are_billed_one_by_one(budgeted: Emulator) -> None:
    """When the budget ends inside a batch, the rest of its parts are throttled and not carried out."""
    path = budgeted.make_list("Invoices")
    url = f"{budgeted.site}/_api/{path}/items"
    found = parts(send(budgeted, pnp_body([("POST", url, {})] * 12)))
    assert [part[0] for part in found] == [201] * 9 + [429] * 3
    refused = send(budgeted, pnp_body([("POST", url, {})]))
    assert refused.status_code == 429
    budgeted.app.state.budget.reset()
    assert budgeted.get(path)["ItemCount"] == 9


def test_budget_by_the_minute() -> None:
    """A new minute begins with a fresh budget; refused requests counted in the old one."""
    seconds = [0.0]
    budget = Budget(4, lambda: seconds[0])
    assert [budget.spend(2) for _ in range(3)] == [True, True, False]
    seconds[0] = 59.0
    assert (budget.seconds_left(), budget.spend(1)) == (1, False)
    seconds[0] = 60.0
    assert budget.spend(2)
    assert budget.headers() == {}


def test_single_reads_cost_less(emulator: Emulator) -> None:
    """One item costs 1 unit, a query 2, a write 2."""
    path = emulator.make_list("Invoices")
    meter = emulator.app.state.meter
    costs = []
    for method, address, body in (
        ("POST", f"{path}/items", {}),
        ("GET", f"{path}/items", None),
        ("GET", f"{path}/items(1)", None),
    ):
        meter.reset()
        emulator.ask(method, address, body)
        costs.append(meter.snapshot()["total"]["cost"])
    assert costs == [2.0, 2.0, 1.0]


def test_hold_after_keeps_the_write(emulator: Emulator) -> None:
    """A create held after its commit stays when its client goes away."""
    path = emulator.make_list("Invoices")
    control = f"{emulator.url}/_emulator/hold"
    requests.post(control, json={"at": 1, "when": "after"}, timeout=20)
    host, port = emulator.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=20)
    head = f"POST /sites/crm/_api/{path}/items HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer test-token\r\n"
    connection.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}".encode())
    assert requests.get(f"{control}/wait", timeout=20).json() == {"holding": True}
    connection.close()
    requests.delete(control, timeout=20)
    assert emulator.get(path)["ItemCount"] == 1
