"""Numbers that are given up and taken in one night: no history is lost or goes to another party, nothing is doubled."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.fake_work import make_fake_stores
from tests.support.hosting import QUICK, make_host, work_all
from tests.support.world import World
from tests.support.zygote import Zygote, killed_at
from worker.domain.plan import ChangeKind
from worker.domain.reasons import sentence
from worker.domain.report import RunStatus
from worker.engine.terms import StartRequest
from worker.sync.runner import SessionResult
from worker.wiring.errands import live_sync
from worker.wiring.explaining import explained

FREE = 880_001
COLUMNS = {"Companies": "CustomerID", "Contacts": "CompanyCustomerID", "Invoices": "CustomerID",
           "Sales statistics": "CustomerID"}  # fmt: skip
KEYS = {"Companies": "CustomerID", "Contacts": "ImportID", "Invoices": "InvoiceNumber", "Sales statistics": "StatKey"}
STRANGER = {"name": "Zebra Import ApS", "corporateIdentificationNumber": "12121212"}
REFERENCES = {"currency": "DKK", "customerGroup": {"customerGroupNumber": 1},
              "paymentTerms": {"paymentTermsNumber": 1}, "vatZone": {"vatZoneNumber": 1}}  # fmt: skip


@pytest.fixture(params=["unique", "as it is"])
def world(made: World, request: pytest.FixtureRequest) -> World:
    """With the customer number a unique column, which refuses a double at once, and without."""
    made.restore()
    if request.param == "unique":
        unique_numbers(made)
    return made


def unique_numbers(world: World) -> None:
    field = f"{world.site_url}/_api/web/lists/getbytitle('Companies')/fields/getbyinternalnameortitle('CustomerID')"
    world.change(field, {"Indexed": True, "EnforceUniqueValues": True})


def three(world: World) -> list[int]:
    """Customers with a CVR number, contacts, invoices and statistics."""
    have = [{row[COLUMNS[title]] for row in world.rows(title)} for title in ("Contacts", "Invoices")]
    names = Counter(one["name"] for one in world.data.customers)
    found = [
        one["customerNumber"]
        for one in world.data.customers
        if all(str(one["customerNumber"]) in numbers for numbers in have)
        and len(one.get("corporateIdentificationNumber", "")) >= 8
        and names[one["name"]] == 1
    ]
    return found[:3]


def renumber(world: World, old: int, new: int) -> None:
    world.control("economic", "renumber", {"old": old, "new": new})


def gives_to_somebody(world: World, number: int, **values: Any) -> None:
    world.control("economic", "mutate", {"customers": [{"customerNumber": number, **REFERENCES, **STRANGER, **values}]})


def items(world: World, number: int) -> dict[str, list[int]]:
    """Item ids in each list that carry this number."""
    return {
        title: sorted(row["Id"] for row in world.rows(title) if row[column] == str(number))
        for title, column in COLUMNS.items()
    }


def whole(world: World) -> None:
    """Each key once, each row at the company of its number."""
    companies = {row["CustomerID"]: row["Id"] for row in world.rows("Companies") if row["CustomerID"]}
    for title, column in KEYS.items():
        counts = Counter(row[column] for row in world.rows(title) if row[column])
        assert not [key for key, count in counts.items() if count > 1], title
        assert not [key for key in counts if ">" in key], title
    for title in ("Contacts", "Invoices", "Sales statistics"):
        assert not [row for row in world.rows(title) if row["CompanyId"] != companies[row[COLUMNS[title]]]], title
    for title in ("Contacts", "Sales statistics"):
        numbers = {row[KEYS[title]].replace("|", "-").split("-")[0] for row in world.rows(title)}
        assert numbers <= companies.keys()


def ran(world: World, **options: Any) -> SessionResult:
    result = world.run(**options)
    assert result.error is None
    assert {report.status for report in result.reports} == {RunStatus.SUCCEEDED}, [
        (report.profile, report.status, report.message, report.rows) for report in result.reports
    ]
    return result


def nothing_more(world: World) -> None:
    whole(world)
    truth = world.truth()
    again = ran(world)
    assert world.truth() == truth
    assert sum(report.ledger.created + report.ledger.updated + report.ledger.flagged for report in again.reports) == 0


def changed(world: World, story: str) -> dict[int, int]:
    """Does it in e-conomic; number before -> after."""
    a, b, c = three(world)
    if story == "given away again":
        renumber(world, a, FREE)
        gives_to_somebody(world, a)
        return {a: FREE}
    if story == "shifted":
        renumber(world, c, FREE)
        renumber(world, b, c)
        renumber(world, a, b)
        return {a: b, b: c, c: FREE}
    if story == "shifted and given away":
        renumber(world, b, FREE)
        renumber(world, a, b)
        gives_to_somebody(world, a)
        return {a: b, b: FREE}
    renumber(world, a, FREE)
    if story == "swapped":
        renumber(world, b, a)
        renumber(world, FREE, b)
        return {a: b, b: a}
    renumber(world, b, a)
    renumber(world, c, b)
    renumber(world, FREE, c)
    return {a: c, b: a, c: b}


STORIES = ["given away again", "shifted", "shifted and given away", "swapped", "in a ring"]


def with_old_rows(world: World) -> dict[int, dict[str, list[int]]]:
    """What carries each of the three numbers, with an invoice and statistics from before the profiles' window."""
    for number in three(world):
        values = {"CustomerID": str(number), "CompanyId": items(world, number)["Companies"][0]}
        world.post("Invoices", {"Title": f"old {number}", "InvoiceNumber": f"{number}", **values})
        world.post("Sales statistics", {"Title": "old", "StatKey": f"{number}|Quarter|2019-01-01", **values})
    return {number: items(world, number) for number in three(world)}


