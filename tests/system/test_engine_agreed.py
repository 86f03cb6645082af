"""A plan that a person looked at, applied row by row; and chosen rows tried again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.fake_work import make_fake_stores
from tests.support.hosting import make_host, work_all
from tests.support.world import World
from worker.domain.report import RunMode, RunStatus
from worker.engine.jobs import Job, JobState
from worker.engine.terms import StartRequest
from worker.errors import ConfigError
from worker.wiring.engine import Host


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, patient=False) as made:
        made.set_up()
        yield made


@pytest.fixture
def host(world: World) -> Host:
    return make_host({"default": world}, make_fake_stores(world.clock), world.clock)


def done(host: Host, job: Job) -> Job:
    work_all(host)
    found = host.engine.job("default", job.job_id)
    assert found is not None
    assert found.state is JobState.DONE, found.message
    return found


def planned(host: Host, *profiles: str) -> Job:
    return done(host, host.engine.start(StartRequest("default", profiles, RunMode.PLAN))[0])


def customer(world: World, number: int, **changes: object) -> dict[str, object]:
    """A customer of e-conomic, changed."""
    one = next(c for c in world.data.customers if c["customerNumber"] == number)
    return {**one, **changes}


def company(world: World, number: int) -> dict[str, object]:
    return next(row for row in world.rows("Companies") if row["CustomerID"] == str(number))


@pytest.fixture
def numbers(world: World) -> list[int]:
    return [c["customerNumber"] for c in world.data.customers]


def test_a_looked_at_plan_is_applied(world, host):
    plan = planned(host, "Customers")
    job = done(host, host.engine.apply_plan("default", plan.job_id))
    assert job.plan_of == plan.job_id
    ledger = job.runs[0].ledger
    assert ledger.created == plan.runs[0].ledger.created
    assert ledger.balances
    assert len(world.rows("Companies")) >= ledger.created


def test_a_row_that_a_person_changed_meanwhile_is_refused_and_the_others_are_written(world, host, numbers):
    """What was agreed to would be another change now: it is named, and what the person wrote stays."""
    world.run(["Customers"])
    first, second = numbers[:2]
    changed = [customer(world, number, name=f"Renamed {number}") for number in (first, second)]
    world.control("economic", "mutate", {"customers": changed})
    plan = planned(host, "Customers")
    assert plan.runs[0].ledger.updated == 2
    world.edit("Companies", "CustomerID", str(first), {"Title": "A person's own words"})
    job = done(host, host.engine.apply_plan("default", plan.job_id))
    assert company(world, first)["Title"] == "A person's own words"
    assert company(world, second)["Title"] == f"Renamed {second}"
    assert (job.runs[0].ledger.updated, job.runs[0].ledger.failed) == (1, 1)
    assert job.runs[0].ledger.balances
    rows = host.engine.rows_of("default", job.job_id, "Customers")
    assert [(row.key, row.code) for row in rows] == [(str(first), "changed-since-plan")]


def test_what_came_up_since_the_plan_waits_for_the_next_one(world, host, numbers):
    world.run(["Customers"])
    first, second = numbers[:2]
    world.control("economic", "mutate", {"customers": [customer(world, first, name="In the plan")]})
    plan = planned(host, "Customers")
    world.control("economic", "mutate", {"customers": [customer(world, second, name="Came later")]})
    job = done(host, host.engine.apply_plan("default", plan.job_id))
    assert company(world, first)["Title"] == "In the plan"
    assert company(world, second)["Title"] != "Came later"
    assert job.runs[0].ledger.skipped >= 1
    assert job.runs[0].ledger.balances


def test_a_plan_can_be_applied_twice_and_the_second_time_writes_nothing(world, host):
    plan = planned(host, "Customers")
    done(host, host.engine.apply_plan("default", plan.job_id))
    before = world.truth()
    job = done(host, host.engine.apply_plan("default", plan.job_id))
    assert (job.runs[0].ledger.created, job.runs[0].ledger.updated) == (0, 0)
    assert world.truth() == before


def test_a_run_without_a_plan_can_not_be_applied(host):
    job = done(host, host.engine.start(StartRequest("default", ("Customers",)))[0])
    with pytest.raises(ConfigError, match="holds no plan"):
        host.engine.apply_plan("default", job.job_id)


def test_only_the_chosen_rows_are_tried_again(world, host, numbers):
    """Others that would change too wait for a run."""
    first, second = numbers[:2]
    long = "x" * 300
    world.control(
        "economic", "mutate", {"customers": [customer(world, first, name=long), customer(world, second, name=long)]}
    )
    job = done(host, host.engine.start(StartRequest("default", ("Customers",)))[0])
    failed = {row.key for row in host.engine.rows_of("default", job.job_id, "Customers") if row.outcome == "Failed"}
    assert failed >= {str(first), str(second)}
    mended = [customer(world, number, name=f"Short {number}") for number in (first, second)]
    world.control("economic", "mutate", {"customers": mended})
    again = done(host, host.engine.retry("default", "Customers", [str(first)]))
    assert again.runs[0].status is RunStatus.SUCCEEDED
    assert again.runs[0].ledger.created == 1
    assert company(world, first)["Title"] == f"Short {first}"
    assert all(row["CustomerID"] != str(second) for row in world.rows("Companies"))


def test_a_row_that_is_tried_again_heals_its_own_result_only(world, host, numbers):
    """The list of row results still says that the other one failed: nobody has looked at it since."""
    first, second = numbers[:2]
    long = [customer(world, number, name="x" * 300) for number in (first, second)]
    world.control("economic", "mutate", {"customers": long})
    done(host, host.engine.start(StartRequest("default", ("Customers",)))[0])
    world.control("economic", "mutate", {"customers": [customer(world, first, name="Short")]})
    done(host, host.engine.retry("default", "Customers", [str(first)]))
    results = {str(row["SourceKey"]): row["Outcome"] for row in world.rows("Sync row results")}
    assert results == {**results, str(first): "Healed", str(second): "Failed"}


def test_no_rows_are_nothing_to_try_again(host):
    with pytest.raises(ConfigError, match="none was chosen"):
        host.engine.retry("default", "Customers", [])
