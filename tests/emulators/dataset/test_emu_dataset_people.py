"""Customers, contacts and prospects: exact shares, valid numbers, and the dirt that must be there."""

import re
from collections import Counter
from datetime import date

import pytest

import worker.emulators.dataset as package
from worker.emulators.dataset import SIZES, agreement, counts_of, generate
from worker.emulators.dataset.chance import apportion, quota, stream
from worker.emulators.dataset.numbering import cvr_is_valid, draw_cvr, ean_is_valid
from worker.emulators.dataset.summary import summary

TODAY = date(2026, 11, 25)
LIMITS = {
    "name": 255, "address": 510, "city": 50, "zip": 30, "country": 50, "email": 255, "telephoneAndFaxNumber": 255,
    "mobilePhone": 50, "website": 255, "corporateIdentificationNumber": 40, "ean": 13, "pNumber": 10,
}  # fmt: skip


def _digits(text):
    return re.sub(r"\D", "", text)


@pytest.mark.parametrize("size", ["empty", "tiny", "small", "typical"])
def test_a_size_holds_what_the_docstring_says(size):
    """Every count in the package's table is the count of the set, for a seed of one's choice."""
    rows = {label.strip(): number for label, number in summary(generate(size, 5, TODAY))}
    labels = (
        "customers", "barred", "with CVR", "with EAN", "with e-mail", "in EUR", "contacts", "booked invoices",
        "prospects",
    )  # fmt: skip
    [line] = re.findall(rf"^    {size} .*$", package.__doc__, re.MULTILINE)
    assert [int(cell.replace(",", "")) for cell in line.split()[1:]] == [rows[label] for label in labels]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("size", ["tiny", "small"])
def test_every_set_holds_the_oddities(size, seed):
    """Twins, the longest name, a long address, blanks and an emoji do not depend on luck."""
    rows = generate(size, seed, TODAY).customers
    names = Counter(row["name"] for row in rows)
    [twin] = [name for name, times in names.items() if times == 2]
    twins = [row for row in rows if row["name"] == twin]
    assert len({row["customerNumber"] for row in twins}) == len({row["zip"] for row in twins}) == 2
    assert [len(name) for name in names].count(255) == 1
    assert any(len(row.get("address", "")) > 255 for row in rows)
    assert any("\U0001f33b" in name for name in names)
    assert any("" in row.values() for row in rows)
    assert any(" " in row.get("email", "") for row in rows)


def test_texts_are_dirty_in_the_ways_real_ones_are(small):
    """Line breaks of both kinds, blanks at both ends and doubled, ampersands, apostrophes, mark-up, Danish letters."""
    names = [row["name"] for row in small.customers]
    addresses = [row.get("address", "") for row in small.customers]
    assert any(name.startswith(" ") for name in names)
    assert any(name.endswith((" ", "\t")) for name in names)
    assert any("  " in name.strip() for name in names)
    for mark in ("&", "'", "<b>", "ø", "æ", "å"):
        assert any(mark in name for name in names), mark
    assert any("\r\n" in text for text in addresses)
    assert any(re.search(r"\r(?!\n)", text) for text in addresses)
    assert {"Danmark", "Denmark", "DK", ""} <= {row.get("country") for row in small.customers}


def test_customers_fit_the_limits_and_the_wire(small):
    """No text is longer than e-conomic allows; absent is absent, barred is only ever true; no derived figure."""
    groups = {row["customerGroupNumber"] for row in small.customer_groups}
    terms = {row["paymentTermsNumber"] for row in small.payment_terms}
    for row in small.customers:
        assert None not in row.values()
        assert all(len(row.get(name, "")) <= limit for name, limit in LIMITS.items())
        assert row.get("barred", True) is True
        assert not {"balance", "dueAmount", "self"} & set(row)
        assert row["customerGroup"]["customerGroupNumber"] in groups
        assert row["paymentTerms"]["paymentTermsNumber"] in terms
        assert len(row["currency"]) == 3
    assert groups == {row["customerGroup"]["customerGroupNumber"] for row in small.customers}


def test_customer_numbers_ascend_with_gaps(small):
    """Numbers are unique and ascending, and some are missing in between."""
    numbers = [row["customerNumber"] for row in small.customers]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] - numbers[0] > len(numbers)


def test_identification_numbers_pass_their_check_digits(small):
    """CVR by modulus 11 once the typing is taken off, EAN by its thirteenth digit, production units ten digits."""
    cvrs = [row["corporateIdentificationNumber"] for row in small.customers if row.get("corporateIdentificationNumber")]
    eans = [row["ean"] for row in small.customers if "ean" in row]
    assert all(cvr_is_valid(_digits(text)) for text in cvrs)
    assert any(text.startswith("DK") for text in cvrs)
    assert any(" " in text.strip() for text in cvrs)
    assert all(ean_is_valid(ean) and ean.startswith("57") for ean in eans)
    assert all(len(row["pNumber"]) == 10 for row in small.customers if "pNumber" in row)


@pytest.mark.parametrize(
    ("digits", "valid"),
    [("10000009", True), ("10000008", False), ("00000000", False), ("1000000", False), ("1000000x", False)],
)
def test_the_cvr_check(digits, valid):
    """One worked example: 2*1 + 1*9 = 11; a wrong digit, a leading zero and a wrong length fail."""
    assert cvr_is_valid(digits) is valid


