"""A worker that dies at any call to its store leaves the next one a place to go on from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.fake_work import make_fake_stores
from tests.support.at_request import AtRequest
from tests.support.hosting import QUICK, make_host, work_all, work_one
from tests.support.mortal import Killed, Mortal, mortal_stores
from tests.support.undos import dies, job, undoes, works
from tests.support.world import World
from worker.domain.report import RunStatus
from worker.engine.jobs import JobState
from worker.engine.terms import StartRequest
from worker.wiring.engine import Host

OPTIONS = replace(QUICK, chunk=20)
# Companies, a look-up to them, and rows that stream: what the others do is no different to the store.
PROFILES = ("Customers", "Contacts", "Invoices")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("kill"), patient=False) as made:
        made.set_up()
        made.snapshot()
        made.run(PROFILES)
        made.expected = made.truth()
        made.restore()
        yield made


def start(host: Host) -> str:
    """As a client does that does not know whether its first try arrived."""
    return host.engine.start(StartRequest("default", PROFILES, key="first load"))[0].job_id


def calls_of_a_run(world: World, options=OPTIONS) -> int:
    world.restore()
    mortal = Mortal()
    host = make_host({"default": world}, mortal_stores(make_fake_stores(world.clock), mortal), world.clock, options)
    start(host)
    work_all(host)
    world.restore()
    return mortal.calls


def run_with_a_death(world: World, at: int, *, before: bool, options=OPTIONS) -> None:
    world.restore()
    stores = make_fake_stores(world.clock)
    dying = make_host({"default": world}, mortal_stores(stores, Mortal(at, before)), world.clock, options)
    with suppress(Killed):
        start(dying)
        work_all(dying)
    dying.stop.set()
    # What the dead one held comes free, and its message is seen again.
    world.clock.moment += timedelta(minutes=11)
    host = make_host({"default": world}, stores, world.clock, options)
    job_id = start(host)
    work_all(host)
    host.engine.tick()  # a job whose message was never sent gets one
    work_all(host)
    job = host.engine.job("default", job_id)
    assert job.state is JobState.DONE, job.message
    assert {run.status for run in job.runs} == {RunStatus.SUCCEEDED}
    assert all(run.ledger.balances and all(line.agrees for line in run.controls) for run in job.runs)
    assert world.truth() == world.expected
    listed = [row["RunID"] for row in world.rows("Sync runs")]
    assert sorted(listed) == sorted(run.run_id for run in job.runs), "each run stands in the run list once"
    assert all(row["RunStatus"] != "Running" for row in world.rows("Sync runs"))
    assert stores.queue.waiting() == stores.queue.poison().waiting() == 0


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("odd", [0, 1], ids=["even calls", "odd calls"])
def test_a_death_at_any_call_to_the_store_changes_nothing_in_the_end(world, odd):
    """Alternately before the call is carried out and after it."""
    total = calls_of_a_run(world)
    assert total > 60
    for at in range(1 + odd, total + 1, 2):
        run_with_a_death(world, at, before=at % 4 < 2)


@pytest.mark.long
def test_a_death_at_any_call_of_many_small_slices_changes_nothing_in_the_end(world):
    """Each message does one step only, so every step meets a death beside the hand-over to the next message."""
    options = replace(OPTIONS, slice_seconds=0.0)
    total = calls_of_a_run(world, options)
    for at in range(1, total + 1, 5):
        run_with_a_death(world, at, before=at % 2 == 0, options=options)


def test_a_batch_that_was_saved_before_the_death_is_looked_up_and_not_sent_again(world):
    """Customer ID need not be unique in the list, so nobody but the worker keeps a company from being made twice. And
    the companies are the run's, whoever found them: undoing it takes them away."""
    world.restore()
    stores = make_fake_stores(world.clock)
    run = job(world, stores)
    death = AtRequest(world.sharepoint.url, before=False, writes=True, saying="CustomerID")
    with death.does(dies):
        works(world, stores)
    saved = {row["CustomerID"] for row in world.rows("Companies") if row["CustomerID"]}
    assert death.happened
    assert saved
    world.clock.moment += timedelta(minutes=11)
    works(world, stores)
    numbers = [row["CustomerID"] for row in world.rows("Companies") if row["CustomerID"]]
    assert sorted(numbers) == sorted(str(one["customerNumber"]) for one in world.data.customers)
    undoes(world, stores, run, remove_created=True)
    assert not [row for row in world.rows("Companies") if row["CustomerID"]]
    world.restore_all()


def test_the_ledger_counts_what_a_dead_worker_wrote_as_written(world):
    """Created is created, whoever did it: the plan and its outcomes survive."""
    world.restore()
    stores = make_fake_stores(world.clock)
    mortal = Mortal()
    dying = make_host(
        {"default": world}, mortal_stores(stores, mortal), world.clock, replace(OPTIONS, slice_seconds=0.0)
    )
    job_id = start(dying)
    while not any(row.get("CustomerID") for row in world.rows("Companies")):
        work_one(dying)
    mortal.at = mortal.calls + 12
    with suppress(Killed):
        work_all(dying)
    world.clock.moment += timedelta(minutes=11)
    host = make_host({"default": world}, stores, world.clock, OPTIONS)
    work_all(host)
    job = host.engine.job("default", job_id)
    customers = len([row for row in world.rows("Companies") if row.get("CustomerID")])
    assert job.runs[0].ledger.created == customers
    world.restore()
