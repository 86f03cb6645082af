"""The next day: every promised event happens, to rows that exist, and the first day is left as it was."""

import copy
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import pytest

from worker.emulators.dataset import generate, next_day
from worker.emulators.dataset.__main__ import main

TODAY = date(2026, 11, 25)
TOMORROW = TODAY + timedelta(days=1)
DIGEST_CODE = """
import hashlib, json
from dataclasses import asdict
from datetime import date
from worker.emulators.dataset import generate, next_day
data = generate("tiny", 1, date(2026, 11, 25))
day = next_day(data, 1, date(2026, 11, 26))
parts = [data.customers, data.contacts, list(data.invoices), data.prospects, asdict(day)]
print(hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest())
"""


def _by(rows, key):
    return {row[key]: row for row in rows}


@cache
def _days(size, seed):
    data = generate(size, seed, TODAY)
    return data, next_day(data, seed, TOMORROW)


@pytest.fixture(params=[("tiny", 1), ("tiny", 2), ("tiny", 3), ("tiny", 9), ("small", 1), ("small", 7), ("typical", 2)])
def two_days(request):
    return _days(*request.param)


def test_customers_are_renamed_barred_and_new(two_days):
    """Exactly three customers change, each with a newer lastUpdated; the new one has the next free number."""
    data, day = two_days
    before = _by(data.customers, "customerNumber")
    known = [row for row in day.customers if row["customerNumber"] in before]
    [newcomer] = [row for row in day.customers if row["customerNumber"] not in before]
    assert newcomer["customerNumber"] == max(before) + 1
    changes = [
        {name for name in row if row[name] != before[row["customerNumber"]].get(name)} - {"lastUpdated"}
        for row in known
    ]
    assert changes == [{"name"}, {"barred"}]
    for row in day.customers:
        assert row["lastUpdated"] >= TOMORROW.isoformat()
    assert all(len(row["name"]) <= 255 for row in day.customers)


def test_contacts_change_leave_and_arrive(two_days):
    """One e-mail changes, one contact is new, and the removed one was living and nobody's attention."""
    data, day = two_days
    before = _by(data.contacts, "customerContactNumber")
    changed, new = day.contacts
    old = before[changed["customerContactNumber"]]
    assert {name for name in changed if changed[name] != old.get(name)} == {"email", "lastUpdated"}
    assert new["customerContactNumber"] > max(before)
    [removed] = day.removed_contacts
    assert "isDeleted" not in before[removed]
    assert removed != changed["customerContactNumber"]
    assert all(row.get("attention", {}).get("customerContactNumber") != removed for row in data.customers)


def test_invoices_are_booked_paid_part_paid_and_credited(two_days):
    """Five to ten new ones, several settled, one left partly open, and one credit note, numbered on from the last."""
    data, day = two_days
    before = _by(data.invoices, "bookedInvoiceNumber")
    last = max(before)
    new = [row for row in day.invoices if row["bookedInvoiceNumber"] > last]
    old = [row for row in day.invoices if row["bookedInvoiceNumber"] <= last]
    assert [row["bookedInvoiceNumber"] for row in new] == list(range(last + 1, last + 1 + len(new)))
    assert 5 <= sum(row["grossAmount"] > 0 for row in new) <= 10
    assert [row["grossAmount"] < 0 for row in new].count(True) == 1
    assert min(row["date"] for row in new) < max(row["date"] for row in new) == TOMORROW.isoformat()
    assert sum(row["remainder"] == 0 for row in old) >= 2
    assert sum(0 < row["remainder"] < row["grossAmount"] for row in old) == 1
    for row in old:
        original = before[row["bookedInvoiceNumber"]]
        assert {name for name in row if row[name] != original[name]} == {"remainder", "remainderInBaseCurrency"}
        assert row["remainder"] < original["remainder"]


def test_nobody_barred_is_invoiced(two_days):
    """New invoices go to unbarred customers, the newcomer among them, under today's name."""
    data, day = two_days
    now = _by(data.customers, "customerNumber") | _by(day.customers, "customerNumber")
    old_numbers = {row["bookedInvoiceNumber"] for row in data.invoices}
    buyers = [row for row in day.invoices if row["bookedInvoiceNumber"] not in old_numbers]
    for row in buyers:
        customer = now[row["customer"]["customerNumber"]]
        assert "barred" not in customer
        assert row["recipient"]["name"] == customer["name"][:250]
    assert max(now) in {row["customer"]["customerNumber"] for row in buyers}


