"""Customers change their number, vanish, come back, are barred: both systems go on saying the same."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.support.world import World
from tests.support.zygote import Zygote, killed_at
from tests.unit.web.conftest import make_console
from worker.cli.app import app as commands
from worker.domain.report import RunStatus

NEW = 880_001


def with_everything(world: World) -> dict[str, Any]:
    """A customer with a CVR number, contacts, invoices and statistics."""
    contacts = {row["CompanyCustomerID"] for row in world.rows("Contacts")}
    invoices = {row["CustomerID"] for row in world.rows("Invoices")}
    return next(
        one
        for one in world.data.customers
        if str(one["customerNumber"]) in contacts & invoices and len(one.get("corporateIdentificationNumber", "")) >= 8
    )


def renumber(world: World, old: int, new: int = NEW) -> None:
    world.control("economic", "renumber", {"old": old, "new": new})


def of_customer(world: World, number: int) -> dict[str, list[int]]:
    """Item ids in each list that carry this number."""
    columns = {"Companies": "CustomerID", "Contacts": "CompanyCustomerID"}
    return {
        title: sorted(
            row["Id"] for row in world.rows(title) if row.get(columns.get(title, "CustomerID")) == str(number)
        )
        for title in ("Companies", "Contacts", "Invoices", "Sales statistics")
    }


def test_a_renumbered_customer_keeps_its_items_in_one_run(world):
    """Company, contacts, invoices and statistics are the same items under the new number; people's values stay."""
    old = with_everything(world)["customerNumber"]
    before = of_customer(world, old)
    world.merge("Companies", before["Companies"][0], {"CompanyType": "Partner"})
    renumber(world, old)
    result = world.run()
    assert result.error is None
    assert {report.status for report in result.reports} == {RunStatus.SUCCEEDED}
    assert of_customer(world, NEW) == before
    assert not any(of_customer(world, old).values())
    company = next(row for row in world.rows("Companies") if row["Id"] == before["Companies"][0])
    assert (company["CompanyType"], company["ERPStatus"]) == ("Partner", "Active")
    keys = [row["StatKey"] for row in world.rows("Sales statistics")]
    assert not [key for key in keys if key.startswith(f"{old}|")]
    truth = world.truth()
    again = world.run()
    assert world.truth() == truth
    assert sum(report.ledger.created + report.ledger.updated + report.ledger.flagged for report in again.reports) == 0


def test_the_plan_shows_it_and_apply_does_exactly_that(world):
    old = with_everything(world)["customerNumber"]
    item = of_customer(world, old)["Companies"][0]
    renumber(world, old)
    with world.app() as app, app.session(World.profiles(app), app.run_options()) as session:
        plans = session.plan()
        digests = {one.plan.profile: one.plan.digest for one in plans}
    (customers,) = [one for one in plans if one.plan.profile == "Customers"]
    (change,) = [one for one in customers.plan.changes if one.item_id == item]
    assert (change.kind.value, change.key) == ("Update", str(NEW))
    assert ("CustomerID", str(old), str(NEW)) in [(f.column, f.before, f.after) for f in change.fields]
    with world.app() as app, app.session(World.profiles(app), app.run_options()) as session:
        result = session.apply(digests)
    assert result.error is None
    assert of_customer(world, NEW)["Companies"] == [item]


def test_old_invoices_outside_the_profiles_window_are_moved_too(world):
    old = with_everything(world)["customerNumber"]
    item = world.post("Invoices", {"Title": "1", "InvoiceNumber": "1", "CustomerID": str(old), "NetAmount": 1})
    renumber(world, old)
    world.run()
    assert next(row for row in world.rows("Invoices") if row["Id"] == item)["CustomerID"] == str(NEW)


def uncertain(world: World) -> int:
    """Renumbered, and renamed in the same breath: only the CVR number still agrees."""
    old: int = with_everything(world)["customerNumber"]
    renumber(world, old)
    world.economic_change(NEW, name="Something Else A/S")
    return old


def test_an_uncertain_one_is_offered_and_nothing_is_doubled(world):
    old = uncertain(world)
    before = of_customer(world, old)
    result = world.run(["Customers"])
    (report,) = result.reports
    (row,) = [row for row in report.rows if row.code == "maybe-renumbered"]
    assert (row.key, row.facts["old"]) == (str(NEW), str(old))
    assert of_customer(world, NEW)["Companies"] == []
    assert of_customer(world, old) == before


