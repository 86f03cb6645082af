"""Customers that are created for companies of the CRM: the company, the rules, and what is asked about them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.support.world import World
from worker.settings import CreateSettings
from worker.sync.claims import State
from worker.sync.creating import Made
from worker.transport import user_agent

NAME = "Nordlys Elektronik ApS"
COMPANY = {
    "Title": NAME,
    "CINumber": "DK 87 65 43 21",
    "Address": "Havnegade 1",
    "Zip": "8000",
    "City": "Aarhus C",
    "Country": "Danmark",
    "EMail": "post@nordlys-elektronik.example",
    "CreateInEconomic": "Requested",
}
RULES = CreateSettings(allow=True, group="1", payment_terms="1", vat_zone="1", currency="DKK")
PRIVATE = {"Title": "Jens Jensen", "CreateInEconomic": "Requested"}
PRIVATELY = RULES.model_copy(update={"without_cvr": True})


def environment() -> dict[str, str]:
    return {
        "CREATE_ALLOW": "true",
        "CREATE_GROUP": "1",
        "CREATE_PAYMENT_TERMS": "1",
        "CREATE_VAT_ZONE": "1",
        "CREATE_CURRENCY": "DKK",
    }


def customers(world: World, name: str = NAME) -> list[dict[str, Any]]:
    """e-conomic's customers of this name."""
    answer = world.economic_call("GET", f"/customers?pagesize=1000&filter=name$eq:{name}")
    found: list[dict[str, Any]] = answer["collection"]
    return found


def company(world: World, item: int) -> dict[str, Any]:
    return next(row for row in world.rows("Companies") if row["Id"] == item)


def people(world: World, name: str = "Ane Holm") -> list[dict[str, Any]]:
    """The CRM's contacts of this name."""
    return [row for row in world.rows("Contacts") if row["Title"] == name]


def contact_names(world: World, number: int | None) -> list[str]:
    """Of a customer in e-conomic."""
    return [one["name"] for one in world.economic_call("GET", f"/customers/{number}/contacts")["collection"]]


def forget_keys(world: World) -> None:
    """e-conomic forgets every Idempotency-Key."""
    with world.economic_store.transaction() as db:
        db.execute("DELETE FROM idempotency")


def poll(world: World, rules: CreateSettings = RULES) -> list[Made]:
    with world.app(world.settings(rules)) as opened:
        return opened.creator().poll()


def refused(world: World, rules: CreateSettings = RULES, **changes: Any) -> str:
    """Asks for a company with these differences; nothing may be made, and the item says why."""
    values = {name: value for name, value in {**COMPANY, **changes}.items() if value is not None}
    item = world.post("Companies", values)
    before = world.economic_call("GET", "/customers?pagesize=1")["pagination"]["results"]
    poll(world, rules)
    row = company(world, item)
    assert world.economic_call("GET", "/customers?pagesize=1")["pagination"]["results"] == before
    assert row["CreateInEconomic"] == State.FAILED
    assert not row["CustomerID"]
    assert not row["CreateClaim"]
    return str(row["CreateStatus"])


def others(world: World, *numbers: int) -> None:
    """Customers that people made in e-conomic."""
    references = {"customerGroup": {"customerGroupNumber": 1}, "vatZone": {"vatZoneNumber": 1}}
    for number in numbers:
        body = {"name": f"Other {number}", "customerNumber": number, "currency": "DKK", **references}
        world.economic_call("POST", "/customers", {**body, "paymentTerms": {"paymentTermsNumber": 1}})


def killed_over_sending(world: World, rules: CreateSettings = RULES, *, arrived: bool = True) -> None:
    """A worker dies when e-conomic has made the customer, and before it heard of that; or before it `arrived` there."""
    with world.app(world.settings(rules)) as opened:
        creator, real = opened.creator(), opened.desk.create

        def dying(customer: Any, key: str) -> int:
            if arrived:
                real(customer, key)
            raise KeyboardInterrupt

        opened.desk.create = dying  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            creator.poll()


def stuck(world: World, count: int) -> int:
    """So many companies that a rule of the list keeps as they are, and then one more, whose item is given."""
    list_rule(world, "")
    for at in range(count):
        world.post("Companies", {**COMPANY, "Title": f"A very long name indeed {at}", "CINumber": f"200000{at:02}"})
    number = 30_000_000 + count
    item = world.post("Companies", {**COMPANY, "Title": f"Last {count}", "CINumber": str(number), "EMail": None})
    list_rule(world, "=LEN([Title])<20")
    return item


def list_rule(world: World, formula: str) -> None:
    """Somebody gives the companies' list a rule, or with a blank one takes it away."""
    url = f"{world.site_url}/_api/web/lists/getbytitle('Companies')"
    world.change(url, {"ValidationFormula": formula, "ValidationMessage": "Not like that."})


def put_back(world: World) -> None:
    """Somebody empties the recycle bin back into the list."""
    url = f"{world.site_url}/_api/web/recyclebin"
    headers = world._headers()
    for row in requests.get(url, headers=headers, timeout=30).json()["value"]:
        requests.post(f"{url}('{row['Id']}')/restore()", headers=headers, timeout=30).raise_for_status()


@contextmanager
def refusing(world: World, at: int, status: int, *, always: bool = False) -> Iterator[list[str]]:
    """The worker's request number `at` to e-conomic is refused with this status; `always`: all from then on. Gives what
    was refused."""
    real, seen, refused = HTTPAdapter.send, [0], list[str]()

    def send(adapter: HTTPAdapter, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        url = request.url or ""
        if request.headers.get("User-Agent") != user_agent() or not url.startswith(world.economic.url):
            return real(adapter, request, **more)
        seen[0] += 1
        if seen[0] != at and not (always and seen[0] > at):
            return real(adapter, request, **more)
        refused.append(f"{request.method} {url}")
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = status, url, request
        answer.headers["Content-Type"] = "application/json"
        answer._content = json.dumps({"message": "No.", "httpStatusCode": status}).encode()
        return answer

    with patch.object(HTTPAdapter, "send", send):
        yield refused
