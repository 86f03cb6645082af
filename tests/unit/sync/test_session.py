"""Whole sessions over fakes: a state machine of nights, people and failing writes, and the stories between."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.fakes.fake_source import FakeSource
from tests.fakes.fake_stores import FakeRunStore
from tests.fakes.fake_target import FakeSite, FakeTarget, lost_after_saving, lost_before_saving, rejected
from tests.fakes.quiet import Quiet, StillClock
from worker.domain.planning import MISSING
from worker.domain.profile import FieldRule, Profile
from worker.domain.profile_row import profile_from_json
from worker.domain.records import Customer, CustomerContact
from worker.domain.report import RunReport, RunStatus
from worker.domain.values import Column, TargetKind
from worker.errors import StalePlanError, UnavailableError
from worker.sharepoint.definitions import LIST_OF, load_definitions
from worker.sync.runner import RunOptions, Session, SessionResult, World

CONFIG = Path(__file__).parents[3] / "config"
DEFINITIONS = load_definitions(CONFIG / "lists")
GOOD = {RunStatus.SUCCEEDED, RunStatus.WITH_ERRORS}


def shipped(*titles: str) -> list[Profile]:
    files = sorted((CONFIG / "profiles").glob("*.json"))
    found = [profile_from_json(file.read_text(encoding="utf-8"), file.name) for file in files]
    return [profile for profile in found if not titles or profile.title in titles]


def columns(kind: TargetKind) -> dict[str, Column]:
    return {column.name: column.as_column() for column in DEFINITIONS[LIST_OF[kind]].columns}


class Nights:
    """A CRM and an e-conomic in memory, and a worker between them."""

    def __init__(self, *titles: str) -> None:
        self.source = FakeSource()
        self.targets = {kind: FakeTarget(kind, columns(kind)) for kind in TargetKind}
        self.runs = FakeRunStore()
        self.clock = StillClock()
        self.stop = threading.Event()
        self.profiles = shipped(*titles)
        self._ids = itertools.count(1)

    @property
    def companies(self) -> FakeTarget:
        return self.targets[TargetKind.COMPANY]

    @property
    def contacts(self) -> FakeTarget:
        return self.targets[TargetKind.CONTACT]

    def session(self, **options: Any) -> Session:
        world = World(
            self.source,
            FakeSite(self.targets),
            self.runs,
            self.clock,
            Quiet(),
            self.stop,
            lambda: f"r{next(self._ids)}",
        )
        return Session(world, self.profiles, RunOptions(year_start="01-01", **options))

    def run(self, **options: Any) -> SessionResult:
        with self.session(**options) as session:
            return session.run()

    def report(self, title: str, **options: Any) -> RunReport:
        result = self.run(**options)
        assert result.error is None
        return next(report for report in result.reports if report.profile == title)


def customer(number: int, name: str = "Jensen ApS", **more: Any) -> Customer:
    return Customer(number, name, "DKK", Decimal(more.pop("balance", 0)), Decimal(0), **more)


class Life(RuleBasedStateMachine):
    """Customers and contacts come, change and go; people edit and delete; answers get lost. After each calm night the
    list is as e-conomic says, people's columns are as they left them, and another night changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.nights = Nights("Customers", "Contacts")
        self.typed: dict[str, str] = {}  # Customer ID -> what a person typed into a column of the CRM
        self.calm = False

    @rule(
        number=st.integers(1, 8),
        name=st.sampled_from(["A ApS", "B A/S", " C  I/S "]),
        city=st.sampled_from([None, "Vejle"]),
    )
    def customer_saved(self, number, name, city):
        others = [one for one in self.nights.source.customer_records if one.number != number]
        self.nights.source.customer_records = [*others, customer(number, name, city=city)]
        self.calm = False

    @precondition(lambda self: self.nights.source.customer_records)
    @rule(data=st.data())
    def customer_deleted(self, data):
        gone = data.draw(st.sampled_from(self.nights.source.customer_records))
        self.nights.source.customer_records.remove(gone)
        self.calm = False

    @rule(number=st.integers(1, 6), belongs=st.integers(1, 8), deleted=st.booleans())
    def contact_saved(self, number, belongs, deleted):
        others = [one for one in self.nights.source.contact_records if one.number != number]
        record = CustomerContact(number, belongs, f"Person {number}", deleted=deleted)
        self.nights.source.contact_records = [*others, record]
        self.calm = False

    @precondition(lambda self: self.nights.companies.held)
    @rule(data=st.data(), column=st.sampled_from(["CompanyType", "Title", "City"]))
    def person_edits(self, data, column):
        item = data.draw(st.sampled_from(list(self.nights.companies.held.values())))
        value = "Partner" if column == "CompanyType" else "typed"
        self.nights.companies.edit(item.item_id, **{column: value})
        if column == "CompanyType" and item.values.get("CustomerID"):
            self.typed[str(item.values["CustomerID"])] = value
        self.calm = False

    @precondition(lambda self: self.nights.companies.held)
    @rule(data=st.data())
    def person_deletes(self, data):
        item = data.draw(st.sampled_from(list(self.nights.companies.held.values())))
        self.nights.companies.remove(item.item_id)
        self.typed.pop(str(item.values.get("CustomerID")), None)
        self.calm = False

    @rule(script=st.lists(st.sampled_from([lost_after_saving, lost_before_saving, rejected]), min_size=1, max_size=4))
    def troubled_night(self, script):
        self.nights.companies.script.extend(script)
        self.nights.contacts.script.extend(script)
        result = self.nights.run(override_brake=True)
        assert result.error is None
        self.nights.companies.script.clear()
        self.nights.contacts.script.clear()
        self.calm = False

    @rule()
    def calm_night(self):
        result = self.nights.run(override_brake=True)
        assert result.error is None
        assert {report.status for report in result.reports} <= GOOD
        assert all(report.ledger.balances for report in result.reports)
        # A deleted company's contacts are fetched in by the run that makes the company again, or by the next.
        self.nights.run(override_brake=True)
        self.calm = True

    @invariant()
    def nothing_is_ever_doubled(self):
        keys = [item.values.get("CustomerID") for item in self.nights.companies.held.values()]
        assert len(keys) == len(set(keys))

    @invariant()
    def peoples_columns_are_as_they_left_them(self):
        for item in self.nights.companies.held.values():
            key = str(item.values.get("CustomerID"))
            if key in self.typed:
                assert item.values.get("CompanyType") == self.typed[key]

    @invariant()
    def a_calm_list_is_what_e_conomic_says(self):
        if not self.calm:
            return
        wanted = {str(one.number): " ".join(one.name.split()) for one in self.nights.source.customer_records}
        for item in self.nights.companies.held.values():
            key = str(item.values["CustomerID"])
            if key in wanted:
                assert " ".join(str(item.values["Title"]).split()) == wanted.pop(key)
            else:
                assert item.values["ERPStatus"] == MISSING
        assert wanted == {}
        before = len(self.nights.companies.written) + len(self.nights.contacts.written)
        self.nights.run(override_brake=True)
        assert len(self.nights.companies.written) + len(self.nights.contacts.written) == before


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


