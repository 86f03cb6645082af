"""One customer explained from its own rows alone: the same story as from the whole agreement, at a small price."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.world import World
from worker.cli.app import app as cli
from worker.sync.explain import story_data
from worker.wiring.explaining import explained

MOST = 12  # requests to e-conomic that explaining one customer may cost; two find who else had its number


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The generated agreement of two hundred customers, synced once, and one name changed since."""
    with World(tmp_path_factory.mktemp("explain"), "small") as world:
        world.set_up()
        assert world.run().error is None
        renamed = [{**one, "name": f"Ny {one['name']}"[:250]} for one in world.data.customers[::7]]
        world.control("economic", "mutate", {"customers": renamed})
        yield world


def special(world: World) -> dict[str, int]:
    """A customer of each kind that is read in its own way."""
    customers, invoices = list(world.data.customers), list(world.data.invoices)
    bought = Counter(one["customer"]["customerNumber"] for one in invoices)
    credited = Counter(one["customer"]["customerNumber"] for one in invoices if one["netAmount"] < 0)
    numbers = [one["customerNumber"] for one in customers]
    return {
        "first": numbers[0],
        "barred": next(one["customerNumber"] for one in customers if one.get("barred")),
        "foreign currency": next(
            one["customerNumber"] for one in customers if one["currency"] != "DKK" and bought[one["customerNumber"]]
        ),
        "without invoices": next(number for number in numbers if not bought[number]),
        "with credit notes": credited.most_common(1)[0][0],
        "busiest": bought.most_common(1)[0][0],
    }


def without_run_id(story: dict[str, Any]) -> dict[str, Any]:
    """Each session has an id of its own."""
    for profile in story["profiles"]:
        profile["fields"] = [
            {**field, "sourceValue": "", "wanted": ""} if field["source"] == "RunID" else field
            for field in profile["fields"]
        ]
    return story


@pytest.mark.slow
@pytest.mark.parametrize("titles", [(), ("Customers",), ("Balances",), ("Customers", "Invoices")], ids=str)
def test_the_story_is_the_one_of_the_whole_agreement(world: World, titles: tuple[str, ...]) -> None:
    """Every value, count and verdict, whichever profiles ask: for barred, foreign, idle and credited customers."""
    with world.app() as app:
        profiles = world.profiles(app, titles)
        for kind, number in special(world).items():
            with app.session(profiles, app.run_options()) as whole:
                expected = whole.explain(number)
            found = explained(app, number, profiles)
            assert expected is not None
            assert found is not None
            assert without_run_id(story_data(found)) == without_run_id(story_data(expected)), kind


def test_explaining_costs_a_handful_of_requests(world: World) -> None:
    """By e-conomic's own count, for every kind of customer and all profiles; nothing is written on either side."""
    for number in special(world).values():
        world.control("economic", "stats/reset", {})
        world.control("sharepoint", "stats/reset", {})
        result = CliRunner().invoke(cli, ["explain", str(number), "--json"], env=world.environment())
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["customer"] == number
        total = world.control("economic", "stats")["total"]
        assert total["requests"] <= MOST
        assert total["writes"] == world.control("sharepoint", "stats")["total"]["writes"] == 0


def test_a_number_that_nobody_has_is_said_at_once(world: World) -> None:
    """Who asks for a customer that is not there pays for the agreement and that one look."""
    taken = {one["customerNumber"] for one in world.data.customers}
    for number in (max(taken) + 1, 4_711_000_000):
        world.control("economic", "stats/reset", {})
        result = CliRunner().invoke(cli, ["explain", str(number)], env=world.environment())
        assert result.exit_code == 3
        assert f"no customer {number}" in result.stderr
        assert world.control("economic", "stats")["total"]["requests"] <= 2
