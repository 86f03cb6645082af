"""The number a new customer gets: e-conomic's choice, one of the range, or one that a person asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.creations import (
    COMPANY,
    PRIVATE,
    PRIVATELY,
    RULES,
    company,
    customers,
    forget_keys,
    killed_over_sending,
    others,
    poll,
    refused,
)
from worker.cli.app import app


def test_a_number_that_e_conomic_does_not_have_is_told(world):
    item = world.post("Companies", {**COMPANY, "CustomerID": "888888"})
    poll(world)
    row = company(world, item)
    assert row["CreateInEconomic"] == "Failed"
    assert "e-conomic has no such customer" in row["CreateStatus"]
    assert row["CustomerID"] == "888888"


def test_numbers_come_from_the_range(world):
    rules = RULES.model_copy(update={"number_first": 700_000, "number_last": 700_001})
    for at in range(2):
        world.post("Companies", {**COMPANY, "Title": f"Range {at}", "CINumber": f"1000000{at}", "EMail": None})
        poll(world, rules)
    assert [customers(world, f"Range {at}")[0]["customerNumber"] for at in range(2)] == [700_000, 700_001]
    assert "No number is left in the range 700000-700001" in refused(world, rules)


def test_a_range_is_full_when_every_number_is_taken_and_not_before(world):
    """The last number is taken, lower ones are free; one of them is carried by a company whose customer is gone."""
    rules = RULES.model_copy(update={"number_first": 700_000, "number_last": 700_004})
    others(world, 700_000, 700_004)
    world.post("Companies", {"Title": "Gone", "CustomerID": "700001"})
    for at, number in enumerate([700_002, 700_003]):
        world.post("Companies", {**COMPANY, "Title": f"Gap {at}", "CINumber": f"1000000{at}", "EMail": None})
        (made,) = poll(world, rules)
        assert made.number == number
    assert "No number is left in the range 700000-700004" in refused(world, rules)


def test_a_number_that_another_company_carries_is_refused(world):
    """Its customer is gone from e-conomic; the number could not be written into a second company."""
    world.post("Companies", {"Title": "Gone", "CustomerID": "4242"})
    item = world.post("Companies", COMPANY)
    with world.app(world.settings(RULES)) as opened:
        made = opened.creator().create(item, number=4242)
    assert "Another company of the CRM carries the number 4242" in made.status
    assert not customers(world)


def test_a_number_that_a_person_asked_for_is_kept_when_another_worker_goes_on_after_the_hour(world):
    item = world.post("Companies", {**COMPANY, "CreateInEconomic": None})
    with world.app(world.settings(RULES)) as opened:
        creator = opened.creator()

        def dying(customer: Any, key: str) -> int:
            raise KeyboardInterrupt

        opened.desk.create = dying  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            creator.create(item, number=4242)
    world.clock.moment += timedelta(minutes=70)
    (made,) = poll(world)
    assert made.number == 4242
    assert company(world, item)["CustomerID"] == "4242"


@pytest.mark.parametrize("status", ["400", "409"])
def test_a_number_that_somebody_takes_meanwhile_is_passed_over(world, status):
    """The number is chosen, then taken by a person in e-conomic, then asked for."""
    world.economic_app.state.switches.set("duplicate_number_status", status)
    rules = RULES.model_copy(update={"number_first": 700_000, "number_last": 700_009})
    item = world.post("Companies", COMPANY)
    with world.app(world.settings(rules)) as opened:
        creator = opened.creator()
        real = opened.desk.create

        def taken_first(customer: Any, key: str) -> int:
            if customer.number == 700_000:
                others(world, 700_000)
            return real(customer, key)

        opened.desk.create = taken_first  # type: ignore[method-assign]
        (made,) = creator.poll()
    assert made.number == 700_001
    assert company(world, item)["CustomerID"] == "700001"


def test_a_wanted_number_outside_the_range_is_refused(world, monkeypatch):
    monkeypatch.setenv("CREATE_NUMBER_FIRST", "1000")
    monkeypatch.setenv("CREATE_NUMBER_LAST", "1999")
    item = world.post("Companies", COMPANY)
    result = CliRunner().invoke(app, ["create-customer", str(item), "--number", "5000"])
    assert result.exit_code == 1
    assert "5000 is outside the range 1000-1999" in " ".join(result.output.split())


def test_a_number_typed_while_a_claim_stands_is_kept_and_both_are_told(world):
    item = world.post("Companies", PRIVATE)
    killed_over_sending(world, PRIVATELY)
    world.merge("Companies", item, {"CustomerID": "424242"})
    world.run(["Customers"])
    assert [one["Id"] for one in world.rows("Companies") if one["Title"] == "Jens Jensen"] == [item]
    world.clock.moment += timedelta(minutes=5)
    poll(world, PRIVATELY)
    row = company(world, item)
    (customer,) = customers(world, "Jens Jensen")
    assert (row["CustomerID"], row["CreateInEconomic"]) == ("424242", "Failed")
    assert f"Customer {customer['customerNumber']} was created" in row["CreateStatus"]


def test_a_lost_answer_about_a_number_of_the_range_makes_no_second_customer(world):
    """The key is forgotten between the tries: the second is refused, since the first took the number."""
    rules = PRIVATELY.model_copy(update={"number_first": 700_000, "number_last": 700_009})
    item = world.post("Companies", PRIVATE)
    with world.app(world.settings(rules)) as opened:
        creator, real = opened.creator(), opened.desk.create

        def twice(customer: Any, key: str) -> int:
            real(customer, key)
            forget_keys(world)
            return real(customer, key)

        opened.desk.create = twice  # type: ignore[method-assign]
        creator.poll()
    (customer,) = customers(world, "Jens Jensen")
    assert company(world, item)["CustomerID"] == str(customer["customerNumber"]) == "700000"
