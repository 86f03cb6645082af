"""The link assistant over both emulators: by command and on its page."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.fakes.fake_work import make_fake_stores
from tests.support.commands import command
from tests.support.world import MovableClock, World
from tests.unit.web.conftest import Console, make_console
from worker.cli.app import app
from worker.engine.names import work_name
from worker.errors import BusyError
from worker.sync import linking
from worker.sync.linking import Link, Linked
from worker.web.console import linking as page
from worker.web.links import Links
from worker.wiring.decisions import DecisionBook
from worker.wiring.holding import held
from worker.wiring.linking import accept_links


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A CRM that people filled before the sync: three customers without their numbers, and a stranger."""
    with World(tmp_path, patient=False) as made:
        made.set_up()
        made.commands_here(monkeypatch, tmp_path)
        yield made


@pytest.fixture
def typed(world: World) -> dict[int, int]:
    """Item id -> true customer number of three companies that were typed by hand."""
    with_cvr = [
        c for c in world.data.customers if re.fullmatch(r"(DK)?\d{8}", c.get("corporateIdentificationNumber", ""))
    ]
    found = {}
    for one in with_cvr[:3]:
        values = {"Title": one["name"].upper(), "CINumber": one["corporateIdentificationNumber"], "Phone": "kept"}
        found[world.post("Companies", values)] = one["customerNumber"]
    assert len(found) == 3
    return found


def link(*words: str, ends: int = 0) -> Any:
    return command("link", *words, ends=ends)


def numbers(world: World) -> dict[int, str]:
    return {row["Id"]: row["CustomerID"] for row in world.rows("Companies")}


def press(browser: Any, button: str, text: str) -> Any:
    """A button of the page, or all that is ticked on it."""
    values = re.findall(rf'name="{button}" value="([^"]+)"(?: checked)?>', text)
    ticked = re.findall(rf'name="{button}" value="([^"]+)" checked', text) or values
    data = {"csrf": browser.headers["X-CSRF-Token"], button: [html.unescape(one) for one in ticked]}
    return browser.post("/manage/link/default", data=data)


def pair_of(text: str, item: int, number: int) -> str:
    """As the page's box has it."""
    return html.unescape(re.search(rf'name="pair" value="({item}:{number}:[^"]+)"', text)[1])


def test_what_is_offered_is_only_shown(world, typed):
    before = world.truth()
    found = link("--json")
    certain = {one["item"]: one["candidates"][0]["customer"] for one in found["matches"] if one["certain"]}
    assert certain.items() >= typed.items()
    assert world.truth() == before


def test_certain_ones_are_accepted_at_once_and_a_run_makes_no_doubles(world, typed):
    link("--accept-certain")
    assert {item: number for item, number in numbers(world).items() if item in typed} == {
        item: str(number) for item, number in typed.items()
    }
    kept = [row for row in world.rows("Companies") if row["Id"] in typed]
    assert {row["Phone"] for row in kept} == {"kept"}, "nothing but the number is written"
    world.run(["Customers"])
    carried = [number for number in numbers(world).values() if number]
    assert len(carried) == len(set(carried)) == len(world.data.customers)


def test_without_a_yes_or_no_a_run_makes_no_doubles_of_companies_with_a_customers_cvr_number(world, typed):
    """Each waits for a person; a yes lets the run fill the company, a no lets it make another one."""
    (first, second, third), (one, two, three) = list(typed), list(typed.values())
    link("--accept", f"{first}={one}", "--refuse", f"{second}={two}")
    result = CliRunner().invoke(app, ["run", "Customers"])
    assert result.exit_code == 1, result.output
    found = numbers(world)
    carried = [number for number in found.values() if number]
    assert (found[first], found[second], found[third]) == (str(one), None, None)
    assert carried.count(str(one)) == carried.count(str(two)) == 1
    assert str(three) not in carried
    (row,) = [row for row in world.rows("Sync row results") if row["SourceKey"] == str(three)]
    assert f"company {third}" in row["Reason"]
    assert "Link companies" in row["Hint"]


def test_one_is_accepted_and_one_refused_for_good(world, typed):
    (first, second, _third), (one, two, _) = list(typed), list(typed.values())
    link("--accept", f"{first}={one}", "--refuse", f"{second}={two}")
    assert numbers(world)[first] == str(one)
    assert not numbers(world)[second]
    again = link("--json")
    offered = {(match["item"], one["customer"]) for match in again["matches"] for one in match["candidates"]}
    assert (second, two) not in offered
    assert first not in {item for item, _ in offered}


