"""Batches are composed as the service reads them and taken apart as it answers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.emulators.sharepoint.batch import PartAnswer as ServerAnswer
from worker.emulators.sharepoint.batch import compose_batch, parse_batch
from worker.sharepoint.batch import Part, PartAnswer, compose, parse

URL = "https://contoso.sharepoint.com/sites/crm/_api/web/lists(guid'1')/items"
texts = st.text(max_size=30)


@given(st.lists(st.tuples(texts, st.booleans()), min_size=1, max_size=5))
def test_the_service_reads_what_was_composed(rows):
    """Verb, address, version and body of every part arrive, in order."""
    parts = [Part(URL, json.dumps({"Title": text}), '"1"' if update else None) for text, update in rows]
    read = parse_batch(*compose(parts))
    assert [one.method for one in read] == ["MERGE" if update else "POST" for _, update in rows]
    assert [json.loads(one.body) for one in read] == [{"Title": text} for text, _ in rows]
    assert {one.url for one in read} == {URL}
    assert [one.headers.get("if-match") for one in read] == ['"1"' if update else None for _, update in rows]


@given(st.lists(st.tuples(st.sampled_from([200, 201, 204, 412, 500]), texts), min_size=1, max_size=6))
def test_answers_come_back_in_order(rows):
    """Status, headers and body of each part, empty bodies too."""
    sent = [
        ServerAnswer(status, {"ETAG": '"g,1"'}, json.dumps(text).encode() if text else b"") for status, text in rows
    ]
    got = parse(*compose_batch(sent))
    assert [one.status for one in got] == [status for status, _ in rows]
    assert [json.loads(one.body) if one.body else "" for one in got] == [text for _, text in rows]
    assert all(one.headers["etag"] == '"g,1"' for one in got)


def test_a_nested_changeset_answer_is_read_too():
    """The form the OData standard describes."""
    inner = (
        "--changesetresponse_2\r\nContent-Type: application/http\r\n\r\n"
        "HTTP/1.1 201 Created\r\nLOCATION: x\r\n\r\n{}\r\n"
        "--changesetresponse_2\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n\r\n"
        "--changesetresponse_2--\r\n"
    )
    body = f"--b1\r\nContent-Type: multipart/mixed; boundary=changesetresponse_2\r\n\r\n{inner}--b1--\r\n"
    answers = parse('multipart/mixed; boundary="b1"', body.encode())
    assert answers == [PartAnswer(201, {"location": "x"}, b"{}"), PartAnswer(204, {}, b"")]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html", b"<html>"),
        ("multipart/mixed; boundary=b", b""),
        ("multipart/mixed; boundary=b", b"--b\r\nrubbish"),
    ],
)
def test_rubbish_gives_no_answers(kind, body):
    """Nothing is made up from what can't be read."""
    assert parse(kind, body) == []


def test_no_token_is_in_a_batch():
    """Parts carry what they need and nothing that signs in."""
    _, body = compose([Part(URL, "{}")])
    assert b"uthorization" not in body
    assert b"\n" not in body.replace(b"\r\n", b"")
