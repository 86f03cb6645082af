"""Undo: what a run wrote is taken back where nobody changed it since, and nothing a person touched ever goes."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.at_request import AtRequest
from tests.support.commands import command
from tests.support.world import World
from tests.unit.web.conftest import make_console
from worker.web.console import undoing

Runner = Any


@pytest.fixture
def world(bare: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Set up and still empty, with an empty store."""
    bare.restore_all()
    bare.commands_here(monkeypatch, tmp_path)
    return bare


def last_run(world: World, profile: str = "Customers") -> str:
    rows = [row for row in world.rows("Sync runs") if row["Profile"] == profile]
    return str(max(rows, key=lambda row: row["Id"])["RunID"])


def change(world: World, numbers: list[int], **values: Any) -> None:
    for number in numbers:
        world.economic_change(number, **values)


def cities(world: World) -> dict[str, str]:
    return {row["CustomerID"]: row["City"] for row in world.rows("Companies") if row["CustomerID"]}


@pytest.fixture
def changed(world: World) -> list[int]:
    command("run", "--all")
    numbers = [one["customerNumber"] for one in world.data.customers[:3]]
    world.before = cities(world)  # type: ignore[attr-defined]
    change(world, numbers, city="Wrongtown")
    command("run", "Customers", "--yes-really")
    return numbers


def test_it_is_shown_first_and_nothing_is_written(world, changed):
    truth = world.truth()
    shown = command("undo", last_run(world))
    assert "set back: 3 items" in shown
    assert "City: Wrongtown ->" in shown
    assert "--apply --expect" in shown
    assert world.truth() == truth


def test_values_go_back_and_a_second_undo_has_nothing_to_do(world, changed):
    run = last_run(world)
    mark = command("undo", run, "--json")["mark"]
    done = command("undo", run, "--apply", "--expect", mark, "--json")
    assert done["profiles"][0]["reverted"] == 3
    assert cities(world) == world.before
    again = command("undo", run, "--json")
    assert again["profiles"][0]["changes"] == []
    assert last_run(world, "Undo: Customers")


def test_what_somebody_changed_since_is_left_and_named(world, changed):
    run = last_run(world)
    row = next(row for row in world.rows("Companies") if row["CustomerID"] == str(changed[0]))
    world.merge("Companies", row["Id"], {"City": "Typed by a person"})
    done = command("undo", run, "--apply", "--json")["profiles"][0]
    assert done["reverted"] == 2
    assert [(left["key"], left["why"], left["column"]) for left in done["left"]] == [
        (str(changed[0]), "changed", "City")
    ]
    shown = command("undo", run)
    assert f"left: 1 value: somebody changed it since\n    {changed[0]} (item {row['Id']}) City\n" in shown
    assert cities(world)[str(changed[0])] == "Typed by a person"


def test_an_edit_between_looking_and_doing_stops_it(world, changed):
    """With the mark of what was shown, it does that or nothing."""
    run = last_run(world)
    mark = command("undo", run, "--json")["mark"]
    row = next(row for row in world.rows("Companies") if row["CustomerID"] == str(changed[0]))
    world.merge("Companies", row["Id"], {"City": "Typed by a person"})
    truth = world.truth()
    assert "something else" in command("undo", run, "--apply", "--expect", mark, ends=5)
    assert world.truth() == truth


def test_the_brake_holds_for_undoing_too(world):
    command("run", "--all")
    numbers = [one["customerNumber"] for one in world.data.customers]
    change(world, numbers, city="Wrongtown")
    world.post("Companies", {"Title": "x"})
    for at in range(25):  # the brake looks at lists of some size only
        world.post(
            "Companies", {"Title": f"Prospect {at}", "CustomerID": str(990_000 + at), "ERPStatus": "Missing in ERP"}
        )
    command("run", "Customers", "--yes-really")
    run = last_run(world)
    truth = world.truth()
    assert "stopped before writing" in command("undo", run, "--apply", ends=4)
    assert world.truth() == truth
    command("undo", run, "--apply", "--yes-really")
    assert "Wrongtown" not in cities(world).values()