def test_people_edit_one_column_of_each_owner(two_days):
    """Both edits name rows that exist after the first load and that nothing else touches this day."""
    data, day = two_days
    ours, theirs = day.crm_edits
    assert (ours.list_title, ours.key_column, ours.column, ours.owner) == ("Contacts", "ImportID", "JobTitle", "CRM")
    assert (theirs.list_title, theirs.key_column, theirs.column, theirs.owner) == (
        "Companies", "CustomerID", "Phone", "ERP",
    )  # fmt: skip
    living = {f"{r['customerNumber']}-{r['customerContactNumber']}" for r in data.contacts if "isDeleted" not in r}
    assert ours.key in living
    assert int(ours.key.split("-")[1]) not in day.removed_contacts
    customer = _by(data.customers, "customerNumber")[int(theirs.key)]
    assert customer["telephoneAndFaxNumber"].strip() not in ("", theirs.value)
    assert "barred" not in customer
    assert customer["customerNumber"] not in _by(day.customers, "customerNumber")


def test_the_first_day_is_left_as_it_was():
    """Nothing in the set is changed in place."""
    data = generate("small", 1, TODAY)
    customers, contacts = copy.deepcopy(data.customers), copy.deepcopy(data.contacts)
    next_day(data, 1, TOMORROW)
    assert (data.customers, data.contacts) == (customers, contacts)


def test_the_story_tells_every_event(two_days):
    """One sentence per kind of event, each ending in a full stop."""
    _, day = two_days
    assert len(day.story) == 11
    assert all(sentence.endswith(".") for sentence in day.story)


def test_an_empty_agreement_has_quiet_days():
    """Nothing happens where there is nobody."""
    day = next_day(generate("empty", 1, TODAY), 1, TOMORROW)
    assert (day.customers, day.contacts, day.removed_contacts, day.invoices, day.crm_edits) == ([], [], [], [], [])
    assert day.story == ["Nothing happened: the agreement has no customers."]


def test_the_next_day_may_be_weeks_later_but_not_earlier(small):
    """A later day moves the dates along; an earlier one is refused."""
    later = next_day(small, 1, TODAY + timedelta(days=30))
    assert later.today == TODAY + timedelta(days=30)
    assert max(row["date"] for row in later.invoices) == later.today.isoformat()
    assert next_day(small, 1, TODAY).today == TODAY
    with pytest.raises(ValueError, match="before the data set's own day"):
        next_day(small, 1, TODAY - timedelta(days=1))


def test_a_week_of_days_can_be_played():
    """Each day's outcome may be the set of the next: numbers go on, no newcomer's name comes twice."""
    data = generate("tiny", 3, TODAY)
    for offset in range(1, 8):
        day = next_day(data, 3, TODAY + timedelta(days=offset))
        customers = _by(data.customers, "customerNumber") | _by(day.customers, "customerNumber")
        contacts = _by(data.contacts, "customerContactNumber") | _by(day.contacts, "customerContactNumber")
        for number in day.removed_contacts:
            contacts[number] = contacts[number] | {"isDeleted": True}
        invoices = _by(data.invoices, "bookedInvoiceNumber") | _by(day.invoices, "bookedInvoiceNumber")
        data = replace(
            data,
            customers=list(customers.values()),
            contacts=list(contacts.values()),
            invoices=list(invoices.values()),
            today=day.today,
        )
        assert [*customers][-1] == max(customers)
        assert [*invoices] == sorted(invoices)
    assert len(data.customers) == 12 + 7
    assert len({row["name"] for row in data.customers[12:]}) == 7


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ({"contacts": []}, "needs a contact to remove"),
        ({"payment_terms": []}, "needs an unbarred customer to rename"),
        ({"invoices": []}, "needs an open invoice"),
    ],
)
def test_a_set_that_lacks_a_part_is_refused_in_words(missing, sentence):
    """Recorded data may have no contacts, no terms or no invoices; the error names what a day needs."""
    data, _ = _days("tiny", 1)
    with pytest.raises(LookupError, match=sentence):
        next_day(replace(data, **missing), 1, TOMORROW)


def test_equal_arguments_give_equal_data_in_every_process():
    """Text hashing, which Python salts per process, has no influence on data or next day."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST_CODE],
            env=os.environ | {"PYTHONHASHSEED": salt},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for salt in ("1", "2")
    }
    assert len(digests) == 1


def test_the_data_are_equal_on_every_python():
    """The tiny customers of seed 1 have a known fingerprint; a change of the generator or of Faker must renew it."""
    rows = generate("tiny", 1, TODAY)
    text = json.dumps([rows.customers, list(rows.invoices)], sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "4b35dd15c63768b5"


def test_another_seed_gives_other_data():
    """Seeds matter for customers and for the day."""
    one, two = generate("tiny", 1, TODAY), generate("tiny", 2, TODAY)
    assert one.customers != two.customers
    assert next_day(one, 1, TOMORROW).customers != next_day(one, 2, TOMORROW).customers


def test_the_summary_command_prints_counts_and_story(capsys):
    """A person sees the table first and then what the next day brings."""
    main(["--size", "tiny", "--seed", "1", "--today", "2026-11-25"])
    text = capsys.readouterr().out
    assert "customers                                12" in text
    assert "The next day:\n- Customer" in text
