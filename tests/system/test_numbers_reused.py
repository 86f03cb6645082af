"""A number given to somebody else, and a renumbering that waits for a person: nobody's items are written over, given to
another party or flagged before it is clear whose they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.world import World
from tests.system.test_numbers_change_hands import (
    COLUMNS,
    FREE,
    STRANGER,
    gives_to_somebody,
    items,
    nothing_more,
    ran,
    renumber,
    three,
    whole,
)
from tests.unit.web.conftest import make_console
from worker.cli.app import app as commands
from worker.domain.profile import FieldRule
from worker.domain.reasons import sentence
from worker.sync.runner import SessionResult
from worker.wiring.explaining import explained

OTHER = {"name": "Bent Holm", "email": "bent@holm.example", "address": "Strandvej 9", "zip": "5000",
         "telephoneAndFaxNumber": "66222222"}  # fmt: skip
THIRD = {"name": "Carl Vester", "email": "carl@vester.example", "address": "Havnegade 7", "zip": "9000",
         "telephoneAndFaxNumber": "98333333"}  # fmt: skip
DATA = ("Title", "CompanyName", "Address", "City", "EMail", "Balance", "SalesYearToDate", "ERPStatus")


def company(world: World, item: int) -> dict[str, Any]:
    return next(row for row in world.rows("Companies") if row["Id"] == item)


def codes(result: SessionResult) -> dict[str, set[str]]:
    return {report.profile: {row.code for row in report.rows} for report in result.reports}


def lists(world: World) -> dict[str, list[dict[str, Any]]]:
    stamps = {"Modified", "OData__UIVersionString", "SyncRunID", "FiguresAsOf", "odata.etag"}
    return {
        title: [{name: row[name] for name in row if name not in stamps} for row in world.rows(title)]
        for title in COLUMNS
    }


def keyed_by(world: World, title: str, column: str) -> None:
    """Somebody chose another key in the editor."""
    with world.app() as app:
        (profile,) = world.profiles(app, [title])
        rules = [rule for rule in profile.rules if rule.target not in (column, profile.key_target)]
        number = [rule for rule in profile.rules if rule.target == "CustomerID" and title == "Customers"]
        key = FieldRule(column, column, converter="cvr_digits" if column == "CINumber" else None)
        app.profiles.save(replace(profile, key_target=column, key_source=column, rules=(key, *number, *rules)))


class TestGivenToSomebodyElse:
    """Name and CVR number are others'."""

    @pytest.fixture
    def old(self, world: World) -> dict[str, Any]:
        """The company that carried the number."""
        number = three(world)[0]
        (item,) = items(world, number)["Companies"]
        found = company(world, item)
        world.economic_change(number, **STRANGER)
        return found

    def is_as_it_was(self, world: World, old: dict[str, Any]) -> None:
        now = company(world, old["Id"])
        assert {name: now[name] for name in DATA} == {name: old[name] for name in DATA} | {
            "ERPStatus": "Missing in ERP"
        }
        assert now["CustomerID"] is None

    def test_all_its_rows_belong_to_the_new_company_in_the_first_run(self, world, old):
        result = ran(world)
        assert not any(codes(result)["Contacts"])
        (new,) = [row for row in world.rows("Companies") if row["CustomerID"] == old["CustomerID"]]
        for title in ("Contacts", "Invoices", "Sales statistics"):
            theirs = [row for row in world.rows(title) if row[COLUMNS[title]] == old["CustomerID"]]
            assert theirs
            assert {row["CompanyId"] for row in theirs} == {new["Id"]}
        self.is_as_it_was(world, old)
        nothing_more(world)

    def test_a_plan_that_is_applied_writes_nothing_over_it(self, world, old):
        """Each planned row that needs the new company follows with the next plan."""
        for _ in range(2):
            with world.app() as app, app.session(World.profiles(app), app.run_options()) as session:
                plans = session.plan()
            digests = {one.plan.profile: one.plan.digest for one in plans}
            with world.app() as app, app.session(World.profiles(app), app.run_options()) as session:
                assert session.apply(digests).error is None
            self.is_as_it_was(world, old)
        nothing_more(world)

    @pytest.mark.parametrize("first", ["Sales history", "Balances"])
    def test_no_other_profile_writes_over_it(self, world, old, first):
        before = lists(world)
        result = world.run([first])
        assert codes(result) == {first: {"number-reused"}}
        assert lists(world) == before
        ran(world)
        self.is_as_it_was(world, old)
        nothing_more(world)

    @pytest.mark.parametrize("change", [{"ImportType": "Update"}, {"OnMissing": "Keep"}])
    def test_a_profile_that_makes_or_flags_no_companies_leaves_it(self, world, old, change):
        row = next(row for row in world.rows("Mapping profiles") if row["Title"] == "Customers")
        world.merge("Mapping profiles", row["Id"], change)
        result = world.run()
        assert "number-reused" in codes(result)["Customers"]
        now = company(world, old["Id"])
        assert {name: now[name] for name in (*DATA, "CustomerID")} == {
            name: old[name] for name in (*DATA, "CustomerID")
        }

    @pytest.mark.parametrize("title", ["Balances", "Customers"])
    def test_a_profile_that_finds_companies_by_another_key_writes_nothing_over_it(self, world, old, title):
        """Here by the number inside the import id. Nor does explaining say that it would."""
        keyed_by(world, title, "ImportID")
        before = lists(world)
        assert codes(world.run([title])) == {title: {"number-reused"}}
        assert lists(world) == before
        with world.app() as app:
            told = explained(app, int(old["CustomerID"]), world.profiles(app, [title]))
        assert [one.reason for one in told.profiles] == [sentence("number-reused", {"customer": old["CustomerID"]})]

    def test_once_the_new_company_is_there_such_a_profile_finds_it(self, world, old):
        keyed_by(world, "Balances", "ImportID")
        ran(world)
        self.is_as_it_was(world, old)
        nothing_more(world)

    def test_who_is_found_by_the_cvr_number_is_not_somebody_else(self, world, old):
        keyed_by(world, "Balances", "CINumber")
        assert "number-reused" not in codes(world.run(["Balances"]))["Balances"]

    def test_rows_alone_wait_for_the_company(self, world, old):
        """Before the companies' profile ran, no contact goes to the old one."""
        before = lists(world)
        gives_to_somebody(world, int(old["CustomerID"]))
        world.control(
            "economic", "mutate",
            {"contacts": [{"customerContactNumber": 9001, "customerNumber": int(old["CustomerID"]), "sortKey": 9001,
                           "name": "New Person"}]},
        )  # fmt: skip
        result = world.run(["Contacts"])
        assert codes(result) == {"Contacts": {"company-missing"}}
        assert lists(world) == before
        ran(world)
        whole(world)


