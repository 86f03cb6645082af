"""Killed anywhere, started again: the same lists as if nothing had happened."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.world import World
from worker.domain.report import RunStatus

# Shards let two test processes share the work; together they cover every boundary of both days.
SHARDS = 4
GOOD = {RunStatus.SUCCEEDED, RunStatus.WITH_ERRORS}
HUMAN_TITLE = "Purchasing manager (typed by a person)"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A tiny agreement and a provisioned, still empty CRM with prospects in it."""
    with World(tmp_path_factory.mktemp("kill")) as world:
        world.set_up()
        yield world


def start_worker(world: World) -> subprocess.Popen[bytes]:
    """The real command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "worker", "run", "--all"],
        env={**os.environ, **world.environment()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def uninterrupted(world: World) -> tuple[dict[str, Any], dict[str, int]]:
    """What the lists hold after a run that nobody disturbed, and how many requests each side saw."""
    for side in ("economic", "sharepoint"):
        world.control(side, "stats/reset", {})
    process = start_worker(world)
    assert process.wait(timeout=120) in (0, 1)
    counts = {side: world.control(side, "stats")["total"]["requests"] for side in ("economic", "sharepoint")}
    return world.truth(), counts


def boundaries(counts: dict[str, int]) -> list[tuple[str, int, str]]:
    """Every SharePoint request before it is handled and after it was committed; every e-conomic request before."""
    return [("sharepoint", at, when) for at in range(1, counts["sharepoint"] + 1) for when in ("before", "after")] + [
        ("economic", at, "before") for at in range(1, counts["economic"] + 1)
    ]


def kill_at(world: World, side: str, at: int, when: str) -> None:
    """Starts the worker and kills it (SIGKILL) while the chosen request is in hand."""
    world.control(side, "hold", {"at": at, "when": when})
    process = start_worker(world)
    try:
        assert world.control(side, "hold/wait")["holding"], "the worker ended before the boundary"
    finally:
        process.kill()
        process.wait()
        world.release(side)


def check_all(world: World, shard: int) -> int:
    """Kills at every boundary of this shard from the same start; returns how many."""
    world.snapshot()
    expected, counts = uninterrupted(world)
    chosen = boundaries(counts)[shard::SHARDS]
    for side, at, when in chosen:
        world.restore()
        kill_at(world, side, at, when)
        result = world.run()
        assert result.error is None, (side, at, when, result.error)
        assert all(report.status in GOOD for report in result.reports), (side, at, when, result.reports)
        assert world.truth() == expected, (side, at, when)
    world.restore()
    return len(chosen)


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(SHARDS))
def test_first_load_killed_at_every_request_boundary_finishes_right(world, shard):
    """Nothing doubled, nothing lost, whatever request the kill hits."""
    assert check_all(world, shard) >= 10


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(SHARDS))
def test_next_day_killed_at_every_request_boundary_keeps_human_edits(tmp_path, shard):
    """The second night changes, creates and flags; what people typed stays."""
    with World(tmp_path) as world:
        world.set_up()
        world.run()
        contact = world.rows("Contacts")[0]
        world.merge("Contacts", contact["Id"], {"JobTitle": HUMAN_TITLE})
        world.next_day()
        assert check_all(world, shard) >= 8
        world.run()
        assert HUMAN_TITLE in {row.get("JobTitle") for row in world.rows("Contacts")}
