"""The OpenAPI services: cursors, pages, counts, versions of objects, contacts, customers, lines, entries."""

from typing import Any

import pytest
from emu_economic_support import Served, invoice

CUSTOMERS_API = "/customersapi/v3.1.0"
CONTACTS = f"{CUSTOMERS_API}/Contacts"
LINES = "/q2capi/v5.3.0/invoices/booked/lines"
ENTRIES = "/bookedEntriesapi/v4.0.0/booked-entries"


def many_contacts(emu: Served, count: int, first: int = 1000) -> None:
    emu.store.put_contacts(
        {
            "customerContactNumber": first + index,
            "customerNumber": 1,
            "name": f"Person {index}",
            "sortKey": index,
            "lastUpdated": "2026-01-01T00:00:00Z",
        }
        for index in range(count)
    )


def walk(emu: Served, path: str) -> list[dict[str, Any]]:
    items, cursor = [], None
    while True:
        body = emu.json(path, params={"cursor": cursor} if cursor else None)
        items += body["items"]
        if "cursor" not in body:
            return items
        cursor = body["cursor"]
        assert len(cursor) <= 50


@pytest.mark.parametrize("path", ["/customersapi/v3.1.0/contacts", "/CUSTOMERSAPI/v3.1.0/Contacts"])
def test_service_names_are_case_insensitive(emu: Served, path: str) -> None:
    """Service names and paths match without regard to case."""
    assert len(emu.json(path)["items"]) == 3


@pytest.mark.parametrize("path", ["/customersapi/v3.0.0/Contacts", "/nothingapi/v1.0.0/X", f"{CUSTOMERS_API}/Nothing"])
def test_unknown_service_or_version(emu: Served, path: str) -> None:
    """An unknown service, version or path is 404 as problem JSON."""
    answer = emu.get(path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["instance"] == path


def test_a_missing_module_closes_its_service(emu: Served) -> None:
    """403 with the code that is documented for it, on this service only; the classic list stays open."""
    emu.switch(missing_modules="customersapi")
    answer = emu.get(CONTACTS)
    assert (answer.status_code, answer.json()["errorCode"]) == (403, "AccessDeniedAgreementMissingModules")
    assert emu.get(LINES).status_code == emu.get("/customers/1/contacts").status_code == 200


def test_contact_fields(emu: Served) -> None:
    """Contacts are flat, omit empties and false flags, and deleted ones are kept and marked."""
    alive, _, gone = emu.json(CONTACTS)["items"]
    assert alive == {
        "number": 11,
        "customerNumber": 1,
        "userInterfaceNumber": 1,
        "name": "Bo",
        "lastUpdated": "2026-01-01T00:00:00",
        "active": True,
        "objectVersion": alive["objectVersion"],
    }
    assert (gone["isDeleted"], "active" in gone) == (True, False)


def test_contact_switches(emu: Served) -> None:
    """Key name and time zone of contacts may be otherwise."""
    emu.switch(contact_key_name="customerContactNumber", open_timestamp_zone="utc")
    item = emu.json(CONTACTS)["items"][0]
    assert (item["customerContactNumber"], item["lastUpdated"]) == (11, "2026-01-01T00:00:00Z")
    assert "number" not in item


def test_cursor_reads_everything_once(emu: Served) -> None:
    """Pages of 1000 and a cursor that is absent on the last one; sort is ignored."""
    many_contacts(emu, 2100)
    numbers = [each["number"] for each in walk(emu, f"{CONTACTS}?sort=-number")]
    assert numbers == [11, 12, 13, *range(1000, 3100)]


def test_cursor_absent_when_a_page_is_exactly_full(emu: Served) -> None:
    """Exactly 1000 rows are one page without a cursor."""
    many_contacts(emu, 997)
    body = emu.json(CONTACTS)
    assert (len(body["items"]), "cursor" in body) == (1000, False)


@pytest.mark.parametrize(
    ("position", "status", "repeated"), [("stable", 200, 0), ("shifting", 200, 1), ("refused", 400, 0)]
)
def test_cursor_over_a_write_is_a_switch(emu: Served, position: str, status: int, repeated: int) -> None:
    """A write between two pages: nothing seen twice, one row seen twice, or the cursor is refused."""
    emu.switch(cursor_stability=position)
    many_contacts(emu, 1500)
    first = emu.json(CONTACTS)
    many_contacts(emu, 1, first=1)  # sorts before everything, and so shifts the rest
    answer = emu.get(CONTACTS, params={"cursor": first["cursor"]})
    assert answer.status_code == status
    if status == 200:
        seen = {each["number"] for each in first["items"]}
        assert sum(each["number"] in seen for each in answer.json()["items"]) == repeated


def test_bad_cursor(emu: Served) -> None:
    """A made-up cursor is refused."""
    assert emu.get(f"{CONTACTS}?cursor=made-up").status_code == 400


def test_paged_and_count(emu: Served) -> None:
    """The paged form is a bare array of at most 100, sortable by its two keys; count honours the filter."""
    many_contacts(emu, 150)
    assert len(emu.json(f"{CONTACTS}/paged")) == 20
    page = emu.json(f"{CONTACTS}/paged?pageSize=100&skipPages=1&sort=-number")
    assert [page[0]["number"], len(page)] == [1049, 53]
    assert emu.json(f"{CONTACTS}/count?filter=isDeleted$eq:true") == 1
    for query in ("pageSize=101", "pageSize=0", "skipPages=101", "sort=name"):
        assert emu.get(f"{CONTACTS}/paged?{query}").status_code == 400


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("isDeleted$eq:false", [11, 12]),
        ("active$eq:false", [13]),
        ("lastUpdated$gte:2026-02-01", [12, 13]),
        ("lastUpdated$gt:2026-02-01T00:00:00Z", [13]),
        ("customerNumber$in:[2,3]", [13]),
        ("name$like:å", [12]),
        ("customerNumber$eq:99", []),
    ],
)
def test_contact_filters(emu: Served, text: str, expected: list[int]) -> None:
    """Contacts filter by their own properties; an unknown parent is simply empty."""
    assert [each["number"] for each in emu.json(CONTACTS, params={"filter": text})["items"]] == expected


