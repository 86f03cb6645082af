"""The client against answers no emulator gives: links elsewhere, redirects, circles, lists that do not add up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import responses

from worker.domain.values import Column, ColumnKind
from worker.errors import IncompleteReadError, ProtocolError, UnavailableError, WorkerError
from worker.sharepoint.auth import Identity, make_tokens
from worker.sharepoint.client import SharePointClient
from worker.sharepoint.items import ListItems, shape
from worker.transport import RetryPolicy, Waits

SITE = "http://127.0.0.1:1/sites/crm"
API = f"{SITE}/_api"
LIST = f"{API}/web/lists(guid'g')"
KIND = "application/json;odata=nometadata"


@pytest.fixture
def answers() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        info = {"FormDigestTimeoutSeconds": 1800, "FormDigestValue": "0x1", "WebFullUrl": SITE}
        mock.post(f"{API}/contextInfo", json={"d": {"GetContextWebInformation": info}})
        yield mock


@pytest.fixture
def client() -> Iterator[SharePointClient]:
    tokens = make_tokens(Identity("static-token", token="planted-token"), SITE)
    waits = Waits(lambda _seconds: None)
    made = SharePointClient(SITE, tokens, units_per_minute=10**9, waits=waits, policy=RetryPolicy(attempts=3))
    yield made
    made.close()


def items(client: SharePointClient) -> ListItems:
    zone = ZoneInfo("Europe/Copenhagen")
    shapes = {"Title": shape(Column("Title", "Title", "Title", ColumnKind.TEXT), zone)}
    return ListItems(client, "web/lists(guid'g')", shapes, zone, title="Companies")


def rows(*ids: int) -> dict[str, Any]:
    return {"value": [{"Id": one, "GUID": f"g{one}", "odata.etag": '"1"', "Title": str(one)} for one in ids]}


def test_requests_say_who_we_are(answers, client):
    """Decorated traffic has priority; the token is in its header and nowhere else."""
    answers.get(f"{API}/web", json={"Title": "CRM"}, content_type=KIND)
    client.get_json("web")
    sent = answers.calls[-1].request
    assert sent.headers["User-Agent"].startswith("NONISV|iGlobe|EconomicSync/")
    assert sent.headers["Authorization"] == "Bearer planted-token"
    assert sent.headers["Accept"] == KIND


def test_a_next_link_to_another_host_is_not_followed(answers, client):
    """The token never goes there."""
    link = "https://evil.example/sites/crm/_api/web/lists"
    answers.get(f"{API}/web/lists", json={**rows(1), "odata.nextLink": link}, content_type=KIND)
    with pytest.raises(ProtocolError, match="another host"):
        list(client.pages("web/lists"))
    assert all("evil" not in (call.request.url or "") for call in answers.calls)


def test_a_redirect_is_not_followed(answers, client):
    """A sign-in page would get the token."""
    answers.get(f"{API}/web", status=302, headers={"Location": "https://evil.example/"})
    with pytest.raises(ProtocolError, match="redirects"):
        client.get_json("web")


def test_pages_that_lead_in_a_circle_end(answers, client):
    """A fault, not an endless read."""
    answers.get(f"{API}/web/lists", json={**rows(1), "odata.nextLink": f"{API}/web/lists?p=1"}, content_type=KIND)
    answers.get(f"{API}/web/lists?p=1", json={**rows(2), "odata.nextLink": f"{API}/web/lists?p=1"}, content_type=KIND)
    with pytest.raises(ProtocolError, match="circle"):
        list(client.pages("web/lists"))


def test_an_answer_that_is_no_collection_is_a_fault(answers, client):
    """Never taken for an empty list."""
    answers.get(f"{API}/web/lists", json={"d": {"results": []}}, content_type=KIND)
    with pytest.raises(ProtocolError, match="no collection"):
        list(client.pages("web/lists"))


def test_json_that_is_cut_short_is_read_again(answers, client):
    """And reported when it stays so."""
    answers.get(f"{API}/web", body=b'{"Title": "CR', content_type=KIND)
    answers.get(f"{API}/web", json={"Title": "CRM"}, content_type=KIND)
    assert client.get_json("web") == {"Title": "CRM"}
    answers.get(f"{API}/site", body=b'{"', content_type=KIND)
    with pytest.raises(UnavailableError, match="cut short"):
        client.get_json("site")


def test_a_token_that_the_service_echoes_is_masked(answers, client):
    """Its words reach logs and row results."""
    error = {"odata.error": {"code": "-1, X", "message": {"value": "Bad header Bearer planted-token here"}}}
    answers.get(f"{API}/web", json=error, status=400, content_type=KIND)
    with pytest.raises(WorkerError) as caught:
        client.get_json("web")
    assert "***" in str(caught.value)
    assert "planted" not in str(caught.value)


def test_fewer_items_than_the_list_says_it_holds_is_an_error(answers, client):
    """Nothing is ever concluded from a half-read list."""
    answers.get(LIST, json={"ItemCount": 3}, content_type=KIND)
    answers.get(f"{LIST}/items", json=rows(1, 2), content_type=KIND)
    with pytest.raises(IncompleteReadError, match="holds 3 items, but only 2"):
        list(items(client).items(["Title"]))


def test_items_that_people_delete_while_we_read_are_no_error(answers, client):
    """The list itself says it holds fewer now."""
    answers.get(LIST, json={"ItemCount": 3}, content_type=KIND)
    answers.get(LIST, json={"ItemCount": 2}, content_type=KIND)
    answers.get(f"{LIST}/items", json=rows(1, 2), content_type=KIND)
    found = list(items(client).items(["Title"]))
    assert [(item.item_id, item.version) for item in found] == [(1, '"g1,1"'), (2, '"g2,1"')]


def test_a_server_fault_is_told_with_the_request_for_microsofts_support(answers, client):
    """The id they ask for."""
    answers.get(f"{API}/web", status=500, body=b"<html>", headers={"SPRequestGuid": "1234-5678"})
    with pytest.raises(UnavailableError, match="request 1234-5678"):
        client.get_json("web")
