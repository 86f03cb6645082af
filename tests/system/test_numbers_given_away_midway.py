"""A renumbering that was broken off, and its new number somebody else's before the next run: all rows come to what they
would be if nothing had been broken off, also those that were left under the old number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.fakes.fake_work import make_fake_stores
from tests.support.at_request import AtRequest
from tests.support.hosting import QUICK, make_host, work_all
from tests.support.lives import die
from tests.support.mortal import Killed
from tests.support.people import OneByOne
from tests.support.world import World
from tests.system.test_numbers_change_hands import (
    FREE,
    STRANGER,
    gives_to_somebody,
    items,
    ran,
    renumber,
    three,
    with_old_rows,
)
from worker.cli.app import app as commands
from worker.engine.terms import StartRequest
from worker.ports import Stores
from worker.stores.sqlite import open_stores
from worker.sync.runner import SessionResult
from worker.wiring.engine import JOURNAL, Host
from worker.wiring.reconciling import reconcile

Truth = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Somebody's number was changed."""
    with OneByOne(tmp_path_factory.mktemp("midway"), patient=False) as world:
        begins(world)
        world.snapshot()
        yield world


def begins(world: World) -> None:
    world.set_up()
    world.run()
    with_old_rows(world)
    renumber(world, three(world)[0], FREE)


@pytest.fixture(scope="module")
def unbroken(made: World) -> Truth:
    """The lists where the renumbering came to its end before."""
    ran(made, override_brake=True)
    gives_to_somebody(made, FREE)
    ran(made, override_brake=True)
    return made.truth()


@pytest.fixture
def world(made: World, unbroken: Truth) -> World:
    made.restore_all()
    return made


def make(world: World, stores: Stores, **options: Any) -> Host:
    return make_host({"default": world}, stores, world.clock, replace(QUICK, **options))


def runs(world: World, stores: Stores) -> SessionResult:
    """All profiles, by a worker that keeps what it does."""
    with (
        make(world, stores).open("default") as app,
        app.session(World.profiles(app), app.run_options(override_brake=True)) as session,
    ):
        return session.run()


def is_killed(world: World, stores: Stores, at: int = 1, *, saying: str = "") -> bool:
    """Once this write is answered; whether it came so far."""
    where = AtRequest(world.sharepoint.url, at, before=False, writes=True, saying=saying)
    try:
        with where.does(die):
            runs(world, stores)
    except Killed:
        pass
    return where.happened


def midway(world: World, stores: Stores, write: int = 1) -> None:
    """The company carries the new number, and some of its rows do; then it is somebody else's."""
    old = three(world)[0]
    assert is_killed(world, stores, saying=str(FREE))
    assert is_killed(world, stores, write)
    assert items(world, FREE)["Companies"]
    assert items(world, old)["Sales statistics"]
    gives_to_somebody(world, FREE)


def is_whole(world: World, unbroken: Truth) -> None:
    """And one more run writes nothing; nor does the worker's own comparison miss any statistics."""
    assert world.truth() == unbroken
    again = ran(world)
    assert world.truth() == unbroken
    assert sum(report.ledger.created + report.ledger.updated + report.ledger.flagged for report in again.reports) == 0
    with world.app() as app:
        assert not [one for one in reconcile(app).missing if one.kind == "statistics row"]


@pytest.mark.parametrize("write", [1, 4])
def test_rows_that_were_left_behind_go_on_to_the_number_that_was_theirs(world, unbroken, write):
    """As far as a second run came before it was killed too. Nothing that a worker keeps is needed for it."""
    midway(world, make_fake_stores(world.clock), write)
    ran(world, override_brake=True)
    is_whole(world, unbroken)


def test_so_they_do_when_the_company_has_lost_the_number_by_then(world, unbroken):
    """The run that let it go was killed before it came to the rows."""
    stores = make_fake_stores(world.clock)
    midway(world, stores)
    assert is_killed(world, stores, saying=STRANGER["name"])
    assert runs(world, stores).error is None
    is_whole(world, unbroken)


def test_the_engine_comes_to_the_same_in_the_smallest_steps(world, unbroken):
    """Each slice plans one profile, or writes one change, and knows nothing of the one before."""
    stores = make_fake_stores(world.clock)
    midway(world, stores)
    host = make(world, stores, chunk=1, slice_seconds=0.0, patience=60.0)
    host.engine.start(StartRequest("default", override_brake=True))
    work_all(host, 3000)
    is_whole(world, unbroken)


@pytest.mark.slow
def test_a_run_that_is_killed_after_any_write_is_finished_by_the_next(tmp_path, unbroken):
    """The same lists as if nothing had ever been broken off."""
    with OneByOne(tmp_path, patient=False) as world:
        begins(world)
        midway(world, make_fake_stores(world.clock))
        world.snapshot()
        for at in range(1, 100):
            world.restore_all()
            stores = make_fake_stores(world.clock)
            if not is_killed(world, stores, at):
                break
            assert runs(world, stores).error is None
            assert world.truth() == unbroken, at
        assert at > 10


def test_a_plan_by_command_sees_what_the_run_that_applies_it_sees(world, unbroken, tmp_path, monkeypatch):
    """A row of a company that the plan makes follows with the next one."""
    stores = make_fake_stores(world.clock)
    midway(world, stores)
    kept = open_stores(tmp_path / JOURNAL)
    assert is_killed(world, replace(stores, records=kept.records), saying=STRANGER["name"])
    world.commands_here(monkeypatch, tmp_path, SYNC_DATA_DIR=str(tmp_path))
    for words in (["plan", "--out", "planned.json"], ["apply", "planned.json", "--yes-really"]) * 2:
        ended = CliRunner().invoke(commands, words)
        assert ended.exit_code == 0, ended.output
    is_whole(world, unbroken)