@pytest.mark.parametrize("story", STORIES)
def test_everybody_keeps_what_is_theirs(world, story):
    """Company, contacts, invoices and statistics are the same items under the new numbers, however old they are."""
    before = with_old_rows(world)
    numbers = {row["Id"]: row["InvoiceNumber"] for row in world.rows("Invoices")}
    moves = changed(world, story)
    ran(world, override_brake=True)
    for number, new in moves.items():
        assert items(world, new) == before[number], (number, new)
    assert {row["Id"]: row["InvoiceNumber"] for row in world.rows("Invoices")} == numbers
    if "given away" in story:
        (company,) = [row for row in world.rows("Companies") if row["CustomerID"] == str(next(iter(moves)))]
        assert company["Title"] == STRANGER["name"]
    nothing_more(world)


@pytest.mark.parametrize("last_first", [False, True])
@pytest.mark.parametrize("story", STORIES)
def test_single_syncs_come_to_the_same(world, story, last_first):
    """Whichever of the numbers is looked at first: the others that hang together with it are seen beside it."""
    before = with_old_rows(world)
    moves = changed(world, story)
    for number in sorted({*moves, *moves.values()}, reverse=last_first):
        with world.app() as app:
            assert live_sync(app, [number]).session.error is None
        whole(world)
    ran(world, override_brake=True)
    for number, new in moves.items():
        assert items(world, new) == before[number], (number, new)
    nothing_more(world)


@pytest.mark.parametrize("story", STORIES)
def test_a_plan_that_is_applied_comes_to_the_same(world, story):
    """A row of a company that the plan makes follows with the next one."""
    before = with_old_rows(world)
    moves = changed(world, story)
    for _ in range(2):
        with world.app() as app, app.session(World.profiles(app), app.run_options(override_brake=True)) as session:
            digests = {one.plan.profile: one.plan.digest for one in session.plan()}
        with world.app() as app, app.session(World.profiles(app), app.run_options(override_brake=True)) as session:
            assert session.apply(digests).error is None
        for number, new in moves.items():
            assert items(world, new) == before[number], (number, new)
    nothing_more(world)


@pytest.mark.parametrize("story", STORIES)
def test_the_engine_comes_to_the_same_in_the_smallest_steps(made, story):
    """Each slice plans one profile, or writes one change, and knows nothing of the one before."""
    made.restore()
    before = with_old_rows(made)
    moves = changed(made, story)
    options = replace(QUICK, chunk=1, slice_seconds=0.0, patience=60.0)
    host = make_host({"default": made}, make_fake_stores(made.clock), made.clock, options)
    host.engine.start(StartRequest("default", override_brake=True))
    work_all(host, 3000)
    for number, new in moves.items():
        assert items(made, new) == before[number], (number, new)
    nothing_more(made)