class TestWaiting:
    """Renumbered and renamed in the same breath: only the CVR number still agrees."""

    @pytest.fixture
    def old(self, world: World) -> int:
        number = three(world)[0]
        renumber(world, number, FREE)
        world.economic_change(FREE, name="Something Else A/S")
        return number

    def test_nothing_of_a_waiting_customer_is_written_or_flagged(self, world, old):
        before = lists(world)
        result = world.run()
        assert result.error is None
        assert codes(result) == {report.profile: set() for report in result.reports} | {
            "Customers": {"maybe-renumbered"}
        }
        assert lists(world) == before

    def test_its_rows_say_why_they_wait(self, world, old):
        with world.app() as app, app.session(World.profiles(app), app.run_options()) as session:
            plans = session.plan()
        for one in plans:
            left = {(row.code, row.outcome.value) for row in one.plan.left_out if row.code != "unmatched"}
            assert left == {
                ("maybe-renumbered", "Failed") if one.profile.title == "Customers" else ("company-waits", "Skipped")
            }

    def test_contacts_alone_are_not_flagged_either(self, world, old):
        before = lists(world)
        world.run(["Contacts"])
        assert lists(world) == before

    def test_a_new_holder_of_the_old_number_waits_too(self, world, old):
        before = lists(world)
        gives_to_somebody(world, old)
        result = world.run()
        assert codes(result)["Customers"] == {"maybe-renumbered", "number-waits"}
        assert lists(world) == before

    @pytest.mark.parametrize("answer", ["same", "other"])
    @pytest.mark.parametrize("given_away", [True, False])
    def test_after_the_answer_all_is_right(self, world, old, answer, given_away):
        before = items(world, old)
        if given_away:
            gives_to_somebody(world, old)
        world.run()
        console = make_console(world)
        browser = console.browser()
        assert browser.post("/manage/link/default", data={answer: f"{old}:{FREE}"}).status_code == 200
        browser.post("/manage/api/runs", json={"overrideBrake": True})
        console.work()
        (new,) = items(world, FREE)["Companies"]
        assert ([new] == before["Companies"]) == (answer == "same")
        if answer == "same":
            assert items(world, FREE) == before
        assert len(items(world, old)["Companies"]) == (given_away or answer == "other")
        if given_away:
            assert items(world, old)["Companies"] != before["Companies"]