def test_the_brake_counts_what_goes_to_the_bin(world):
    """A mass removal stops like a mass change: on the command line, and on the page."""
    command("run", "--all")
    run = last_run(world, "Sales statistics by period")
    made = len(world.rows("Sales statistics"))
    assert "The brake" not in command("undo", run)
    assert f"0 set back, {made} to the recycle bin" in command("undo", run, "--remove-created", "--apply", ends=4)
    assert len(world.rows("Sales statistics")) == made
    command("undo", run, "--remove-created", "--apply", "--yes-really")
    assert world.rows("Sales statistics") == []


@pytest.fixture
def reused(world: World) -> tuple[int, int]:
    """A run let a company go whose number e-conomic gave to somebody else, and made another one of that number: the
    old one's item, and the new one's."""
    command("run", "--all")
    number = next(one["customerNumber"] for one in world.data.customers if one.get("corporateIdentificationNumber"))
    (old,) = carriers(world, number)
    change(world, [number], name="Second Owner A/S", corporateIdentificationNumber="55000001")
    command("run", "Customers", "--yes-really")
    (new,) = carriers(world, number)
    assert old != new
    world.number = number  # type: ignore[attr-defined]
    return old, new


MARKS = ("CustomerID", "ImportID", "ERPStatus", "ERPMissingSince")  # the number, and what goes with it


def row_of(world: World, item: int) -> dict[str, Any]:
    return next(row for row in world.rows("Companies") if row["Id"] == item)


def carriers(world: World, number: int) -> list[int]:
    return [row["Id"] for row in world.rows("Companies") if row["CustomerID"] == str(number)]


def test_a_number_goes_back_only_where_no_other_company_carries_it(world, reused):
    """The new one stays, so the old one gets back neither the number nor what goes with it; that is told, item and
    column."""
    old, new = reused
    run = last_run(world)
    marks_before = {name: row_of(world, old)[name] for name in MARKS}
    shown = command("undo", run)
    assert f"    {world.number} (item {old}) CustomerID" in shown
    assert "another item carries this number now" in shown
    assert f"it goes with a number that does not go back\n    {world.number} (item {old}) ERPStatus\n" in shown
    for _ in range(2):  # a second undo finds the same
        done = command("undo", run, "--apply", "--json")["profiles"][0]
        assert [(left["item"], left["why"], left["column"]) for left in done["left"] if left["item"] == old] == [
            (old, "taken", "CustomerID"),
            (old, "taken", "ImportID"),
            (old, "number", "ERPStatus"),
            (old, "number", "ERPMissingSince"),
        ]
    assert carriers(world, world.number) == [new]
    marks = [row["ImportID"] for row in world.rows("Companies") if row["ImportID"]]
    assert len(marks) == len(set(marks))
    assert {name: row_of(world, old)[name] for name in MARKS} == marks_before
    assert row_of(world, old)["ERPStatus"] == "Missing in ERP"


def test_a_company_whose_number_a_person_typed_since_keeps_its_status(world, reused):
    """The status is of the number that stands there, not of the one that was there before the run."""
    old, _ = reused
    world.merge("Companies", old, {"CustomerID": "880088", "ERPStatus": "Missing in ERP"})
    done = command("undo", last_run(world), "--apply", "--json")["profiles"][0]
    assert [(left["why"], left["column"]) for left in done["left"] if left["item"] == old] == [
        ("changed", "CustomerID"),
        ("number", "ImportID"),
        ("number", "ERPStatus"),
        ("number", "ERPMissingSince"),
    ]
    assert row_of(world, old)["ERPStatus"] == "Missing in ERP"


def test_the_new_company_goes_before_the_old_one_gets_its_number_back(world, reused):
    old, _ = reused
    done = command("undo", last_run(world), "--remove-created", "--apply", "--json")["profiles"][0]
    assert done["removed"] == 1
    assert not done["left"]
    assert carriers(world, world.number) == [old]
    assert row_of(world, old)["ERPStatus"] == "Active"
    assert row_of(world, old)["ERPMissingSince"] is None


