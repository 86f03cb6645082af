"""The webhooks of this app at an agreement, through e-conomic's webhooks API. Needs the role SuperUser.

One webhook per event type and agreement; the API shows only those that the same app made. Nothing is deleted: what is
not wanted any more is disabled.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from worker.economic.client import RULES
from worker.economic.limits import RateWatch
from worker.economic.refusals import refusal_words
from worker.errors import AccessDeniedError, NotFoundError, ProtocolError, RefusedError
from worker.transport import Http, StatusRule

CUSTOMER, INVOICE = "CUSTOMER_UPDATED", "INVOICE_BOOKED"
# What each event sends: our words around the vendor's placeholders.
BODIES: Mapping[str, Mapping[str, str]] = {
    CUSTOMER: {"event": CUSTOMER, "old": "[OLDNUMBER]", "new": "[NEWNUMBER]"},
    INVOICE: {"event": INVOICE, "invoice": "[INVOICENO]"},
}
_NAME = "CRM sync"
_DENIED = "Give the app the role SuperUser and grant it on the agreement again; or make the webhooks by hand (README)."
_RULES: Mapping[int, StatusRule] = {
    **RULES,
    400: StatusRule(RefusedError, "refused the webhook"),
    403: StatusRule(AccessDeniedError, "does not let the app manage webhooks", _DENIED),
    404: StatusRule(
        NotFoundError,
        "does not know this address",
        "The webhooks API may have moved: check ECONOMIC_WEBHOOKSAPI_VERSION.",
    ),
}


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook that there should be, as e-conomic has it: not at all unless `there`. `ours`: it calls the address it
    should, with what it should."""

    event: str
    there: bool = False
    enabled: bool = False
    ours: bool = False
    disabled_on: str = ""

    @property
    def works(self) -> bool:
        """Whether e-conomic calls us."""
        return self.there and self.enabled and self.ours


class EconomicHooks:
    """Over the session and the rate of a client; `address` is where e-conomic should call."""

    def __init__(self, openapi_url: str, version: str, http: Http, rate: RateWatch, address: str) -> None:
        self._url = f"{openapi_url.rstrip('/')}/webhooksapi/{version}/webhooks"
        self._http = http
        self._rate = rate
        self._address = address

    def standing(self) -> list[Hook]:
        """One for each event that we want to hear of."""
        there = self._rows()
        return [self._hook(event, there.get(event)) for event in BODIES]

    def set_up(self) -> int:
        """Makes or mends both; how many had to be written. Raises RefusedError, AccessDeniedError."""
        there, written = self._rows(), 0
        for event in BODIES:
            row = there.get(event)
            if self._hook(event, row).works:
                continue
            wanted = {**self._wanted(event), "isDisabled": False}
            self._write("POST" if row is None else "PUT", {**wanted, **_version(row)})
            written += 1
        return written

    def switch_off(self) -> int:
        """Disables both; how many had to be written."""
        written = 0
        for event, row in self._rows().items():
            if not row.get("isDisabled"):
                self._write("PUT", {**self._wanted(event), "isDisabled": True, **_version(row)})
                written += 1
        return written

    def _wanted(self, event: str) -> dict[str, Any]:
        return {
            "eventType": event,
            "name": _NAME,
            "url": self._address,
            "contentType": "application/json",
            "postData": json.dumps(BODIES[event]),
        }

    def _hook(self, event: str, row: Mapping[str, Any] | None) -> Hook:
        if row is None:
            return Hook(event)
        ours = row.get("url") == self._address and row.get("postData") == self._wanted(event)["postData"]
        return Hook(event, True, not row.get("isDisabled"), ours, str(row.get("lastDisabledDate") or ""))

    def _rows(self) -> dict[str, Mapping[str, Any]]:
        self._rate.before_call()
        answer = self._http.get_json(self._url, None, self._rate.seen, _RULES)
        rows = answer.get("items") if isinstance(answer, dict) else answer
        if not isinstance(rows, list):
            raise ProtocolError("e-conomic's list of webhooks is no list.", hint="Check ECONOMIC_OPENAPI_URL.")
        return {str(row["eventType"]): row for row in rows if row.get("eventType") in BODIES}

    def _write(self, method: Any, body: Mapping[str, Any]) -> None:
        self._rate.before_call()
        self._http.send_json(method, self._url, body, uuid.uuid4().hex, self._rate.seen, _RULES, self._words)

    def _words(self, body: Mapping[str, Any]) -> str:
        """What e-conomic says, unless it quotes the address, which is a secret: then nothing, since a part of it would
        be one too."""
        words = refusal_words(body)
        host, secret = urlsplit(self._address).netloc, self._address.rpartition("/")[2]
        said = words.casefold()
        return "" if any(one.casefold() in said for one in ("://", "/hooks/", host, secret)) else words


def _version(row: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a replace must name: somebody who changed it meanwhile is not overwritten."""
    return {"objectVersion": row["objectVersion"]} if row and row.get("objectVersion") else {}
