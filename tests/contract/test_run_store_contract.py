"""What every RunStore must do: in memory, and over the SharePoint emulator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from target_worlds import EmulatorSiteWorld

from tests.fakes.fake_stores import FakeRunStore
from worker.domain.report import ControlLine, LastRun, Ledger, RowResult, RunMode, RunReport, RunStatus, Trigger
from worker.ports import RunStore
from worker.sharepoint.profiles import SharePointProfiles
from worker.sharepoint.runs import SharePointRuns

START = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
RUNS, RESULTS = "Sync runs", "Sync row results"
DIGEST = "d" * 64


@dataclass
class Store:
    """A run store, and a person who approves."""

    runs: RunStore
    approve: Callable[[str], None]


@pytest.fixture(params=["fake", "emulator"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "fake":
        fake = FakeRunStore()
        return Store(fake, fake.approvals.add)
    crm: EmulatorSiteWorld = request.getfixturevalue("crm")

    def approve(run_id: str) -> None:
        (row,) = [row for row in crm.rows(RUNS) if row["RunID"] == run_id]
        crm.merge(RUNS, row["Id"], {"Approved": True})

    return Store(runs_of(crm), approve)


def runs_of(crm: EmulatorSiteWorld) -> SharePointRuns:
    """A store as a new process has it: it remembers nothing."""
    site = crm.make_site()
    return SharePointRuns(site, SharePointProfiles(site))


def report(run_id: str, day: int = 0, profile: str = "Customers", **more: object) -> RunReport:
    started = START + timedelta(days=day)
    plain = RunReport(
        run_id, profile, RunMode.APPLY, Trigger.TIMER, RunStatus.SUCCEEDED, started, started + timedelta(minutes=2)
    )
    return replace(plain, ledger=Ledger(source_rows=10 + day, unchanged=10 + day), **more)


def running(run_id: str, **more: object) -> RunReport:
    return replace(report(run_id, **more), status=RunStatus.RUNNING, finished=None, ledger=Ledger())


def failed(key: str, code: str = "too-long", **facts: object) -> RowResult:
    return RowResult(key, "Failed", code, {"column": "Title", "length": 300, "limit": 255, **facts}, 7, f"Firma {key}")


def test_a_profile_that_never_ran_has_no_last_run(store):
    """Absent, not zero."""
    assert store.runs.last_good(["Customers"]) == {}


def test_the_latest_good_apply_run_counts(store):
    """With or without row errors; failed, braked, paused and plan runs do not."""
    store.runs.closed([report("r1"), report("r2", 1, status=RunStatus.WITH_ERRORS)])
    for number, more in enumerate(
        [
            {"status": RunStatus.FAILED},
            {"status": RunStatus.BRAKED},
            {"status": RunStatus.PAUSED},
            {"mode": RunMode.PLAN},
        ]
    ):
        store.runs.closed([report(f"x{number}", 2 + number, **more)])
    store.runs.closed([report("o1", 9, profile="Contacts")])
    found = store.runs.last_good(["Customers", "Contacts", "Invoices"])
    assert found == {
        "Customers": LastRun("r2", 11, START + timedelta(days=1, minutes=2)),
        "Contacts": LastRun("o1", 19, START + timedelta(days=9, minutes=2)),
    }


def test_an_opened_run_shows_as_running_and_ends_as_it_was_closed(store):
    """One row from beginning to end."""
    store.runs.opened([running("r1")])
    assert [(one.run_id, one.status, one.finished) for one in store.runs.recent()] == [("r1", "Running", None)]
    store.runs.closed([report("r1", message="All well.")])
    (one,) = store.runs.recent()
    assert (one.status, one.message, one.finished) == ("Succeeded", "All well.", START + timedelta(minutes=2))
    assert one.counts["source_rows"] == one.counts["unchanged"] == 10


def test_a_killed_run_is_closed_when_its_profile_runs_again(store):
    """Nobody wonders about a run that seems to go on for ever; other profiles' runs are left alone."""
    store.runs.opened([running("dead")])
    store.runs.opened([running("other", profile="Contacts")])
    store.runs.opened([running("r2")])
    status = {one.run_id: one.status for one in store.runs.recent()}
    assert status == {"dead": "Failed", "other": "Running", "r2": "Running"}


def test_a_run_that_is_opened_again_by_its_own_id_stands_there_once(store):
    """A worker was killed between opening it and noting that it did."""
    store.runs.opened([running("r1")])
    store.runs.opened([running("r1")])
    assert [(one.run_id, one.status) for one in store.runs.recent()] == [("r1", "Running")]


def test_a_run_that_another_process_opened_is_closed_in_its_own_row(store, request):
    """The next process looks its row up by the run's id."""
    store.runs.opened([running("r1")])
    next_one = store.runs
    if not isinstance(next_one, FakeRunStore):
        next_one = runs_of(request.getfixturevalue("crm"))
    next_one.resumed(["r1", "never-opened"])
    next_one.closed([report("r1")])
    assert [(one.run_id, one.status) for one in store.runs.recent()] == [("r1", "Succeeded")]


def test_an_approval_is_for_one_plan_of_one_profile(store):
    """By a person, of a braked run, and only that plan."""
    store.runs.closed([report("r1", status=RunStatus.BRAKED, plan_digest=DIGEST)])
    assert not store.runs.approved("Customers", DIGEST)
    store.approve("r1")
    assert store.runs.approved("Customers", DIGEST)
    assert not store.runs.approved("Customers", "e" * 64)
    assert not store.runs.approved("Contacts", DIGEST)