def test_a_new_company_that_somebody_works_with_keeps_the_number(world, reused):
    """Even when that somebody comes between the look and the removal."""
    _, new = reused
    run = last_run(world)
    works = AtRequest(world.sharepoint.url, 1, before=False, writes=True)  # the row in the run list
    with works.does(lambda: world.post("Contacts", {"Title": "Anne", "CompanyId": new})):
        command("undo", run, "--remove-created", "--apply")
    assert works.happened
    assert carriers(world, world.number) == [new]


def test_items_the_run_made_stay_unless_said_otherwise(world):
    command("run", "--all")
    run = last_run(world)
    before = len(world.rows("Companies"))
    done = command("undo", run, "--apply", "--json")["profiles"][0]
    assert {left["why"] for left in done["left"]} == {"made"}
    assert len(world.rows("Companies")) == before


def test_a_whole_first_load_goes_to_the_bin_but_for_what_people_touched(world):
    """Children first, so that a company nobody's rows point to can go; prospects were never the run's."""
    command("run", "--all")
    touched = next(row for row in world.rows("Companies") if row["CustomerID"])
    world.merge("Companies", touched["Id"], {"CompanyType": "Partner"})
    noted = next(row for row in world.rows("Contacts") if row["CompanyId"] != touched["Id"])
    world.merge("Contacts", noted["Id"], {"JobTitle": "Director"})
    prospects = {row["Id"] for row in world.rows("Companies") if not row["CustomerID"]}
    for profile in ("Sales statistics by period", "Invoices", "Contacts", "Customers"):
        for row in [row for row in world.rows("Sync runs") if row["Profile"] == profile]:
            command("undo", row["RunID"], "--apply", "--remove-created", "--yes-really")
    assert {row["Id"] for row in world.rows("Companies")} == {*prospects, touched["Id"], noted["CompanyId"]}
    assert [row["Id"] for row in world.rows("Contacts")] == [noted["Id"]]
    assert not world.rows("Invoices")


def test_an_item_that_a_person_made_under_the_same_number_stays(world):
    """The run's own was thrown away; nobody but a person ever saved the one that stands there."""
    command("run", "Customers")
    company = next(row for row in world.rows("Companies") if row["CustomerID"])
    world.recycle("Companies", company["Id"])
    theirs = world.post("Companies", {"Title": "Typed by Anne", "CustomerID": company["CustomerID"]})
    run = last_run(world)
    mark = command("undo", run, "--remove-created", "--json")["mark"]
    command("undo", run, "--remove-created", "--apply", "--expect", mark)
    assert theirs in {row["Id"] for row in world.rows("Companies")}


def test_in_a_list_without_versions_an_item_that_was_saved_again_stays(world):
    """Nobody can tell whether it was a person who saved it in between."""
    world.change(f"{world.site_url}/_api/web/lists/getbytitle('Companies')", {"EnableVersioning": False})
    command("run", "Customers")
    run, company = last_run(world), next(row for row in world.rows("Companies") if row["CustomerID"])
    world.merge("Companies", company["Id"], {"CompanyType": "Partner"})
    command("run", "Balances")
    mark = command("undo", run, "--remove-created", "--json")["mark"]
    command("undo", run, "--remove-created", "--apply", "--expect", mark)
    assert company["Id"] in {row["Id"] for row in world.rows("Companies")}


def undo_first_load(world: World) -> set[int]:
    """Undoes the first run over the customers, with what it made; the companies that stand there afterwards."""
    runs = [row for row in world.rows("Sync runs") if row["Profile"] == "Customers"]
    command("undo", min(runs, key=lambda row: row["Id"])["RunID"], "--remove-created", "--apply", "--yes-really")
    return {row["Id"] for row in world.rows("Companies")}


def test_an_edit_while_versions_were_switched_off_is_a_touch(world):
    """It left no version, and the worker saved after it; but it was a save."""
    versions = f"{world.site_url}/_api/web/lists/getbytitle('Companies')"
    command("run", "Customers")
    number = world.data.customers[0]["customerNumber"]
    (touched,) = carriers(world, number)
    world.change(versions, {"EnableVersioning": False})
    world.merge("Companies", touched, {"CompanyType": "Partner"})
    world.change(versions, {"EnableVersioning": True})
    change(world, [number], city="Newtown")
    command("run", "Customers")
    assert touched in undo_first_load(world)