@pytest.mark.parametrize(
    ("theirs", "waits"), [({}, True), ({"CINumber": "66000066"}, True), ({"CINumber": "77000077"}, False)]
)
def test_a_customer_with_the_ean_number_of_a_company_without_a_number_waits(world, theirs, waits):
    """It belongs to one party, so no second company is made, unless the CVR numbers say that they are two; the link
    assistant offers whom a run holds."""
    item = world.post("Companies", {"Title": "Known To People", "EAN": "5790001234567", **theirs})
    gives_to_somebody(
        world, FREE, name="Known Elsewhere", corporateIdentificationNumber="66000066", ean="5790001234567"
    )
    assert codes(world.run(["Customers"])) == {"Customers": {"maybe-known"} if waits else set()}
    with world.app() as opened:
        offered = opened.link_assistant().suggestions().offered
    assert not waits or (item, FREE) in offered


def test_rows_of_a_customer_that_people_may_know_already_say_why_they_wait(world):
    """A company without a number has its CVR number."""
    world.post("Companies", {"Title": "Known To People", "CINumber": "66000066"})
    gives_to_somebody(world, FREE, name="Known To People", corporateIdentificationNumber="66000066")
    contact = {"customerContactNumber": 9001, "customerNumber": FREE, "sortKey": 9001, "name": "New Person"}
    world.control("economic", "mutate", {"contacts": [contact]})
    result = world.run(["Customers", "Contacts"])
    assert codes(result) == {"Customers": {"maybe-known"}, "Contacts": set()}
    assert [report.ledger.skipped for report in result.reports][1] == 1


class TestPrivatePersons:
    """No CVR number on either side: the facts beside the name decide."""

    @pytest.fixture
    def person(self, world: World) -> int:
        number = three(world)[0]
        (item,) = items(world, number)["Companies"]
        world.economic_change(number, name="Anna Jensen", corporateIdentificationNumber=None)
        world.merge("Companies", item, {"CINumber": None})
        ran(world)
        world.economic_change(
            number, email="anna@jensen.example", address="Bakkevej 3", zip="8000", telephoneAndFaxNumber="86111111"
        )
        ran(world)
        world.merge("Companies", item, {"CompanyType": "Partner"})
        return number

    def test_somebody_else_is_not_written_over_the_old_company(self, world, person):
        before = lists(world)
        world.economic_change(person, **OTHER)
        result = world.run()
        assert codes(result) == {report.profile: set() for report in result.reports} | {"Customers": {"maybe-other"}}
        assert lists(world) == before

    @pytest.mark.parametrize("kept", ["name", "email", "address", "telephoneAndFaxNumber"])
    def test_who_kept_one_of_these_is_the_same(self, world, person, kept):
        (item,) = items(world, person)["Companies"]
        changes = {name: value for name, value in OTHER.items() if name != kept}
        if kept == "address":
            del changes["zip"]
        world.economic_change(person, **changes)
        ran(world)
        assert items(world, person)["Companies"] == [item]
        nothing_more(world)

    @pytest.mark.parametrize("same", [True, False])
    def test_a_persons_answer_by_command(self, world, person, tmp_path, monkeypatch, same):
        (item,) = items(world, person)["Companies"]
        world.economic_change(person, **OTHER)
        world.run()
        world.commands_here(monkeypatch, tmp_path, SYNC_DATA_DIR=str(tmp_path))
        run = lambda *words: CliRunner().invoke(commands, list(words))  # noqa: E731
        assert f"{person}={person}" in run("link").output
        run("link", "--renumbered" if same else "--not-renumbered", f"{person}={person}")
        ended = run("run", "--all", "--yes-really")
        assert ended.exit_code == 0, ended.output
        (now,) = items(world, person)["Companies"]
        assert (now == item) == same
        assert company(world, now)["Title"] == "Bent Holm"
        if not same:
            old = company(world, item)
            assert (old["Title"], old["CustomerID"], old["ERPStatus"]) == ("Anna Jensen", None, "Missing in ERP")
        assert company(world, item)["CompanyType"] == "Partner"
        whole(world)

    def test_a_yes_is_good_for_the_customer_it_was_given_for(self, world, person, tmp_path, monkeypatch):
        """Also under another phone number; when yet another one has the number, a person is asked anew."""
        (item,) = items(world, person)["Companies"]
        world.economic_change(person, **OTHER)
        world.run()
        world.commands_here(monkeypatch, tmp_path, SYNC_DATA_DIR=str(tmp_path))
        run = lambda *words: CliRunner().invoke(commands, list(words))  # noqa: E731
        assert run("link", "--renumbered", f"{person}={person}").exit_code == 0
        world.economic_change(person, telephoneAndFaxNumber="99887766")
        ended = run("run", "--all", "--yes-really")
        assert ended.exit_code == 0, ended.output
        assert company(world, item)["Title"] == "Bent Holm"
        world.economic_change(person, **THIRD)
        assert run("run", "--all", "--yes-really").exit_code == 1
        assert f"{person}={person}" in run("link").output
        assert company(world, item)["Title"] == "Bent Holm"