@pytest.mark.parametrize("text", ["isDeleted$gt:0", "phone$eq:1", "number$like:1", "name$eq:a$b"])
def test_disallowed_operator(emu: Served, text: str) -> None:
    """A property or operator that is not allowed is BadFilterRequest, without alternatives."""
    body = emu.get(CONTACTS, params={"filter": text}).json()
    assert (body["status"], body["errorCode"]) == (400, "BadFilterRequest")
    assert "allowedFilteringFields" not in body


def test_contact_life(emu: Served) -> None:
    """Create answers the key only; PUT needs the current objectVersion; DELETE keeps the row as deleted."""
    created = emu.send("POST", CONTACTS, {"customerNumber": 1, "name": "Ny", "receiveInvoices": True, "typo": 1})
    assert (created.status_code, created.json()) == (201, {"number": 14})
    assert created.headers["Location"] == f"{emu.url}{CONTACTS}/14"
    item = emu.json(f"{CONTACTS}/14")
    assert (item["receiveInvoices"], item["userInterfaceNumber"]) == (True, 3)
    changed = {**item, "name": "Nyt navn"}
    assert emu.send("PUT", CONTACTS, changed).status_code == 200
    stale = emu.send("PUT", CONTACTS, changed)
    assert (stale.status_code, stale.json()["errorCode"]) == (409, "UpdateConflict")
    assert emu.send("PUT", CONTACTS, {"number": 14, "name": "x"}).status_code == 409
    emu.switch(open_write_status="204")
    assert emu.send("DELETE", f"{CONTACTS}/14").status_code == 204
    assert emu.json(f"{CONTACTS}/14")["isDeleted"] is True
    assert emu.send("DELETE", f"{CONTACTS}/999").status_code == 404


def test_put_by_path_is_a_switch(emu: Served) -> None:
    """PUT of a single contact's path is refused or accepted."""
    item = emu.json(f"{CONTACTS}/11")
    assert emu.send("PUT", f"{CONTACTS}/11", {**item, "name": "B"}).status_code == 405
    emu.switch(open_contact_put_path="both")
    assert emu.send("PUT", f"{CONTACTS}/11", {**item, "name": "B"}).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"customerNumber": 1}, "CustomerContactNameNullOrEmpty"),
        ({"customerNumber": 99, "name": "x"}, "CustomerDoesNotExist"),
        ({"customerNumber": 1, "name": "Bo"}, "CustomerContactNameAlreadyExists"),
        ({"customerNumber": 1, "name": "x" * 256}, "CustomerContactInvalidValue"),
    ],
)
def test_contact_errors(emu: Served, body: dict[str, Any], code: str) -> None:
    """Each broken rule has its code."""
    answer = emu.send("POST", CONTACTS, body)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)


def test_contact_in_use(emu: Served) -> None:
    """A contact that its customer refers to cannot be deleted."""
    body = {**emu.json("/customers/1"), "attention": {"customerContactNumber": 11}}
    assert emu.send("PUT", "/customers/1", body).status_code == 200
    assert emu.send("DELETE", f"{CONTACTS}/11").json()["errorCode"] == "CustomerContactIsInUse"