def test_an_edit_in_the_workers_name_that_made_no_version_is_a_touch(world):
    """A form's quiet save can name anybody as the editor."""
    command("run", "Customers")
    number = world.data.customers[0]["customerNumber"]
    (touched,) = carriers(world, number)
    values = [{"FieldName": "CompanyType", "FieldValue": "Partner"}]
    values.append({"FieldName": "Editor", "FieldValue": json.dumps([{"Key": "SharePoint App"}])})
    path = f"/_api/web/lists/getbytitle('Companies')/items({touched})/validateupdatelistitem"
    answer = world.call(path, {"formValues": values, "bNewDocumentUpdate": True})
    assert not any(row["HasException"] for row in answer["value"]), answer
    assert next(row for row in world.rows("Companies") if row["Id"] == touched)["EditorId"] == 1073741822
    change(world, [number], city="Newtown")
    command("run", "Customers")
    assert touched in undo_first_load(world)


def test_an_item_that_somebody_fetched_back_from_the_bin_stays(world):
    """Undoing once more does not throw it away again."""
    command("run", "Customers")
    undo_first_load(world)
    kept = world.get("/_api/web/recyclebin")["value"][0]
    world.call(f"/_api/web/recyclebin('{kept['Id']}')/restore", {})
    back = {row["Id"] for row in world.rows("Companies") if row["CustomerID"]}
    assert len(back) == 1
    assert back <= undo_first_load(world)


@pytest.mark.parametrize("run", ["nonsense", "x" * 300, "../../etc", "' or 1=1"])
def test_a_run_that_is_not_kept_is_told(world, run):
    command("run", "--all")
    assert "Nothing is kept of run" in command("undo", run, ends=3)


def test_an_old_run_can_not_be_undone_any_more(world, changed, monkeypatch):
    """After the days it is kept for, at the next run that writes."""
    run = last_run(world)
    later = world.clock.now().date() + timedelta(days=40)
    monkeypatch.setenv("SYNC_AS_OF", later.isoformat())
    change(world, changed, city="Elsewhere")
    command("run", "Customers", "--yes-really")
    assert "older than 30 days" in command("undo", run, ends=3)


def test_an_undo_can_be_undone(world, changed):
    run = last_run(world)
    command("undo", run, "--apply")
    command("undo", last_run(world, "Undo: Customers"), "--apply")
    assert {cities(world)[str(number)] for number in changed} == {"Wrongtown"}


def company_rows(world: World) -> dict[str, dict[str, Any]]:
    columns = ("City", "Balance", "SalesYearToDate", "LastInvoiceDate")
    return {row["CustomerID"]: {name: row[name] for name in columns} for row in world.rows("Companies")}


def test_all_profiles_of_a_job_are_undone_together(world):
    """They share items: each undoing moves the version that the next one looked at."""
    console = make_console(world)
    browser = console.browser()
    browser.post("/manage/api/runs", json={})
    console.work()
    before = company_rows(world)
    number = next(iter(world.data.invoices))["customer"]["customerNumber"]
    change(world, [number], city="Wrongtown")
    like = {**max(world.data.invoices, key=lambda one: one["date"]), "bookedInvoiceNumber": 999_001}
    like |= {"customer": {**like["customer"], "customerNumber": number}, "date": world.clock.now().date().isoformat()}
    world.control("economic", "mutate", {"invoices": [like]})
    job = browser.post("/manage/api/runs", json={"overrideBrake": True}).json()
    console.work()
    assert company_rows(world) != before
    address = f"/manage/undo/default/{job['id']}"
    mark = browser.get(address).text.split('name="mark" value="')[1].split('"')[0]
    answer = browser.post(address, data={"mark": mark, "override": "1"})
    assert answer.status_code == 200
    assert company_rows(world) == before


