"""The change log and its tokens (reference, section 9)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from worker.emulators.sharepoint import errors
from worker.emulators.sharepoint.calls import Call
from worker.emulators.sharepoint.formats import Collection, Entity, Result
from worker.emulators.sharepoint.models import SPList
from worker.emulators.sharepoint.store import ADDED, DELETED, RESTORED, UPDATED
from worker.emulators.sharepoint.values import TypedDict, stamp

_YEAR_ONE = datetime(1, 1, 1, tzinfo=UTC)
DEFAULT_LIMIT = 1000
_WANTED = {ADDED: "Add", UPDATED: "Update", DELETED: "DeleteObject", RESTORED: "Restore"}


def token(one: SPList, moment: datetime, sequence: int) -> str:
    """`1;3;<list>;<ticks>;<number>`, ticks being 100 ns since year 1."""
    ticks = (moment - _YEAR_ONE) // timedelta(microseconds=1) * 10
    return f"1;3;{one.id};{ticks};{sequence}"


def current_token(call: Call, one: SPList) -> str:
    """The token of a list's newest change."""
    last = call.store.last_change(one)
    sequence, time = last if last is not None else (0, one.created)
    return token(one, datetime.fromisoformat(time), sequence)


def read_changes(call: Call) -> Result:
    """`{"query":{"Item","Add","Update","DeleteObject","ChangeTokenStart","FetchLimit"}}`: ids, not values."""
    one, query = call.one_list(), call.parameters("query")
    start = (query.get("ChangeTokenStart") or {}).get("StringValue")
    limit = int(query.get("FetchLimit") or DEFAULT_LIMIT)
    sequence, since = start_of(call, one, start)
    if not query.get("Item") or since is None:
        return Result(Collection([]))
    wanted = [kind for kind, name in _WANTED.items() if query.get(name)]
    end = (query.get("ChangeTokenEnd") or {}).get("StringValue")
    last = int(end.split(";")[4]) if end else None
    rows = [
        row
        for row in call.store.changes(one, sequence, stamp(since), limit)
        if row[3] in wanted and (last is None or row[0] <= last)
    ]
    return Result(Collection([_change(call, one, row) for row in rows]))


def start_of(call: Call, one: SPList, text: str | None) -> tuple[int, datetime | None]:
    """(sequence, moment) to begin after; no moment when the token is too old to be answered."""
    if text is None:
        return 0, _YEAR_ONE
    try:
        _, scope, list_id, ticks, sequence = text.split(";")
        moment, number = _YEAR_ONE + timedelta(microseconds=int(ticks) // 10), int(sequence)
    except (ValueError, OverflowError):
        raise errors.ODataError(400, f"-2146233086, {errors.SP_EXCEPTION}", "Invalid change token.") from None
    if scope != "3" or list_id.lower() != one.id:
        raise errors.ODataError(
            400, f"-2130575173, {errors.SP_EXCEPTION}", "The change token refers to another object."
        )
    oldest = call.site.options.now() - timedelta(days=call.site.options.change_log_days)
    if moment < oldest:
        if call.switch("expired_change_token") == "error":
            text = "The change token refers to a time before the start of the current change log."
            raise errors.ODataError(400, f"-2130575172, {errors.SP_EXCEPTION}", text)
        return 0, None
    return (0, moment) if number < 0 else (number, _YEAR_ONE)


def _change(call: Call, one: SPList, row: tuple[int, int, str, int, str, int]) -> Entity:
    sequence, item_id, guid, kind, time, editor = row
    value: dict[str, Any] = {
        "ChangeToken": TypedDict("SP.ChangeToken", {"StringValue": token(one, datetime.fromisoformat(time), sequence)}),
        "ChangeType": kind,
        "SiteId": call.store.identity("site"),
        "Time": time,
        "Editor": str(editor),
        "ItemId": item_id,
        "ListId": one.id,
        "UniqueId": guid,
        "WebId": call.store.identity("web"),
    }
    return Entity(value, "SP.ChangeItem", f"Web/Lists(guid'{one.id}')/Changes({sequence})")