@pytest.mark.parametrize("yes", [True, False])
def test_a_persons_word_decides_by_command(world, tmp_path, monkeypatch, yes):
    old = uncertain(world)
    before = of_customer(world, old)
    world.commands_here(monkeypatch, tmp_path, SYNC_DATA_DIR=str(tmp_path))
    run = lambda *words: CliRunner().invoke(commands, list(words))  # noqa: E731
    assert f"{old}={NEW}" in run("link").output
    decided = run("link", "--renumbered" if yes else "--not-renumbered", f"{old}={NEW}", "--json")
    assert decided.exit_code == 0, decided.output
    assert json.loads(decided.stdout)["renumbered"] == (
        [{"old": str(old), "new": str(NEW), "certain": True}] if yes else []
    )
    ended = run("run", "--all", "--yes-really")
    assert ended.exit_code in (0, 1), ended.output
    companies = of_customer(world, NEW)["Companies"]
    assert (companies == before["Companies"]) == yes
    assert len(companies) == 1
    if not yes:
        (company,) = [row for row in world.rows("Companies") if row["CustomerID"] == str(old)]
        assert company["ERPStatus"] == "Missing in ERP"


def test_a_persons_word_decides_on_the_page(world):
    old = uncertain(world)
    console = make_console(world)
    browser = console.browser()
    assert f"{old}:{NEW}" in browser.get("/manage/link/default").text
    assert browser.post("/manage/link/default", data={"same": f"{old}:{NEW}"}).status_code == 200
    browser.post("/manage/api/runs", json={"overrideBrake": True})
    console.work()
    assert len(of_customer(world, NEW)["Companies"]) == 1
    assert not any(of_customer(world, old).values())


def test_a_webhook_that_names_both_numbers_makes_it_certain(world):
    """The name alone would not."""
    old = with_everything(world)["customerNumber"]
    world.economic_change(old, corporateIdentificationNumber=None)
    world.run()
    before = of_customer(world, old)
    renumber(world, old)
    console = make_console(world)
    secret = console.host.hook_secrets.make("default")
    body = {"event": "CUSTOMER_UPDATED", "old": str(old), "new": str(NEW)}
    assert console.client().post(f"/hooks/economic/{secret}", json=body).status_code == 204
    console.work()
    assert of_customer(world, NEW)["Companies"] == before["Companies"]
    assert of_customer(world, NEW)["Invoices"] == before["Invoices"]


def test_one_customer_by_its_new_number_alone_makes_no_second_company(world, tmp_path, monkeypatch):
    """The call that named both numbers was lost."""
    old = with_everything(world)["customerNumber"]
    before = of_customer(world, old)
    renumber(world, old)
    world.commands_here(monkeypatch, tmp_path, SYNC_DATA_DIR=str(tmp_path))
    result = CliRunner().invoke(commands, ["run", "--customer", str(NEW)])
    assert result.exit_code == 0, result.output
    assert of_customer(world, NEW) == before


def test_a_number_given_to_somebody_else_is_a_new_company(world):
    """The old item loses the number and is flagged; nothing of it is lost."""
    one = with_everything(world)
    number = one["customerNumber"]
    item = of_customer(world, number)["Companies"][0]
    world.merge("Companies", item, {"CompanyType": "Partner"})
    world.economic_change(number, name="Zebra Import ApS", corporateIdentificationNumber="12121212")
    result = world.run(["Customers"])
    assert result.error is None
    (new,) = [row for row in world.rows("Companies") if row["CustomerID"] == str(number)]
    old = next(row for row in world.rows("Companies") if row["Id"] == item)
    assert (new["Title"], new["Id"] == item) == ("Zebra Import ApS", False)
    assert (old["CustomerID"], old["ERPStatus"], old["Title"]) == (None, "Missing in ERP", one["name"])
    assert old["CompanyType"] == "Partner"
    truth = world.truth()
    world.run(["Customers"])
    assert world.truth() == truth


@pytest.mark.parametrize("changes", [{"name": "Renamed A/S"}, {"corporateIdentificationNumber": "12121212"}])
def test_a_renamed_or_corrected_customer_stays_the_same_company(world, changes):
    number = with_everything(world)["customerNumber"]
    before = of_customer(world, number)["Companies"]
    world.economic_change(number, **changes)
    world.run(["Customers"])
    assert of_customer(world, number)["Companies"] == before


def test_missing_is_flagged_with_the_day_and_taken_back(world):
    number = with_everything(world)["customerNumber"]
    (item,) = of_customer(world, number)["Companies"]
    row = lambda: next(row for row in world.rows("Companies") if row["Id"] == item)  # noqa: E731
    with world.economic_store.transaction() as db:
        kept = dict(db.execute("SELECT * FROM customers WHERE number = ?", (number,)).fetchone())
        db.execute("DELETE FROM customers WHERE number = ?", (number,))
    world.run(["Customers"])
    day = world.clock.now().date()
    assert row()["ERPStatus"] == "Missing in ERP"
    assert row()["ERPMissingSince"][:10] in (day.isoformat(), (day - timedelta(days=1)).isoformat())
    world.clock.forward()
    first = row()["ERPMissingSince"]
    world.run(["Customers"])
    assert row()["ERPMissingSince"] == first, "the day it was seen first"
    with world.economic_store.transaction() as db:
        names = ", ".join(kept)
        db.execute(
            f"INSERT INTO customers ({names}) VALUES ({', '.join('?' * len(kept))})",
            tuple(kept.values()),
        )
    world.run(["Customers"])
    assert (row()["ERPStatus"], row()["ERPMissingSince"]) == ("Active", None)


