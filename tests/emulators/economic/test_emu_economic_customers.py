"""Writing customers and contacts: create, replace or create, delete, validation, repeated keys."""

from typing import Any

import pytest
from emu_economic_support import Served

NEW = {
    "name": "Ny Kunde ApS",
    "currency": "DKK",
    "customerGroup": {"customerGroupNumber": 1},
    "paymentTerms": {"paymentTermsNumber": 1},
    "vatZone": {"vatZoneNumber": 1},
}


def test_create_gives_the_lowest_free_number(emu: Served) -> None:
    """A create without a number takes a free one, answers 201 with Location and the whole customer."""
    answer = emu.send("POST", "/customers", {**NEW, "somethingElse": 1, "balance": 99})
    body = answer.json()
    assert (answer.status_code, body["customerNumber"]) == (201, 4)
    assert answer.headers["Location"] == f"{emu.url}/customers/4"
    assert (body["balance"], body["dueAmount"], body["eInvoicingDisabledByDefault"]) == (0, 0, False)
    assert body["lastUpdated"] == "2026-03-02T12:00:00Z"
    assert "somethingElse" not in body
    assert emu.json("/customers/4")["name"] == NEW["name"]


def test_number_assignment_is_a_switch(emu: Served) -> None:
    """The other known rule gives the highest number plus one."""
    emu.switch(customer_number_assignment="highest_plus_one")
    assert emu.send("POST", "/customers", NEW).json()["customerNumber"] == 6


def test_numbers_come_back_after_a_delete(emu: Served) -> None:
    """A deleted number is given to the next customer."""
    assert emu.send("DELETE", "/customers/5").status_code == 204
    assert emu.send("DELETE", "/customers/5").json()["errorCode"] == "E06000"
    numbers = [emu.send("POST", "/customers", NEW).json()["customerNumber"] for _ in range(2)]
    assert numbers == [4, 5]


def test_references_by_link(emu: Served) -> None:
    """A reference may be given by its self link instead of its number."""
    body = {**NEW, "customerGroup": {"self": f"{emu.url}/customer-groups/2"}, "customerNumber": 77}
    created = emu.send("POST", "/customers", body).json()
    assert created["customerGroup"]["customerGroupNumber"] == 2


@pytest.mark.parametrize(
    ("change", "prop", "code"),
    [
        ({"name": ""}, "name", "E04042"),
        ({"customerGroup": {"customerGroupNumber": 9}}, "customerGroup", "E06000"),
        ({"vatZone": {}}, "vatZone", "E04500"),
        ({"currency": "ABC"}, "currency", "E06000"),
        ({"currency": "DK"}, "currency", "E04300"),
        ({"pNumber": "123"}, "pNumber", "E04300"),
        ({"ean": "12345678901234"}, "ean", "E04300"),
        ({"name": "x" * 256}, "name", "E04300"),
        ({"creditLimit": 1.005}, "creditLimit", "E04740"),
        ({"customerNumber": 1}, "customerNumber", "E04200"),
        ({"customerNumber": 1_000_000_000}, "customerNumber", "E04300"),
    ],
)
def test_validation(emu: Served, change: dict[str, Any], prop: str, code: str) -> None:
    """Each broken rule names its property and code in the live error shape, and nothing is created."""
    answer = emu.send("POST", "/customers", {**NEW, **change})
    body = answer.json()
    assert (answer.status_code, body["errorCode"], body["errorCount"]) == (400, "E04300", 1)
    assert body["errors"][prop]["errors"][0]["errorCode"] == code
    assert emu.json("/customers")["pagination"]["results"] == 4


def test_every_problem_at_once(emu: Served) -> None:
    """An empty body names all five required properties."""
    body = emu.send("POST", "/customers", {}).json()
    assert body["message"] == "Validation failed. 5 errors found."
    assert set(body["errors"]) == {"name", "currency", "customerGroup", "paymentTerms", "vatZone"}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"email": None}, "Expected String but got Null"),
        ({"name": 5}, "Expected String but got Integer"),
        ({"customerNumber": 0}, "Integer 0 is less than minimum value of 1"),
    ],
)
def test_schema_errors(emu: Served, change: dict[str, Any], text: str) -> None:
    """Null, wrong types and zero are schema errors; where the text stands is a switch."""
    answer = emu.send("POST", "/customers", {**NEW, **change})
    assert answer.status_code == 400
    assert text in answer.json()["errors"][0]
    emu.switch(schema_error_body="validation")
    assert text in emu.send("POST", "/customers", {**NEW, **change}).text


def test_not_json(emu: Served) -> None:
    """A body that is not JSON is 415 by its type and 400 by its content."""
    url = f"{emu.url}/customers"
    assert emu.session.post(url, data="a=b", timeout=10).status_code == 415
    headers = {"Content-Type": "application/json"}
    assert emu.session.post(url, data="{", headers=headers, timeout=10).status_code == 400


