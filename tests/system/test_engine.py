"""The engine over both emulators: nightly by schedule, on request, in slices, with people and faults in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.fake_work import make_fake_stores
from tests.support.hosting import QUICK, make_host, work_all, work_one
from tests.support.world import World
from worker.domain.report import RunMode, RunStatus
from worker.engine.jobs import JobState
from worker.engine.terms import StartRequest, Verdict
from worker.errors import BusyError, ConfigError
from worker.wiring.engine import Host


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, patient=False) as made:
        made.set_up()
        yield made


@pytest.fixture
def host(world: World) -> Host:
    return make_host({"default": world}, make_fake_stores(world.clock), world.clock)


def start(host: Host, **more: object) -> str:
    job, _ = host.engine.start(StartRequest("default", **more))
    return job.job_id


def test_a_started_job_does_what_the_command_does(world, host, tmp_path):
    job_id = start(host)
    assert work_all(host) == [Verdict.FINISHED]
    job = host.engine.job("default", job_id)
    assert job.state is JobState.DONE, job.message
    with World(tmp_path / "other", patient=False) as other:
        other.set_up()
        result = other.run()
        assert other.truth() == world.truth()
    assert [run.ledger for run in job.runs] == [report.ledger for report in result.reports]
    assert [run.status for run in job.runs] == [report.status for report in result.reports]
    assert all(line.agrees for run in job.runs for line in run.controls)


def test_an_unchanged_second_job_writes_nothing(world, host):
    start(host)
    work_all(host)
    before = world.truth()
    job_id = start(host)
    work_all(host)
    job = host.engine.job("default", job_id)
    assert all(run.ledger.created == run.ledger.updated == 0 for run in job.runs)
    assert world.truth() == before


def test_a_first_load_ends_right_in_the_smallest_slices(world, tmp_path):
    """With no time at all each message still gets one step further."""
    options = replace(QUICK, slice_seconds=0.0)
    host = make_host({"default": world}, make_fake_stores(world.clock), world.clock, options)
    job_id = start(host)
    verdicts = work_all(host)
    assert verdicts[-1] is Verdict.FINISHED
    assert len(verdicts) > 15
    job = host.engine.job("default", job_id)
    assert {run.status for run in job.runs} == {RunStatus.SUCCEEDED}
    assert job.slices == len(verdicts)
    assert all(run.ledger.balances and all(line.agrees for line in run.controls) for run in job.runs)
    with World(tmp_path / "other", patient=False) as other:
        other.set_up()
        other.run()
        assert other.truth() == world.truth()


def test_each_collection_is_read_once_whatever_the_number_of_slices(world):
    options = replace(QUICK, slice_seconds=0.0)
    host = make_host({"default": world}, make_fake_stores(world.clock), world.clock, options)
    world.control("economic", "stats/reset", {})
    start(host)
    work_all(host)
    sliced = world.control("economic", "stats")
    world.control("economic", "stats/reset", {})
    world.run()
    assert sliced["total"]["by_route"] == world.control("economic", "stats")["total"]["by_route"]


def test_planning_only_writes_nothing_and_shows_the_plan(world, host):
    before = world.truth()
    job_id = start(host, mode=RunMode.PLAN)
    work_all(host)
    assert world.truth() == before
    job = host.engine.job("default", job_id)
    plan = host.engine.plan_of("default", job_id, job.runs[0].profile).plan
    assert plan.digest == job.runs[0].plan_digest
    assert job.runs[0].ledger.created == len(plan.changes) > 0


def test_a_plan_is_applied_only_while_it_is_what_would_be_done(world, host):
    start(host)
    work_all(host)
    world.next_day()
    planned = start(host, mode=RunMode.PLAN)
    work_all(host)
    expected = {run.profile: run.plan_digest for run in host.engine.job("default", planned).runs}
    world.next_day()
    before = world.truth()
    stale = start(host, expected=expected)
    assert work_all(host) == [Verdict.FAILED]
    job = host.engine.job("default", stale)
    assert job.state is JobState.FAILED
    assert "no longer what would be done" in job.message
    assert world.truth() == before


def test_a_second_start_is_refused_with_the_first_ones_address(host):
    job_id = start(host)
    with pytest.raises(BusyError) as caught:
        start(host)
    assert caught.value.running == f"default/{job_id}"


def test_the_same_key_never_starts_twice(host):
    first, created = host.engine.start(StartRequest("default", key="nightly-1"))
    again, second = host.engine.start(StartRequest("default", key="nightly-1"))
    assert (created, second, again.job_id) == (True, False, first.job_id)
    work_all(host)
    assert host.engine.start(StartRequest("default", key="nightly-1"))[0].job_id == first.job_id


def test_an_unknown_profile_is_named_with_the_known_ones(host):
    with pytest.raises(ConfigError, match="Kunder") as caught:
        start(host, profiles=("Kunder",))
    assert "Customers" in caught.value.problems[0].allowed


def test_a_cancelled_job_stops_after_what_is_in_hand_and_says_so(world):
    options = replace(QUICK, slice_seconds=0.0, chunk=5)
    host = make_host({"default": world}, make_fake_stores(world.clock), world.clock, options)
    job_id = start(host)
    while not any(row.get("CustomerID") for row in world.rows("Companies")):
        assert work_one(host) is Verdict.CONTINUED
    host.engine.cancel("default", job_id)
    work_all(host)
    job = host.engine.job("default", job_id)
    assert job.state is JobState.CANCELLED
    assert {run.status for run in job.runs} == {RunStatus.PAUSED}
    ledger = job.runs[0].ledger
    assert ledger.balances
    written = [row for row in world.rows("Companies") if row.get("CustomerID")]
    assert ledger.created == len(written) > 0
    assert ledger.skipped > 0
    assert all(run.is_over for run in job.runs)
    assert all(row["RunStatus"] != "Running" for row in world.rows("Sync runs"))


def test_a_braked_run_goes_on_once_it_is_approved(tmp_path):
    """Approving starts a new job that may apply exactly the braked plan."""
    with World(tmp_path, "small", patient=False) as world:
        world.set_up()
        host = make_host({"default": world}, make_fake_stores(world.clock), world.clock)
        start(host, profiles=("Customers",))
        work_all(host)
        renamed = [{**c, "name": f"X {c['name']}"[:200]} for c in world.data.customers]
        world.control("economic", "mutate", {"customers": renamed})
        before = world.truth()
        braked = start(host, profiles=("Customers",))
        work_all(host)
        job = host.engine.job("default", braked)
        assert [(run.profile, run.status) for run in job.runs] == [("Customers", RunStatus.BRAKED)]
        assert world.truth() == before
        assert host.alerts.heard[-1].severity == "error"
        approved = host.engine.approve("default", braked, by="Anna")
        work_all(host)
        after = host.engine.job("default", approved.job_id)
        assert [(run.profile, run.status) for run in after.runs] == [("Customers", RunStatus.SUCCEEDED)]
        assert after.runs[0].plan_digest == job.runs[0].plan_digest
        with pytest.raises(ConfigError, match="not stopped by the brake"):
            host.engine.approve("default", approved.job_id)
