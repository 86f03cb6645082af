"""What a comparison compares: every column that the shipped profiles let e-conomic own, each kind of row, each sum."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.reconciling import compared, loaded
from tests.support.world import TOKEN, World
from worker.wiring.reconciling import reconcile

CONFIG = Path(__file__).parents[2] / "config"
LISTS = {
    "Companies": "companies",
    "Contacts": "contacts",
    "Invoices": "invoices",
    "Sales statistics": "sales-statistics",
}
TARGETS = {"Companies": "CRM Company", "Contacts": "CRM Contact", "Invoices": "Invoice"}
KEYS = {"Companies": "CustomerID", "Contacts": "ImportID", "Invoices": "InvoiceNumber", "Sales statistics": "StatKey"}
KINDS = {"Companies": "customer", "Contacts": "contact", "Invoices": "invoice", "Sales statistics": "statistics row"}
OF_THE_RUN = {"RunID", "RunStarted"}
LEFT_OUT = {"ERPLastChanged", "SalesTrend"}  # said on the report
UNFILLED = {"VATNumber"}  # Danish agreements have none
WRONG = {
    "Text": "Wrong 99 99 99 98",
    "Note": "Wrong",
    "Currency": 98765.43,
    "Number": 98765,
    "Date": "2001-01-01T00:00:00Z",
    "DateTime": "2001-01-01T00:00:00Z",
}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with loaded(tmp_path_factory.mktemp("reconcile")) as made:
        yield made


@pytest.fixture
def world(night: World) -> World:
    night.restore()
    return night


def definition(title: str) -> dict[str, Mapping[str, Any]]:
    found = json.loads((CONFIG / "lists" / f"{LISTS[title]}.json").read_text(encoding="utf-8"))
    return {column["name"]: column for column in found["columns"]}


def owned(title: str) -> list[str]:
    """Columns of a list that e-conomic owns by the shipped profiles."""
    found = []
    for path in sorted((CONFIG / "profiles").glob("*.json")):
        profile = json.loads(path.read_text(encoding="utf-8"))
        if profile["target"] == TARGETS.get(title, title):
            found += [
                rule["target"]
                for rule in profile["mapping"]
                if "rule" not in rule and rule.get("source") not in {*OF_THE_RUN, None}
            ]
    return sorted(set(found) - {KEYS[title]})


def wrong(column: Mapping[str, Any], standing: Any, rows: list[dict[str, Any]]) -> Any:
    """A value of the column's type that is not what stands there."""
    match column["type"]:
        case "Choice":
            return next(one for one in column["choices"] if one != standing)
        case "Lookup":
            return next(row["CompanyId"] for row in rows if row["CompanyId"] not in (None, standing))
        case "Text" if column.get("maxLength") == 3:
            return "XXX"
        case kind:
            return WRONG[kind]


def spoil(world: World, title: str) -> dict[str, str]:
    """Every column, each in the first row that has a value there: column -> key of the row."""
    columns, rows, spoiled = definition(title), world.rows(title), {}
    changes: dict[int, dict[str, Any]] = defaultdict(dict)
    for name in owned(title):
        internal = "CompanyId" if name == "Company" else name
        row = next((one for one in rows if one[KEYS[title]] and one[internal] not in (None, "")), None)
        if row is not None:
            spoiled[name] = str(row[KEYS[title]])
            changes[row["Id"]][internal] = wrong(columns[name], row[internal], rows)
    for item_id, values in changes.items():
        world.merge(title, item_id, values)
    return spoiled


@pytest.mark.parametrize("title", LISTS)
def test_each_column_that_e_conomic_owns_is_compared(world, title):
    spoiled = spoil(world, title)
    assert set(owned(title)) - set(spoiled) <= UNFILLED
    found = compared(world)
    named = {(one.kind, one.column, one.key) for one in found.differences}
    assert named == {(KINDS[title], name, key) for name, key in spoiled.items() if name not in LEFT_OUT}
    assert not found.missing


