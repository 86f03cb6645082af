"""What SharePoint's answer to one write says. Pure.

Etags have two spellings, `"<guid>,<n>"` and `"<n>"`; which of them IF-MATCH takes is not documented. We send the long
one, made of the item's GUID, and when a 412 names the object's own etag with the same number, that spelling.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from worker.ports import Update, Write, WriteOutcome, WriteStatus
from worker.sharepoint.batch import PartAnswer
from worker.sharepoint.faults import DUPLICATE_VALUE, ITEM_GONE, OVER_THRESHOLD, ROW_REFUSED, read_fault

_LOCATION_ID = re.compile(r"\((\d+)\)/?$")
_ETAG = re.compile(r'"(?:[^",\s]+,)?\d+"')


def long_etag(guid: Any, etag: str) -> str:
    """`etag` with the item's GUID in front, which is how headers spell it; as it is when that can't be told."""
    number = etag.strip('"')
    return f'"{guid},{number}"' if guid and number.isdigit() else etag


def other_spelling(sent: str, answer: PartAnswer) -> str | None:
    """The object's own spelling of the version that was sent, when a 412 was about nothing but spelling."""
    if answer.status != 412 or ("," not in sent and not sent.strip('"').isdigit()):
        return None
    number = version_number(sent)
    for etag in _ETAG.findall(read_fault(answer.body).text):
        if etag != sent and version_number(etag) == number:
            return str(etag)
    return None


def version_number(etag: str) -> str:
    """How often the item was saved, in either spelling."""
    return etag.strip('"').rpartition(",")[2]


def judge(write: Write, answer: PartAnswer | None) -> WriteOutcome:
    """The outcome of a write; UNKNOWN whenever the answer does not prove what became of it."""
    if answer is None:
        return WriteOutcome(write, WriteStatus.UNKNOWN, detail="SharePoint gave no answer for this row.")
    if answer.status < 300:
        return _done(write, answer)
    fault = read_fault(answer.body)
    detail = fault.text or f"status {answer.status}"
    status = _BY_CODE.get(fault.code) or _by_status(answer.status)
    return WriteOutcome(write, status, detail=detail)


_BY_CODE: Mapping[int, WriteStatus] = {
    DUPLICATE_VALUE: WriteStatus.DUPLICATE,
    ITEM_GONE: WriteStatus.GONE,
    OVER_THRESHOLD: WriteStatus.REJECTED,
    **dict.fromkeys(ROW_REFUSED, WriteStatus.REJECTED),
}


def _by_status(status: int) -> WriteStatus:
    if status == 412:
        return WriteStatus.CHANGED_MEANWHILE
    # A server fault may have come after the row was saved; everything else was refused before.
    return WriteStatus.UNKNOWN if status >= 500 or status in (408, 429) else WriteStatus.REJECTED


def _done(write: Write, answer: PartAnswer) -> WriteOutcome:
    etag = answer.headers.get("etag", "")
    if isinstance(write, Update):
        guid = write.version.strip('"').rpartition(",")[0]
        return WriteOutcome(write, WriteStatus.DONE, write.item_id, long_etag(guid, etag))
    item_id = _created_id(answer)
    if item_id is None:
        return WriteOutcome(write, WriteStatus.UNKNOWN, detail="SharePoint did not say which item it made.")
    return WriteOutcome(write, WriteStatus.DONE, item_id, etag if "," in etag else "")


def _created_id(answer: PartAnswer) -> int | None:
    found = _LOCATION_ID.search(answer.headers.get("location", ""))
    if found is not None:
        return int(found.group(1))
    try:
        body = json.loads(answer.body)
    except ValueError:
        return None
    value = body.get("Id", body.get("ID")) if isinstance(body, dict) else None
    return value if isinstance(value, int) else None
