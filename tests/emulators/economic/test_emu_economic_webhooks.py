"""Webhooks: registering them through the API, and how they arrive."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from emu_economic_support import Served

HOOKS = "/webhooksapi/v1.0.0/webhooks"
NEW = {
    "name": "Ny",
    "currency": "DKK",
    "customerGroup": {"customerGroupNumber": 1},
    "paymentTerms": {"paymentTermsNumber": 1},
    "vatZone": {"vatZoneNumber": 1},
}


class Receiver:
    """A loopback server that keeps what it is sent; `failures` calls are answered with 500 first."""

    def __init__(self) -> None:
        received: list[tuple[str, str, str]] = []
        state = {"failures": 0}

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                received.append((self.path, body, self.headers.get("X-Secret", "")))
                failing = state["failures"] > 0
                state["failures"] -= failing
                self.send_response(500 if failing else 204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep the test output clean."""

        self.received, self.state = received, state
        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def hook(receiver: Receiver, event_type: str = "CUSTOMER_UPDATED") -> dict[str, Any]:
    return {
        "eventType": event_type,
        "name": "Sync",
        "url": f"{receiver.url}/in?no=[NEWNUMBER][INVOICENO]",
        "contentType": "application/json",
        "postData": '{"old":"[OLDNUMBER]","new":"[NEWNUMBER]"}',
        "customHeaders": [{"key": "X-Secret", "value": "s"}],
    }


def changes(emu: Served) -> None:
    """A create, a change and a delete of customer 4."""
    emu.send("POST", "/customers", NEW)
    emu.send("PUT", "/customers/4", NEW)
    emu.send("DELETE", "/customers/4")


def arrived(emu: Served, receiver: Receiver) -> list[str]:
    emu.app.state.webhooks.drain()
    return [body for _, body, _ in receiver.received]


CREATED, CHANGED, DELETED = '{"old":"","new":"4"}', '{"old":"4","new":"4"}', '{"old":"4","new":""}'


def test_placeholders_and_headers(emu: Served, receiver: Receiver) -> None:
    """Create, change and delete arrive with old and new number in body and address, and the custom header."""
    assert emu.send("POST", HOOKS, hook(receiver)).status_code == 201
    changes(emu)
    assert arrived(emu, receiver) == [CREATED, CHANGED, DELETED]
    assert receiver.received[0] == ("/in?no=4[INVOICENO]", CREATED, "s")


@pytest.mark.parametrize(
    ("position", "before", "after"),
    [
        ("duplicated", [CREATED, CREATED, CHANGED, CHANGED, DELETED, DELETED], None),
        ("lost", [], []),
        ("burst", [], [CREATED, CHANGED, DELETED]),
        ("out_of_order", [], [DELETED, CHANGED, CREATED]),
    ],
)
def test_ways_of_arriving_badly(
    emu: Served, receiver: Receiver, position: str, before: list[str], after: list[str] | None
) -> None:
    """Deliveries come twice, not at all, held back and then all at once, or in the wrong order."""
    emu.send("POST", HOOKS, hook(receiver))
    emu.switch(webhook_delivery=position)
    changes(emu)
    assert arrived(emu, receiver) == before
    if after is not None:
        emu.send("POST", "/_emulator/webhooks/flush")
        assert arrived(emu, receiver) == after


@pytest.mark.parametrize(("retries", "attempts", "outcome"), [("0", 1, "500"), ("3", 3, "204")])
def test_retries_are_a_switch(emu: Served, receiver: Receiver, retries: str, attempts: int, outcome: str) -> None:
    """A failed delivery is given up, or tried again until it works."""
    emu.send("POST", HOOKS, hook(receiver))
    emu.switch(webhook_retries=retries)
    receiver.state["failures"] = 2
    emu.send("POST", "/customers", NEW)
    arrived(emu, receiver)
    logged = emu.json("/_emulator/webhooks")[0]
    assert (logged["attempts"], logged["outcome"]) == (attempts, outcome)


def test_empty_number_and_balance_changes_are_switches(emu: Served, receiver: Receiver) -> None:
    """The missing number may be 0; a payment may fire a customer webhook."""
    emu.send("POST", HOOKS, hook(receiver))
    emu.switch(webhook_empty_number="0", webhook_on_balance_change="yes")
    emu.send("POST", "/customers", NEW)
    paid = {**emu.json("/invoices/booked/2"), "remainder": 0, "remainderInBaseCurrency": 0}
    emu.send("POST", "/_emulator/mutate", {"invoices": [paid]})
    assert arrived(emu, receiver) == ['{"old":"0","new":"4"}', '{"old":"1","new":"1"}']


def test_invoice_booked_fires_for_new_invoices_only(emu: Served, receiver: Receiver) -> None:
    """A new invoice fires INVOICE_BOOKED; a payment of an old one does not."""
    emu.send("POST", HOOKS, hook(receiver, "INVOICE_BOOKED"))
    old = emu.json("/invoices/booked/2")
    emu.send("POST", "/_emulator/mutate", {"invoices": [{**old, "bookedInvoiceNumber": 9}, {**old, "remainder": 1}]})
    arrived(emu, receiver)
    assert [path for path, _, _ in receiver.received] == ["/in?no=[NEWNUMBER]9"]


def test_registering(emu: Served, receiver: Receiver) -> None:
    """One webhook per event type; replaced with its version, listed, deleted."""
    types = emu.json("/webhooksapi/v1.0.0/EventTypes")
    assert {each["name"] for each in types} == {"INVOICE_BOOKED", "CUSTOMER_UPDATED"}
    emu.send("POST", HOOKS, hook(receiver))
    assert emu.send("POST", HOOKS, hook(receiver)).status_code == 400
    single = f"{HOOKS}/CUSTOMER_UPDATED"
    current = emu.json(single)
    assert emu.send("PUT", HOOKS, {**current, "isDisabled": True}).status_code == 200
    assert emu.send("PUT", HOOKS, current).status_code == 409
    assert emu.json(f"{HOOKS}/count") == 1
    emu.send("POST", "/customers", NEW)
    assert arrived(emu, receiver) == []
    assert emu.send("DELETE", single).status_code == 200
    assert emu.get(single).status_code == 404


@pytest.mark.parametrize(
    "change", [{"url": "http://elsewhere.example"}, {"eventType": "NOTHING"}, {"name": None}, {"name": "x" * 101}]
)
def test_refused_webhooks(emu: Served, receiver: Receiver, change: dict[str, Any]) -> None:
    """HTTPS, a known event type and the required values within their limits are asked for."""
    assert emu.send("POST", HOOKS, {**hook(receiver), **change}).status_code == 400


def test_unreachable_receiver_is_logged(emu: Served, receiver: Receiver) -> None:
    """A receiver that is not there shows in the log."""
    emu.send("POST", HOOKS, {**hook(receiver), "url": "http://127.0.0.1:9/closed"})
    emu.send("POST", "/customers", NEW)
    emu.app.state.webhooks.drain()
    assert emu.json("/_emulator/webhooks")[0]["outcome"] == "ConnectionRefusedError"
