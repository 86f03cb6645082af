"""Alerts go to one address, say what happened, and never break the work they tell of."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from worker.alerts import NoAlerts, WebhookAlerts, teams_card
from worker.errors import ConfigError
from worker.ports import Alert

ALERT = Alert(
    "e-conomic sync: failed (acme)",
    "Customers: [click](http://evil.example) **now**",
    "error",
    "acme",
    {"Customers": "Failed: 0 created"},
    "https://sync.example.com/manage/runs/acme/1",
)


class Receiver:
    """A webhook. Answers with `statuses` in turn, then 200."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.bodies: list[dict[str, Any]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.bodies.append(json.loads(body))
                status = receiver.statuses.pop(0) if receiver.statuses else 200
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "http://127.0.0.1:9/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?sig=very-secret-key"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def test_a_plain_alert_is_small_json(receiver):
    assert WebhookAlerts(receiver.url).send(ALERT)
    assert receiver.bodies == [
        {
            "title": ALERT.title,
            "text": ALERT.text,
            "severity": "error",
            "connection": "acme",
            "facts": {"Customers": "Failed: 0 created"},
            "link": ALERT.link,
        }
    ]


def test_a_plain_alert_for_a_person_has_the_whole_mail_as_its_text(receiver):
    """However long: it is no card."""
    mail = "\n".join(["2 things.", "", "Newly overdue", *(f"- Acme {number}" for number in range(300))])
    WebhookAlerts(receiver.url).send(replace(ALERT, mail=mail))
    WebhookAlerts(receiver.url, "teams").send(replace(ALERT, mail=mail))
    plain, card = receiver.bodies
    assert plain["text"] == mail
    assert "Acme 299" not in json.dumps(card)


def test_the_button_speaks_the_language_of_its_alert():
    danish = teams_card(replace(ALERT, language="da"))["attachments"][0]["content"]
    assert danish["actions"][0]["title"] == "Åbn kørslen"


def test_a_card_for_teams_has_its_shape_and_escapes_markdown(receiver):
    WebhookAlerts(receiver.url, "teams").send(ALERT)
    (body,) = receiver.bodies
    assert body["type"] == "message"
    (attachment,) = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert card["actions"][0]["url"] == ALERT.link
    texts = [block.get("text", "") for block in card["body"]]
    assert not [text for text in texts if "](" in text or "**" in text]


def test_a_card_without_a_link_has_no_button():
    plain = Alert("a", "b", "warning", "c")
    assert "actions" not in teams_card(plain)["attachments"][0]["content"]


def test_a_passing_fault_is_tried_again_and_a_refusal_is_not(receiver):
    """And whoever sends is told how it ended."""
    receiver.statuses = [503]
    assert WebhookAlerts(receiver.url).send(ALERT)
    assert len(receiver.bodies) == 2
    receiver.statuses = [503, 503]
    assert not WebhookAlerts(receiver.url).send(ALERT)
    assert len(receiver.bodies) == 4
    receiver.statuses = [400]
    assert not WebhookAlerts(receiver.url).send(ALERT)
    assert len(receiver.bodies) == 5


def test_a_redirect_is_not_followed(receiver, caplog):
    receiver.statuses = [302]
    WebhookAlerts(receiver.url).send(ALERT)
    assert "status 302" in caplog.text


def test_what_can_not_be_sent_is_logged_without_the_address(caplog):
    with caplog.at_level(logging.DEBUG):
        WebhookAlerts("http://127.0.0.1:9/hook?sig=very-secret-key").send(ALERT)
    assert "alert not sent" in caplog.text
    assert ALERT.title not in caplog.text, "it may name a person"
    assert "very-secret-key" not in "".join(
        record.getMessage() for record in caplog.records if record.name.startswith("worker")
    )


def test_the_key_is_in_no_description_of_the_object(receiver):
    assert "very-secret-key" not in repr(WebhookAlerts(receiver.url))


@pytest.mark.parametrize("url", ["http://hooks.example.com/x", "ftp://127.0.0.1/x", "nonsense", ""])
def test_an_address_without_encryption_is_refused(url):
    with pytest.raises(ConfigError, match="https"):
        WebhookAlerts(url)


def test_nobody_is_told_by_default():
    assert NoAlerts().send(ALERT), "nothing failed"
