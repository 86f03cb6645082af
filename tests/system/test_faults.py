"""Every fault switch at 5 % and 30 %: the lists end as if nothing had happened."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.world import World
from worker.domain.report import RunStatus
from worker.errors import RetriableError

ECONOMIC = ["429", "429-no-retry-after", "500", "503", "cut", "truncated-json", "html", "slow", "timeout"]
SHAREPOINT = [
    "429",
    "503",
    "503-no-retry-after",
    "part-429",
    "part-503",
    "500-after-commit",
    "cut",
    "html",
    "truncated-batch",
    "expired-token",
    "slow",
]
FAULTS = [("economic", name) for name in ECONOMIC] + [("sharepoint", name) for name in SHAREPOINT]
GOOD = {RunStatus.SUCCEEDED, RunStatus.WITH_ERRORS}
# A session may give up when the service keeps failing; the next night goes on. More would be no progress.
NIGHTS = 40


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Provisioned and empty; the retry policy keeps its limits but does not wait."""
    with World(tmp_path_factory.mktemp("faults"), patient=False) as world:
        world.set_up()
        world.snapshot()
        sides = ("economic", "sharepoint")
        for side in sides:
            world.control(side, "stats/reset", {})
        world.run()
        world.calm = {side: world.control(side, "stats")["total"]["requests"] for side in sides}
        world.expected = world.truth()
        yield world


def nights_until_done(world: World) -> int:
    """Runs night after night until one goes through; returns how many it took."""
    for night in range(1, NIGHTS + 1):
        result = world.run()
        if result.error is None and all(report.status in GOOD for report in result.reports):
            return night
    raise AssertionError(f"still failing after {NIGHTS} nights: {result.error}, {result.reports[-1:]}")


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.05, 0.3])
@pytest.mark.parametrize(("side", "name"), FAULTS)
def test_a_faulty_service_changes_nothing_in_the_end(world, side, name, rate):
    """No row doubled, none lost, whatever the service does on the way."""
    world.restore()
    world.control(side, "faults", {name: rate, "once": {name: 1}})  # at least once, whatever the dice say
    world.control(side, "stats/reset", {})
    try:
        nights = nights_until_done(world)
    finally:
        requests = world.control(side, "stats")["total"]["requests"]
        world.control(side, "faults", {})
    # Being slow is felt by nobody but the clock.
    assert nights > 1 or requests > world.calm[side] or name == "slow", "the fault was not felt"
    assert world.truth() == world.expected


def test_a_service_that_is_down_ends_the_session_with_one_sentence(tmp_path):
    """Nothing half-written, and the error says that trying later is enough."""
    with World(tmp_path, patient=False) as world:
        world.set_up()
        world.control("economic", "faults", {"503": 1.0})
        result = world.run()
        assert isinstance(result.error, RetriableError)
        assert world.rows("Companies") == [] or all(not r.get("CustomerID") for r in world.rows("Companies"))