def loaded(count: int = 30) -> Nights:
    nights = Nights("Customers", "Contacts")
    nights.source.customer_records = [customer(number) for number in range(1, count + 1)]
    nights.run()
    return nights


def test_a_contact_whose_company_is_missing_heals_by_itself():
    """A row error until the company is there."""
    nights = Nights("Customers", "Contacts")
    nights.source.contact_records = [CustomerContact(1, 7, "Anna Holm")]
    first = nights.report("Contacts")
    assert (first.status, first.rows[0].code) == (RunStatus.WITH_ERRORS, "company-missing")
    assert ("Contacts", "7-1") in nights.runs.row_results
    nights.source.customer_records = [customer(7)]
    assert nights.report("Contacts").ledger.created == 1
    assert nights.runs.row_results == {}


def test_the_brake_stops_before_writing_and_an_approval_of_exactly_this_plan_goes_on():
    """Another plan than the approved one stays stopped."""
    nights = loaded()
    nights.source.customer_records = [customer(number, "Renamed") for number in range(1, 31)]
    braked = nights.report("Customers")
    assert braked.status is RunStatus.BRAKED
    assert "30 of 30" in braked.message
    nights.runs.approvals.add(braked.run_id)
    nights.source.customer_records[0] = customer(1, "Renamed again")
    assert nights.report("Customers").status is RunStatus.BRAKED
    nights.source.customer_records[0] = customer(1, "Renamed")
    assert nights.report("Customers").ledger.updated == 30