def test_a_first_load_by_a_job_goes_to_the_bin_whole(world):
    """But for what was there before."""
    prospects = {row["Id"] for row in world.rows("Companies")}
    console = make_console(world)
    browser = console.browser()
    job = browser.post("/manage/api/runs", json={}).json()
    console.work()
    assert len(world.rows("Companies")) > len(prospects)
    address = f"/manage/undo/default/{job['id']}"
    page = browser.get(f"{address}?bin=true").text
    assert "set back, 49 to the recycle bin" in page
    mark = page.split('name="mark" value="')[1].split('"')[0]
    assert "stopped before writing" in browser.post(address, data={"mark": mark, "bin": "1"}).text
    answer = browser.post(address, data={"mark": mark, "bin": "1", "override": "1"})
    assert answer.status_code == 200, answer.text
    assert {row["Id"] for row in world.rows("Companies")} == prospects
    for title in ("Contacts", "Invoices", "Sales statistics"):
        assert world.rows(title) == []


def test_the_page_says_which_number_stays_with_another(world, reused):
    """In the reader's language."""
    console = make_console(world)
    browser = console.browser()
    change(world, [world.number], name="Third Owner A/S", corporateIdentificationNumber="55000002")
    job = browser.post("/manage/api/runs", json={"profiles": ["Customers"], "overrideBrake": True}).json()
    console.work()
    address = f"/manage/undo/default/{job['id']}"
    assert f"{world.number} CustomerID: another item carries this number now" in browser.get(address).text
    danish = browser.get(address, headers={"Accept-Language": "da"}).text
    assert f"{world.number} CustomerID: et andet element har nummeret nu" in danish
    assert f"{world.number} ERPStatus: det hører til et nummer, der ikke går tilbage" in danish


@pytest.mark.parametrize(
    ("language", "heading", "sentence"),
    [
        ("en", "Not found", "Nothing is kept of run nonsense: it wrote nothing, or is older than 30 days."),
        ("da", "Ikke fundet", "Intet er gemt om kørslen nonsense: den skrev intet, eller er ældre end 30 dage."),
    ],
)
def test_the_page_of_an_unknown_run_is_not_found_and_leads_to_the_history(world, language, heading, sentence):
    """No service was asked, so none is to blame."""
    browser = make_console(world).browser()
    answer = browser.get("/manage/undo/default/nonsense", headers={"Accept-Language": language})
    assert answer.status_code == 404
    assert f"<h2>{heading}</h2>" in answer.text
    assert sentence in answer.text
    assert 'href="/manage/runs/default"' in answer.text.partition("<main")[2]
    assert "economic-sync runs" not in answer.text
    posted = browser.post("/manage/undo/default/nonsense", data={"mark": "x"}, headers={"Accept-Language": language})
    assert posted.status_code == 404
    assert f"<h2>{heading}</h2>" in posted.text


def test_too_many_items_for_a_page_are_left_to_the_command(world, monkeypatch):
    monkeypatch.setattr(undoing, "_MOST_CREATED", 5)
    console = make_console(world)
    browser = console.browser()
    job = browser.post("/manage/api/runs", json={}).json()
    console.work()
    answer = browser.get(f"/manage/undo/default/{job['id']}?bin=true")
    assert answer.status_code == 422
    assert "too many to look at on a page" in answer.text
    assert "economic-sync undo" in answer.text


def test_the_history_leads_to_the_undoing_of_a_commands_run(world, changed):
    console = make_console(world)
    run = last_run(world)
    assert f"/manage/undo/default/{run}" in console.browser().get("/manage/runs/default").text


def test_a_job_of_the_console_is_undone_on_its_page(world):
    console = make_console(world)
    browser = console.browser()
    browser.post("/manage/api/runs", json={})
    console.work()
    numbers = [one["customerNumber"] for one in world.data.customers[:2]]
    before = cities(world)
    change(world, numbers, city="Wrongtown")
    job = browser.post("/manage/api/runs", json={"profiles": ["Customers"], "overrideBrake": True}).json()
    console.work()
    address = f"/manage/undo/default/{job['id']}"
    page = browser.get(address).text
    assert "Wrongtown" in page
    mark = page.split('name="mark" value="')[1].split('"')[0]
    assert browser.post(address, data={"mark": "other"}).status_code == 409
    assert cities(world) != before
    done = browser.post(address, data={"mark": mark})
    assert done.status_code == 200
    assert cities(world) == before