def test_a_new_login_link_forgets_no_decision():
    """Old login links are cleared away when one is made; what people decided is not among them."""
    records = make_fake_stores(MovableClock()).records
    book = DecisionBook(records, "default")
    book.refuse([(1, 2)])
    Links(records).issue()
    assert book.read().refused == {(1, 2)}


@pytest.mark.parametrize("pair", ["x", "1=", "=2", "1=2=3", "999999=1", "1;2"])
def test_a_pair_that_is_none_is_told(world, typed, pair):
    output = link("--accept", pair, ends=2)
    assert "economic-sync link" in output or "Write it like" in output
    assert not [number for item, number in numbers(world).items() if item in typed and number]


def test_a_company_that_somebody_saved_meanwhile_is_left_alone(world, typed):
    """The version that was looked at guards the number."""
    (item, number), *_ = typed.items()
    with world.app() as opened:
        assistant = opened.link_assistant()
        version = next(m.company.version for m in assistant.suggestions().matches if m.company.item_id == item)
        world.merge("Companies", item, {"Title": "Saved by a person"})
        (done,) = assistant.accept([Link(item, number, version)])
    assert "meanwhile" in done.problem
    assert not numbers(world)[item]


def test_a_number_is_never_given_twice(world, typed):
    """Neither to two at once, nor when another company got it in between."""
    (item, number), (other, _), *_ = typed.items()
    with world.app() as opened:
        assistant = opened.link_assistant()
        versions = {m.company.item_id: m.company.version for m in assistant.suggestions().matches}
        both = [Link(item, number, versions[item]), Link(other, number, versions[other])]
        assert all(one.problem for one in assistant.accept(both))
        world.post("Companies", {"Title": "Faster", "CustomerID": str(number)})
        (late,) = assistant.accept([both[0]])
    assert "has the customer number" in late.problem
    assert list(numbers(world).values()).count(str(number)) == 1


def test_a_customer_that_is_gone_from_e_conomic_is_not_linked(world, typed):
    """Looked up right before it is written, by one request for all that were chosen; the others are written."""
    (item, number), *others = typed.items()
    with world.app() as opened:
        assistant = opened.link_assistant()
        versions = {m.company.item_id: m.company.version for m in assistant.suggestions().matches}
        world.control("economic", "renumber", {"old": number, "new": 900001})
        asked = world.control("economic", "stats")["total"]["requests"]
        done = assistant.accept([Link(one, to, versions[one]) for one, to in typed.items()])
        assert world.control("economic", "stats")["total"]["requests"] == asked + 1
    told = {one.link.item_id: one.problem for one in done}
    assert told == {item: f"Customer {number} is no longer in e-conomic."} | {one: "" for one, _ in others}
    assert {one: numbers(world)[one] for one in typed} == {item: None} | {one: str(to) for one, to in others}


def test_choices_that_exclude_each_other_write_nothing(world, typed):
    """Two debtors for one company, or one for two: not even the choices beside them are written."""
    (first, second, third), (one, two, three) = list(typed), list(typed.values())
    with world.app() as opened:
        assistant = opened.link_assistant()
        version = {match.company.item_id: match.company.version for match in assistant.suggestions().matches}
        for wrong in ((first, two), (second, one)):
            pairs = [(first, one), wrong, (third, three)]
            done = assistant.accept([Link(item, number, version[item]) for item, number in pairs])
            told = {(each.link.item_id, each.link.number): each.problem for each in done}
            assert "choose one" in told[first, one]
            assert "choose one" in told[wrong]
            assert "Nothing was written" in told[third, three]
    assert not [number for item, number in numbers(world).items() if item in typed and number]


def test_a_long_acceptance_is_remembered_batch_by_batch(world, typed, monkeypatch):
    """Whoever stops it, or is stopped, knows what was written."""
    monkeypatch.setattr(linking, "_BATCH", 1)
    kept: list[Linked] = []
    with world.app() as opened:
        assistant = opened.link_assistant()
        certain = [Link(m.company.item_id, m.candidates[0].number, m.company.version)
                   for m in assistant.suggestions().certain]  # fmt: skip
        done = assistant.accept(certain, keep=kept.extend, stop=lambda: len(kept) == 2)
    assert len(certain) > 2
    assert done == kept
    written = {item: number for item, number in numbers(world).items() if number}
    assert written == {one.link.item_id: str(one.link.number) for one in kept}
    assert len(written) == 2