def test_replace_clears_what_is_left_out(emu: Served) -> None:
    """A PUT is a full replace: an omitted barred un-bars, omitted texts are gone; balance stays derived."""
    answer = emu.send("PUT", "/customers/2", NEW)
    body = answer.json()
    assert answer.status_code == 200
    assert "barred" not in body
    assert "address" not in body
    assert (body["balance"], body["dueAmount"]) == (-100, 0)


def test_replace_creates_what_is_missing(emu: Served) -> None:
    """A PUT to a free number creates the customer there."""
    assert emu.send("PUT", "/customers/4711", NEW).status_code == 201
    assert emu.json("/customers/4711")["name"] == NEW["name"]


def test_contact_references_on_replace(emu: Served) -> None:
    """A replace may point to the customer's own contacts, not to another's."""
    body = emu.send("PUT", "/customers/1", {**NEW, "attention": {"customerContactNumber": 12}}).json()
    assert body["attention"]["self"] == f"{emu.url}/customers/1/contacts/12"
    assert body["attention"]["customer"]["customerNumber"] == 1
    refused = emu.send("PUT", "/customers/2", {**NEW, "attention": {"customerContactNumber": 12}}).json()
    assert refused["errors"]["attention"]["errors"][0]["errorCode"] == "E04800"


@pytest.mark.parametrize("status", ["400", "409"])
def test_used_customer_cannot_be_deleted(emu: Served, status: str) -> None:
    """A customer that an invoice refers to stays; the status is a switch."""
    emu.switch(delete_used_customer_status=status)
    assert emu.send("DELETE", "/customers/1").status_code == int(status)
    assert emu.get("/customers/1").status_code == 200


def test_contacts(emu: Served) -> None:
    """A contact is created with the next numbers, replaced, and soft-deleted out of the classic list."""
    created = emu.send("POST", "/customers/1/contacts", {"name": "Ny", "emailNotifications": ["invoices"]})
    body = created.json()
    assert (created.status_code, body["customerContactNumber"], body["sortKey"]) == (201, 14, 3)
    path = "/customers/1/contacts/14"
    changed = emu.send("PUT", path, {"customerContactNumber": 14, "name": "Nyt navn"}).json()
    assert "emailNotifications" not in changed
    assert emu.json(path)["name"] == "Nyt navn"
    assert emu.send("PUT", path, {"name": "x"}).status_code == 400
    assert emu.send("DELETE", path).status_code == 204
    assert emu.get(path).status_code == 404
    assert emu.numbers("/customers/1/contacts", "customerContactNumber") == [11, 12]
    emu.switch(deleted_contacts_in_classic_list="yes")
    listed = emu.json("/customers/1/contacts")["collection"]
    assert [each.get("deleted") for each in listed] == [None, None, True]


# -- Idempotency-Key -----------------------------------------------------------------------------------------------

KEY = {"Idempotency-Key": "k-1"}


def test_same_key_creates_once(emu: Served) -> None:
    """A repeated POST with a key answers the stored 201 and says so; one customer exists."""
    first = emu.send("POST", "/customers", NEW, headers=KEY)
    second = emu.send("POST", "/customers", NEW, headers=KEY)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "X-ResultFromCache" not in first.headers
    assert second.headers["X-ResultFromCache"] == "true"
    assert second.headers["Location"] == first.headers["Location"]
    assert emu.json("/customers")["pagination"]["results"] == 5


def test_same_key_deletes_twice(emu: Served) -> None:
    """A repeated DELETE with a key is 204 again."""
    assert [emu.send("DELETE", "/customers/5", headers=KEY).status_code for _ in range(2)] == [204, 204]


@pytest.mark.parametrize(
    ("position", "status", "count"), [("replay", 201, 5), ("conflict", 409, 5), ("execute", 201, 6)]
)
def test_same_key_other_body_is_a_switch(emu: Served, position: str, status: int, count: int) -> None:
    """What a key with another body does is not known: replay, conflict or execute."""
    emu.switch(idempotency_other_body=position)
    emu.send("POST", "/customers", NEW, headers=KEY)
    again = emu.send("POST", "/customers", {**NEW, "name": "Other"}, headers=KEY)
    assert again.status_code == status
    assert emu.json("/customers")["pagination"]["results"] == count


def test_a_lost_answer_is_found_again_by_its_key(emu: Served) -> None:
    """When the connection breaks after the commit, the same key gives the answer that was lost."""
    emu.app.state.faults.once("cut")
    with pytest.raises(OSError):  # the HTTP library's error for a broken body
        emu.send("POST", "/customers", NEW, headers=KEY)
    again = emu.send("POST", "/customers", NEW, headers=KEY)
    assert (again.status_code, again.headers["X-ResultFromCache"]) == (201, "true")
    assert emu.json("/customers")["pagination"]["results"] == 5
