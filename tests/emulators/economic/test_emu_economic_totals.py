"""Invoice totals: derived from the same invoices as the lists, by state and by group."""

from typing import Any

import pytest
from emu_economic_support import Served, customer

ROOT = "/invoices/totals"


def summary(body: dict[str, Any]) -> tuple[float, int]:
    return body["netAmountInBaseCurrency"], body["invoiceCount"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("booked", (342.6, 6)),
        ("drafts", (0, 0)),
        ("booked/paid", (100, 1)),
        ("booked/unpaid", (242.6, 5)),
        ("booked/unpaid/overdue", (274.6, 2)),
        ("booked/unpaid/not-overdue", (-32, 3)),
        ("booked/customers/1", (348, 4)),
        ("booked/accounting-years/2025", (100, 1)),
        ("booked/accounting-years/2026_6_2027/periods/14", (42.6, 4)),
        ("booked/customers/1/unpaid/not-overdue/employees/9", (0, 0)),
        ("booked/customers/1/unpaid/overdue/employees/9", (200, 1)),
        ("booked/unpaid/customers/1", (248, 3)),
        ("booked/periods/13", (200, 1)),
    ],
)
def test_sums(emu: Served, path: str, expected: tuple[float, int]) -> None:
    """Net sums exclude VAT, are in base currency, and count credit notes negative; paths combine freely."""
    assert summary(emu.json(f"{ROOT}/{path}")) == expected


@pytest.mark.parametrize(
    ("path", "array", "member", "expected"),
    [
        ("booked/customers", "customers", "customer", {1: (348, 4), 2: (-80, 1), 3: (74.6, 1)}),
        ("booked/accounting-years", "accountingYears", "accountingYear", {"2025": (100, 1), "2026/2027": (242.6, 5)}),
        (
            "booked/accounting-years/2026_6_2027/customers",
            "customers",
            "customer",
            {1: (248, 3), 2: (-80, 1), 3: (74.6, 1)},
        ),
        ("booked/accounting-years/2026_6_2027/periods/13/customers", "customers", "customer", {1: (200, 1)}),
        ("booked/unpaid/customers", "customers", "customer", {1: (248, 3), 2: (-80, 1), 3: (74.6, 1)}),
        ("booked/employees", "employees", "employee", {9: (200, 1)}),
        ("booked/customers/1/periods", "periods", "period", {2: (100, 1), 13: (200, 1), 14: (48, 2)}),
    ],
)
def test_groups(emu: Served, path: str, array: str, member: str, expected: dict[Any, tuple[float, int]]) -> None:
    """A group adds an array named after it, whose elements sum to the totals beside it; no collection envelope."""
    body = emu.json(f"{ROOT}/{path}")
    keys = {"accountingYear": "year"}
    found = {each[member][keys.get(member, f"{member}Number")]: summary(each) for each in body[array]}
    assert found == expected
    assert "collection" not in body
    assert "pagination" not in body
    assert sum(round(each["netAmountInBaseCurrency"] * 100) for each in body[array]) == sum(
        round(net * 100) for net, _ in expected.values()
    )
    for each in body[array]:
        assert summary(emu.json(each["self"].removeprefix(emu.url))) == summary(each)


def test_unpaid_adds_the_open_amount(emu: Served) -> None:
    """Only unpaid totals carry grossRemainderInBaseCurrency, and it equals the customers' balances."""
    assert "grossRemainderInBaseCurrency" not in emu.json(f"{ROOT}/booked")
    balances = sum(round(each["balance"] * 100) for each in emu.json("/customers")["collection"])
    assert round(emu.json(f"{ROOT}/booked/unpaid")["grossRemainderInBaseCurrency"] * 100) == balances


def test_dates(emu: Served) -> None:
    """minDate and maxDate bound the invoices, and are left out where there are none."""
    body = emu.json(f"{ROOT}/booked")
    assert (body["minDate"], body["maxDate"]) == ("2025-02-10", "2026-02-28")
    assert "minDate" not in emu.json(f"{ROOT}/drafts")


