"""One renumbered customer brought up to date alone: the same companies and rows as the night leaves, and never two."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from typer.testing import CliRunner

from tests.support.world import World
from tests.support.zygote import Zygote, killed_at
from tests.system.test_life_cycle import NEW, of_customer, renumber, with_everything
from tests.unit.web.conftest import Console, make_console
from worker.cli.app import app as commands
from worker.engine.hints import HintBook
from worker.sync.live import LiveResult
from worker.wiring.earlier import beside
from worker.wiring.errands import live_sync

NAMES = 4  # requests for the names customers refer to, once per source
LISTS = 9  # columns and, twice, rows of each list that points to companies


def single(world: World, *numbers: int) -> LiveResult:
    with world.app() as app:
        result = live_sync(app, list(numbers or (NEW,)))
    assert result.session.error is None
    return result


def written(world: World) -> int:
    """Changes of a night that nobody gave a reason."""
    ledgers = [report.ledger for report in world.run().reports]
    return sum(one.created + one.updated + one.flagged for one in ledgers)


def ids(world: World) -> dict[str, list[int]]:
    """Every item of the data lists: none is added, none is lost."""
    titles = ("Companies", "Contacts", "Invoices", "Sales statistics")
    return {title: sorted(row["Id"] for row in world.rows(title)) for title in titles}


def unlike(world: World) -> list[int]:
    """Customers of which nobody else has the name, with a CVR number."""
    names = Counter(one["name"] for one in world.data.customers)
    return [
        one["customerNumber"]
        for one in world.data.customers
        if len(one.get("corporateIdentificationNumber", "")) >= 8 and names[one["name"]] == 1
    ]


class TestLeftBehind:
    """The company has its new number already; its rows still carry the old one."""

    def test_rows_whose_company_was_renumbered_before_them(self, world):
        old = with_everything(world)["customerNumber"]
        before, everything = of_customer(world, old), ids(world)
        renumber(world, old)
        world.run(["Customers"])
        single(world)
        assert of_customer(world, NEW) == before
        assert ids(world) == everything
        assert written(world) == 0

    def test_after_two_renumberings(self, world):
        """The rows carry the first number, the company the second, e-conomic has the third."""
        old = with_everything(world)["customerNumber"]
        before, everything = of_customer(world, old), ids(world)
        renumber(world, old, 880_000)
        world.run(["Customers"])
        renumber(world, 880_000)
        single(world)
        assert of_customer(world, NEW) == before
        assert ids(world) == everything

    def test_a_contact_that_a_person_gave_to_another_company_stays_its_customers(self, world):
        number = with_everything(world)["customerNumber"]
        before = of_customer(world, number)
        other = next(row for row in world.rows("Companies") if row["CustomerID"] not in (None, str(number)))
        world.merge("Contacts", before["Contacts"][0], {"CompanyId": other["Id"]})
        single(world, int(other["CustomerID"]))
        assert of_customer(world, number) == before


def test_a_customer_that_vanished_is_flagged_as_by_the_night(world):
    """With the day, and its contacts for a person's review: no later run would fill them."""
    number = with_everything(world)["customerNumber"]
    with world.economic_store.transaction() as db:
        db.execute("DELETE FROM customers WHERE number = ?", (number,))
        db.execute("UPDATE contacts SET deleted = 1 WHERE customer = ?", (number,))
    single(world, number)
    (company,) = [row for row in world.rows("Companies") if row["CustomerID"] == str(number)]
    contacts = [row for row in world.rows("Contacts") if row["CompanyCustomerID"] == str(number)]
    assert contacts
    assert {row["ERPStatus"] for row in [company, *contacts]} == {"Missing in ERP"}
    assert all(row["ERPMissingSince"] for row in [company, *contacts])
    assert {row["PrivacyReview"] for row in contacts} == {"To do"}
    assert written(world) == 0