def test_a_plan_of_a_swap_says_what_stood_there(made):
    """Which is what undoing it gives back; the step aside is a change of its own."""
    made.restore()
    before = {row["Id"]: row["CustomerID"] for row in made.rows("Companies")}
    changed(made, "swapped")
    with made.app() as app, app.session(World.profiles(app, ["Customers"]), app.run_options()) as session:
        (one,) = session.plan()
    moved = {change.item_id: change for change in one.plan.changes if change.kind is ChangeKind.UPDATE}
    told = {
        item: [field.before for field in change.fields if field.column == "CustomerID"]
        for item, change in moved.items()
    }
    assert told == {item: [before[item]] for item in moved}
    assert [change.kind for change in one.plan.changes].count(ChangeKind.FLAG) == 1


@pytest.mark.parametrize("story", STORIES)
def test_figures_that_come_first_are_each_partys_own(made, story):
    """Before the companies have their new numbers; these are another profile's to give."""
    made.restore()
    before = {number: items(made, number) for number in three(made)}
    standing = {row["Id"]: row["CustomerID"] for row in made.rows("Companies")}
    moves = changed(made, story)
    for number in moves.values():
        made.economic_change(number, address=f"New Street {number}")
    figures = ["Sales history", "Balances"]
    result = made.run(figures, override_brake=True)
    assert {report.status for report in result.reports} == {RunStatus.SUCCEEDED}
    companies = {row["Id"]: row for row in made.rows("Companies")}
    assert {item: row["CustomerID"] for item, row in companies.items()} == standing
    for number, new in moves.items():
        (item,) = before[number]["Companies"]
        assert companies[item]["Address"] == f"New Street {new}"
    ran(made, override_brake=True)
    assert {number: items(made, new) for number, new in moves.items()} == {one: before[one] for one in moves}
    nothing_more(made)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs SIGKILL and fork")
@pytest.mark.parametrize("story", ["given away again", "shifted", "swapped"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_is_killed_at_every_request_finishes_right(tmp_path, story, when):
    """The same lists as without the kill, whatever write or read it hits."""
    with World(tmp_path, patient=False) as world, Zygote() as zygote:
        world.set_up()
        world.run()
        with_old_rows(world)
        changed(world, story)
        world.snapshot()
        ran(world, override_brake=True)
        expected, killed = world.truth(), 0
        for at in range(1, 200):
            world.restore_all()
            command = ["run", "--all", "--yes-really"]
            if not killed_at(world, zygote, ("sharepoint", at, when), command, world.environment()):
                break
            killed += 1
            ran(world, override_brake=True)
            assert world.truth() == expected, at
        assert killed >= 20


@pytest.mark.parametrize("story", STORIES)
def test_explaining_says_what_a_run_would_do(made, story):
    """Of each customer whose number changed hands: the item, the kind of change, and how many columns."""
    made.restore()
    moves = changed(made, story)
    with made.app() as app:
        profiles = [one for one in made.profiles(app) if one.title in ("Customers", "Balances")]
        told = {number: explained(app, number, profiles) for number in {*moves, *moves.values()}}
        with app.session(profiles, app.run_options()) as session:
            plans = {one.plan.profile: one.plan for one in session.plan()}
    for number, story_told in told.items():
        if story_told is None:
            assert number in moves, "e-conomic has no such customer any more"
            continue
        for profile in story_told.profiles:
            plan = plans[profile.profile]
            changes = [one for one in plan.changes if one.key == str(number) and one.kind is not ChangeKind.FLAG]
            left = [one for one in plan.left_out if one.key == str(number)]
            if changes:
                assert (profile.outcome, profile.columns) == (changes[0].kind.value, len(changes[0].fields)), number
                assert profile.item_ids == (() if changes[0].item_id is None else (changes[0].item_id,))
            elif left and left[0].code != "company-planned":  # a plan of both knows that the first makes the company
                assert profile.reason == sentence(left[0].code, left[0].facts)
