"""Writes that are never answered, however often they are sent: nobody calls them done, and the next time does them."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.fakes.fake_work import make_fake_stores
from tests.support.at_request import AtRequest
from tests.support.hosting import make_host
from tests.support.undos import company, job, undoes, works
from tests.support.world import World
from worker.domain.report import RunStatus
from worker.engine.jobs import JobRun
from worker.ports import Stores

NEW = "Newtown"


@pytest.fixture
def moved(made: World) -> tuple[World, Stores, dict[int, Any]]:
    """Before a run that moves three companies to another city: the cities as they are."""
    made.restore_all()
    numbers = [one["customerNumber"] for one in made.data.customers[:3]]
    before = {number: company(made, number)["City"] for number in numbers}
    for number in numbers:
        made.economic_change(number, city=NEW)
    return made, make_fake_stores(made.clock), before


def breaks() -> None:
    raise requests.ConnectionError("the line is cut before anything arrives")


def deaf(world: World) -> AtRequest:
    """To every batch that moves a company. All else, such as looking what stands there, is answered."""
    return AtRequest(world.sharepoint.url, writes=True, saying='"City":', onward=True)


def run_of(world: World, stores: Stores, job_id: str) -> tuple[JobRun, set[tuple[str, str]]]:
    """The job's only run, and its rows that need a person: key and code."""
    engine = make_host({"default": world}, stores, world.clock).engine
    found = engine.job("default", job_id)
    assert found is not None
    return found.runs[0], {(row.key, row.code) for row in engine.rows_of("default", job_id, "Customers")}


def cities(world: World, numbers: dict[int, Any]) -> dict[int, Any]:
    return {number: company(world, number)["City"] for number in numbers}


def test_a_row_whose_writes_are_never_answered_has_failed_and_the_next_run_does_it(moved):
    world, stores, before = moved
    first = job(world, stores)
    with deaf(world).does(breaks):
        works(world, stores)
    run, rows = run_of(world, stores, first)
    assert (run.status, run.ledger.updated, run.ledger.failed) == (RunStatus.WITH_ERRORS, 0, 3)
    assert run.ledger.balances
    assert rows == {(str(number), "unknown-outcome") for number in before}
    assert cities(world, before) == before
    world.clock.forward()
    second = job(world, stores)
    works(world, stores)
    run, rows = run_of(world, stores, second)
    assert (run.status, run.ledger.updated, rows) == (RunStatus.SUCCEEDED, 3, set())
    assert set(cities(world, before).values()) == {NEW}


def test_an_undo_whose_writes_are_never_answered_says_so_and_the_next_one_does_it(moved):
    world, stores, before = moved
    run = job(world, stores)
    works(world, stores)
    with deaf(world).does(breaks):
        ((_, done),) = undoes(world, stores, run)
    assert done.reverted == 0
    assert set(done.failed) == {str(number) for number in before}
    assert all("undo it once more" in text for text in done.failed.values())
    assert set(cities(world, before).values()) == {NEW}
    ((_, done),) = undoes(world, stores, run)
    assert (done.reverted, done.failed) == (3, {})
    assert cities(world, before) == before
