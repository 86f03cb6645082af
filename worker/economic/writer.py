"""Writing to e-conomic: customers and their contacts, and nothing else; nothing here can delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from worker.economic.client import RULES
from worker.economic.limits import RateWatch
from worker.economic.refusals import refusal_words
from worker.errors import AccessDeniedError, ProtocolError, RefusedError
from worker.transport import Http, StatusRule

_NO_WRITING = StatusRule(
    AccessDeniedError,
    "does not let the app write",
    "Give the app a role that may write customers (SuperUser or Sales), grant it on the agreement again, and check "
    "that the e-conomic plan allows writing through the API.",
)
_RULES: Mapping[int, StatusRule] = {
    **RULES,
    400: StatusRule(RefusedError, "refused what was sent"),
    403: _NO_WRITING,
    405: _NO_WRITING,
    409: StatusRule(RefusedError, "refused what was sent"),
}


class EconomicWriter:
    """Over the session and the rate of a client. `key` is the Idempotency-Key of exactly this content: e-conomic gives
    its first answer again for an hour. Raises RefusedError with what e-conomic says about each property,
    AccessDeniedError; after a RetriableError the write may or may not have been done."""

    def __init__(self, base_url: str, http: Http, rate: RateWatch) -> None:
        self._base = base_url.rstrip("/")
        self._http = http
        self._rate = rate

    def create_customer(self, body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """`POST /customers`: the customer as it is now."""
        return self._write("POST", "/customers", body, key)

    def create_contact(self, number: int, body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """`POST /customers/{number}/contacts`: the contact as it is now."""
        return self._write("POST", f"/customers/{number}/contacts", body, key)

    def replace_customer(self, number: int, body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """`PUT /customers/{number}`: replaces all of it; what `body` leaves out is cleared, `barred` too."""
        return self._write("PUT", f"/customers/{number}", body, key)

    def _write(self, method: Literal["POST", "PUT"], path: str, body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        self._rate.before_call()
        url = f"{self._base}{path}"
        answer = self._http.send_json(method, url, body, key, self._rate.seen, _RULES, refusal_words)
        if not isinstance(answer, dict):
            raise ProtocolError("e-conomic's answer is not an object.", hint="Check ECONOMIC_BASE_URL.")
        return answer