class TestPage:
    """The same in the console."""

    @pytest.fixture
    def console(self, world: World, typed: dict[int, int]) -> Console:
        return make_console(world)

    def test_certain_ones_are_ticked_and_linked(self, console, world, typed):
        browser = console.browser()
        text = browser.get("/manage/link/default").text
        ticked = re.findall(r'name="pair" value="([^"]+)" checked', text)
        assert {int(pair.split(":")[0]) for pair in ticked} >= set(typed)
        pairs = [pair.replace("&#34;", '"').replace("&quot;", '"') for pair in ticked]
        answer = browser.post("/manage/link/default", data={"csrf": browser.headers["X-CSRF-Token"], "pair": pairs})
        assert "customer numbers were written" in answer.text
        assert {numbers(world)[item] for item in typed} == {str(number) for number in typed.values()}

    def test_all_certain_ones_are_counted_and_linked_at_once(self, console, world, typed):
        """However many there are, and nothing but what was counted."""
        browser = console.browser()
        text = browser.get("/manage/link/default").text
        certain = link("--json")["matches"]
        certain = {one["item"]: one["candidates"][0]["customer"] for one in certain if one["certain"]}
        assert f"Link all {len(certain)} certain matches" in text
        answer = press(browser, "certain", text)
        assert f"{len(certain)} customer numbers were written" in answer.text
        assert {item: number for item, number in numbers(world).items() if number} == {
            item: str(number) for item, number in certain.items()
        }
        assert 'id="certain"' not in answer.text

    def test_other_certain_ones_than_were_counted_are_not_linked(self, console, world, typed):
        (item, number), *_ = typed.items()
        browser = console.browser()
        text = browser.get("/manage/link/default").text
        DecisionBook(console.host.stores.records, "default").refuse([(item, number)])
        answer = press(browser, "certain", text)
        assert answer.status_code == 409
        assert "no longer those that were counted" in answer.text
        assert not any(numbers(world).values())

    def test_what_there_was_no_time_for_is_told_and_linked_next(self, console, world, typed, monkeypatch):
        monkeypatch.setattr(linking, "_BATCH", 1)
        monkeypatch.setattr(page, "_LONGEST", -1.0)
        browser = console.browser()
        text = browser.get("/manage/link/default").text
        count = int(re.search(r"Link all (\d+) certain", text)[1])
        answer = press(browser, "certain", text)
        assert f"There was no time for {count - 1} certain match" in answer.text
        assert sum(map(bool, numbers(world).values())) == 1
        monkeypatch.setattr(page, "_LONGEST", 60.0)
        press(browser, "certain", answer.text)
        assert sum(map(bool, numbers(world).values())) == count

    @pytest.mark.parametrize("button", ["certain", "pair"])
    def test_nothing_is_linked_beside_a_run(self, console, world, typed, button):
        """As by command: whoever is at the connection makes companies for the customers that are linked here."""
        browser = console.browser()
        text = browser.get("/manage/link/default").text
        with held(console.host.stores.leases, work_name("default"), BusyError("busy")):
            answer = press(browser, button, text)
        assert "A worker is at the connection" in answer.text
        assert not any(numbers(world).values())
        assert "written" in press(browser, button, text).text

    def test_two_ticks_for_one_company_write_nothing(self, console, world, typed):
        """The page says so in a sentence, and the ticks stay."""
        with console.host.open("default") as opened:
            assistant = opened.link_assistant()
            match = next(m for m in assistant.suggestions().matches if m.company.item_id in typed)
        (item, number), version = (match.company.item_id, match.candidates[0].number), match.company.version
        other = next(each for each in typed.values() if each != number)
        third = next(pair for pair in typed.items() if pair[0] != item and pair[1] != other)
        browser = console.browser()
        text = browser.get("/manage/link/default").text
        pairs = [f"{item}:{number}:{version}", f"{item}:{other}:{version}", pair_of(text, *third)]
        answer = browser.post("/manage/link/default", data={"csrf": browser.headers["X-CSRF-Token"], "pair": pairs})
        assert "chosen for one company: choose one. Nothing was written." in answer.text
        assert not any(numbers(world).values())
        ticked = [pair.partition(":")[0] for pair in re.findall(r'name="pair" value="([^"]+)" checked', answer.text)]
        assert {int(one) for one in ticked} == {item, third[0]}

    def test_what_no_page_would_offer_is_not_written(self, console, world, typed):
        """A tick that waited: somebody saved the company, or said no; a stranger's number; a version that fits all."""
        (saved, one), (refused, two), (third, three) = typed.items()
        browser = console.browser()
        text = browser.get("/manage/link/default").text
        pairs = [pair_of(text, saved, one), pair_of(text, refused, two), f"{third}:{three}:*", f"{third}:99999:1"]
        world.merge("Companies", saved, {"Title": "Saved by a person"})
        DecisionBook(console.host.stores.records, "default").refuse([(refused, two)])
        for pair in pairs:
            answer = browser.post("/manage/link/default", data={"csrf": browser.headers["X-CSRF-Token"], "pair": pair})
            assert re.search("look at it again|not offered for this company any more", answer.text), pair
        assert not any(numbers(world).values())

    def test_a_second_look_reads_neither_side(self, console, world, typed):
        """What was accepted is gone at once all the same, on this page and by command; what was refused too. Saying
        yes asks e-conomic once, whether the customer is there still."""
        (first, one), (second, two), (third, three) = typed.items()
        browser = console.browser()
        text = browser.get("/manage/link/default").text
        asked = world.control("economic", "stats")["total"]["requests"]
        browser.post(
            "/manage/link/default",
            data={"csrf": browser.headers["X-CSRF-Token"], "pair": pair_of(text, first, one)},
        )
        assert world.control("economic", "stats")["total"]["requests"] == asked + 1
        with world.app() as opened:
            book = DecisionBook(console.host.stores.records, "default")
            version = pair_of(text, second, two).rpartition(":")[2]
            accept_links(opened, book, [Link(second, two, version)], "a command")
        book.refuse([(third, three)])
        asked = world.control("economic", "stats")["total"]["requests"]
        before = world.control("sharepoint", "stats")["total"]["requests"]
        text = browser.get("/manage/link/default").text
        assert world.control("sharepoint", "stats")["total"]["requests"] == before
        assert world.control("economic", "stats")["total"]["requests"] == asked
        for item, number in typed.items():
            assert f'value="{item}:{number}:' not in text
        assert numbers(world)[second] == str(two)

    def test_both_sides_are_read_anew_when_asked_and_when_something_went_wrong(self, console, world, typed):
        (item, number), *_ = typed.items()
        browser = console.browser()
        text = browser.get("/manage/link/default").text
        stale = pair_of(text, item, number)
        world.merge("Companies", item, {"Phone": "70102030"})
        assert pair_of(browser.get("/manage/link/default").text, item, number) == stale
        fresh = pair_of(browser.get("/manage/link/default?anew=1").text, item, number)
        assert fresh != stale
        world.merge("Companies", item, {"Phone": "70102031"})
        data = {"csrf": browser.headers["X-CSRF-Token"], "pair": fresh}
        answer = browser.post("/manage/link/default", data=data)
        assert "Somebody saved the company meanwhile" in answer.text
        assert pair_of(answer.text, item, number) != fresh
        assert not numbers(world)[item]

    def test_a_no_is_remembered(self, console, world, typed):
        browser = console.browser()
        text = browser.get("/manage/link/default").text
        (item, number), *_ = typed.items()
        value = re.search(rf'name="refuse" value="({item}:{number}:[^"]+)"', text)
        browser.post(
            "/manage/link/default",
            data={"csrf": browser.headers["X-CSRF-Token"], "refuse": value[1].replace("&#34;", '"')},
        )
        assert f'value="{item}:{number}:' not in browser.get("/manage/link/default").text
        assert not numbers(world)[item]

    @pytest.mark.parametrize("pair", ["", "x", "1", "1:2", "1:2:", "a:b:c", "-1:2:x"])
    def test_garbage_is_nobodys_choice(self, console, world, typed, pair):
        before = numbers(world)
        browser = console.browser()
        browser.post("/manage/link/default", data={"csrf": browser.headers["X-CSRF-Token"], "pair": pair})
        assert numbers(world) == before
