"""Sending webhooks: placeholders filled in, one POST per change, and every way in which they arrive badly.

A thread of its own with the standard library's HTTP client, so that a slow receiver delays no answer.
"""

import http.client
import json
import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from worker.emulators.common.switches import Switches
from worker.emulators.economic.store import EconomicStore

EVENT_TYPES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "INVOICE_BOOKED": ("An invoice was booked.", ("INVOICENO",)),
    "CUSTOMER_UPDATED": ("A customer was created, changed, deleted or renumbered.", ("OLDNUMBER", "NEWNUMBER")),
}
_TIMEOUT_S = 5.0


@dataclass
class Delivery:
    """One webhook on its way; `outcome` is `held`, `lost`, `queued`, a status code, or what went wrong."""

    event_type: str
    url: str
    body: str
    headers: dict[str, str]
    outcome: str = "queued"
    attempts: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "eventType": self.event_type,
            "url": self.url,
            "body": self.body,
            "outcome": self.outcome,
            "attempts": self.attempts,
        }


@dataclass
class WebhookSender:
    """Fires the webhooks registered in `store`; switches say how they arrive."""

    store: EconomicStore
    switches: Switches
    log: list[Delivery] = field(default_factory=list)
    _held: list[Delivery] = field(default_factory=list)
    _queue: "queue.Queue[Delivery]" = field(default_factory=queue.Queue)
    _thread: threading.Thread | None = None

    def invoice_booked(self, number: int) -> None:
        """An invoice was booked."""
        self._fire("INVOICE_BOOKED", {"INVOICENO": str(number)})

    def customer_changed(self, old: int | None, new: int | None) -> None:
        """A customer was created (`old` None), changed, renumbered or deleted (`new` None)."""
        empty = self.switches.get("webhook_empty_number")
        numbers = {
            "OLDNUMBER": empty if old is None else str(old),
            "NEWNUMBER": empty if new is None else str(new),
        }
        self._fire("CUSTOMER_UPDATED", numbers)

    def flush(self) -> None:
        """Send what is held back: in order, or reversed where the switch says out of order."""
        held, self._held = self._held, []
        if self.switches.get("webhook_delivery") == "out_of_order":
            held.reverse()
        for delivery in held:
            self._enqueue(delivery)

    def drain(self) -> None:
        """Return when everything queued was tried."""
        self._queue.join()

    def _fire(self, event_type: str, values: Mapping[str, str]) -> None:
        for row in self.store.query("SELECT doc FROM webhooks WHERE event_type = ?", (event_type,)):
            webhook = json.loads(row["doc"])
            if not webhook.get("isDisabled"):
                self._deliver(_delivery(webhook, values))

    def _deliver(self, delivery: Delivery) -> None:
        self.log.append(delivery)
        mode = self.switches.get("webhook_delivery")
        if mode == "lost":
            delivery.outcome = "lost"
        elif mode in ("burst", "out_of_order"):
            delivery.outcome = "held"
            self._held.append(delivery)
        else:
            for _ in range(2 if mode == "duplicated" else 1):
                self._enqueue(delivery)

    def _enqueue(self, delivery: Delivery) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="webhooks", daemon=True)
            self._thread.start()
        delivery.outcome = "queued"
        self._queue.put(delivery)

    def _work(self) -> None:
        while True:
            delivery = self._queue.get()
            for _ in range(1 + int(self.switches.get("webhook_retries"))):
                delivery.attempts += 1
                delivery.outcome = _post(delivery)
                if delivery.outcome.startswith("2"):
                    break
            self._queue.task_done()


def _delivery(webhook: Mapping[str, Any], values: Mapping[str, str]) -> Delivery:
    headers = {each["key"]: each["value"] for each in webhook.get("customHeaders", ())}
    return Delivery(
        webhook["eventType"],
        _filled(webhook["url"], values),
        _filled(webhook.get("postData", ""), values),
        {**headers, "Content-Type": webhook["contentType"]},
    )


def _filled(template: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        template = template.replace(f"[{name}]", value)
    return template


def _post(delivery: Delivery) -> str:
    target = urlsplit(delivery.url)
    secure = target.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(target.hostname or "", target.port, timeout=_TIMEOUT_S)
    try:
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        connection.request("POST", path, delivery.body.encode(), delivery.headers)
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()
