"""By what a company is told from another one: only by what the worker itself keeps true."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.sync.test_session import Nights, customer, shipped
from worker.domain.profile import Profile
from worker.sync.numbers import facts_of

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
