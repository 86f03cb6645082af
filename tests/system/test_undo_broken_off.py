"""An undo that is broken off leaves a row in the run list that says so, and undoing once more finishes it."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.fake_work import make_fake_stores
from tests.support.at_request import AtRequest
from tests.support.hosting import make_host
from tests.support.mortal import Killed
from tests.support.undos import company, dies, job, undoes, works
from tests.support.world import World
from worker.errors import ThrottledError
from worker.ports import Stores
from worker.transport import RetryPolicy
from worker.wiring.undoing import Choice, apply_undo

BATCH = 2  # of an undo's writes: the row in the run list, then what is set back


@pytest.fixture
def changed(made: World) -> tuple[World, Stores, str, dict[int, Any]]:
    """After a run that moved three companies to another city: the cities before."""
    made.restore_all()
    stores = make_fake_stores(made.clock)
    numbers = [one["customerNumber"] for one in made.data.customers[:3]]
    before = {number: company(made, number)["City"] for number in numbers}
    for number in numbers:
        made.economic_change(number, city="Wrongtown")
    run = job(made, stores)
    works(made, stores)
    return made, stores, run, before


def rows(world: World) -> list[tuple[str, str]]:
    """Status and message of the undos in the run list."""
    found = [row for row in world.rows("Sync runs") if row["Profile"].startswith("Undo: ")]
    return [(row["RunStatus"], row["Message"]) for row in sorted(found, key=lambda row: row["Id"])]


@pytest.mark.parametrize("before", [True, False], ids=["before it is saved", "after it was saved"])
def test_a_killed_undo_stands_in_the_run_list_and_the_next_one_finishes_it(changed, before):
    """And closes its row."""
    world, stores, run, cities = changed
    death = AtRequest(world.sharepoint.url, BATCH, before=before, writes=True)
    with death.does(dies), suppress(Killed):
        undoes(world, stores, run)
    assert death.happened
    ((status, message),) = rows(world)
    assert status == "Running"
    assert f"Undoing run {run}: 3 items to set back" in message
    assert "undo the run once more" in message
    world.clock.moment += timedelta(minutes=11)
    undoes(world, stores, run)
    assert {number: company(world, number)["City"] for number in cities} == cities
    assert [status for status, _ in rows(world)] == ["Failed", "Succeeded"]
    done = 3 if before else 0
    assert rows(world)[1][1].startswith(f"Undid run {run}: {done} items set back, 0 to the recycle bin")


def test_a_save_between_the_look_and_the_write_is_met_column_by_column(changed):
    """What the person changed is left and named; what the run wrote beside it goes back."""
    world, stores, run, cities = changed
    other, same, *_ = cities
    items = {number: company(world, number)["Id"] for number in (other, same)}

    def person() -> None:
        world.merge("Companies", items[other], {"CompanyType": "Partner"})
        world.merge("Companies", items[same], {"City": "Typed"})

    with AtRequest(world.sharepoint.url, BATCH, writes=True).does(person):
        ((_, done),) = undoes(world, stores, run)
    assert [(left.key, left.item_id, left.why, left.column) for left in done.left] == [
        (str(same), items[same], "changed", "City")
    ]
    assert {number: company(world, number)["City"] for number in cities} == {**cities, same: "Typed"}
    assert company(world, other)["CompanyType"] == "Partner"
    assert not done.open
    assert rows(world)[-1][0] == "Succeeded"


def test_an_undo_that_sharepoint_breaks_off_says_what_was_not_done(changed):
    """The row is closed, with the reason; the error is told as well."""
    world, stores, run, cities = changed
    away = AtRequest(world.sharepoint.url, BATCH, writes=True)
    faults = {"once": {"503": RetryPolicy().attempts}}
    with away.does(lambda: world.control("sharepoint", "faults", faults)), pytest.raises(ThrottledError):
        undoes(world, stores, run)
    ((status, message),) = rows(world)
    assert status == "Failed"
    assert f"Undid run {run}: 0 items set back, 0 to the recycle bin, 0 left as they are." in message
    assert "3 were not reached: undo the run once more. SharePoint is busy" in message
    undoes(world, stores, run)
    assert {number: company(world, number)["City"] for number in cities} == cities
    assert [status for status, _ in rows(world)] == ["Failed", "Succeeded"]


def test_a_stopped_undo_says_what_it_did_not_come_to(changed):
    """Ctrl-C, or a host that is taken down."""
    world, stores, run, cities = changed
    with make_host({"default": world}, stores, world.clock).open("default") as app:
        stopping = AtRequest(world.sharepoint.url, 1, before=False, writes=True)
        with stopping.does(lambda: app.stop.set()):
            ((_, done),) = apply_undo(app, stores, Choice(run), override_brake=True)
    assert len(done.open) == 3
    assert rows(world)[0][0] == "Paused"
    undoes(world, stores, run)
    assert {number: company(world, number)["City"] for number in cities} == cities
