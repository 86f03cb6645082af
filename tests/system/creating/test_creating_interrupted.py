"""A creation that is interrupted anywhere: whoever goes on makes one customer, or none that nobody wants any more."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.creations import (
    COMPANY,
    NAME,
    PRIVATE,
    PRIVATELY,
    RULES,
    company,
    contact_names,
    customers,
    environment,
    forget_keys,
    killed_over_sending,
    people,
    poll,
)
from tests.support.zygote import Zygote, killed_at
from worker.settings import CreateSettings


def test_after_the_hour_what_the_item_says_now_is_sent(world):
    """Nothing was made: what a person corrected meanwhile counts."""
    item = world.post("Companies", COMPANY)
    with world.app(world.settings(RULES)) as opened:
        creator = opened.creator()

        def dying(customer: Any, key: str) -> int:
            raise KeyboardInterrupt

        opened.desk.create = dying  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            creator.poll()
    world.merge("Companies", item, {"City": "Ribe"})
    world.clock.moment += timedelta(minutes=70)
    poll(world)
    assert [one["city"] for one in customers(world)] == ["Ribe"]


@pytest.mark.parametrize("fault", ["cut", "truncated-json", "500", "503", "429", "html"])
def test_an_answer_that_is_lost_is_asked_for_again_with_the_same_key(world, fault):
    item = world.post("Companies", COMPANY)
    with world.app(world.settings(RULES)) as opened:
        creator = opened.creator()
        real = opened.desk.create

        def disturbed(customer: Any, key: str) -> int:
            world.economic_app.state.faults.once(fault, 1)
            return real(customer, key)

        opened.desk.create = disturbed  # type: ignore[method-assign]
        creator.poll()
    (customer,) = customers(world)
    assert company(world, item)["CustomerID"] == str(customer["customerNumber"])


@pytest.mark.parametrize("made_already", [True, False])
def test_switched_off_in_the_middle_what_was_made_is_written_down(world, made_already):
    """And nothing more is made."""
    item = world.post("Companies", COMPANY)
    killed_over_sending(world, arrived=made_already)
    world.clock.moment += timedelta(minutes=5)
    poll(world, CreateSettings(allow=False))
    row = company(world, item)
    assert len(customers(world)) == (1 if made_already else 0)
    assert row["CreateInEconomic"] == ("Created" if made_already else "Failed")
    assert bool(row["CustomerID"]) == made_already


@pytest.mark.parametrize("chosen", ["Requested", "Failed"])
def test_choosing_anew_while_a_claim_stands_makes_no_second_customer(world, chosen):
    """Of a private person, whom no CVR number tells; e-conomic has forgotten the key besides."""
    item = world.post("Companies", PRIVATE)
    killed_over_sending(world, PRIVATELY)
    world.merge("Companies", item, {"CreateInEconomic": chosen})
    world.clock.moment += timedelta(minutes=5)
    forget_keys(world)
    world.run(["Customers"])
    assert len([one for one in world.rows("Companies") if one["Title"] == "Jens Jensen"]) == 1
    world.merge("Companies", item, {"CreateInEconomic": "Requested"})
    poll(world, PRIVATELY)
    (customer,) = customers(world, "Jens Jensen")
    row = company(world, item)
    assert (row["CustomerID"], row["CreateInEconomic"]) == (str(customer["customerNumber"]), "Created")


def test_a_column_cleared_while_a_claim_stands_makes_no_second_company(world):
    item = world.post("Companies", PRIVATE)
    killed_over_sending(world, PRIVATELY)
    world.merge("Companies", item, {"CreateInEconomic": None})
    world.run(["Customers"])
    assert [one["Id"] for one in world.rows("Companies") if one["Title"] == "Jens Jensen"] == [item]


@pytest.mark.parametrize("sent", [True, False])
def test_whoever_clears_the_column_gets_no_customer_that_was_not_made_yet(world, sent):
    """No look finds such a company by its column; the daily one does."""
    item = world.post("Companies", PRIVATE)
    killed_over_sending(world, PRIVATELY)
    if not sent:
        world.economic_call("DELETE", f"/customers/{customers(world, 'Jens Jensen')[0]['customerNumber']}")
    world.merge("Companies", item, {"CreateInEconomic": None})
    with world.app(world.settings(PRIVATELY)) as opened:
        assert opened.creator().sweep() == [], "the worker may be at it still"
        world.clock.moment += timedelta(minutes=5)
        assert opened.creator().poll() == []
        opened.creator().sweep()
    row = company(world, item)
    numbers = [str(one["customerNumber"]) for one in customers(world, "Jens Jensen")]
    assert numbers == ([row["CustomerID"]] if sent else [])
    assert (row["CreateInEconomic"], row["CreateClaim"]) == ("Created" if sent else "Failed", None)
    assert sent or "taken back" in row["CreateStatus"]


@pytest.mark.parametrize("rules", [PRIVATELY, PRIVATELY.model_copy(update={"number_first": 700, "number_last": 709})])
def test_a_repeat_looks_first_because_e_conomic_may_have_forgotten_the_key(world, rules):
    item = world.post("Companies", PRIVATE)
    killed_over_sending(world, rules)
    forget_keys(world)
    world.clock.moment += timedelta(minutes=5)
    poll(world, rules)
    (customer,) = customers(world, "Jens Jensen")
    assert company(world, item)["CustomerID"] == str(customer["customerNumber"])


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs SIGKILL and fork")
@pytest.mark.parametrize("late", [False, True], ids=["within the hour", "after the hour"])
def test_killed_at_every_request_one_customer_and_one_company_exist(new_world, late):
    """SIGKILL before each request is handled and after it was; then any worker finishes it, and the night that follows
    makes neither the company nor the contact a second time."""
    world = new_world
    world.run()
    world.post("Contacts", {"Title": "Ane Holm", "CompanyId": (item := world.post("Companies", COMPANY))})
    environ = {**world.environment(), **environment(), "CREATE_CONTACT": "true"}
    rules = RULES.model_copy(update={"contact": True})
    world.snapshot()
    killed = 0
    with Zygote() as zygote:
        for side in ("sharepoint", "economic"):
            for when in ("before", "after"):
                for at in range(1, 60):
                    world.restore_all()  # with the lease of the one before
                    world.clock.moment = datetime.now(UTC)  # a command in a process of its own has the machine's clock
                    if not killed_at(world, zygote, (side, at, when), ["create-customer", str(item)], environ):
                        break
                    killed += 1
                    where = (side, at, when)
                    world.clock.moment += timedelta(minutes=70 if late else 4)
                    poll(world, rules)
                    row = company(world, item)
                    (customer,) = customers(world)
                    assert row["CustomerID"] == str(customer["customerNumber"]), where
                    assert row["CreateInEconomic"] == "Created", where
                    assert contact_names(world, customer["customerNumber"]) == ["Ane Holm"], where
                    result = world.run() if late else world.run(["Customers", "Contacts"])
                    assert result.error is None, where
                    assert sum(one["Title"] == NAME for one in world.rows("Companies")) == 1, where
                    (person,) = people(world)
                    assert person["CompanyCustomerID"] == row["CustomerID"], where
    print(f"killed at {killed} requests")
    assert killed >= 30
