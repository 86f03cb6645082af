"""By what a company is told from another one: only by what the worker itself keeps true. And where rows belong that
carry an earlier number."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.sync.test_session import Nights, customer, shipped
from worker.domain.mapping import Lookup
from worker.domain.profile import Profile
from worker.sync.numbers import RowNumbers, facts_of

BEFORE = {"address": "Bakkevej 3", "zip": "8000", "email": "anna@jensen.example"}
AFTER = {"address": "Strandvej 9", "zip": "5000", "email": "bent@holm.example"}


def without(profile: Profile, *columns: str) -> Profile:
    return replace(profile, rules=tuple(rule for rule in profile.rules if rule.target not in columns))


def test_the_shipped_profiles_keep_all_facts():
    assert facts_of(shipped()) == {"EMail", "Zip", "Address", "Phone"}
    assert facts_of(shipped("Contacts", "Invoices")) == set()


def renamed(nights: Nights) -> str:
    nights.source.customer_records = [customer(number, **BEFORE) for number in range(1, 9)]
    nights.run()
    for item in list(nights.companies.held):
        nights.companies.edit(item, EMail="own@people.example", Address="Their Own Street 1")
    records = nights.source.customer_records
    nights.source.customer_records = [customer(1, "Bent Holm", **AFTER), *records[1:]]
    report = nights.report("Customers", override_brake=True)
    return ", ".join(row.code for row in report.rows)


def test_what_people_keep_themselves_raises_no_question():
    """Their columns are as they like, whatever e-conomic has."""
    nights = Nights("Customers")
    nights.profiles = [without(nights.profiles[0], "EMail", "Address", "Zip", "Phone")]
    assert renamed(nights) == ""


def test_what_the_worker_keeps_does():
    assert renamed(Nights("Customers")) == "maybe-other"


class TestLeftBehind:
    """Rows of number 1 at company item 7, whose number 9 was given to somebody else."""

    def found(
        self, carried: str | None = None, there: str = "9", taken: str = "9 of 8", item: int = 7
    ) -> dict[str, str]:
        pairs = [] if carried is None else [(carried, 7)]
        number, other = taken.split(" of ")
        companies = Lookup([*pairs, (number, int(other))])
        (profile,) = shipped("Sales statistics by period")
        rows = RowNumbers(profile, [("1", item)], companies, {}, frozenset(there.split()), {7: "9"})
        return rows.left_behind()

    def test_they_go_where_their_company_went(self):
        assert self.found() == {"1": "9"}

    @pytest.mark.parametrize(
        "odd",
        [
            {"there": "1 9"},
            {"there": "5"},
            {"taken": "1 of 8"},
            {"carried": "1"},
            {"item": 6},
        ],
        ids=["e-conomic has it still", "the new one is gone too", "a company carries it", "theirs does", "another's"],
    )
    def test_but_not_where_that_is_unsure(self, odd):
        assert self.found(**odd) == {}

    def test_what_the_company_carries_by_now_counts(self):
        assert self.found(carried="5", there="5 9") == {"1": "5"}
