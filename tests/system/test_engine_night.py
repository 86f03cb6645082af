"""By itself: schedules, what people ask for in the profiles list, many agreements, lost messages, old jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.fake_work import make_fake_stores
from tests.support.hosting import QUICK, make_host, work_all
from tests.support.world import World
from worker.domain.report import RunMode, RunStatus, Trigger
from worker.engine.jobs import JobState
from worker.engine.terms import StartRequest, Verdict
from worker.wiring.engine import Host

EVENING = datetime(2026, 11, 24, 20, tzinfo=UTC)
NIGHT = datetime(2026, 11, 25, 1, 30, tzinfo=UTC)  # half past two in Copenhagen


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, patient=False) as made:
        made.clock.moment = EVENING
        made.set_up()
        yield made


@pytest.fixture
def host(world: World) -> Host:
    return make_host({"default": world}, make_fake_stores(world.clock), world.clock)


def test_the_night_runs_every_profile_once_in_its_order(world, host):
    assert host.engine.tick().started == ()
    world.clock.moment = NIGHT
    (job,) = host.engine.tick().started
    work_all(host)
    done = host.engine.job("default", job.job_id)
    assert done.trigger is Trigger.TIMER
    assert [run.run_id for run in done.runs] == [f"{run.profile}:2026-11-25" for run in done.runs]
    assert [run.profile for run in done.runs][:2] == ["Customers", "Contacts"]
    assert {run.status for run in done.runs} == {RunStatus.SUCCEEDED}
    for _ in range(5):
        world.clock.moment += timedelta(minutes=5)
        assert host.engine.tick().started == ()


def test_two_ticks_at_once_start_one_job(world):
    """Two processes on one store, each with what it knew of before."""
    stores = make_fake_stores(world.clock)
    first, second = (make_host({"default": world}, stores, world.clock) for _ in range(2))
    first.engine.tick()
    world.clock.moment = NIGHT
    started = [*first.engine.tick().started, *second.engine.tick().started]
    assert len(started) == 1
    work_all(second)
    assert len(world.rows("Sync runs")) == 6


def test_after_downtime_the_missed_night_is_made_up_for_once(world, host):
    host.engine.tick()
    world.clock.moment = NIGHT + timedelta(days=3, hours=7)
    (job,) = host.engine.tick().started
    assert job.runs[0].run_id == "Customers:2026-11-28"
    work_all(host)
    assert host.engine.tick().started == ()


def test_a_plan_asked_for_in_the_list_is_made_and_the_request_is_cleared(world, host):
    world.edit("Mapping profiles", "Title", "Contacts", {"RunRequest": "Plan"})
    (job,) = host.engine.tick().started
    assert (job.mode, [run.profile for run in job.runs]) == (RunMode.PLAN, ["Contacts"])
    work_all(host)
    assert {row["RunRequest"] for row in world.rows("Mapping profiles")} <= {None, "None"}
    assert host.engine.tick().started == ()
    assert world.rows("Contacts") == []


def test_a_mistyped_profile_is_reported_with_the_others_run(world, host):
    host.engine.tick()
    world.edit("Mapping profiles", "Title", "Contacts", {"Mapping": "{oops"})
    world.clock.moment = NIGHT
    (job,) = host.engine.tick().started
    work_all(host)
    by_profile = {run.profile: run for run in host.engine.job("default", job.job_id).runs}
    assert by_profile["Contacts"].status is RunStatus.FAILED
    assert "Contacts" in by_profile["Contacts"].message
    assert by_profile["Customers"].status is RunStatus.SUCCEEDED
    (listed,) = [row for row in world.rows("Sync runs") if row["Profile"] == "Contacts"]
    assert listed["RunStatus"] == "Failed"


def test_a_job_whose_message_was_lost_gets_one_again(world, host):
    job, _ = host.engine.start(StartRequest("default"))
    lost = host.stores.queue.receive(60)
    host.stores.queue.done(lost)
    host.engine.tick()
    assert host.stores.queue.waiting() == 0, "it may just be about to be worked on"
    world.clock.moment += timedelta(minutes=5)
    host.engine.tick()
    assert work_all(host) == [Verdict.FINISHED]
    assert host.engine.job("default", job.job_id).state is JobState.DONE


def test_duplicated_messages_are_dropped_or_wait(world, host):
    host.engine.start(StartRequest("default"))
    body = host.stores.queue.messages[0].body
    for _ in range(3):
        host.stores.queue.send(body)
    assert work_all(host) == [Verdict.FINISHED, *[Verdict.DROPPED] * 3]


@pytest.mark.parametrize("body", ["", "{", "[]", '{"connection": "other", "job": "x"}', '{"connection": 1, "job": 2}'])
def test_a_message_that_is_not_ours_is_dropped(host, body):
    assert host.engine.handle(body) is Verdict.DROPPED


def test_one_job_at_a_time_and_a_due_profile_waits_for_its_turn(world, host):
    host.engine.tick()
    host.engine.start(StartRequest("default", profiles=("Contacts",)))
    world.clock.moment = NIGHT
    assert host.engine.tick().started == ()
    work_all(host)
    (night,) = host.engine.tick().started
    assert night.runs[0].run_id == "Customers:2026-11-25"


def test_jobs_are_forgotten_after_their_time(world):
    stores = make_fake_stores(world.clock)
    host = make_host({"default": world}, stores, world.clock, replace(QUICK, keep_days=30))
    for _ in range(2):
        host.engine.start(StartRequest("default", profiles=("Customers",)))
        work_all(host)
    world.clock.moment += timedelta(days=31)
    make_host({"default": world}, stores, world.clock, replace(QUICK, keep_days=30)).engine.tick()
    (kept,) = host.engine.jobs("default")
    assert stores.records.names("data/default/") == [
        name for name in stores.records.names("data/default/") if kept.job_id in name
    ]


def test_what_was_read_from_economic_is_not_kept_after_the_job(world, host):
    """It holds names and addresses that the job needed, and nobody needs afterwards."""
    host.engine.start(StartRequest("default"))
    work_all(host)
    names = host.stores.records.names("data/default/")
    assert names
    assert not [name for name in names if "source-" in name]


class TestManyAgreements:
    """Each connection by itself."""

    @pytest.fixture
    def worlds(self, tmp_path: Path) -> Iterator[dict[str, World]]:
        with ExitStack() as stack:
            made = {
                name: stack.enter_context(World(tmp_path / name, patient=False)) for name in ("acme", "birk", "cura")
            }
            clock = made["acme"].clock
            for one in made.values():
                one.clock = clock
                one.clock.moment = EVENING
                one.set_up()
            yield made

    def test_a_fault_in_one_delays_none_of_the_others(self, worlds):
        host = make_host(worlds, make_fake_stores(worlds["acme"].clock), worlds["acme"].clock)
        host.engine.tick()
        worlds["birk"].control("sharepoint", "faults", {"503": 1.0})
        worlds["acme"].clock.moment = NIGHT
        ticked = host.engine.tick()
        assert {job.connection for job in ticked.started} == {"acme", "cura"}
        assert set(ticked.faults) == {"birk"}
        assert "SharePoint" in ticked.faults["birk"]
        work_all(host)
        assert {job.state for job in host.engine.jobs()} == {JobState.DONE}
        worlds["birk"].control("sharepoint", "faults", {})
        assert worlds["birk"].truth()["Contacts"] == []

    def test_an_agreement_whose_tokens_are_refused_fails_alone_and_is_told(self, worlds):
        host = make_host(worlds, make_fake_stores(worlds["acme"].clock), worlds["acme"].clock)
        worlds["birk"].control("economic", "faults", {"revoked": 1.0})
        for name in worlds:
            host.engine.start(StartRequest(name))
        verdicts = work_all(host)
        assert sorted(verdicts) == [Verdict.FAILED, Verdict.FINISHED, Verdict.FINISHED]
        (failed,) = [job for job in host.engine.jobs() if job.state is JobState.FAILED]
        assert failed.connection == "birk"
        assert [alert.connection for alert in host.alerts.heard] == ["birk"]
