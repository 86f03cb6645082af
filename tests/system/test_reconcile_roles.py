"""A comparison with an app that may not read all of e-conomic: the rest is compared, and what is left out is said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.reconciling import compared, loaded
from tests.support.world import World
from worker.cli.app import app
from worker.errors import AccessDeniedError


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with loaded(tmp_path_factory.mktemp("roles"), "tiny") as made:
        yield made


@pytest.fixture
def world(night: World) -> Iterator[World]:
    night.restore()
    yield night
    night.control("economic", "switches", {"granted_role": "SuperUser", "missing_modules": "none"})


def left_out(report: Any, why: str) -> set[tuple[str, str, str]]:
    return {(one.kind, one.column, one.detail) for one in report.not_compared if one.why.value == why}


def test_sales_alone_compares_all_but_what_rests_on_accounting_years(world):
    world.control("economic", "switches", {"granted_role": "Sales"})
    found = compared(world)
    assert found.agrees
    years = "accounting years"
    assert left_out(found, "role") >= {
        ("customer", "SalesYearToDate", years),
        ("customer", "SalesLastYear", years),
        ("statistics row", "", years),
    }
    assert left_out(found, "sums") == {("invoice", "NetAmountBase", "")}
    assert found.counts["invoices in e-conomic"] > 0
    assert {one.what.value for one in found.sums} == {"Balance", "Overdue"}
    key = next(row["CustomerID"] for row in world.rows("Companies") if row["CustomerID"])
    world.edit("Companies", "CustomerID", key, {"Balance": 1, "City": "Elsewhere"})
    assert {one.column for one in compared(world).differences} == {"Balance", "City"}


def test_sales_alone_with_financial_years_of_the_settings_leaves_out_nothing(world):
    world.control("economic", "switches", {"granted_role": "Sales"})
    found = compared(world, financial_year_start="01-01")
    assert left_out(found, "role") == set()
    assert found.agrees


def test_contacts_that_may_not_be_read_are_left_out(world):
    world.control("economic", "switches", {"missing_modules": "customersapi"})
    found = compared(world)
    assert found.agrees
    assert left_out(found, "role") == {("contact", "", "contacts")}
    said = {str(one) for one in found.not_compared}
    assert "not compared: contact, the list (the app's role in e-conomic may not read its contacts)" in said


def test_invoices_that_may_not_be_read_are_left_out(world, monkeypatch):
    def refused(*_: object, **__: object) -> None:
        raise AccessDeniedError("The app may not read this.", hint="Give it the role Sales.")

    monkeypatch.setattr("worker.economic.source.EconomicSource.invoices", refused)
    monkeypatch.setattr("worker.economic.source.EconomicSource.open_totals", refused)
    found = compared(world)
    assert found.agrees
    assert left_out(found, "role") >= {
        ("invoice", "", "invoices"),
        ("statistics row", "", "invoices"),
        ("customer", "Overdue1To30", "invoices"),
    }
    assert left_out(found, "own") == {("customer", "Balance", "invoices"), ("customer", "OverdueAmount", "invoices")}
    assert found.counts["contacts in e-conomic"] > 0


def test_without_customers_there_is_nothing_to_compare_and_the_next_step_is_said(world, monkeypatch):
    world.control("economic", "switches", {"granted_role": "Bookkeeping"})
    world.commands_here(monkeypatch, world.folder)
    result = CliRunner().invoke(app, ["reconcile"])
    assert result.exit_code == AccessDeniedError.exit_code
    assert "SuperUser" in result.stderr


def test_the_command_says_what_the_role_left_out(world, monkeypatch):
    world.control("economic", "switches", {"granted_role": "Sales"})
    world.commands_here(monkeypatch, world.folder)
    result = CliRunner().invoke(app, ["reconcile"])
    assert result.exit_code == 0
    assert "not compared: statistics row, the list (the app's role in e-conomic may not read its accounting years)" in (
        " ".join(result.stdout.split())
    )
    data = json.loads(CliRunner().invoke(app, ["reconcile", "--json"]).stdout)
    assert {"kind": "statistics row", "column": "", "why": "role", "detail": "accounting years"} in data["notCompared"]
