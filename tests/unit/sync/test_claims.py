"""What stands in the claim column of a company is believed only as far as a worker would have written it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from worker.sync.claims import Claim, Person, read_claim

MOMENT = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
WHOLE = {"key": "0123456789abcdef", "at": MOMENT.isoformat(), "body": {"name": "Nordlys ApS"}}
BODY = {"name": "Nordlys ApS", "currency": "DKK", "customerGroup": {"customerGroupNumber": 1}}


def test_a_claim_is_read_as_it_was_written() -> None:
    claim = Claim("0123456789abcdef", MOMENT, BODY)
    assert read_claim(claim.text()) == claim
    person = Person(7, {"name": "Ane Holm", "email": "ane@nordlys.example"})
    full = Claim("0123456789abcdef", MOMENT, BODY, wanted=5000, besides=(17, 4), person=person)
    assert read_claim(full.text()) == full


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{",
        "[]",
        "7",
        json.dumps({"key": "0123456789abcdef", "at": MOMENT.isoformat()}),
        json.dumps({"key": "short", "at": MOMENT.isoformat(), "body": BODY}),
        json.dumps({"key": "0123456789abcdef", "at": "yesterday", "body": BODY}),
        json.dumps({"key": "0123456789abcdef", "at": MOMENT.isoformat(), "body": {"currency": "DKK"}}),
        json.dumps({"key": "0123456789abcdef", "at": MOMENT.isoformat(), "body": {**BODY, "creditLimit": 10**9}}),
        json.dumps({"key": "0123456789abcdef\r\nX: y", "at": MOMENT.isoformat(), "body": BODY}),
        json.dumps({**WHOLE, "besides": "17"}) + "x",
        json.dumps({**WHOLE, "besides": ["x"]}),
        json.dumps({**WHOLE, "wanted": {}}),
        json.dumps({**WHOLE, "person": {"item": 7, "body": {"email": "a@b.example"}}}),
        json.dumps({**WHOLE, "person": {"item": 7, "body": {"name": "Ane", "notes": "x"}}}),
        json.dumps({**WHOLE, "person": [7]}),
    ],
)
def test_what_no_worker_wrote_is_no_claim(text: str | None) -> None:
    """A property that is never sent, such as a credit limit, a key that would end a header, or nothing at all."""
    assert read_claim(json.dumps(WHOLE)) is not None
    assert read_claim(text) is None
