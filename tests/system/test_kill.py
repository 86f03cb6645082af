"""Killed anywhere, started again: the same lists as if nothing had happened."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.world import World
from tests.support.zygote import Zygote
from worker.domain.report import RunStatus

# Parts let two test processes share the work; together they cover both days.
PARTS = 3
GOOD = {RunStatus.SUCCEEDED, RunStatus.WITH_ERRORS}
HUMAN_TITLE = "Purchasing manager (typed by a person)"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs SIGKILL and fork; other systems run the rest"),
]


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    """Makes worker processes."""
    with Zygote() as zygote:
        yield zygote


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A tiny agreement and a provisioned, still empty CRM with prospects in it."""
    with World(tmp_path_factory.mktemp("kill")) as world:
        world.set_up()
        yield world


def uninterrupted(world: World, zygote: Zygote) -> tuple[dict[str, Any], dict[str, int]]:
    """What the lists hold after a run that nobody disturbed, and how many requests each side saw."""
    for side in ("economic", "sharepoint"):
        world.control(side, "stats/reset", {})
    zygote.start(world.environment())
    assert zygote.ended() in (0, 1)
    counts = {side: world.control(side, "stats")["total"]["requests"] for side in ("economic", "sharepoint")}
    return world.truth(), counts


def boundaries(counts: dict[str, int]) -> list[tuple[str, int, str]]:
    """Every SharePoint request, in turn before it is handled and after it was committed; every e-conomic request."""
    when = ("after", "before")
    return [("sharepoint", at, when[at % 2]) for at in range(1, counts["sharepoint"] + 1)] + [
        ("economic", at, "before") for at in range(1, counts["economic"] + 1)
    ]


def kill_at(world: World, zygote: Zygote, side: str, at: int, when: str) -> None:
    """Starts the worker and kills it (SIGKILL) while the chosen request is in hand."""
    world.control(side, "hold", {"at": at, "when": when})
    child = zygote.start(world.environment())
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(zygote.ended)
        # A worker that ends before the boundary must not leave us waiting for it.
        ended.add_done_callback(lambda _: world.release(side))
        holding = world.control(side, "hold/wait")["holding"]
        if holding:
            os.kill(child, signal.SIGKILL)
        assert_killed(ended, holding, (side, at, when))


def assert_killed(ended: Future[int], holding: bool, where: tuple[str, int, str]) -> None:
    status = ended.result()
    assert holding, f"the worker ended with {status} before {where}"
    assert status == -signal.SIGKILL


def check_all(world: World, zygote: Zygote, part: int) -> int:
    """Kills at every boundary of this part from the same start; returns how many."""
    world.snapshot()
    expected, counts = uninterrupted(world, zygote)
    chosen = boundaries(counts)[part::PARTS]
    for side, at, when in chosen:
        world.restore()
        kill_at(world, zygote, side, at, when)
        result = world.run()
        assert result.error is None, (side, at, when, result.error)
        assert all(report.status in GOOD for report in result.reports), (side, at, when, result.reports)
        assert world.truth() == expected, (side, at, when)
    world.restore()
    return len(chosen)


@pytest.mark.parametrize("part", range(PARTS))
def test_first_load_killed_at_every_request_finishes_right(world, zygote, part):
    """Nothing doubled, nothing lost, whatever request the kill hits."""
    assert check_all(world, zygote, part) >= 20


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_next_day_killed_at_every_request_keeps_human_edits(tmp_path, zygote, part):
    """The second night changes, creates and flags; what people typed stays."""
    with World(tmp_path) as world:
        world.set_up()
        world.run()
        contact = world.rows("Contacts")[0]
        world.merge("Contacts", contact["Id"], {"JobTitle": HUMAN_TITLE})
        world.next_day()
        assert check_all(world, zygote, part) >= 18
        world.run()
        assert HUMAN_TITLE in {row.get("JobTitle") for row in world.rows("Contacts")}
