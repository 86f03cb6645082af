"""What no person touched, and what the worker gave: only what SharePoint's answers leave no doubt about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import responses

from worker.domain.values import Column, ColumnKind
from worker.sharepoint.auth import Identity, make_tokens
from worker.sharepoint.client import SharePointClient
from worker.sharepoint.items import ListItems, shape
from worker.transport import RetryPolicy, Waits

SITE = "http://127.0.0.1:1/sites/crm"
API = f"{SITE}/_api"
ITEM = f"{API}/web/lists(guid'g')/items(5)"
KIND = "application/json;odata=minimalmetadata"
APP = {"Id": 7, "LoginName": "i:0i.t|00000003-0000-0ff1-ce00-000000000000|app@sharepoint"}
ANNE = {"Id": 7, "LoginName": "i:0#.f|membership|anne.holm@example.dk"}


@pytest.fixture
def answers() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        info = {"FormDigestTimeoutSeconds": 1800, "FormDigestValue": "0x1", "WebFullUrl": SITE}
        mock.post(f"{API}/contextInfo", json={"d": {"GetContextWebInformation": info}})
        yield mock


def never_touched(
    answers: responses.RequestsMock, item: dict[str, Any], versions: dict[str, int], user: dict[str, Any] = APP
) -> bool:
    """`versions`: label -> who saved it."""
    kept = [{"VersionLabel": label, "Editor": {"LookupId": who}} for label, who in versions.items()]
    with items_of(answers, item, kept, user) as items:
        return items.never_touched(5)


def given(
    answers: responses.RequestsMock,
    item: dict[str, Any],
    versions: list[tuple[str, int, dict[str, Any]]],
    user: dict[str, Any] = APP,
) -> bool:
    """Whether the worker gave City its value. `versions`: label, who saved it, columns."""
    kept = [{"VersionLabel": label, "Editor": {"LookupId": who}, **columns} for label, who, columns in versions]
    with items_of(answers, item, kept, user) as items:
        return items.given_by_worker(5, ["City"]) == {"City"}


@contextmanager
def items_of(
    answers: responses.RequestsMock, item: dict[str, Any], versions: list[dict[str, Any]], user: dict[str, Any]
) -> Iterator[ListItems]:
    tokens = make_tokens(Identity("static-token", token="planted-token"), SITE)
    client = SharePointClient(
        SITE, tokens, units_per_minute=10**9, waits=Waits(lambda _: None), policy=RetryPolicy(attempts=1)
    )
    answers.get(ITEM, json={"AuthorId": 7, "EditorId": 7, "odata.etag": '"1"', **item}, content_type=KIND)
    answers.get(f"{ITEM}/versions", json={"value": versions}, content_type=KIND)
    answers.get(f"{API}/web/currentuser", json=user, content_type=KIND)
    zone = ZoneInfo("Europe/Copenhagen")
    city = shape(Column("City", "City", "City", ColumnKind.TEXT), zone)
    try:
        yield ListItems(client, "web/lists(guid'g')", {"City": city}, zone)
    finally:
        client.close()


@pytest.mark.parametrize(
    ("item", "versions"),
    [
        ({}, {}),
        ({}, {"1.0": 7}),
        ({"odata.etag": '"3"', "Attachments": False}, {"3.0": 7, "2.0": 7, "1.0": 7}),
        ({"odata.etag": '"g5,2"'}, {"2.0": 7, "1.0": 7}),
    ],
    ids=["no versions", "made", "saved by the worker", "long etag"],
)
def test_what_only_the_worker_saved_was_never_touched(answers, item, versions):
    assert never_touched(answers, item, versions)


@pytest.mark.parametrize(
    ("item", "versions"),
    [
        ({"AuthorId": 9}, {"1.0": 7}),
        ({"EditorId": 9}, {"1.0": 7}),
        ({"odata.etag": '"3"'}, {"3.0": 7, "2.0": 9, "1.0": 7}),
        ({"odata.etag": '"3"'}, {"3.0": 7, "1.0": 7}),
        ({"odata.etag": '"3"'}, {"3.0": 7, "2.0": 7}),
        ({"odata.etag": '"3"'}, {"2.0": 7, "1.0": 7}),
        ({"odata.etag": '"2"'}, {"1.0": 7}),
        ({"odata.etag": '"2"'}, {}),
        ({"odata.etag": '"2"'}, {"1.1": 7, "1.0": 7}),
        ({"Attachments": True}, {"1.0": 7}),
        ({"odata.etag": ""}, {"1.0": 7}),
    ],
    ids=[
        "a person made it",
        "a person saved it last",
        "a person saved it in between",
        "a version in between was deleted",
        "the first versions were trimmed",
        "saved without a version",
        "saved once more without a version",
        "saved again in a list without versions",
        "a draft of a list with minor versions",
        "a file is attached",
        "nobody knows how often it was saved",
    ],
)
def test_any_doubt_is_a_touch(answers, item, versions):
    assert not never_touched(answers, item, versions)


def test_a_worker_that_signs_in_as_a_person_can_not_tell(answers):
    """Its own saves look like that person's."""
    assert not never_touched(answers, {}, {"1.0": 7}, ANNE)


A, B = {"City": "A"}, {"City": "B"}


@pytest.mark.parametrize(
    ("item", "versions"),
    [
        ({}, []),
        ({}, [("1.0", 7, A)]),
        ({"odata.etag": '"9"'}, []),
        ({"odata.etag": '"3"', "EditorId": 9}, [("3.0", 9, B), ("2.0", 7, B), ("1.0", 9, A)]),
        ({"odata.etag": '"3"'}, [("2.0", 7, B), ("1.0", 9, A), ("3.0", 9, B)]),
    ],
    ids=[
        "made",
        "made, with a version",
        "in a list without versions",
        "before a person saved another column",
        "unsorted",
    ],
)
def test_a_value_that_the_worker_gave_is_its_own(answers, item, versions):
    assert given(answers, item, versions)


@pytest.mark.parametrize(
    ("item", "versions"),
    [
        ({"EditorId": 9}, []),
        ({"odata.etag": '"3"'}, [("3.0", 7, B), ("2.0", 9, B), ("1.0", 7, A)]),
        ({"odata.etag": '"3"'}, [("3.0", 9, A), ("2.0", 7, B), ("1.0", 7, A)]),
        ({"odata.etag": '"3"'}, [("2.0", 7, B), ("1.0", 9, A)]),
        ({"odata.etag": '"9"'}, [("9.0", 7, B), ("8.0", 7, B)]),
        ({"odata.etag": '"2"'}, [("2.0", 7, {"C_x0069_ty": "B"}), ("1.0", 9, {"C_x0069_ty": "A"})]),
    ],
    ids=[
        "a person saved last, and no versions tell what",
        "a person gave it before the worker saved another column",
        "a person brought an older value back",
        "saved without a version",
        "the versions that would tell were trimmed",
        "versions name the column otherwise",
    ],
)
def test_any_doubt_makes_it_somebody_elses(answers, item, versions):
    assert not given(answers, item, versions)


def test_a_worker_that_signs_in_as_a_person_can_not_tell_what_it_gave(answers):
    assert not given(answers, {}, [("1.0", 7, A)], ANNE)
