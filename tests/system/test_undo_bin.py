"""What a run made goes to the bin on sites that lack lists too, and stays where nobody can tell what points to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.at_request import AtRequest
from tests.support.commands import command
from tests.support.world import World
from worker.transport import RetryPolicy

LISTS = ("Contacts", "Invoices", "Sales statistics")


@pytest.fixture
def world(bare: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Set up and still empty, with an empty store."""
    bare.restore_all()
    bare.commands_here(monkeypatch, tmp_path)
    return bare


def undo(world: World, *, ends: int = 0) -> str:
    """The first run over the customers, with what it made."""
    runs = [row for row in world.rows("Sync runs") if row["Profile"] == "Customers"]
    run = min(runs, key=lambda row: row["Id"])["RunID"]
    return command("undo", run, "--remove-created", "--apply", "--yes-really", ends=ends)


def without(world: World, *titles: str) -> None:
    """A person takes lists off the site."""
    for title in titles:
        world.call(f"/_api/web/lists/getbytitle('{title}')/recycle()", {})


def customers(world: World) -> dict[str, int]:
    """The companies that are customers, by number."""
    return {row["CustomerID"]: row["Id"] for row in world.rows("Companies") if row["CustomerID"]}


def merge_list(world: World, title: str, **values: Any) -> None:
    world.change(f"{world.site_url}/_api/web/lists/getbytitle('{title}')", values)


@pytest.mark.parametrize("titles", [(one,) for one in LISTS] + [LISTS], ids=[*LISTS, "all three"])
def test_nothing_points_to_a_company_from_a_list_that_is_not_there(world, titles):
    """So the companies of a run can go; those that rows of another list point to stay."""
    without(world, *titles)
    command("run", "Customers")
    made = customers(world)
    assert made
    kept = set()
    if "Contacts" not in titles:
        number = min(made)
        world.post("Contacts", {"Title": "Anne", "CompanyId": made[number]})
        kept = {number}
    undo(world)
    assert set(customers(world)) == kept


def test_a_list_that_is_only_hidden_is_no_list_that_is_missing(world):
    """The site's listing says nothing of it to the worker, but SharePoint has it: nothing goes."""
    command("run", "Customers")
    before = customers(world)
    world.post("Contacts", {"Title": "Anne", "CompanyId": min(before.values())})
    merge_list(world, "Contacts", Hidden=True)
    assert "list Contacts" in undo(world, ends=2)
    assert customers(world) == before


def test_a_list_that_is_named_in_the_settings_and_not_found_is_a_mistake(world, tmp_path):
    """It may stand there under another name: nothing goes."""
    command("run", "Customers")
    before = customers(world)
    merge_list(world, "Contacts", Title="People")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.toml").write_text('[sharepoint.lists]\ncontacts = "Persons"\n')
    assert "list Persons" in undo(world, ends=2)
    assert customers(world) == before


def test_where_sharepoint_does_not_say_whether_a_list_is_there_nothing_goes(world):
    """No answer is not a no."""
    without(world, "Contacts")
    command("run", "Customers")
    before = customers(world)
    faults = {"once": {"503": RetryPolicy().attempts}}
    asked = AtRequest(world.sharepoint.url, asking="getbytitle('Contacts')")
    with asked.does(lambda: world.control("sharepoint", "faults", faults)):
        undo(world, ends=6)
    assert asked.happened
    assert customers(world) == before
