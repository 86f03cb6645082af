"""Reconciling over both emulators: silent while both say the same, and exact about what does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import requests
from typer.testing import CliRunner

from tests.support.reconciling import loaded
from tests.support.world import TOKEN, World
from worker.cli.app import app


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with loaded(tmp_path_factory.mktemp("reconcile")) as made:
        yield made


@pytest.fixture
def world(night: World, monkeypatch: pytest.MonkeyPatch) -> World:
    night.restore()
    night.commands_here(monkeypatch, night.folder)
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
    assert one["saved"]["what"] == "column"
    assert one["saved"]["by"] == "Anne Holm"
    assert one["saved"]["moment"]
    assert one["updated"] <= one["saved"]["moment"]


def test_who_gave_the_column_its_value_is_named_and_not_who_saved_the_item_later(world):
    key = first_customer(world)
    item = world.edit("Companies", "CustomerID", key, {"City": "Elsewhere"})
    edit_as(world, 10, "Companies", item, {"CompanyType": "Partner"})
    (one,) = reconcile(ends=7)["differences"]
    assert (one["column"], one["saved"]["by"], one["saved"]["what"]) == ("City", "Anne Holm", "column")
    edit_as(world, 10, "Companies", item, {"Zip": "0000"})
    saved = {one["column"]: one["saved"]["by"] for one in reconcile(ends=7)["differences"]}
    assert saved == {"City": "Anne Holm", "Zip": "Peter Lund"}


def test_where_a_list_keeps_no_versions_only_the_items_save_is_claimed(world):
    row = next(row for row in world.rows("Invoices") if row["Remainder"] == 0)
    world.merge("Invoices", row["Id"], {"Remainder": 5000})
    edit_as(world, 10, "Invoices", row["Id"], {"Title": row["Title"]})
    (one,) = reconcile(ends=7)["differences"]
    assert (one["saved"]["by"], one["saved"]["what"]) == ("Peter Lund", "item")
    result = CliRunner().invoke(app, ["reconcile"], env={"COLUMNS": "250"})
    assert "item saved by Peter Lund at" in result.stdout


def edit_as(world: World, user: int, title: str, item_id: int, values: dict[str, Any]) -> None:
    """Another person edits an item."""
    headers = world._headers(**{"X-HTTP-Method": "MERGE", "IF-MATCH": "*", "X-Emulator-User": str(user)})
    url = f"{world._items_url(title)}({item_id})"
    requests.post(url, json=values, headers=headers, timeout=30).raise_for_status()


def test_an_edit_in_peoples_own_column_is_none_of_its_business(world):
    world.edit("Contacts", "ImportID", world.rows("Contacts")[0]["ImportID"], {"JobTitle": "Director"})
    assert reconcile(ends=0)["agrees"]


def test_what_is_flagged_as_missing_is_known_and_no_difference(world):
    """Otherwise every week would tell of it again."""
    world.post("Companies", {"Title": "Gone A/S", "CustomerID": "999999", "ERPStatus": "Missing in ERP"})
    found = reconcile(ends=0)
    assert found["counts"]["customers flagged as missing"] == 1
    world.post("Companies", {"Title": "Stranger A/S", "CustomerID": "999998", "ERPStatus": "Active"})
    assert [one["key"] for one in reconcile(ends=7)["missing"]] == ["999998"]


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


def test_invoices_that_the_crm_lost_are_missed(world):
    """Also when all of them are gone: the profile says from when on the list must hold them."""
    rows = world.rows("Invoices")
    for row in rows[: len(rows) // 2]:
        world.recycle("Invoices", row["Id"])
    assert reconcile(ends=7)["counts"]["invoices only in e-conomic"] == len(rows) // 2
    for row in rows[len(rows) // 2 :]:
        world.recycle("Invoices", row["Id"])
    found = reconcile(ends=7)
    assert found["counts"]["invoices only in e-conomic"] == len(rows)
    assert not found["agrees"]


def test_an_amount_that_is_zero_in_e_conomic_is_compared(world):
    row = next(row for row in world.rows("Invoices") if row["Remainder"] == 0)
    world.merge("Invoices", row["Id"], {"Remainder": 5000})
    (one,) = reconcile(ends=7)["differences"]
    assert (one["column"], one["item"]) == ("Remainder", row["Id"])


def test_a_number_that_two_items_carry_is_named_with_both(world):
    key = first_customer(world)
    world.post("Companies", {"Title": "A double", "CustomerID": key})
    found = reconcile(ends=7)
    (double,) = found["doubles"]
    assert (double["kind"], double["key"]) == ("customer", key)
    assert len(double["items"]) == 2


def test_another_agreements_companies_are_left_alone(world):
    world.post("Companies", {"Title": "Theirs", "CustomerID": "55", "ImportID": "economic:999:55"})
    assert reconcile(ends=0)["agrees"]


def test_on_screen_it_is_a_verdict(world):
    result = CliRunner().invoke(app, ["reconcile"])
    assert result.exit_code == 0
    assert "Both systems say the same." in result.stdout
    assert "not compared: customer, column SalesTrend (SalesTrend rests on thresholds of the settings)" in result.stdout


def test_on_screen_doubles_and_twins_come_with_the_next_step(world):
    linked = next(row for row in world.rows("Companies") if row["CustomerID"] and row["CINumber"])
    double = world.post("Companies", {"Title": "A double", "CustomerID": linked["CustomerID"]})
    twin = world.post("Companies", {"Title": "A twin", "CINumber": linked["CINumber"]})
    result = CliRunner().invoke(app, ["reconcile"])
    assert result.exit_code == 7
    said = " ".join(result.stderr.split())
    number = linked["CustomerID"]
    assert f"customer {number}: items {linked['Id']}, {double} carry the same number" in said
    assert "Next: keep one item of each number" in said
    assert f"company A twin, item {twin}: no customer number, but the CVR number of customer {number}" in said
    assert "Next: merge the two items or delete one" in said


def test_an_app_that_may_only_read_is_told_to_ask_for_write(world):
    """The run list gets a row."""
    world.control("sharepoint", "roles", {TOKEN: "read"})
    try:
        result = CliRunner().invoke(app, ["reconcile"])
    finally:
        world.control("sharepoint", "roles", {TOKEN: "manage"})
    assert result.exit_code == 3
    assert "grant it the role 'write'" in result.stderr
    assert "provision" not in result.stderr


def test_the_list_of_runs_calls_it_a_comparison(world):
    reconcile(ends=0)
    result = CliRunner().invoke(app, ["runs", "--limit", "1"], env={"COLUMNS": "200"})
    row, message = result.stdout.splitlines()
    assert "Reconcile" in row
    assert row.endswith("Succeeded (comparison)")
    assert "plan" not in row
    assert message.strip() == "Both systems say the same."
    (data,) = json.loads(CliRunner().invoke(app, ["runs", "--limit", "1", "--json"]).stdout)
    assert (data["mode"], data["status"]) == ("Comparison", "Succeeded")
