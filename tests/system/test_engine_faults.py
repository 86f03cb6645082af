"""What can go wrong while the engine works by itself: a clear state on the run, healed where it can, nothing lost."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fakes.fake_work import make_fake_stores
from tests.support.hosting import QUICK, make_host, work_all, work_one
from tests.support.mortal import Away, mortal_stores
from tests.support.world import World
from worker.domain.report import RunStatus
from worker.engine.jobs import Job, JobState
from worker.engine.terms import StartRequest, Verdict
from worker.errors import UnavailableError
from worker.ports import ANY_VERSION, Stores
from worker.stores import sqlite
from worker.wiring.engine import Host

STEPS = replace(QUICK, slice_seconds=0.0, chunk=5)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, object]]]:
    with World(tmp_path_factory.mktemp("undisturbed"), patient=False) as world:
        world.set_up()
        world.run()
        return world.truth()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, patient=False) as made:
        made.set_up()
        yield made


def start(host: Host, **more: object) -> str:
    return host.engine.start(StartRequest("default", **more))[0].job_id


def until_companies_are_written(world: World, host: Host) -> None:
    while not any(row.get("CustomerID") for row in world.rows("Companies")):
        assert work_one(host) is Verdict.CONTINUED


def ended_well(world: World, host: Host, job_id: str) -> Job:
    job = host.engine.job("default", job_id)
    assert job is not None
    assert job.state is JobState.DONE, job.message
    assert {run.status for run in job.runs} == {RunStatus.SUCCEEDED}
    assert all(run.ledger.balances and all(line.agrees for line in run.controls) for run in job.runs)
    listed = [row["RunID"] for row in world.rows("Sync runs")]
    assert sorted(listed) == sorted(run.run_id for run in job.runs)
    return job


def test_a_lease_lost_in_mid_batch_stops_the_slow_worker_and_the_other_one_ends_the_run(world, undisturbed):
    """The first worker hangs in a request; its lease runs out, the second does the whole job; then the first wakes."""
    stores = make_fake_stores(world.clock)
    slow, other = (make_host({"default": world}, stores, world.clock, replace(QUICK, chunk=5)) for _ in range(2))
    job_id = start(slow)
    world.control("sharepoint", "hold", {"at": 25, "when": "after"})
    verdicts: list[Verdict | None] = []
    thread = threading.Thread(target=lambda: verdicts.append(work_one(slow)))
    thread.start()
    assert world.control("sharepoint", "hold/wait")["holding"]
    world.clock.moment += timedelta(minutes=11)
    assert work_one(other) is Verdict.FINISHED
    world.release("sharepoint")
    thread.join(60)
    assert verdicts == [Verdict.WAITING]
    assert work_all(other) == [Verdict.DROPPED]
    ended_well(world, other, job_id)
    assert world.truth() == undisturbed


@pytest.mark.parametrize("content", [b"{broken", b"", b'{"job":"other","phase":"plan"}', b"\xff\xfe"])
def test_a_corrupt_checkpoint_is_planned_anew_and_nothing_is_done_twice(world, undisturbed, content):
    host = make_host({"default": world}, make_fake_stores(world.clock), world.clock, STEPS)
    job_id = start(host)
    until_companies_are_written(world, host)
    host.stores.records.write("work/default", content, ANY_VERSION)
    work_all(host)
    ended_well(world, host, job_id)
    assert world.truth() == undisturbed


@pytest.mark.parametrize("harm", [lambda _: b"", lambda c: c[: len(c) // 2], lambda c: b"x" + c[1:]])
@pytest.mark.parametrize("name", ["plan-0", "outcomes-0-000000", "source-customers"])
def test_damaged_records_of_a_run_are_made_anew(world, undisturbed, name, harm: Callable[[bytes], bytes]):
    host = make_host({"default": world}, make_fake_stores(world.clock), world.clock, STEPS)
    job_id = start(host)
    until_companies_are_written(world, host)
    full = f"data/default/{job_id}/{name}"
    record = host.stores.records.read(full)
    assert record is not None
    host.stores.records.write(full, harm(record.content), ANY_VERSION)
    work_all(host)
    ended_well(world, host, job_id)
    assert world.truth() == undisturbed


def test_a_damaged_record_of_schedules_starts_anew(world):
    host = make_host({"default": world}, make_fake_stores(world.clock), world.clock)
    host.engine.tick()
    host.stores.records.write("current/default", b"{nonsense", ANY_VERSION)
    assert host.engine.tick().faults == {}
    start(host)
    assert work_all(host) == [Verdict.FINISHED]


@pytest.mark.parametrize("jump", [timedelta(days=40), timedelta(days=-2)], ids=["forward", "back"])
def test_a_clock_that_jumps_in_mid_run_changes_nothing_in_the_end(world, undisturbed, jump):
    """The run keeps the day it began with."""
    host = make_host({"default": world}, make_fake_stores(world.clock), world.clock, STEPS)
    job_id = start(host)
    until_companies_are_written(world, host)
    world.clock.moment += jump
    host.engine.tick()
    work_all(host)
    if host.engine.job("default", job_id).state is not JobState.DONE:
        world.clock.moment -= jump  # messages were sent for a time that has not come again yet
        work_all(host)
    ended_well(world, host, job_id)
    assert world.truth() == undisturbed


def test_a_store_that_is_away_at_the_start_starts_nothing_and_says_so(world):
    away = Away(1, 10**6)
    host = make_host({"default": world}, mortal_stores(make_fake_stores(world.clock), away), world.clock)
    with pytest.raises(UnavailableError, match="could not be reached"):
        start(host)
    away.count = 0
    start(host)
    assert work_all(host) == [Verdict.FINISHED]


@pytest.mark.slow
def test_a_store_that_is_away_in_mid_run_delays_it_only(world, undisturbed):
    """Away for eight calls, at different moments; the message comes back and the run goes on."""
    world.snapshot()
    for first in range(6, 90, 7):
        world.restore()
        stores = make_fake_stores(world.clock)
        host = make_host(
            {"default": world}, mortal_stores(stores, Away(first, 8)), world.clock, replace(QUICK, chunk=20)
        )
        job_id = start_stubbornly(host)
        for _ in range(12):
            try:
                work_all(host)
            except UnavailableError:
                world.clock.moment += timedelta(minutes=11)
                continue
            host.engine.tick()
            if host.engine.job("default", job_id).state.is_over:
                break
            world.clock.moment += timedelta(minutes=31)
        ended_well(world, host, job_id)
        assert world.truth() == undisturbed


def start_stubbornly(host: Host) -> str:
    """As a client with a key of its own does."""
    for _ in range(10):
        try:
            return start(host, key="k")
        except UnavailableError:
            continue
    raise AssertionError("the store never came back")


def test_a_full_disk_in_mid_run_delays_it_only(world, undisturbed, tmp_path):
    stores = sqlite.open_stores(tmp_path / "work.sqlite", now=lambda: world.clock.now().timestamp())
    host = make_host({"default": world}, stores, world.clock, replace(STEPS, first_delay=30.0, longest_delay=900.0))
    job_id = start(host)
    until_companies_are_written(world, host)
    with full_disk(stores):
        with suppress(UnavailableError):  # raised when not even the delay could be noted
            work_all(host)
        assert not host.engine.job("default", job_id).state.is_over
    world.clock.moment += timedelta(minutes=31)
    host.engine.tick()
    work_all(host)
    ended_well(world, host, job_id)
    assert world.truth() == undisturbed


@contextmanager
def full_disk(stores: Stores) -> Iterator[None]:
    """The database may not grow by a single page, as on a disk without room."""
    with stores.records._file.reading() as db:
        db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    for size in (4000, 400, 1):  # room that is left inside of the file is used up first
        with suppress(UnavailableError):
            for number in range(100_000):
                stores.records.write(f"filler/{size}/{number}", os.urandom(size), ANY_VERSION)
    yield
    with stores.records._file.reading() as db:
        db.execute("PRAGMA max_page_count = 1000000000")


def test_people_who_edit_and_delete_while_a_run_is_written_keep_what_they_did(world):
    """What is left is compared with the list anew, and only the plan's own rows are touched."""
    start(host := make_host({"default": world}, make_fake_stores(world.clock), world.clock))
    work_all(host)
    world.next_day()
    changed = [{**c, "city": "Nyby"} for c in world.data.customers]
    world.control("economic", "mutate", {"customers": changed})
    sliced = make_host({"default": world}, host.stores, world.clock, STEPS)
    job_id = start(sliced, profiles=("Customers",), override_brake=True)
    companies = [row for row in world.rows("Companies") if row.get("CustomerID")]
    done = lambda: [row for row in world.rows("Companies") if row.get("City") == "Nyby"]  # noqa: E731
    while not done():
        assert work_one(sliced) is Verdict.CONTINUED
    left = [row for row in companies if row["Id"] not in {one["Id"] for one in done()}]
    edited, removed = left[0], left[1]
    world.merge("Companies", edited["Id"], {"CompanyType": "Prospect"})
    world.recycle("Companies", removed["Id"])
    work_all(sliced)
    job = sliced.engine.job("default", job_id)
    after = {row["Id"]: row for row in world.rows("Companies")}
    assert after[edited["Id"]]["CompanyType"] == "Prospect"
    assert after[edited["Id"]]["City"] == "Nyby"
    assert removed["Id"] not in after
    (run,) = job.runs
    assert run.status is RunStatus.WITH_ERRORS
    assert run.ledger.balances
    assert [(row.code, row.item_id) for row in sliced.engine.rows_of("default", job_id, "Customers")] == [
        ("gone", removed["Id"])
    ]
    assert sliced.stores.records.read(f"data/default/{job_id}/rest-0") is not None


def test_a_throttling_that_outlasts_the_slice_is_waited_for_outside_of_it(world, undisturbed):
    """The gate of the tenant closes; other messages of the tenant wait with it."""
    host = make_host({"default": world}, make_fake_stores(world.clock), world.clock)
    job_id = start(host)
    world.control("sharepoint", "faults", {"429": 1.0})
    assert work_one(host) is Verdict.WAITING
    job = host.engine.job("default", job_id)
    assert job.state is JobState.RUNNING
    assert "goes on by itself" in job.message
    world.control("sharepoint", "faults", {})
    for _ in range(10):
        world.clock.moment += timedelta(minutes=15)
        work_all(host)
    ended_well(world, host, job_id)
    assert world.truth() == undisturbed
