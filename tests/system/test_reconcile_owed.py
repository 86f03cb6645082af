"""Balances and amounts overdue: as of the day the CRM's figures are of, and against e-conomic's own totals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.support.both_sides import collection
from tests.support.reconciling import compared, loaded
from tests.support.world import World
from worker.economic.source import EconomicSource
from worker.sync.reconcile_report import Report


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with loaded(tmp_path_factory.mktemp("owed")) as made:
        yield made


@pytest.fixture
def world(night: World) -> World:
    night.restore()
    return night


def differing(report: Report) -> list[tuple[str, str]]:
    return [(one.key, one.column) for one in report.differences]


def overdue(world: World) -> dict[int, float]:
    return {one["customerNumber"]: one["dueAmount"] for one in collection(world, "/customers")}


def companies(world: World) -> dict[str, dict[str, Any]]:
    return {row["CustomerID"]: row for row in world.rows("Companies") if row["CustomerID"]}


def opening(world: World, number: int, column: str, amount: float) -> None:
    """An entry of the ledger that is no invoice."""
    with world.economic_store.transaction() as db:
        db.execute(f"UPDATE customers SET opening_{column} = ? WHERE number = ?", (round(amount * 100), number))
    world.economic_store.update_balances([number])


@pytest.mark.parametrize("days", [1, 3])
def test_days_after_a_run_figures_are_compared_as_of_the_run(world, days):
    """e-conomic tells the amount overdue of today only; what fell due since is taken off."""
    before = overdue(world)
    world.clock.forward(days)
    assert overdue(world) != before
    found = compared(world)
    assert found.agrees
    assert "day" not in {one.why.value for one in found.not_compared}
    key = next(key for key, row in companies(world).items() if row["OverdueAmount"])
    world.edit("Companies", "CustomerID", key, {"OverdueAmount": 1})
    assert differing(compared(world)) == [(key, "OverdueAmount")]


def test_a_run_that_went_on_after_midnight_is_of_the_day_it_began(world):
    world.clock.forward()
    ended = (world.clock.now() - timedelta(minutes=50)).strftime("%Y-%m-%dT%H:%M:%SZ")  # after midnight in Denmark
    for row in world.rows("Sync runs"):
        world.merge("Sync runs", row["Id"], {"Finished": ended})
    assert compared(world).agrees


def test_an_amount_that_the_last_run_did_not_renew_differs(world):
    """It was right once; since the run it is not."""
    before = companies(world)
    world.clock.forward(3)
    world.run()
    after = companies(world)
    key = next(key for key, row in after.items() if row["OverdueAmount"] != before[key]["OverdueAmount"])
    world.edit("Companies", "CustomerID", key, {"OverdueAmount": before[key]["OverdueAmount"]})
    assert differing(compared(world)) == [(key, "OverdueAmount")]


def test_without_a_run_in_the_list_a_row_says_itself_from_when_its_figures_are(world):
    for row in world.rows("Sync runs"):
        world.recycle("Sync runs", row["Id"])
    world.clock.forward(2)
    assert {one.kind for one in compared(world).differences} <= {"invoice"}  # whose list has no such column filled


def test_an_amount_overdue_of_an_earlier_day_that_can_not_be_told_is_said(world):
    """e-conomic calls less due than its open invoices come to: what it called due before, nobody knows."""
    invoices = collection(world, "/invoices/unpaid")
    soon = next(
        one for one in invoices if one["remainder"] > 0 and "2026-11-25" <= one.get("dueDate", "") < "2026-11-28"
    )
    number = soon["customer"]["customerNumber"]
    opening(world, number, "due", -overdue(world)[number] - soon["remainderInBaseCurrency"] / 2)
    world.run(["Balances"])
    world.clock.forward(3)
    found = compared(world)
    assert [(one.column, one.detail) for one in found.not_compared if one.why.value == "day"] == [
        ("OverdueAmount", "1")
    ]
    assert found.agrees


def test_what_customers_owe_is_held_against_e_conomics_own_totals(world):
    sums = {one.what.value: one for one in compared(world).sums}
    for what, path in (("Balance", "unpaid"), ("Overdue", "unpaid/overdue")):
        own = world.economic_call("GET", f"/invoices/totals/booked/{path}")["grossRemainderInBaseCurrency"]
        assert float(sums[what].own) == own != 0
        assert sums[what].outside + sums[what].own == sums[what].economic


@pytest.mark.parametrize(
    ("switch", "position"),
    [
        ("unmatched_credit_notes_in_unpaid", "no"),
        ("credit_note_counts_in_totals", "neither"),
        ("totals_paging", "yes"),
        ("totals_list_empty_groups", "yes"),
    ],
)
def test_however_e_conomic_sums_nothing_false_is_told(world, switch, position):
    usual = world.control("economic", "switches")[switch]["value"]
    world.control("economic", "switches", {switch: position})
    try:
        assert compared(world).agrees
    finally:
        world.control("economic", "switches", {switch: usual})


def test_what_stands_on_no_invoice_is_told_and_no_difference(world):
    """A payment on account: it is in the balance, and in none of e-conomic's totals of invoices."""
    number = next(int(key) for key, row in companies(world).items() if row["Balance"])
    opening(world, number, "balance", -100)
    world.run(["Balances"])
    (balance,) = [one for one in compared(world).sums if one.what.value == "Balance"]
    assert balance.agrees
    assert balance.outside == -100


def test_a_total_that_the_invoices_do_not_come_to_is_a_difference(world, monkeypatch):
    """The comparison read too little, or e-conomic says two things."""
    number, real = int(next(iter(companies(world)))), EconomicSource.open_totals
    monkeypatch.setattr(EconomicSource, "open_totals", lambda self, **how: {**real(self, **how), number: 1})
    assert {one.what.value for one in compared(world).sums if not one.agrees} == {"Balance", "Overdue"}
