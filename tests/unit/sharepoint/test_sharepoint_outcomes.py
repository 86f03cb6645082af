"""What each answer to a write means."""

from __future__ import annotations

import json

import pytest

from worker.ports import Create, Update, WriteStatus
from worker.sharepoint.batch import PartAnswer
from worker.sharepoint.outcomes import judge, long_etag, other_spelling

CREATE = Create("1001", {"Title": "A"})
UPDATE = Update("1001", 7, '"g-1,3"', {"Title": "B"})


def fault(status: int, code: int, text: str = "Words.") -> PartAnswer:
    error = {"code": f"{code}, Some.Type", "message": {"lang": "da-DK", "value": text}}
    return PartAnswer(status, {}, json.dumps({"odata.error": error}).encode())


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (fault(500, -2130575169), WriteStatus.DUPLICATE),
        (fault(400, -2130575169), WriteStatus.DUPLICATE),
        (fault(404, -2130575338), WriteStatus.GONE),
        (fault(412, -1), WriteStatus.CHANGED_MEANWHILE),
        (fault(500, -2130575162), WriteStatus.REJECTED),
        (fault(500, -2130575155), WriteStatus.REJECTED),
        (fault(400, -1), WriteStatus.REJECTED),
        (fault(403, -2147024891), WriteStatus.REJECTED),
        (fault(500, -2147467259), WriteStatus.UNKNOWN),
        (PartAnswer(504), WriteStatus.UNKNOWN),
        (PartAnswer(500, {}, b"<html>"), WriteStatus.UNKNOWN),
        (None, WriteStatus.UNKNOWN),
    ],
)
def test_refusals_by_code_and_status(answer, status):
    """The code decides before the status does; what may have been done is unknown, never refused."""
    assert judge(UPDATE, answer).status is status


def test_a_create_is_done_when_the_answer_names_the_item():
    """By its Location, else by the body."""
    by_header = PartAnswer(201, {"location": "https://h/_api/Web/Lists(guid'x')/Items(12)", "etag": '"g,1"'})
    by_body = PartAnswer(201, {"etag": '"1"'}, b'{"Id": 13, "Title": "A"}')
    assert (judge(CREATE, by_header).item_id, judge(CREATE, by_header).version) == (12, '"g,1"')
    assert (judge(CREATE, by_body).item_id, judge(CREATE, by_body).version) == (13, "")
    assert judge(CREATE, PartAnswer(201, {}, b"{}")).status is WriteStatus.UNKNOWN


def test_an_update_gets_its_new_version_in_the_long_spelling():
    """The GUID is taken from the version that was sent when the answer leaves it out."""
    assert judge(UPDATE, PartAnswer(204, {"etag": '"4"'})).version == '"g-1,4"'
    assert judge(UPDATE, PartAnswer(204, {"etag": '"g-1,4"'})).version == '"g-1,4"'
    assert judge(UPDATE, PartAnswer(204)).version == ""


def test_the_words_of_the_service_are_kept_short():
    """For the row result; one line."""
    assert judge(UPDATE, fault(400, -1, "Line one.\n Line two.")).detail == "Line one. Line two."
    assert len(judge(UPDATE, fault(400, -1, "x" * 5000)).detail) == 300


def test_the_long_spelling_is_made_only_of_what_is_known():
    """A GUID in front of a number; anything else stays as it is."""
    assert long_etag("g", '"3"') == '"g,3"'
    assert long_etag("g", '"g,3"') == '"g,3"'
    assert long_etag(None, '"3"') == '"3"'
    assert long_etag("g", "") == ""


def test_a_412_about_spelling_alone_is_told_from_a_real_one():
    """Same number, other spelling: ours to repeat. Another number: somebody saved the item."""
    text = "The request ETag value '\"g-1,3\"' does not match the object's ETag value '\"u-9,{}\"'."
    assert other_spelling('"g-1,3"', fault(412, -1, text.format(3))) == '"u-9,3"'
    assert other_spelling('"g-1,3"', fault(412, -1, text.format(4))) is None
    assert other_spelling("*", fault(412, -1, text.format(3))) is None
    assert other_spelling('"g-1,3"', fault(400, -1, text.format(3))) is None
