"""The change log, its tokens, and webhooks with a real receiver."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from emu_sharepoint_kit import KEY, VERBOSE, Emulator, serve

from worker.emulators.sharepoint.options import SharePointOptions

ALL = {"Item": True, "Add": True, "Update": True, "DeleteObject": True, "Restore": True}


def changes(emulator: Emulator, path: str, start: str | None = None, **query: Any) -> list[dict[str, Any]]:
    token = {"ChangeTokenStart": {"StringValue": start}} if start else {}
    return emulator.post(f"{path}/GetChanges", {"query": {**ALL, **token, **query}})["value"]


def current(emulator: Emulator, path: str) -> str:
    return str(emulator.get(f"{path}/CurrentChangeToken")["StringValue"])


def test_changes_since_a_token(emulator: Emulator) -> None:
    """After a baseline only later changes come, in order, with kind, item and editor."""
    path = emulator.make_list("Invoices", KEY)
    emulator.add(path)
    start = current(emulator, path)
    assert changes(emulator, path, start) == []
    emulator.add(path)
    emulator.merge(f"{path}/items(1)", {"Title": "b"}, X_Emulator_User="9")
    bin_id = emulator.post(f"{path}/items(2)/recycle()")["value"]
    emulator.post(f"web/recyclebin('{bin_id}')/restore()")
    rows = changes(emulator, path, start)
    assert [(row["ChangeType"], row["ItemId"]) for row in rows] == [(1, 2), (2, 1), (3, 2), (7, 2)]
    assert rows[1]["Editor"] == "9"
    assert changes(emulator, path, rows[1]["ChangeToken"]["StringValue"]) == rows[2:]
    assert rows[-1]["ChangeToken"]["StringValue"] == current(emulator, path)
    assert changes(emulator, path, start, FetchLimit=1) == rows[:1]
    assert changes(emulator, path, start, DeleteObject=False, Restore=False) == rows[:2]


def test_verbose_change_query(emulator: Emulator) -> None:
    """The query as the library sends it, with types, answers wrapped rows."""
    path = emulator.make_list("Invoices")
    emulator.add(path)
    query = {**ALL, "__metadata": {"type": "SP.ChangeQuery"}}
    rows = emulator.post(f"{path}/GetChanges", {"query": query}, accept=VERBOSE, Content_Type=VERBOSE)["d"]["results"]
    assert rows[0]["__metadata"]["type"] == "SP.ChangeItem"


def test_built_and_wrong_tokens(emulator: Emulator) -> None:
    """A token built for a time begins there; nonsense and another list's token are refused."""
    path = emulator.make_list("Invoices")
    emulator.add(path)
    list_id = emulator.get(path)["Id"]

    def built(moment: datetime) -> str:
        ticks = int((moment - datetime(1, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) * 10
        return f"1;3;{list_id};{ticks};-1"

    now = datetime.now(UTC)
    assert len(changes(emulator, path, built(now - timedelta(days=1)))) == 1
    assert changes(emulator, path, built(now + timedelta(days=1))) == []
    for token in ("nonsense", "1;3;00000000-0000-0000-0000-000000000000;1;1"):
        body = {"query": {**ALL, "ChangeTokenStart": {"StringValue": token}}}
        assert emulator.ask("POST", f"{path}/GetChanges", body).status_code == 400


def test_expired_token_answers_nothing() -> None:
    """A token older than the log gets an empty answer, as SharePoint Online does, or by the switch an error."""
    today = [date(2026, 1, 1)]
    for emulator in serve(SharePointOptions(ru_per_minute=0, today=lambda: today[0])):
        path = emulator.make_list("Invoices")
        start = current(emulator, path)
        today[0] = date(2026, 4, 1)
        emulator.add(path)
        assert changes(emulator, path, start) == []
        emulator.switch(expired_change_token="error")
        body = {"query": {**ALL, "ChangeTokenStart": {"StringValue": start}}}
        answer = emulator.ask("POST", f"{path}/GetChanges", body)
        assert emulator.code(answer).startswith("-2130575172")


def test_list_item_changes_as_xml(emulator: Emulator) -> None:
    """GetListItemChangesSinceToken: all items first, then what changed and what went."""
    path = emulator.make_list("Invoices")
    for title in ("a", "b & c"):
        emulator.add(path, Title=title)
    address = f"{path}/GetListItemChangesSinceToken"
    first = emulator.post(address, {"query": {"RowLimit": "1"}})
    assert 'ows_ID="1"' in first
    assert 'ListItemCollectionPositionNext="Paged=TRUE&amp;p_ID=1"' in first
    options = '<QueryOptions><Paging ListItemCollectionPositionNext="Paged=TRUE&amp;p_ID=1" /></QueryOptions>'
    assert 'ows_Title="b &amp; c"' in emulator.post(address, {"query": {"RowLimit": "1", "QueryOptions": options}})
    start = current(emulator, path)
    emulator.merge(f"{path}/items(2)", {"Title": "d"})
    emulator.post(f"{path}/items(1)/recycle()")
    later = emulator.post(address, {"query": {"ChangeToken": start}})
    assert 'ows_Title="d"' in later
    assert '<Id ChangeType="Delete">1</Id>' in later


class Receiver(HTTPServer):
    """A webhook address that echoes validation tokens and keeps notices."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.echo = True
        self.notices: list[dict[str, Any]] = []
        self.arrived = threading.Semaphore(0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = parse_qs(urlsplit(self.path).query).get("validationtoken", [""])[0]
        answer = (token if self.server.echo else "no").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        if not token:
            self.server.notices.append(json.loads(body))
            self.server.arrived.release()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def subscription(receiver: Receiver, **more: Any) -> dict[str, Any]:
    expires = (datetime.now(UTC) + timedelta(days=90)).isoformat()
    return {"resource": "x", "notificationUrl": receiver.url, "expirationDateTime": expires, "clientState": "s", **more}


def test_webhook(emulator: Emulator, receiver: Receiver) -> None:
    """A subscription is validated, told about changes without item ids, renewed and ended."""
    path = emulator.make_list("Invoices")
    made = emulator.ask("POST", f"{path}/subscriptions", subscription(receiver))
    assert made.status_code == 201
    key = made.json()["id"]
    emulator.add(path)
    assert receiver.arrived.acquire(timeout=20)
    (notice,) = receiver.notices[0]["value"]
    assert (notice["subscriptionId"], notice["clientState"], notice["siteUrl"]) == (key, "s", "/sites/crm")
    assert notice["resource"] == emulator.get(path)["Id"]
    later = (datetime.now(UTC) + timedelta(days=170)).isoformat()
    assert emulator.ask("PATCH", f"{path}/subscriptions('{key}')", {"expirationDateTime": later}).status_code == 204
    assert emulator.get(f"{path}/subscriptions")["value"][0]["expirationDateTime"] == later
    assert emulator.ask("DELETE", f"{path}/subscriptions('{key}')").status_code == 204
    emulator.add(path)
    emulator.app.notifier.drain()
    assert len(receiver.notices) == 1


def test_webhook_refusals(emulator: Emulator, receiver: Receiver) -> None:
    """An address that does not echo the token, cannot be reached, or an expiry beyond 180 days is refused."""
    path = emulator.make_list("Invoices")
    far = (datetime.now(UTC) + timedelta(days=181)).isoformat()
    for more in (
        {"expirationDateTime": far},
        {"expirationDateTime": "x"},
        {"notificationUrl": "http://127.0.0.1:1/x"},
        {"notificationUrl": "x"},
    ):
        assert emulator.ask("POST", f"{path}/subscriptions", subscription(receiver, **more)).status_code == 400
    receiver.echo = False
    assert emulator.ask("POST", f"{path}/subscriptions", subscription(receiver)).status_code == 400
    assert emulator.get(f"{path}/subscriptions") == {"value": []}
