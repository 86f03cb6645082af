"""A customer that e-conomic has already is offered as a link; a person may insist."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.creations import COMPANY, NAME, PRIVATE, PRIVATELY, company, customers, poll, refused
from worker.cli.app import app


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"corporateIdentificationNumber": "DK87654321", "name": "Other"}, "CVR number"),
        ({"corporateIdentificationNumber": "87.65.43.21", "name": "Other"}, "CVR number"),
        ({"corporateIdentificationNumber": "DK-87654321", "name": "Other"}, "CVR number"),
        ({"email": "POST@nordlys-elektronik.example", "name": "Other"}, "e-mail"),
        ({"email": "bog@x.example post@nordlys-elektronik.example", "name": "Other"}, "e-mail"),
        ({"name": NAME.upper()}, "name"),
    ],
)
def test_a_customer_like_it_is_offered_as_a_link_and_not_made_again(world, values, why):
    body = {"currency": "DKK", "customerGroup": {"customerGroupNumber": 1}, "vatZone": {"vatZoneNumber": 1}}
    there = world.economic_call("POST", "/customers", {**body, "paymentTerms": {"paymentTermsNumber": 1}, **values})
    text = refused(world)
    assert f"customer {there['customerNumber']}" in text
    assert f"same {why}" in text


def test_although_one_is_like_it_a_person_may_insist(world):
    poll_item = world.post("Companies", COMPANY)
    poll(world)
    twin = world.post("Companies", {**COMPANY, "CreateInEconomic": None})
    output = CliRunner().invoke(app, ["create-customer", str(twin)])
    assert output.exit_code == 1
    assert "same CVR number" in " ".join(output.output.split())
    result = CliRunner().invoke(app, ["create-customer", str(twin), "--anyway", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["number"] == int(company(world, twin)["CustomerID"])
    assert company(world, poll_item)["CustomerID"] != company(world, twin)["CustomerID"]


def test_a_customer_like_it_that_another_company_has_is_named_with_that_company(world):
    """Writing its number here too would make two companies of one number."""
    first = world.post("Companies", COMPANY)
    (made,) = poll(world)
    text = refused(world, Title="Nordlys af 2026 ApS")
    assert f"customer {made.number}" in text
    assert f"the company {NAME} (item {first}) has that number" in text
    assert "To link it" not in text


def test_one_that_a_person_insisted_on_is_not_taken_for_the_one_it_is_like(world):
    """A worker dies before it sent the second one; the first was made a moment ago and is alike in everything."""
    first = world.post("Companies", PRIVATE)
    poll(world, PRIVATELY)
    twin = world.post("Companies", {**PRIVATE, "CreateInEconomic": None})
    with world.app(world.settings(PRIVATELY)) as opened:
        creator = opened.creator()

        def dying(customer: Any, key: str) -> int:
            raise KeyboardInterrupt

        opened.desk.create = dying  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            creator.create(twin, anyway=True)
    world.clock.moment += timedelta(minutes=70)
    poll(world, PRIVATELY)
    numbers = {one["customerNumber"] for one in customers(world, "Jens Jensen")}
    assert len(numbers) == 2
    assert {company(world, item)["CustomerID"] for item in (first, twin)} == {*map(str, numbers)}
