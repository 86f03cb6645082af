"""An undo that is killed at any of its writes leaves no number with two companies, and undoing again finishes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.fake_work import make_fake_stores
from tests.support.at_request import AtRequest
from tests.support.mortal import Killed
from tests.support.undos import company, dies, job, undoes, works
from tests.support.world import World
from worker.ports import Stores


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Stores, str, Any]]:
    """After a run that let a company go, made another one of its number and changed a third; with the companies as they
    were before it."""
    with World(tmp_path_factory.mktemp("killed"), patient=False) as world:
        world.set_up()
        world.run()
        before = companies(world)
        stores = make_fake_stores(world.clock)
        first, second = (one["customerNumber"] for one in world.data.customers[:2])
        world.economic_change(first, name="Second Owner A/S", corporateIdentificationNumber="55000001")
        world.economic_change(second, city="Newtown")
        run = job(world, stores)
        works(world, stores)
        assert company(world, first)["Id"] not in before
        world.snapshot()
        yield world, stores, run, before


def companies(world: World) -> dict[int, tuple[Any, ...]]:
    names = ("CustomerID", "ImportID", "Title", "City", "ERPStatus")
    return {row["Id"]: tuple(row[name] for name in names) for row in world.rows("Companies")}


def copy_of(world: World, stores: Stores) -> Stores:
    """A store that holds the same."""
    copy = make_fake_stores(world.clock)
    for name in stores.records.names(""):
        record = stores.records.read(name)
        assert record is not None
        copy.records.write(name, record.content, None)
    return copy


@pytest.mark.parametrize("before", [True, False], ids=["before it is saved", "after it was saved"])
@pytest.mark.parametrize("at", range(1, 6))
def test_a_kill_at_any_write_is_made_good_by_undoing_again(ran, at, before):
    """The writes: a row in the run list, the recycling, what is set back, the number, the row's end."""
    world, kept, run, wanted = ran
    world.restore()
    stores = copy_of(world, kept)
    death = AtRequest(world.sharepoint.url, at, before=before, writes=True)
    with death.does(dies), suppress(Killed):
        undoes(world, stores, run, remove_created=True)
    assert death.happened
    for position in (0, 1):
        numbers = [values[position] for values in companies(world).values() if values[position]]
        assert len(numbers) == len(set(numbers))
    world.clock.moment += timedelta(minutes=11)
    undoes(world, stores, run, remove_created=True)
    assert companies(world) == wanted
    listed = [row["RunStatus"] for row in world.rows("Sync runs") if row["Profile"] == "Undo: Customers"]
    assert "Running" not in listed


def test_an_item_that_somebody_saves_after_the_look_is_not_thrown_away(ran):
    """Recycling takes no version on the wire, so it is compared right before; the number stays with the item."""
    world, kept, run, wanted = ran
    world.restore()
    stores = copy_of(world, kept)
    (new,) = set(companies(world)) - set(wanted)
    number = companies(world)[new][0]
    looked = AtRequest(world.sharepoint.url, before=False, writes=True)
    with looked.does(lambda: world.merge("Companies", new, {"CompanyType": "Partner"})):
        ((_, done),) = undoes(world, stores, run, remove_created=True)
    assert looked.happened
    assert done.removed == 0
    assert (number, new, "touched") in [(left.key, left.item_id, left.why) for left in done.left]
    assert companies(world)[new][0] == number
