"""Reconciling over both emulators: silent while both say the same, and exact about what does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.world import World
from worker.cli.app import app


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """After a first load."""
    with World(tmp_path_factory.mktemp("reconcile"), "small", patient=False) as made:
        made.set_up()
        made.run()
        made.snapshot()
        yield made


@pytest.fixture
def world(night: World, monkeypatch: pytest.MonkeyPatch) -> World:
    night.restore()
    for name, value in night.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(night.folder)
    return night


def reconcile(*, ends: int) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["reconcile", "--json"])
    assert result.exit_code == ends, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def first_customer(world: World) -> str:
    return str(world.data.customers[0]["customerNumber"])


def test_after_a_run_both_say_the_same_and_nothing_is_written(world):
    before = world.truth()
    found = reconcile(ends=0)
    assert found["agrees"]
    assert found["counts"]["customers in e-conomic"] == len(world.data.customers)
    sums = {one["name"]: one for one in found["sums"]}
    assert Decimal(sums["Balance"]["economic"]) == Decimal(sums["Balance"]["crm"]) != 0
    assert any(name.startswith("Net sales") and one["own"] is not None for name, one in sums.items())
    assert world.truth() == before


def test_an_edit_in_e_conomics_own_column_is_named(world):
    key = first_customer(world)
    item = world.edit("Companies", "CustomerID", key, {"City": "Elsewhere"})
    found = reconcile(ends=7)
    (one,) = found["differences"]
    assert (one["kind"], one["key"], one["item"], one["column"], one["crm"]) == (
        "customer",
        key,
        item,
        "City",
        "Elsewhere",
    )
    assert one["changed"]
    assert one["by"]


def test_an_edit_in_peoples_own_column_is_none_of_its_business(world):
    world.edit("Contacts", "ImportID", world.rows("Contacts")[0]["ImportID"], {"JobTitle": "Director"})
    assert reconcile(ends=0)["agrees"]


def test_a_changed_amount_shows_in_its_row_and_in_the_sum(world):
    key = first_customer(world)
    standing = next(row for row in world.rows("Companies") if row["CustomerID"] == key)["Balance"]
    world.edit("Companies", "CustomerID", key, {"Balance": standing + 1})
    found = reconcile(ends=7)
    (off,) = [one for one in found["sums"] if not one["agrees"]]
    assert off["name"] == "Balance"
    assert Decimal(off["crm"]) - Decimal(off["economic"]) == 1


def test_rows_of_one_side_only_are_named(world):
    rows = world.rows("Invoices")
    newest = max(rows, key=lambda row: row["InvoiceDate"])
    world.recycle("Invoices", newest["Id"])
    world.post("Companies", {"Title": "Nobody knows it", "CustomerID": "987654"})
    found = reconcile(ends=7)
    named = {(one["kind"], one["onlyIn"], one["key"]) for one in found["missing"]}
    assert named == {("invoice", "e-conomic", newest["InvoiceNumber"]), ("customer", "CRM", "987654")}


def test_a_number_that_two_items_carry_is_named_with_both(world):
    key = first_customer(world)
    world.post("Companies", {"Title": "A double", "CustomerID": key})
    found = reconcile(ends=7)
    (double,) = found["doubles"]
    assert double["key"] == f"customer {key}"
    assert len(double["items"]) == 2


def test_another_agreements_companies_are_left_alone(world):
    world.post("Companies", {"Title": "Theirs", "CustomerID": "55", "ImportID": "economic:999:55"})
    assert reconcile(ends=0)["agrees"]


def test_on_screen_it_is_a_verdict(world):
    result = CliRunner().invoke(app, ["reconcile"])
    assert result.exit_code == 0
    assert "Both systems say the same." in result.stdout