def test_a_run_that_was_not_braked_is_no_approval(store):
    """Whatever the column says."""
    store.runs.closed([report("r1", plan_digest=DIGEST)])
    store.approve("r1")
    assert not store.runs.approved("Customers", DIGEST)


def test_recent_runs_come_newest_first_and_no_more_than_asked(store):
    """For the command that lists them."""
    store.runs.closed([report(f"r{number}", number) for number in range(5)])
    assert [one.run_id for one in store.runs.recent(3)] == ["r4", "r3", "r2"]


# --- what stands in the lists, and what it costs


def test_a_closing_is_one_write_request(crm):
    """Run rows, the profiles' last results and row results share a batch."""
    runs = runs_of(crm)
    crm.post("Mapping profiles", {"Title": "Customers"})
    crm.reset()
    runs.closed([report("r1", rows=(failed("1"), failed("2"))), report("r2", profile="Contacts")])
    assert crm.metered["writes"] == 1
    (row,) = crm.rows("Mapping profiles")
    assert row["LastResult"] == "Succeeded: 0 created, 0 updated, 10 unchanged, 0 failed"
    assert row["LastRun"] == "2026-11-25T01:00:00Z"


def test_a_run_row_holds_the_whole_story(crm):
    """Counts, control sums, costs and digests."""
    line = ControlLine("Balance", Decimal("100.10"), Decimal("100.10"), own_total=Decimal("100.10"))
    full = report("r1", controls=(line,), profile_digest="p" * 64, plan_digest=DIGEST, message="Line one.\nLine two.")
    runs_of(crm).closed([replace(full, source_requests=3, target_requests=4, units=12.4, waited_seconds=2.6)])
    (row,) = crm.rows(RUNS)
    assert (row["SourceRows"], row["UnchangedRows"], row["FailedRows"]) == (10, 10, 0)
    assert (row["SourceTotal"], row["TargetTotal"]) == (100.1, 100.1)
    assert row["ControlSums"] == "Balance: e-conomic 100.10, list 100.10, e-conomic's own total 100.10"
    assert (row["SourceCalls"], row["SharePointCalls"], row["ResourceUnits"], row["ThrottleSeconds"]) == (3, 4, 12, 3)
    assert (row["ProfileHash"], row["PlanHash"], row["Message"]) == ("p" * 64, DIGEST, "Line one.\nLine two.")


def test_an_old_failure_is_no_news_and_a_healed_one_is(crm):
    """The list of row results changes only where something changed."""
    runs_of(crm).closed([report("r1", status=RunStatus.WITH_ERRORS, rows=(failed("1"), failed("2")))])
    crm.reset()
    runs_of(crm).closed([report("r2", 1, status=RunStatus.WITH_ERRORS, rows=(failed("1"), failed("2")))])
    assert crm.metered["by_target"][RESULTS].get("writes", 0) == 0
    runs_of(crm).closed([report("r3", 2, status=RunStatus.WITH_ERRORS, rows=(failed("2", "key-ambiguous"),))])
    rows = {row["SourceKey"]: row for row in crm.rows(RESULTS)}
    assert (rows["1"]["Outcome"], rows["1"]["RunID"]) == ("Healed", "r3")
    assert (rows["2"]["Outcome"], rows["2"]["ReasonCode"], rows["2"]["TargetItemID"]) == ("Failed", "key-ambiguous", 7)
    assert rows["2"]["Since"] == "2026-11-25T01:00:00Z"


def test_thousands_of_failed_rows_are_written_hundred_by_hundred(crm):
    """And are read again in one page."""
    rows = tuple(failed(str(number)) for number in range(1030))
    runs_of(crm).closed([report("r1", status=RunStatus.WITH_ERRORS, rows=rows)])
    assert crm.metered["writes"] == 11
    assert len(crm.rows(RESULTS)) == 1030


@pytest.mark.parametrize("fault", ["500-after-commit", "cut", "truncated-batch", "part-429", "429", "html"])
def test_a_closing_survives_a_lost_or_refused_answer(crm, fault):
    """Sent again until each row has its answer; nothing stands twice."""
    runs = runs_of(crm)
    runs.opened([running("r1")])
    crm.fault(fault)
    runs.closed([report("r1", status=RunStatus.WITH_ERRORS, rows=(failed("1"), failed("2")))])
    assert [row["RunStatus"] for row in crm.rows(RUNS)] == ["Succeeded with errors"]
    assert sorted(row["SourceKey"] for row in crm.rows(RESULTS)) == ["1", "2"]


@pytest.mark.parametrize("fault", ["500-after-commit", "cut", "truncated-batch", "part-503", "503"])
def test_an_opening_survives_a_lost_or_refused_answer(crm, fault):
    """The row is found by its run id and closed later, not doubled."""
    runs = runs_of(crm)
    runs.last_good([])
    crm.fault(fault)
    runs.opened([running("r1")])
    runs.closed([report("r1")])
    assert [row["RunStatus"] for row in crm.rows(RUNS)] == ["Succeeded"]


def test_the_last_good_run_is_found_among_hundreds_of_others(crm):
    """A profile that ran long ago is asked for by itself."""
    runs = runs_of(crm)
    runs.closed([report("old", profile="Yearly")])
    runs.closed([report(f"r{number}", 1) for number in range(520)])
    crm.reset()
    assert runs_of(crm).last_good(["Yearly"])["Yearly"].run_id == "old"
    assert crm.metered["by_target"][RUNS]["reads"] <= 2
