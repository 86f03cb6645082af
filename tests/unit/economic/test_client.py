"""The client: what it asks for, the cursor of contacts, totals in both shapes, and that it can only read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses

from worker.economic.client import EconomicClient
from worker.economic.writer import EconomicWriter
from worker.errors import AccessDeniedError, AuthenticationError, IncompleteReadError, PageError, ProtocolError
from worker.transport import Http, RetryPolicy, Waits

BASE, OPEN = "https://restapi.books.example", "https://apis.books.example"
CONTACTS = f"{OPEN}/customersapi/v3.1.0/Contacts"
TOTALS = "/invoices/totals/booked/accounting-years/2026/customers"


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as made:
        yield made


@pytest.fixture
def client() -> Iterator[EconomicClient]:
    headers = {"X-AppSecretToken": "secret", "X-AgreementGrantToken": "grant"}
    http = Http(
        "e-conomic",
        frozenset({BASE, OPEN}),
        headers,
        policy=RetryPolicy(attempts=2, page_attempts=2),
        waits=Waits(sleep=lambda _: None),
    )
    made = EconomicClient(f"{BASE}/", f"{OPEN}/", http, contacts_version="v3.1.0", parallel=2)
    yield made
    made.close()


def queries(mock: responses.RequestsMock) -> list[dict[str, str]]:
    """The parameters of every request, in order."""
    return [dict(call.request.params) for call in mock.calls]


def test_there_is_no_way_to_write() -> None:
    """All a caller of the client can do is read, count and close; no verb can be handed in. The writer makes and
    replaces customers and makes contacts, by names of its own, and nobody can delete."""
    public = {name for name in dir(EconomicClient) if not name.startswith("_")}
    assert public == {"close", "contacts", "count", "entries", "first", "get", "groups", "http", "pdf", "rows", "short"}
    writing = {name for name in dir(EconomicWriter) if not name.startswith("_")}
    assert writing == {"create_contact", "create_customer", "replace_customer"}
    assert {name for name in dir(Http) if not name.startswith("_")} == {
        "close",
        "get_bytes",
        "get_json",
        "send_json",
    }


def test_a_collection_is_asked_for_in_full_pages_and_an_explicit_order(
    client: EconomicClient, mock: responses.RequestsMock
) -> None:
    """1000 rows per page, sorted by the key, the filter only where there is one."""
    page = {"collection": [{"customerNumber": 1}], "pagination": {"results": 1}}
    mock.get(f"{BASE}/customers", json=page)
    assert [*client.rows("/customers", "customerNumber")] == [{"customerNumber": 1}]
    assert [*client.rows("/customers", "customerNumber", "balance$ne:0")] == [{"customerNumber": 1}]
    plain = {"pagesize": "1000", "skippages": "0", "sort": "customerNumber"}
    assert queries(mock) == [plain, {**plain, "filter": "balance$ne:0"}]


def test_the_first_rows_come_by_one_small_page(client: EconomicClient, mock: responses.RequestsMock) -> None:
    """As many rows as are wanted, in order; a service that sends more does not add any."""
    page = {"collection": [{"customerNumber": 1}, {"customerNumber": 2}], "pagination": {"results": 900}}
    mock.get(f"{BASE}/customers", json=page)
    assert client.first("/customers", "customerNumber", "barred$eq:true", 1) == [{"customerNumber": 1}]
    assert queries(mock) == [{"pagesize": "1", "sort": "customerNumber", "filter": "barred$eq:true"}]


def test_counting_reads_one_row(client: EconomicClient, mock: responses.RequestsMock) -> None:
    """The number of rows comes from the smallest page there is."""
    mock.get(f"{BASE}/customers", json={"collection": [{}], "pagination": {"results": 3684}})
    assert client.count("/customers") == 3684
    assert queries(mock) == [{"pagesize": "1"}]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"collection": []},
        {"collection": {}, "pagination": {"results": 0}},
        {"pagination": {"results": 0}},
        {"collection": [], "pagination": {"results": "many"}},
        [],
        7,
    ],
)
def test_an_answer_that_is_no_collection_is_an_error(
    client: EconomicClient, mock: responses.RequestsMock, body: Any
) -> None:
    """JSON of another shape is never taken for an empty list."""
    mock.get(f"{BASE}/customers", json=body)
    with pytest.raises(ProtocolError) as caught:
        list(client.rows("/customers", "customerNumber"))
    assert "ECONOMIC_BASE_URL" in caught.value.hint


def test_a_short_collection_that_is_not_short_is_an_error(client: EconomicClient, mock: responses.RequestsMock) -> None:
    """A list that must fit one page and does not is never read in part."""
    mock.get(f"{BASE}/employees", json={"collection": [{}], "pagination": {"results": 2}})
    with pytest.raises(IncompleteReadError, match="has 2 rows of /employees"):
        client.short("/employees")


def test_contacts_follow_the_cursor_until_it_is_absent(client: EconomicClient, mock: responses.RequestsMock) -> None:
    """Each page is asked for with the cursor of the one before; both key names count, doubles do not."""
    mock.get(CONTACTS, json={"items": [{"number": 1}, {"number": 2}], "cursor": "c1"})
    mock.get(CONTACTS, json={"items": [{"number": 2}, {"customerContactNumber": 3}], "cursor": "c2"})
    mock.get(CONTACTS, json={"items": [{"customerContactNumber": 3}]})
    assert [item.get("number") or item["customerContactNumber"] for item in client.contacts()] == [1, 2, 3]
    assert queries(mock) == [{}, {"cursor": "c1"}, {"cursor": "c2"}]


def test_a_refused_cursor_starts_the_reading_anew(client: EconomicClient, mock: responses.RequestsMock) -> None:
    """A cursor may not outlive a change of the list; contacts already given are not given again."""
    mock.get(CONTACTS, json={"items": [{"number": 1}], "cursor": "old"})
    mock.get(CONTACTS, status=400, json={"title": "The cursor is no longer valid."})
    mock.get(CONTACTS, json={"items": [{"number": 1}], "cursor": "new"})
    mock.get(CONTACTS, json={"items": [{"number": 2}]})
    assert [item["number"] for item in client.contacts()] == [1, 2]


def test_a_cursor_that_is_refused_again_and_again_is_an_error(
    client: EconomicClient, mock: responses.RequestsMock
) -> None:
    """Four beginnings, no more."""
    for _ in range(4):
        mock.get(CONTACTS, json={"items": [{"number": 1}], "cursor": "c"})
        mock.get(CONTACTS, status=400, json={})
    with pytest.raises(ProtocolError, match="refused its own cursor"):
        list(client.contacts())


def test_a_refusal_without_a_cursor_is_not_a_matter_of_cursors(
    client: EconomicClient, mock: responses.RequestsMock
) -> None:
    """A 400 to the first question is told at once."""
    mock.get(CONTACTS, status=400, json={})
    with pytest.raises(ProtocolError, match="malformed"):
        list(client.contacts())


def test_a_cursor_that_leads_back_to_itself_is_an_error(client: EconomicClient, mock: responses.RequestsMock) -> None:
    """A list that never ends is noticed."""
    mock.get(CONTACTS, json={"items": [{"number": 1}], "cursor": "c"})
    mock.get(CONTACTS, json={"items": [{"number": 2}], "cursor": "c"})
    with pytest.raises(ProtocolError, match="does not end"):
        list(client.contacts())


@pytest.mark.parametrize("name", ["customers", "collection"])
def test_totals_come_as_an_array_of_either_name(
    client: EconomicClient, mock: responses.RequestsMock, name: str
) -> None:
    """The array named after the group, or a collection."""
    mock.get(f"{BASE}{TOTALS}", json={"netAmountInBaseCurrency": 5, name: [{"customer": {"customerNumber": 1}}]})
    assert len([*client.groups(TOTALS, "customers")]) == 1


def test_totals_without_any_group_are_empty(client: EconomicClient, mock: responses.RequestsMock) -> None:
    """A year without sales has no array at all."""
    mock.get(f"{BASE}{TOTALS}", json={"netAmountInBaseCurrency": 0})
    assert [*client.groups(TOTALS, "customers")] == []


def test_totals_that_page_are_asked_for_in_full_pages(client: EconomicClient, mock: responses.RequestsMock) -> None:
    """When totals turn out to page, reading begins again with the largest page and follows the links."""
    link = f"{BASE}{TOTALS}?skippages=1&pagesize=1000"
    mock.get(f"{BASE}{TOTALS}", json={"customers": [{"n": 1}], "pagination": {"nextPage": link}})
    mock.get(f"{BASE}{TOTALS}", json={"customers": [{"n": 1}, {"n": 2}], "pagination": {"nextPage": link}})
    mock.get(f"{BASE}{TOTALS}", json={"customers": [{"n": 3}], "pagination": {}})
    assert [group["n"] for group in client.groups(TOTALS, "customers")] == [1, 2, 3]
    assert queries(mock) == [{}, {"pagesize": "1000"}, {"skippages": "1", "pagesize": "1000"}]


def test_a_link_to_another_host_is_refused(client: EconomicClient, mock: responses.RequestsMock) -> None:
    """Tokens do not follow a link elsewhere."""
    page = {"customers": [], "pagination": {"nextPage": "https://elsewhere.example/next"}}
    mock.get(f"{BASE}{TOTALS}", json=page)
    with pytest.raises(ProtocolError, match=r"another host \(https://elsewhere\.example\)"):
        list(client.groups(TOTALS, "customers"))
    assert {requests.utils.urlparse(call.request.url).hostname for call in mock.calls} == {"restapi.books.example"}


@pytest.mark.parametrize(
    ("status", "error", "step"),
    [(401, AuthenticationError, "paste a new grant token"), (403, AccessDeniedError, "SuperUser")],
)
def test_refusals_say_what_to_do_in_e_conomic(
    client: EconomicClient, mock: responses.RequestsMock, status: int, error: type[Exception], step: str
) -> None:
    """Refused tokens and missing roles name their next step, on either of the two services."""
    mock.get(f"{BASE}/self", status=status, json={})
    mock.get(CONTACTS, status=status, json={})
    for read in (lambda: client.get("/self"), lambda: list(client.contacts())):
        with pytest.raises(error) as caught:
            read()
        assert step in caught.value.hint  # type: ignore[attr-defined]


def test_a_page_instead_of_data_is_an_error(client: EconomicClient, mock: responses.RequestsMock) -> None:
    """A maintenance or sign-in page is never data."""
    mock.get(f"{BASE}/self", body="<html></html>", content_type="text/html")
    with pytest.raises(PageError):
        client.get("/self")


def test_what_calls_cost_is_added_up(client: EconomicClient, mock: responses.RequestsMock) -> None:
    """X-CallCost of every answer counts, refusals included."""
    mock.get(f"{BASE}/self", status=429, headers={"X-CallCost": "3"}, body=json.dumps({}))
    mock.get(f"{BASE}/self", headers={"X-CallCost": "1"}, json={})
    client.get("/self")
    assert client.rate.cost == 4
    assert client.http.requests == 2