@pytest.mark.parametrize(
    ("position", "expected"),
    [("amount_and_count", (342.6, 6)), ("amount_only", (342.6, 5)), ("neither", (422.6, 5))],
)
def test_credit_notes_in_totals_are_a_switch(emu: Served, position: str, expected: tuple[float, int]) -> None:
    """What a credit note does to totals is not known: three positions."""
    emu.switch(credit_note_counts_in_totals=position)
    assert summary(emu.json(f"{ROOT}/booked")) == expected


def test_empty_groups_are_a_switch(emu: Served) -> None:
    """Customers without invoices are listed only where the switch says so."""
    assert [each["customer"]["customerNumber"] for each in emu.json(f"{ROOT}/booked/customers")["customers"]] == [
        1,
        2,
        3,
    ]
    emu.switch(totals_list_empty_groups="yes")
    for group, count in (("customers", 4), ("accounting-years", 2), ("employees", 1), ("periods", 30)):
        body = emu.json(f"{ROOT}/booked/{group}")
        array = {"accounting-years": "accountingYears"}.get(group, group)
        assert len(body[array]) == count
    narrowed = emu.json(f"{ROOT}/booked/accounting-years/2025/customers")["customers"]
    assert [each["invoiceCount"] for each in narrowed] == [1, 0, 0, 0]


def test_paging_of_groups_is_a_switch(emu: Served) -> None:
    """Where grouped totals page, the array is cut and a pagination object says how to go on."""
    emu.switch(totals_paging="yes")
    body = emu.json(f"{ROOT}/booked/customers?pagesize=2")
    assert len(body["customers"]) == 2
    rest = emu.json(body["pagination"]["nextPage"].removeprefix(emu.url))
    assert len(rest["customers"]) == 1


def test_predefined_periods_are_links_to_follow(emu: Served) -> None:
    """Each predefined period's link answers totals of that span."""
    links = emu.json(f"{ROOT}/booked")["predefinedPeriodFilters"]
    found = {name: summary(emu.json(link.removeprefix(emu.url))) for name, link in links.items()}
    assert found["lastYear"] == (100, 1)
    assert found["thisYear"] == (242.6, 5)
    assert found["lastMonth"] == (42.6, 4)
    assert found["thisMonth"] == (0, 0)
    assert found["lastWeek"] == (-72, 2)
    assert found["lastSevenDays"] == (-72, 2)


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "booked/nothing",
        "booked/overdue",
        "drafts/paid",
        "booked/customers/unpaid",
        "booked/customers/x",
        "booked?period=never",
    ],
)
def test_senseless_paths(emu: Served, path: str) -> None:
    """A path that is no totals path is 404."""
    assert emu.get(f"{ROOT}/{path}").status_code == 404


def test_links_of_totals_lead_on(emu: Served) -> None:
    """Every link a total offers can be followed."""
    for path in (ROOT, f"{ROOT}/booked", f"{ROOT}/booked/unpaid", f"{ROOT}/drafts"):
        for name, link in emu.json(path).items():
            if isinstance(link, str) and link.startswith("http"):
                assert emu.get(link.removeprefix(emu.url)).status_code == 200, name


def test_totals_follow_a_new_customer(emu: Served) -> None:
    """A customer without invoices has totals of zero."""
    emu.send("POST", "/_emulator/mutate", {"customers": [customer(88, "Ny")]})
    assert summary(emu.json(f"{ROOT}/booked/customers/88")) == (0, 0)


def test_overdue_and_not_overdue_make_up_the_unpaid(emu: Served) -> None:
    """Unpaid is overdue plus not due, in amount and count; overdue by customer is each one's open amount past due."""
    unpaid, overdue, rest = (emu.json(f"{ROOT}/booked/unpaid{end}") for end in ("", "/overdue", "/not-overdue"))
    for name in ("grossRemainderInBaseCurrency", "netAmountInBaseCurrency", "invoiceCount"):
        assert round(overdue[name] + rest[name], 2) == unpaid[name]
    assert overdue["invoiceCount"] > 0
    groups = emu.json(f"{ROOT}/booked/unpaid/overdue/customers")["customers"]
    found = {each["customer"]["customerNumber"]: each["grossRemainderInBaseCurrency"] for each in groups}
    due = {each["customerNumber"]: each["dueAmount"] for each in emu.json("/customers")["collection"]}
    assert found
    assert all(due[number] == max(0, amount) for number, amount in found.items())
