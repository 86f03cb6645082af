"""Customers created in e-conomic from the CRM, over both emulators: once, with everything said in the item."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from tests.support.creations import COMPANY, RULES, company, customers, poll, stuck
from worker.cli.app import app
from worker.errors import RefusedError
from worker.settings import CreateSettings
from worker.sync.claims import State


def test_a_requested_company_becomes_a_customer_and_gets_its_number(world):
    item = world.post("Companies", {**COMPANY, "Phone": "kept"})
    (made,) = poll(world)
    (customer,) = customers(world)
    row = company(world, item)
    assert made.number == customer["customerNumber"]
    assert (row["CustomerID"], row["CreateInEconomic"]) == (str(made.number), "Created")
    assert f"customer {made.number}" in row["CreateStatus"]
    assert (row["Phone"], row["CreateClaim"]) == ("kept", None)
    assert customer["corporateIdentificationNumber"] == "87654321"
    assert (customer["customerGroup"]["customerGroupNumber"], customer["currency"]) == (1, "DKK")
    assert poll(world) == [], "it is done once"


def test_nothing_to_do_costs_one_request(world):
    with world.app(world.settings(RULES)) as opened:
        creator = opened.creator()
        before = opened.site.usage().requests
        assert creator.poll() == []
        assert opened.site.usage().requests == before + 1
        assert opened.source.usage().requests == 0


def test_the_next_run_finds_the_company_and_makes_no_double(world):
    item = world.post("Companies", COMPANY)
    (made,) = poll(world)
    world.run()
    assert [row["Id"] for row in world.rows("Companies") if row["CustomerID"] == str(made.number)] == [item]


def test_danish_texts_where_the_worker_speaks_danish(world):
    item = world.post("Companies", {**COMPANY, "CINumber": ""})
    with world.app(world.settings(RULES, language="da")) as opened:
        opened.creator().poll()
    assert "CVR-nummer er tomt" in company(world, item)["CreateStatus"]


def test_overrides_by_number_by_name_and_as_the_crm_shows_them(world):
    groups = world.economic_call("GET", "/customer-groups")["collection"]
    other = groups[-1]
    shown = f"{other['customerGroupNumber']} {other['name']}"
    world.post("Companies", {**COMPANY, "CustomerGroup": shown, "CurrencyCode": "eur"})
    poll(world)
    (customer,) = customers(world)
    assert customer["customerGroup"]["customerGroupNumber"] == other["customerGroupNumber"]
    assert customer["currency"] == "EUR"


def test_a_company_that_has_its_number_stays_created_when_it_is_asked_for_again(world):
    item = world.post("Companies", COMPANY)
    (made,) = poll(world)
    world.merge("Companies", item, {"CreateInEconomic": "Requested"})
    (again,) = poll(world)
    row = company(world, item)
    assert (again.state, again.number) == (State.CREATED, made.number)
    assert (row["CreateInEconomic"], row["CustomerID"]) == ("Created", str(made.number))
    assert f"is customer {made.number} in e-conomic already" in row["CreateStatus"]
    assert len(customers(world)) == 1
    result = CliRunner().invoke(app, ["create-customer", str(item)])
    assert result.exit_code == 0, result.output
    world.merge("Companies", item, {"CreateInEconomic": "Requested"})
    poll(world, CreateSettings(allow=False))
    assert company(world, item)["CreateInEconomic"] == "Created", "switched off too"


def test_the_day_is_the_connections_own(world):
    """Half past midnight in Copenhagen is yesterday in UTC."""
    world.clock.moment = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)
    item = world.post("Companies", COMPANY)
    poll(world)
    assert company(world, item)["CreateStatus"].endswith("on 2026-11-26.")


def test_companies_that_always_fail_hold_up_nobody(world):
    """Five whose items take nothing, before the one that somebody asked for last; and more than one look tries."""
    item = stuck(world, 5)
    with pytest.raises(RefusedError):
        poll(world)
    assert company(world, item)["CreateInEconomic"] == "Created"
    item = stuck(world, 25)
    for _ in range(30):
        world.clock.moment += timedelta(minutes=1)
        with pytest.raises(RefusedError):
            poll(world)
        if company(world, item)["CreateInEconomic"] == "Created":
            break
    assert company(world, item)["CreateInEconomic"] == "Created"