class TestUncertain:
    """What the night asks a person about a single sync asks too, and makes no second company."""

    @pytest.fixture
    def old(self, world):
        """A customer without a CVR number, in step on both sides."""
        number = with_everything(world)["customerNumber"]
        world.economic_change(number, corporateIdentificationNumber=None)
        world.run()
        item = of_customer(world, number)["Companies"][0]
        world.merge("Companies", item, {"CINumber": None})
        return number

    def held(self, result: LiveResult) -> list[tuple[str, str]]:
        reports = [one for one in result.session.reports if one.profile == "Customers"]
        return [(row.key, row.facts["old"]) for row in reports[0].rows if row.code == "maybe-renumbered"]

    def test_the_same_name_and_address_is_asked_about(self, world, old):
        before, everything = of_customer(world, old), ids(world)
        renumber(world, old)
        assert self.held(single(world)) == [(str(NEW), str(old))]
        assert (of_customer(world, old), ids(world)) == (before, everything)
        assert not any(of_customer(world, NEW).values())

    def test_it_writes_what_the_night_writes(self, world, old):
        renumber(world, old)
        single(world)
        truth = world.truth()
        world.run()
        assert world.truth() == truth

    def test_a_name_that_is_spelt_another_way_too(self, world, old):
        everything = ids(world)
        renumber(world, old)
        name = world.economic_call("GET", f"/customers/{NEW}")["name"]
        world.economic_change(NEW, name=f"{name.upper()}  ")
        assert self.held(single(world)) == [(str(NEW), str(old))]
        assert ids(world) == everything

    def test_a_person_s_yes_is_done_at_once(self, world, old, tmp_path, monkeypatch):
        before = of_customer(world, old)
        renumber(world, old)
        world.economic_change(NEW, name="Something Else A/S", email=None)
        world.commands_here(monkeypatch, tmp_path, SYNC_DATA_DIR=str(tmp_path))
        assert CliRunner().invoke(commands, ["link", "--renumbered", f"{old}={NEW}"]).exit_code == 0
        assert CliRunner().invoke(commands, ["run", "--customer", str(NEW)]).exit_code == 0
        assert of_customer(world, NEW) == before

    def test_a_namesake_that_is_still_a_customer_is_left_alone(self, world, old):
        """A new customer of the same name and address gets its company, as at night."""
        before = of_customer(world, old)
        made = world.economic_call("GET", f"/customers/{old}")
        number = world.economic_call("POST", "/customers", {**made, "customerNumber": NEW})["customerNumber"]
        result = single(world, number)
        assert result.numbers == (NEW,)
        assert len(of_customer(world, NEW)["Companies"]) == 1
        assert of_customer(world, old) == before

    def test_two_new_customers_of_one_cvr_number_are_both_asked_about(self, world):
        """Which of them the vanished one became nobody can tell, though only one was named."""
        old = with_everything(world)["customerNumber"]
        everything = ids(world)
        renumber(world, old)
        twin = world.economic_call("GET", f"/customers/{NEW}")
        world.economic_call("POST", "/customers", {**twin, "customerNumber": NEW + 1})
        assert self.held(single(world)) == [(str(NEW), str(old)), (str(NEW + 1), str(old))]
        assert ids(world) == everything


class TestBeside:
    """What is seen beside a customer whose number changed hands: all that the night would look at together."""

    @pytest.fixture
    def shifted(self, world) -> list[int]:
        """Each of three customers got the number of the next, the last one a free one."""
        a, b, c = unlike(world)[:3]
        for old, new in ((c, NEW), (b, c), (a, b)):
            renumber(world, old, new)
        return [a, b, c, NEW]

    def test_rows_lead_to_a_customer_whose_company_is_yet_to_be_found(self, world):
        """A swap that was done by half: the rows of the one carry the number of the other, whose company is on its way
        to it."""
        a, b = str(with_everything(world)["customerNumber"]), str(unlike(world)[-1])
        for old, new in ((a, NEW), (b, a), (NEW, b)):
            renumber(world, int(old), int(new))
        item = {row["CustomerID"]: row["Id"] for row in world.rows("Companies")}
        world.merge("Companies", item[b], {"CustomerID": f"was {b}"})
        world.merge("Companies", item[a], {"CustomerID": b})
        with world.app() as app:
            assert beside(app, World.profiles(app), [int(b)]) == [a, f"was {b}"]

    def test_rows_lead_to_the_company_they_point_to(self, world):
        """Its own number was changed; the one they carry still is somebody else's by now."""
        a, b = with_everything(world)["customerNumber"], unlike(world)[-1]
        item = of_customer(world, a)["Companies"][0]
        renumber(world, a)
        world.merge("Companies", item, {"CustomerID": str(NEW)})
        renumber(world, b, a)
        world.merge("Companies", of_customer(world, b)["Companies"][0], {"CustomerID": str(a)})
        assert NEW in self.around(world, a)

    def around(self, world: World, number: int) -> list[int]:
        with world.app() as app:
            return sorted([number, *map(int, beside(app, World.profiles(app), [number]))])

    def test_a_row_of_numbers_is_followed_from_wherever_one_begins(self, world, shifted):
        assert [self.around(world, number) for number in shifted] == [sorted(shifted)] * 4

    def test_nobody_else_is(self, world, shifted):
        others = {one["customerNumber"] for one in world.data.customers} - set(shifted)
        assert [self.around(world, number) for number in sorted(others)] == [[number] for number in sorted(others)]

    def test_too_many_are_left_to_the_night(self, world, shifted, tmp_path, monkeypatch):
        before = world.truth()
        monkeypatch.setattr("worker.wiring.earlier.MOST_BESIDE", 1)
        world.commands_here(monkeypatch, tmp_path, SYNC_DATA_DIR=str(tmp_path))
        refused = CliRunner().invoke(commands, ["run", "--customer", str(NEW)])
        assert refused.exit_code == 3
        assert "The nightly run brings these items up to date." in " ".join(refused.output.split())
        console = make_console(world)
        call(console, shifted[0], shifted[1])
        console.work()
        pending = HintBook(console.host.stores.records, "default").read()
        assert not pending.waits
        assert "Too many customers" in pending.done[-1].problem
        assert world.truth() == before

    def test_by_its_old_number_alone(self, world):
        old = with_everything(world)["customerNumber"]
        before, everything = of_customer(world, old), ids(world)
        renumber(world, old)
        single(world, old)
        assert (of_customer(world, NEW), ids(world)) == (before, everything)
        assert written(world) == 0

    @pytest.mark.parametrize("name", ["Tab og A/S\t", "50% (x) *, $and: [A] 'B' \"C\" & Søn 🌻", "x" * 255])
    def test_a_company_that_vanished_is_looked_for_by_whatever_name(self, world, name):
        item = world.post("Companies", {"Title": name, "CustomerID": "777777", "ERPStatus": "Active"})
        with world.app() as app:
            assert beside(app, World.profiles(app), [777_777]) == []
        made = world.economic_call("GET", f"/customers/{with_everything(world)['customerNumber']}")
        plain = {"name": name.strip(), "corporateIdentificationNumber": None, "zip": "8000"}
        values = {key: value for key, value in {**made, **plain}.items() if value is not None}
        world.economic_call("POST", "/customers", {**values, "customerNumber": NEW})
        world.merge("Companies", item, {"Zip": "8000"})
        with world.app() as app:
            assert beside(app, World.profiles(app), [777_777]) == [str(NEW)]
            assert beside(app, World.profiles(app), [NEW]) == ["777777"]

    def test_a_customer_in_step_takes_no_read_of_all_companies(self, world):
        number = with_everything(world)["customerNumber"]
        with world.app() as app:
            profiles = World.profiles(app)
            app.companies(["CustomerID"])
            before = app.source.usage().requests, app.site.usage().requests
            assert beside(app, profiles, [number]) == []
            assert app.source.usage().requests - before[0] <= 1 + NAMES
            assert app.site.usage().requests - before[1] <= 1 + LISTS