@pytest.mark.parametrize(
    ("digits", "valid"), [("4006381333931", True), ("4006381333932", False), ("400638133393", False)]
)
def test_the_ean_check(digits, valid):
    """The textbook EAN passes; a wrong last digit and a wrong length fail."""
    assert ean_is_valid(digits) is valid


def test_drawn_cvr_numbers_are_always_valid():
    """Heads whose last digit would have to be ten are drawn again."""
    rng = stream(1, "cvr")
    assert all(cvr_is_valid(draw_cvr(rng)) for _ in range(2_000))


def test_foreign_customers_have_a_foreign_zone_and_group(small):
    """A customer in a foreign currency is in the foreign group and, but for a few with Danish VAT, zone."""
    abroad = [row for row in small.customers if row["currency"] != "DKK"]
    assert {"EUR"} < {row["currency"] for row in abroad}
    assert 1 <= sum(row["vatZone"]["vatZoneNumber"] not in (2, 3) for row in abroad) <= 4
    assert all(row["customerGroup"]["customerGroupNumber"] == 2 for row in abroad)


def test_changes_lie_before_today(small):
    """Every time stamp is in whole UTC seconds and before the morning of the set's day."""
    for row in [*small.customers, *small.contacts]:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["lastUpdated"])
        assert row["lastUpdated"] < TODAY.isoformat()


@pytest.mark.parametrize(("size", "seed"), [("tiny", 1), ("tiny", 8), ("small", 1), ("small", 8)])
def test_contacts_are_spread_unevenly(size, seed):
    """Many customers have none, some have five; barred customers have some; numbers are unique, ranks count from 1."""
    data = generate(size, seed, TODAY)
    per_customer = Counter(row["customerNumber"] for row in data.contacts)
    assert len(per_customer) <= 0.65 * len(data.customers)
    assert max(per_customer.values()) == 5
    barred = {row["customerNumber"] for row in data.customers if row.get("barred")}
    assert barred & set(per_customer)
    assert set(per_customer) <= {row["customerNumber"] for row in data.customers}
    numbers = [row["customerContactNumber"] for row in data.contacts]
    assert numbers == sorted(set(numbers))
    for customer, count in per_customer.items():
        ranks = [row["sortKey"] for row in data.contacts if row["customerNumber"] == customer]
        assert ranks == list(range(1, count + 1))


def test_contacts_are_dirty_too(small):
    """Soft-deleted ones, a shared e-mail, commas, notes with line breaks, no name twice at a customer."""
    rows = small.contacts
    assert sum("isDeleted" in row for row in rows) == 9
    assert 0.1 < sum(not row.get("email") for row in rows) / len(rows) < 0.3
    assert any(", " in row["name"] for row in rows)
    assert any("\n" in row.get("notes", "") for row in rows)
    assert len({(row["customerNumber"], row["name"]) for row in rows}) == len(rows)
    emails = Counter(row["email"] for row in rows if row.get("email") and "isDeleted" not in row)
    [shared] = [email for email, times in emails.items() if times > 1]
    assert len({row["customerNumber"] for row in rows if row.get("email") == shared}) == 2


def test_attention_points_to_a_living_contact_of_the_same_customer(small):
    """References between customers and contacts hold."""
    living = {(r["customerContactNumber"], r["customerNumber"]) for r in small.contacts if "isDeleted" not in r}
    pointers = [(row, row["attention"]) for row in small.customers if "attention" in row]
    assert pointers
    for row, pointer in pointers:
        assert (pointer["customerContactNumber"], row["customerNumber"]) in living


def test_prospects_include_link_candidates(small):
    """Some share a CVR with a customer, some name and zip, some are blank; none has a Customer ID."""
    cvrs = {_digits(row.get("corporateIdentificationNumber", "")) for row in small.customers} - {""}
    places = {(row["name"], row.get("zip")) for row in small.customers}
    assert sum(row.get("CINumber") in cvrs for row in small.prospects) == 4
    assert sum((row["Title"], row.get("Zip")) in places for row in small.prospects) == 4
    assert (
        sum(not "".join(row.get(c, "x") for c in ("CINumber", "EMail", "Zip")).strip() for row in small.prospects) == 4
    )
    assert all(row["CompanyType"] == "Prospect" and "CustomerID" not in row for row in small.prospects)


def test_agreement_variants():
    """Another company, base currency and role set can be asked for; nothing else changes."""
    other = agreement(77, company="Anden ApS", base_currency="EUR", roles=("Sales",))
    assert (other["agreementNumber"], other["user"]["agreementNumber"], other["company"]["name"]) == (
        77,
        77,
        "Anden ApS",
    )
    assert other["settings"] == {"baseCurrency": "EUR"}
    assert [role["name"] for role in other["application"]["requiredRoles"]] == ["Sales"]
    assert set(other) == set(agreement())


def test_an_unknown_size_names_the_allowed_ones():
    """The error says what may be asked for."""
    with pytest.raises(ValueError, match=r"'huge'.*empty, tiny, small, typical, large"):
        counts_of("huge")
    assert counts_of("large") is SIZES["large"]


def test_shares_are_met_exactly():
    """Largest remainders sum to the total; a quota holds each value as often as its share says."""
    assert apportion(10, [1, 1, 1]) == [4, 3, 3]
    assert apportion(5, []) == []
    assert apportion(5, [0.0]) == [0]
    assert Counter(quota(stream(1, "q"), 50, {"a": 60, "b": 40})) == {"a": 30, "b": 20}