@pytest.mark.parametrize("left", [0, 14])
def test_a_source_that_lost_its_rows_is_never_nothing_exists(left):
    """Zero rows, or less than half of the last good run."""
    nights = loaded()
    nights.source.customer_records = nights.source.customer_records[:left]
    report = nights.report("Customers")
    assert report.status is RunStatus.BRAKED
    assert all(item.values["ERPStatus"] == "Active" for item in nights.companies.held.values())


def test_a_broken_read_ends_the_session_and_flags_nothing():
    """What was done so far is reported; the error is kept."""
    nights = loaded()
    nights.source.broken["customers"] = UnavailableError("e-conomic could not be reached.")
    result = nights.run()
    assert isinstance(result.error, UnavailableError)
    assert [report.status for report in result.reports] == [RunStatus.FAILED]
    assert all(item.values["ERPStatus"] == "Active" for item in nights.companies.held.values())


def test_an_incomplete_list_read_never_creates_twice():
    """Items that were promised and did not come are not 'none'."""
    nights = loaded()
    nights.companies.missing = 5
    written = len(nights.companies.written)
    assert nights.run().error is not None
    assert len(nights.companies.written) == written


def test_a_profile_that_cannot_be_bound_does_not_hold_up_the_others():
    """It is reported as failed, with the column."""
    nights = Nights("Customers", "Contacts")
    nights.source.customer_records = [customer(1)]
    contacts = nights.profiles[1]
    nights.profiles[1] = replace(contacts, rules=(*contacts.rules, FieldRule("Nickname", "Name")))
    result = nights.run()
    assert [report.status for report in result.reports] == [RunStatus.SUCCEEDED, RunStatus.FAILED]
    assert "Nickname" in result.reports[1].message


def test_a_plan_is_applied_exactly_or_not_at_all():
    """All plans are checked before the first write."""
    nights = Nights("Customers", "Contacts")
    nights.source.customer_records = [customer(1), customer(2)]
    with nights.session() as session:
        digests = {one.plan.profile: one.plan.digest for one in session.plan()}
    nights.source.customer_records.append(customer(3))
    with nights.session() as session, pytest.raises(StalePlanError):
        session.apply(digests)
    assert nights.companies.held == {}
    nights.source.customer_records.pop()
    with nights.session() as session:
        result = session.apply(digests)
    assert result.reports[0].ledger.created == 2
    assert [report.plan_digest for report in result.reports] == list(digests.values())


def test_an_interrupted_run_leaves_a_row_that_the_next_run_closes():
    """Killed after opening: the run list says so later."""
    nights = loaded(1)
    open_run = replace(next(iter(nights.runs.reports.values())), run_id="killed", status=RunStatus.RUNNING)
    nights.runs.reports["killed"] = open_run
    nights.source.customer_records = [customer(1, "New name")]
    nights.run()
    assert nights.runs.reports["killed"].status is RunStatus.FAILED


def test_a_stop_between_batches_pauses_and_the_next_run_finishes():
    """The ledger holds for the part that was done."""
    nights = Nights("Customers", "Contacts")
    nights.source.customer_records = [customer(number) for number in range(1, 251)]

    def stop_here(target: FakeTarget, write: Any) -> Any:
        nights.stop.set()
        return lost_after_saving(target, write)

    nights.companies.script.append(stop_here)
    result = nights.run()
    assert [report.status for report in result.reports] == [RunStatus.PAUSED]
    assert result.reports[0].ledger.balances
    assert len(nights.companies.held) == 100
    nights.stop.clear()
    assert nights.report("Customers").ledger.created == 150