class TestCalls:
    """Webhooks that name old and new number."""

    @pytest.mark.parametrize("looked_at", ["at the end", "before the next"])
    def test_a_number_that_changed_twice(self, world, looked_at):
        """The name alone would make neither certain. Each call is looked at before the next, or both at the end."""
        old = with_everything(world)["customerNumber"]
        world.economic_change(old, corporateIdentificationNumber=None)
        world.run()
        before, everything = of_customer(world, old), ids(world)
        renumber(world, old, 880_000)
        renumber(world, 880_000)
        console = make_console(world)
        for pair in ((old, 880_000), (880_000, NEW)):
            call(console, *pair)
            if looked_at == "before the next":
                console.work()
        console.work()
        assert (of_customer(world, NEW), ids(world)) == (before, everything)
        assert HintBook(console.host.stores.records, "default").read().renumbered == {}

    def test_what_waits_for_a_person_is_kept_link_by_link(self, world):
        """The calls name a stranger; the night after must know still that it may be the one."""
        old = with_everything(world)["customerNumber"]
        everything = ids(world)
        renumber(world, old, 880_000)
        renumber(world, 880_000)
        world.economic_change(NEW, name="Something Else A/S", corporateIdentificationNumber=None)
        console = make_console(world)
        call(console, old, 880_000)
        call(console, 880_000, NEW)
        console.work()
        assert ids(world) == everything
        told = HintBook(console.host.stores.records, "default").read().renumbered
        assert told == {str(old): 880_000, "880000": NEW}


def call(console: Console, old: int, new: int) -> None:
    secret = console.host.hook_secrets.make("default")
    body = {"event": "CUSTOMER_UPDATED", "old": str(old), "new": str(new)}
    assert console.client().post(f"/hooks/economic/{secret}", json=body).status_code == 204


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs SIGKILL and fork")
@pytest.mark.parametrize(("side", "when"), [("sharepoint", "before"), ("sharepoint", "after"), ("economic", "before")])
def test_killed_at_every_request_and_run_again_nothing_is_doubled(tmp_path, side, when):
    """The same command again, then a night: the same items under the new number, and nothing left to write."""
    words = ["run", "--customer", str(NEW)]
    with World(tmp_path, patient=False) as world, Zygote() as zygote:
        world.set_up()
        world.run()
        old = with_everything(world)["customerNumber"]
        before, everything = of_customer(world, old), ids(world)
        renumber(world, old)
        world.snapshot()
        for at in range(1, 200):
            world.restore_all()
            killed = killed_at(world, zygote, (side, at, when), words, world.environment())
            single(world)
            assert (of_customer(world, NEW), ids(world)) == (before, everything), (side, at, when)
            assert written(world) == 0, (side, at, when)
            if not killed:
                break
        assert at > 10
