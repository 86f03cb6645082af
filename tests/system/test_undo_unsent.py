"""A killed run may have kept more than it sent: undoing it takes back what it wrote, and nothing it only meant to."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.at_request import AtRequest
from tests.support.commands import command
from tests.support.mortal import Killed
from tests.support.undos import company, dies
from tests.support.world import World

BATCH = 2  # of a run's writes: the row in the run list, then the batch
SENT = pytest.mark.parametrize("sent", [False, True], ids=["before it is saved", "after it was saved"])


@pytest.fixture
def world(made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """After a first load, with an empty store."""
    made.restore_all()
    made.commands_here(monkeypatch, tmp_path)
    return made


def killed_run(world: World, *, sent: bool) -> str:
    """A run over the customers that dies over its batch; its id."""
    death = AtRequest(world.sharepoint.url, BATCH, before=not sent, writes=True)
    with death.does(dies), suppress(Killed):
        command("run", "Customers", "--yes-really")
    assert death.happened
    (run,) = [row["RunID"] for row in world.rows("Sync runs") if row["RunStatus"] == "Running"]
    return str(run)


def undo(run: str, *more: str) -> dict[str, Any]:
    (one,) = command("undo", run, "--apply", "--yes-really", "--json", *more)["profiles"]
    found: dict[str, Any] = one
    return found


def moved(world: World, *numbers: int) -> dict[int, str]:
    """e-conomic moves these customers to Newtown; the cities of their companies before."""
    before = {number: company(world, number)["City"] for number in numbers}
    for number in numbers:
        world.economic_change(number, city="Newtown")
    return before


def cities(world: World, *numbers: int) -> dict[int, str]:
    return {number: company(world, number)["City"] for number in numbers}


@SENT
def test_what_the_next_run_wrote_in_its_stead_stays(world, sent):
    """It found the old values, so the dead one had not written them; where it had, they go back."""
    numbers = [one["customerNumber"] for one in world.data.customers[:3]]
    before = moved(world, *numbers)
    run = killed_run(world, sent=sent)
    command("run", "Customers", "--yes-really")
    assert cities(world, *numbers) == dict.fromkeys(numbers, "Newtown")
    done = undo(run)
    assert (done["reverted"], done["left"]) == (3 if sent else 0, [])
    assert cities(world, *numbers) == (before if sent else dict.fromkeys(numbers, "Newtown"))


@SENT
def test_what_a_person_typed_just_like_it_stays(world, sent):
    """The item's versions tell who did. What the run wrote goes back, whatever else a person saved since."""
    number, other = (one["customerNumber"] for one in world.data.customers[:2])
    before = moved(world, number, other)
    run = killed_run(world, sent=sent)
    world.merge("Companies", company(world, number)["Id"], {"CompanyType": "Partner"} if sent else {"City": "Newtown"})
    done = undo(run)
    left = [(one["key"], one["why"], one["column"]) for one in done["left"]]
    assert (done["reverted"], left) == ((2, []) if sent else (0, [(str(number), "changed", "City")]))
    assert cities(world, number, other) == (before if sent else {**before, number: "Newtown"})
    assert undo(run)["reverted"] == 0


@SENT
def test_nothing_is_taken_back_of_items_that_stand_as_they_did(world, sent):
    """A person saved another column: the item's version says nothing about the run."""
    number, other = (one["customerNumber"] for one in world.data.customers[:2])
    before = moved(world, number, other)
    run = killed_run(world, sent=sent)
    world.merge("Companies", company(world, number)["Id"], {"CompanyType": "Partner"})
    assert undo(run)["reverted"] == (2 if sent else 0)
    assert cities(world, number, other) == before
    assert company(world, number)["CompanyType"] == "Partner"


def new_customer(world: World) -> str:
    like = {**world.data.customers[0], "customerNumber": 770_077, "name": "Brand New A/S"}
    like["corporateIdentificationNumber"] = "55000077"
    world.control("economic", "mutate", {"customers": [like]})
    return "770077"


@SENT
def test_a_company_that_the_next_run_made_in_its_stead_stays(world, sent):
    """Of two runs that meant to make it the later one did, as there was none until then."""
    number = new_customer(world)
    run = killed_run(world, sent=sent)
    command("run", "Customers", "--yes-really")
    assert company(world, int(number))
    shown = undo(run)
    assert [one["why"] for one in shown["left"]] == (["made"] if sent else [])
    assert undo(run, "--remove-created")["removed"] == (1 if sent else 0)
    assert any(row["CustomerID"] == number for row in world.rows("Companies")) != sent


def test_a_company_that_a_person_made_in_its_stead_stays(world):
    """And is not said to be the run's."""
    number = new_customer(world)
    run = killed_run(world, sent=False)
    world.post("Companies", {"Title": "Brand New A/S", "CustomerID": number})
    for more in ([], ["--remove-created"]):
        done = undo(run, *more)
        assert (done["removed"], done["left"]) == (0, [])
    assert company(world, int(number))


def test_a_company_that_nobody_made_is_not_looked_for(world):
    new_customer(world)
    run = killed_run(world, sent=False)
    done = undo(run, "--remove-created")
    assert (done["reverted"], done["removed"], done["left"]) == (0, 0, [])


def test_a_killed_undo_takes_nothing_back_of_the_next_one(world):
    """An undo can be undone; one that died before its batch wrote nothing."""
    numbers = [one["customerNumber"] for one in world.data.customers[:2]]
    before = moved(world, *numbers)
    command("run", "Customers", "--yes-really")
    (run,) = {row["RunID"] for row in world.rows("Sync runs") if row["Profile"] == "Customers"} - first_runs(world)
    death = AtRequest(world.sharepoint.url, BATCH, writes=True)
    with death.does(dies), suppress(Killed):
        undo(run)
    assert death.happened
    (dead,) = [row["RunID"] for row in world.rows("Sync runs") if row["RunStatus"] == "Running"]
    assert undo(run)["reverted"] == 2
    assert undo(dead)["reverted"] == 0
    assert cities(world, *numbers) == before


def first_runs(world: World) -> set[str]:
    """Of the first load."""
    rows = [row for row in world.rows("Sync runs") if row["Profile"] == "Customers"]
    return {min(rows, key=lambda row: row["Id"])["RunID"]}