def test_a_number_that_neither_side_has_is_told(world, tmp_path, monkeypatch):
    """By `run --customer`; beside others it is named. One that is gone from e-conomic is known to the CRM."""
    world.commands_here(monkeypatch, tmp_path)
    gone = with_everything(world)["customerNumber"]

    def run(*numbers: int) -> Result:
        return CliRunner().invoke(
            commands, ["run", *(word for number in numbers for word in ("--customer", str(number)))]
        )

    nobody = run(424242)
    assert (nobody.exit_code, "has a customer 424242." in nobody.output) == (3, True)
    assert "Traceback" not in nobody.output
    both = run(424242, gone)
    assert (both.exit_code, "has a customer 424242." in both.output) == (0, True)
    with world.economic_store.transaction() as db:
        db.execute("DELETE FROM customers WHERE number = ?", (gone,))
    assert ["Neither" in run(gone).output for _ in range(2)] == [False, False]


def test_a_contact_that_a_person_gave_to_another_company_moves_nothing_else(world):
    """Its customer is gone from e-conomic; what the others of it carry stays."""
    number = with_everything(world)["customerNumber"]
    before = of_customer(world, number)
    other = next(row for row in world.rows("Companies") if row["CustomerID"] and row["Id"] not in before["Companies"])
    with world.economic_store.transaction() as db:
        db.execute("DELETE FROM customers WHERE number = ?", (number,))
    world.merge("Contacts", before["Contacts"][0], {"CompanyId": other["Id"]})
    world.run()
    world.run()
    assert of_customer(world, number) == before


def test_barred_and_un_barred(world):
    number = with_everything(world)["customerNumber"]
    status = lambda: next(row for row in world.rows("Companies") if row["CustomerID"] == str(number))["ERPStatus"]  # noqa: E731
    world.economic_change(number, barred=True)
    world.run(["Customers"])
    assert status() == "Barred"
    world.economic_change(number, barred=None)
    world.run(["Customers"])
    assert status() == "Active"


def test_a_removed_contact_is_flagged_for_a_privacy_review(world):
    contact = next(row for row in world.rows("Contacts") if row["ImportID"])
    row = lambda: next(row for row in world.rows("Contacts") if row["Id"] == contact["Id"])  # noqa: E731
    number = int(contact["ImportID"].split("-")[1])
    world.control("economic", "mutate", {"removed_contacts": [number]})
    world.run(["Contacts"])
    assert (row()["ERPStatus"], row()["PrivacyReview"]) == ("Missing in ERP", "To do")
    world.merge("Contacts", contact["Id"], {"PrivacyReview": "Keep"})
    world.clock.forward()
    world.run(["Contacts"])
    assert row()["PrivacyReview"] == "Keep", "a person's answer stays"
    assert row()["Title"] == contact["Title"], "nothing is deleted"


def test_two_companies_of_one_number_are_told_with_both_ids(world):
    number = with_everything(world)["customerNumber"]
    (first,) = of_customer(world, number)["Companies"]
    second = world.post("Companies", {"Title": "Twin", "CustomerID": str(number)})
    result = world.run(["Customers"])
    (row,) = [row for row in result.reports[0].rows if row.code == "key-ambiguous"]
    assert row.facts["items"] == f"{first}, {second}"


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs SIGKILL and fork")
@pytest.mark.parametrize("part", range(2))
def test_a_renumbering_killed_at_every_request_finishes_right(tmp_path, part):
    """The same lists as without the kill, whatever request it hits."""
    with World(tmp_path, patient=False) as world, Zygote() as zygote:
        world.set_up()
        world.run()
        renumber(world, with_everything(world)["customerNumber"])
        world.snapshot()
        world.run()
        expected, killed = world.truth(), 0
        for side, when in [("sharepoint", "before"), ("sharepoint", "after"), ("economic", "before")][part::2]:
            for at in range(1, 200):
                world.restore_all()
                if not killed_at(world, zygote, (side, at, when), ["run", "--all"], world.environment()):
                    break
                killed += 1
                result = world.run()
                assert result.error is None, (side, at, when)
                assert world.truth() == expected, (side, at, when)
        assert killed >= 20