@pytest.mark.parametrize(("position", "deleted"), [("deleted", True), ("kept", None)])
def test_contacts_of_a_deleted_customer_are_a_switch(emu: Served, position: str, deleted: bool | None) -> None:
    """A deleted customer's contacts become deleted, or stay as they were."""
    emu.send("POST", CONTACTS, {"customerNumber": 5, "name": "Last"})
    emu.switch(contacts_of_deleted_customer=position)
    emu.send("DELETE", "/customers/5")
    assert emu.json(f"{CONTACTS}/14").get("isDeleted") is deleted


def test_open_customers(emu: Served) -> None:
    """Customers in flat form share their rows with the classic API, both ways."""
    path = f"{CUSTOMERS_API}/Customers"
    item = emu.json(f"{path}/2")
    assert "access" not in item
    assert (item["address1"], item["zone"], item["paymentTermId"]) == ("Vej 1\rBaghuset", 1, 1)
    assert "balance" not in item
    assert emu.json(f"{path}/count") == 4
    body = {"customerNumber": 60, "name": "Flad", "customerGroupNumber": 1, "zone": 1, "paymentTermId": 1, "cvrNo": "1"}
    assert emu.send("POST", path, body).json() == {"customerNumber": 60}
    assert emu.json("/customers/60")["corporateIdentificationNumber"] == "1"
    assert emu.send("POST", path, body).json()["errorCode"] == "CustomerAlreadyExists"
    assert (
        emu.send("POST", path, {**body, "customerNumber": None}).json()["errorCode"] == "CustomerInvalidCustomerNumber"
    )
    current = emu.json(f"{path}/60")
    assert emu.send("PUT", f"{path}/60", {**current, "access": False, "objectVersion": "old"}).status_code == 409
    assert emu.send("PUT", f"{path}/60", {**current, "access": False}).status_code == 200
    assert emu.json("/customers/60")["barred"] is True
    assert emu.send("DELETE", f"{path}/60").status_code == 200
    assert emu.send("DELETE", f"{path}/1").status_code == 400


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": ""}, "CustomerMissingName"),
        ({"eanLocationNumber": "123"}, "CustomerInvalidEANThirteenDigits"),
        ({"customerGroupNumber": 9}, "CustomerInvalidGroupId"),
        ({"zone": 9}, "CustomerInvalidVatZone"),
        ({"paymentTermId": 9}, "CustomerInvalidPaymentTerm"),
    ],
)
def test_open_customer_errors(emu: Served, change: dict[str, Any], code: str) -> None:
    """Each broken rule has its code."""
    body = {"customerNumber": 60, "name": "Flad", "customerGroupNumber": 1, "zone": 1, "paymentTermId": 1, **change}
    assert emu.send("POST", f"{CUSTOMERS_API}/Customers", body).json()["errorCode"] == code


def test_lines_in_bulk(emu: Served) -> None:
    """Lines of all invoices come by cursor over many documents, each once and in order, and filter by document."""
    lines = [{"description": f"Linje {n}", "quantity": 1.0, "totalNetAmount": 1.0} for n in range(3)]
    emu.store.put_booked(invoice(100 + n, 1, "2026-01-01", None, (3.0, 3.0, 0.0), lines=lines) for n in range(500))
    found = [(each["documentId"], each["number"]) for each in walk(emu, LINES)]
    assert found == [(n, 1) for n in range(1, 7)] + [(100 + n, line) for n in range(500) for line in (1, 2, 3)]
    assert emu.json(f"{LINES}/count") == 1506
    assert len(emu.json(LINES, params={"filter": "documentId$eq:100"})["items"]) == 3
    assert emu.json(LINES, params={"filter": "productNumber$eq:p2"})["items"][0]["totalNetAmount"] == 200
    assert len(emu.json("/q2capi/v5.3.0/invoices/booked/101/lines")["items"]) == 3
    assert emu.json("/q2capi/v5.3.0/invoices/booked/101/lines/2")["description"] == "Linje 1"
    assert emu.get("/q2capi/v5.3.0/invoices/booked/101/lines/9").status_code == 404


def test_booked_entries(emu: Served) -> None:
    """Open items per customer sum to the balance of customers in base currency; payments are matched to invoices."""
    query = {"filter": "customerNumber$gt:0$and:remainder$ne:0"}
    entries = emu.json(ENTRIES, params=query)["items"]
    assert sum(each["remainder"] for each in entries if each["customerNumber"] == 1) == 310
    everything = walk(emu, ENTRIES)
    assert len({each["entryNumber"] for each in everything}) == len(everything) == emu.json(f"{ENTRIES}/count")
    assert sum(round(each["amountInBaseCurrency"] * 100) for each in everything) == 0
    pairs = emu.json(f"{ENTRIES}/matched-pairs")["items"]
    assert [(each["fromEntryAmountDKK"], each["toEntryAmountDKK"]) for each in pairs] == [(-125, 125), (-44.76, 74.6)]
    number = everything[0]["entryNumber"]
    assert emu.json(f"{ENTRIES}/{number}") == everything[0]
