"""What refuses a creation on the way is said in the company's item with the next step, and nothing is made twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.support.creations import (
    COMPANY,
    RULES,
    company,
    contact_names,
    customers,
    killed_over_sending,
    list_rule,
    poll,
    refusing,
)
from tests.support.world import World
from worker.errors import AuthenticationError, RefusedError
from worker.settings import CreateSettings

CONTACT = RULES.model_copy(update={"contact": True})
RANGE = RULES.model_copy(update={"number_first": 700_000, "number_last": 700_009})


@pytest.fixture
def world(bare: World) -> Iterator[World]:
    """As it was after setting up."""
    bare.restore_all()
    yield bare
    bare.economic_app.state.switches.reset()
    bare.economic_app.state.faults.clear()


def settled(world: World, item: int, rules: CreateSettings) -> None:
    """Whatever stands in the item, it says what to do; asked for again, one customer and one contact exist."""
    row = company(world, item)
    if row["CreateInEconomic"] != "Created":
        assert row["CreateInEconomic"] == "Failed"
        assert "Choose Requested to try again." in row["CreateStatus"] or "Give the app the role" in row["CreateStatus"]
        assert "Being created" not in row["CreateStatus"]
        world.merge("Companies", item, {"CreateInEconomic": "Requested"})
    world.clock.moment += timedelta(minutes=5)
    poll(world, rules)
    (customer,) = customers(world)
    row = company(world, item)
    assert (row["CustomerID"], row["CreateInEconomic"]) == (str(customer["customerNumber"]), "Created")
    assert not row["CreateClaim"]
    assert contact_names(world, customer["customerNumber"]) in (["Ane Holm"], [])


@pytest.mark.parametrize("resumed", [False, True], ids=["begun", "resumed"])
@pytest.mark.parametrize("status", [403, 404, 405])
def test_whichever_request_e_conomic_refuses_the_item_says_it(world, status, resumed):
    """Each one in turn, of a creation that is begun and of one that another worker left."""
    told = 0
    for at in range(1, 40):
        world.restore_all()
        item = world.post("Companies", COMPANY)
        world.post("Contacts", {"Title": "Ane Holm", "CompanyId": item})
        if resumed:
            killed_over_sending(world, CONTACT)
            world.clock.moment += timedelta(minutes=5)
        with refusing(world, at, status) as refused:
            poll(world, CONTACT)
        if not refused:
            break
        told += company(world, item)["CreateInEconomic"] == "Failed"
        settled(world, item, CONTACT)
    assert told >= (3 if resumed else 5) - (status == 404)  # a customer or list that is not there may be an answer


def test_tokens_that_are_refused_are_told_and_the_creation_goes_on_by_itself(world):
    """Nobody needs to ask again."""
    item = world.post("Companies", COMPANY)
    with refusing(world, 1, 401, always=True):
        for _ in range(2):
            with pytest.raises(AuthenticationError):
                poll(world)
    row = company(world, item)
    assert "refuses the worker's tokens" in row["CreateStatus"]
    assert row["CreateInEconomic"] == "Requested"
    poll(world)
    assert company(world, item)["CreateInEconomic"] == "Created"


def test_a_number_that_sharepoint_refuses_is_told_and_the_customer_stays_one(world):
    """The list's own rule refuses the number; mended, the same customer is found and written down."""
    item = world.post("Companies", COMPANY)
    list_rule(world, "=LEN([CustomerID])<6")
    (made,) = poll(world, RANGE)
    row = company(world, item)
    assert (row["CreateInEconomic"], row["CustomerID"], made.number) == ("Failed", None, 700_000)
    assert "customer 700000, but SharePoint refused to save the number: Not like that." in row["CreateStatus"]
    assert row["CreateClaim"], "it stands: the customer was made under it"
    list_rule(world, "")
    settled(world, item, RANGE)


def test_an_item_that_takes_nothing_raises_what_refuses_it(world):
    """Nothing can be said in it; nothing is made."""
    world.post("Companies", COMPANY)
    list_rule(world, "=LEN([Title])<5")
    with pytest.raises(RefusedError, match="Not like that"):
        poll(world)
    assert not customers(world)


def test_a_claim_that_is_refused_is_told(world):
    """A rule against the state alone."""
    item = world.post("Companies", COMPANY)
    list_rule(world, '=[CreateInEconomic]<>"Creating"')
    poll(world)
    assert "SharePoint refused the claim" in company(world, item)["CreateStatus"]
    assert not customers(world)


def test_everything_that_e_conomic_refuses_at_once_is_told(world):
    """None is cut off."""
    item = world.post("Companies", COMPANY)
    words = "; ".join(f"property{at}: Something is wrong with it, and this is what." for at in range(12))
    with world.app(world.settings(RULES)) as opened:
        creator = opened.creator()

        def refused(customer: Any, key: str) -> int:
            raise RefusedError(f"e-conomic refused what was sent (status 400). {words}")

        opened.desk.create = refused  # type: ignore[method-assign]
        creator.poll()
    status = company(world, item)["CreateStatus"]
    assert all(f"property{at}:" in status for at in range(12))
    assert status.endswith("Choose Requested to try again.")
