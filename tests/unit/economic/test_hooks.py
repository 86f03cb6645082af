"""The webhooks at an agreement: what stands there is told whole, and no refusal tells the address."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import responses

from worker.economic.hooks import BODIES, CUSTOMER, INVOICE, EconomicHooks, Hook
from worker.economic.limits import RateWatch
from worker.errors import RefusedError
from worker.transport import Http, RetryPolicy, Waits

OPEN = "https://apis.books.example"
HOOKS = f"{OPEN}/webhooksapi/v1.0.0/webhooks"
SECRET = "Xy-very_Secret_0123456789"
ADDRESS = f"https://sync.example.com/hooks/economic/{SECRET}"


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as made:
        yield made


@pytest.fixture
def hooks() -> Iterator[EconomicHooks]:
    waits = Waits(sleep=lambda _: None)
    http = Http("e-conomic", frozenset({OPEN}), {}, policy=RetryPolicy(attempts=2, page_attempts=2), waits=waits)
    yield EconomicHooks(OPEN, "v1.0.0", http, RateWatch(waits), ADDRESS)
    http.close()


def row(event: str, **other: Any) -> dict[str, Any]:
    return {"eventType": event, "url": ADDRESS, "postData": json.dumps(BODIES[event]), **other}


def test_a_webhook_that_is_not_there_is_told(hooks, mock):
    mock.get(HOOKS, json=[row(CUSTOMER), {**row(CUSTOMER), "eventType": "SOMETHING_ELSE"}])
    assert hooks.standing() == [Hook(CUSTOMER, there=True, enabled=True, ours=True), Hook(INVOICE)]
    assert [one.works for one in hooks.standing()] == [True, False]


@pytest.mark.parametrize(
    ("state", "works"),
    [({}, True), ({"isDisabled": True}, False), ({"url": f"{ADDRESS}x"}, False), ({"postData": "{}"}, False)],
)
def test_a_webhook_works_when_it_calls_us_with_what_we_know(state, works, hooks, mock):
    mock.get(HOOKS, json=[row(CUSTOMER, **state)])
    assert hooks.standing()[0].works is works


@pytest.mark.parametrize(
    "words",
    [
        f"The address '{ADDRESS}' does not answer.",
        f"The address {ADDRESS.upper()[:60]} is not known.",
        f"sync.example.com/hooks/economic/{SECRET[:5]}...",
        f"Invalid path: {SECRET}",
    ],
)
def test_a_refusal_that_quotes_the_address_is_not_repeated(words, hooks, mock):
    mock.get(HOOKS, json=[])
    mock.post(HOOKS, json={"errors": [{"message": words}]}, status=400)
    with pytest.raises(RefusedError, match="refused the webhook") as caught:
        hooks.set_up()
    told = f"{caught.value.message} {caught.value.hint}".casefold()
    assert "secret_" not in told
    assert SECRET[:5].casefold() not in told


def test_any_other_refusal_is(hooks, mock):
    mock.get(HOOKS, json=[])
    mock.post(HOOKS, json={"errors": [{"message": "The name is too long."}]}, status=400)
    with pytest.raises(RefusedError, match="name is too long"):
        hooks.set_up()
