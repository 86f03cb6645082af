"""The link assistant over both emulators: by command and on its page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.world import World
from tests.unit.web.conftest import Console, make_console
from worker.cli.app import app
from worker.sync.linking import Link


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A CRM that people filled before the sync: three customers without their numbers, and a stranger."""
    with World(tmp_path, patient=False) as made:
        made.set_up()
        for name, value in made.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
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
    result = CliRunner().invoke(app, ["link", *words])
    assert result.exit_code == ends, result.output
    return json.loads(result.stdout) if "--json" in words else result.output


def numbers(world: World) -> dict[int, str]:
    return {row["Id"]: row["CustomerID"] for row in world.rows("Companies")}


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


def test_one_is_accepted_and_one_refused_for_good(world, typed):
    (first, second, _third), (one, two, _) = list(typed), list(typed.values())
    link("--accept", f"{first}={one}", "--refuse", f"{second}={two}")
    assert numbers(world)[first] == str(one)
    assert not numbers(world)[second]
    again = link("--json")
    offered = {(match["item"], one["customer"]) for match in again["matches"] for one in match["candidates"]}
    assert (second, two) not in offered
    assert first not in {item for item, _ in offered}


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
