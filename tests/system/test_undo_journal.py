"""Undo puts back what really was overwritten: not what a plan saw, and not what another run wrote."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.fakes.fake_work import make_fake_stores
from tests.support.at_request import AtRequest
from tests.support.hosting import make_host
from tests.support.undos import company, dies, job, undoes, works
from worker.engine.jobs import JobState
from worker.errors import NotKeptError

# Of the worker's writes in a run that changes companies: the row in the run list, the batch, and the batch that follows
# a conflict.
BATCH, AGAIN = 2, 3


def test_what_a_person_typed_between_plan_and_write_comes_back(world):
    """The run overwrote it, so it is that which undo puts back."""
    stores = make_fake_stores(world.clock)
    number = world.data.customers[0]["customerNumber"]
    item = company(world, number)["Id"]
    world.economic_change(number, city="Wrongtown")
    run = job(world, stores)
    with AtRequest(world.sharepoint.url, BATCH, writes=True).does(
        lambda: world.merge("Companies", item, {"City": "Typed"})
    ) as event:
        works(world, stores)
    assert event.happened
    assert company(world, number)["City"] == "Wrongtown"
    undoes(world, stores, run)
    assert company(world, number)["City"] == "Typed"


@pytest.mark.parametrize("before", [True, False], ids=["before it is saved", "after it was saved"])
def test_it_comes_back_through_a_kill_too(world, before):
    """The worker dies over the write that overwrites the person's value; another one finishes the run."""
    stores = make_fake_stores(world.clock)
    number = world.data.customers[0]["customerNumber"]
    item = company(world, number)["Id"]
    world.economic_change(number, city="Wrongtown")
    run = job(world, stores)

    typing = AtRequest(world.sharepoint.url, BATCH, writes=True)
    dying = AtRequest(world.sharepoint.url, AGAIN, before=before, writes=True)
    with typing.does(lambda: world.merge("Companies", item, {"City": "Typed"})), dying.does(dies):
        works(world, stores)
    assert dying.happened
    world.clock.moment += timedelta(minutes=11)
    works(world, stores)
    assert company(world, number)["City"] == "Wrongtown"
    undoes(world, stores, run)
    assert company(world, number)["City"] == "Typed"


def test_what_a_person_typed_just_like_the_run_is_not_taken_back(world):
    """The run found it right and wrote nothing there."""
    stores = make_fake_stores(world.clock)
    number, other = (one["customerNumber"] for one in world.data.customers[:2])
    item = company(world, number)["Id"]
    before = company(world, other)["City"]
    for one in (number, other):
        world.economic_change(one, city="Newtown")
    run = job(world, stores)
    with AtRequest(world.sharepoint.url, BATCH, writes=True).does(
        lambda: world.merge("Companies", item, {"City": "Newtown"})
    ):
        works(world, stores)
    undoes(world, stores, run)
    assert company(world, number)["City"] == "Newtown"
    assert company(world, other)["City"] == before


@pytest.mark.parametrize("before", [True, False], ids=["before it is saved", "after it was saved"])
def test_what_a_person_typed_just_like_the_run_between_its_death_and_its_end_is_not_taken_back(world, before):
    """The worker that finishes the run finds it right, and can't tell whose it is; the item's versions can."""
    stores = make_fake_stores(world.clock)
    number, other = (one["customerNumber"] for one in world.data.customers[:2])
    cities = {one: company(world, one)["City"] for one in (number, other)}
    for one in cities:
        world.economic_change(one, city="Newtown")
    run = job(world, stores)
    with AtRequest(world.sharepoint.url, BATCH, before=before, writes=True).does(dies):
        works(world, stores)
    world.merge("Companies", company(world, number)["Id"], {"City": "Newtown"})
    world.clock.moment += timedelta(minutes=11)
    works(world, stores)
    assert {company(world, one)["City"] for one in cities} == {"Newtown"}
    undoes(world, stores, run)
    assert company(world, number)["City"] == ("Newtown" if before else cities[number])
    assert company(world, other)["City"] == cities[other]


def test_a_run_that_died_before_its_write_takes_nothing_back_of_the_next_one(world):
    """What the dead one had not sent, the next one wrote."""
    stores = make_fake_stores(world.clock)
    number = world.data.customers[0]["customerNumber"]
    world.economic_change(number, city="Newtown")
    run = job(world, stores)

    with AtRequest(world.sharepoint.url, 1, before=False, writes=True).does(dies):
        works(world, stores)
    host = make_host({"default": world}, stores, world.clock)
    host.engine.cancel("default", run)
    world.clock.moment += timedelta(minutes=11)
    works(world, stores)
    assert host.engine.job("default", run).state is JobState.CANCELLED
    job(world, stores)
    works(world, stores)
    assert company(world, number)["City"] == "Newtown"
    with pytest.raises(NotKeptError, match="Nothing is kept"):
        undoes(world, stores, run)
    assert company(world, number)["City"] == "Newtown"