def test_what_is_left_out_is_said_with_the_reason(world):
    said = {(one.kind, one.column): one.why.value for one in compared(world).not_compared}
    assert said == {
        ("customer", "ERPLastChanged"): "moves",
        ("customer", "SalesTrend"): "trend",
        ("customer", "CompanyType"): "owned",
        ("invoice", "PaidSeenOn"): "owned",
    }


@pytest.mark.parametrize("title", LISTS)
def test_a_row_that_the_crm_lost_is_missed(world, title):
    rows = [row for row in world.rows(title) if row[KEYS[title]]]
    lost = rows[-1]
    world.recycle(title, lost["Id"])
    missing = {(one.kind, one.side, one.key) for one in compared(world).missing}
    assert (KINDS[title], "e-conomic", lost[KEYS[title]]) in missing


@pytest.mark.parametrize(
    ("title", "values", "key"),
    [
        ("Companies", {"CustomerID": "999998"}, "999998"),
        ("Contacts", {"ImportID": "1-999998"}, "1-999998"),
        ("Invoices", {"InvoiceNumber": "999998"}, "999998"),
        ("Sales statistics", {"StatKey": "999998|Financial year|2026-01-01"}, "999998|Financial year|2026-01-01"),
    ],
)
def test_a_row_that_e_conomic_does_not_have_is_named_with_its_item(world, title, values, key):
    item_id = world.post(title, {"Title": "Stranger", **values})
    (one,) = compared(world).missing
    assert (one.kind, one.side, one.key, one.item_id) == (KINDS[title], "CRM", key, item_id)


def test_peoples_own_rows_are_none_of_its_business(world):
    """Without a key, or with one of another form."""
    world.post("Contacts", {"Title": "A friend", "ImportID": "imported from a fair"})
    world.post("Companies", {"Title": "A prospect"})
    world.post("Sales statistics", {"Title": "Our own", "StatKey": "budget 2026"})
    assert compared(world).agrees


def test_statistics_of_the_periods_before_the_window_are_left_alone(world):
    number = next(row["CustomerID"] for row in world.rows("Companies") if row["CustomerID"])
    world.post("Sales statistics", {"Title": "Old", "StatKey": f"{number}|Quarter|2022-01-01", "NetSales": 5})
    assert compared(world).agrees


def test_a_wrong_statistics_row_shows_in_the_sum_of_its_year(world):
    row = next(row for row in world.rows("Sales statistics") if row["StatKey"].endswith("|Financial year|2026-01-01"))
    world.merge("Sales statistics", row["Id"], {"NetSales": row["NetSales"] + 1000})
    (off,) = [one for one in compared(world).sums if not one.agrees]
    assert off.name == "Sales statistics 2026"
    assert off.crm - off.economic == 1000
    assert off.own == off.economic


@pytest.mark.parametrize("rule", ["Fill if blank", "On create only"])
def test_a_column_that_the_crm_owns_is_no_difference(world, rule):
    remap(world, "Customers", "City", rule=rule)
    world.edit("Companies", "CustomerID", first(world), {"City": "Elsewhere"})
    assert compared(world).agrees


def test_a_converter_that_can_not_be_compared_independently_is_said(world):
    remap(world, "Customers", "Country", converter="country_code")
    (one,) = [one for one in compared(world).not_compared if one.column == "Country"]
    assert str(one) == "not compared: customer, column Country (converter country_code)"


def test_a_column_under_another_name_is_compared(world):
    """The profile names it; the list of the site decides what it is called inside."""
    remap(world, "Customers", "City", target="State")
    add_column(world, "Companies", "State")
    world.run(["Customers"], override_brake=True)
    assert compared(world).agrees
    world.edit("Companies", "CustomerID", first(world), {"State": "Elsewhere"})
    assert [one.column for one in compared(world).differences] == ["State"]


def test_rows_that_a_filter_leaves_out_are_neither_missed_nor_compared(world):
    """Barred customers here; the invoices of each are left out likewise."""
    barred = next(str(one["customerNumber"]) for one in world.data.customers if one.get("barred"))
    for title in ("Customers", "Balances", "Sales history", "Invoices", "Sales statistics by period", "Contacts"):
        cells(world, title, lambda found: found | {"includeBarred": False})
    world.edit("Companies", "CustomerID", barred, {"City": "Elsewhere", "Balance": 1})
    for row in world.rows("Invoices"):
        if row["CustomerID"] == barred:
            world.recycle("Invoices", row["Id"])
    assert compared(world).agrees


def test_with_financial_years_of_the_settings_figures_are_counted_by_those(tmp_path):
    """Of such years e-conomic has no totals."""
    with World(tmp_path, patient=False) as world:
        world.set_up()
        with world.app(world.settings(financial_year_start="07-01")) as app:
            with app.session(world.profiles(app), app.run_options(override_brake=True)) as session:
                session.run()
            found = reconcile(app)
        assert found.agrees
        assert {one.why.value for one in found.not_compared} == {"moves", "trend", "owned"}
        sums = {one.name: one for one in found.sums if one.year}
        assert "Sales statistics 2026/2027" in sums
        assert {one.own for one in sums.values()} == {None}
        assert any(one.crm for one in sums.values())
        assert not compared(world).agrees, "e-conomic's own years are others"


def test_a_list_that_no_profile_fills_is_said(world):
    row = next(row for row in world.rows("Mapping profiles") if row["Title"] == "Contacts")
    world.merge("Mapping profiles", row["Id"], {"Enabled": False})
    world.recycle("Contacts", world.rows("Contacts")[0]["Id"])
    found = compared(world)
    assert found.agrees
    assert ("contact", "profile") in {(one.kind, one.why.value) for one in found.not_compared}


def test_a_profile_that_can_not_be_read_is_said(world):
    """Nobody knows what it fills."""
    row = next(row for row in world.rows("Mapping profiles") if row["Title"] == "Balances")
    world.merge("Mapping profiles", row["Id"], {"Mapping": "nonsense"})
    key = first(world)
    world.edit("Companies", "CustomerID", key, {"Overdue31To60": 12345})
    found = compared(world)
    said = [str(one) for one in found.not_compared]
    words = "it can't be read; correct it in the list of profiles"
    assert f"not compared: what the profile Balances fills ({words})" in said
    assert not found.differences


def test_a_second_company_of_a_customer_is_told_with_both_items(world):
    """It may be a branch, so it is told and no difference."""
    linked = next(row for row in world.rows("Companies") if row["CustomerID"] and row["CINumber"])
    item_id = world.post("Companies", {"Title": "Once more", "CINumber": f"DK {linked['CINumber']}"})
    found = compared(world)
    assert found.agrees
    (twin,) = found.twins
    assert (twin.item_id, twin.linked, twin.key) == (item_id, (linked["Id"],), linked["CustomerID"])


def first(world: World) -> str:
    return next(row["CustomerID"] for row in world.rows("Companies") if row["CustomerID"] and row["City"])


def remap(world: World, profile: str, column: str, **changes: str) -> None:
    """Changes a rule of a profile in the list."""
    row = next(row for row in world.rows("Mapping profiles") if row["Title"] == profile)
    mapping = [one | (changes if one["target"] == column else {}) for one in json.loads(row["Mapping"])]
    world.merge("Mapping profiles", row["Id"], {"Mapping": json.dumps(mapping)})


def cells(world: World, profile: str, change: Any) -> None:
    """Changes a profile's filter in the list."""
    row = next(row for row in world.rows("Mapping profiles") if row["Title"] == profile)
    found = json.loads(row["SourceFilter"] or "{}")
    world.merge("Mapping profiles", row["Id"], {"SourceFilter": json.dumps(change(found))})


def add_column(world: World, title: str, name: str) -> None:
    plain = "application/json;odata=nometadata"
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": plain, "Content-Type": plain, "User-Agent": "Person/1.0"}
    url = f"{world.site_url}/_api/web/lists/getbytitle('{title}')/fields"
    requests.post(url, json={"Title": name, "FieldTypeKind": 2}, headers=headers, timeout=30).raise_for_status()
