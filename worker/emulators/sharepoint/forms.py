"""ValidateUpdateListItem and AddValidateUpdateItemUsingPath: values as text in the site's locale (section 8).

Always HTTP 200; any row with `HasException` means that nothing was saved.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from worker.emulators.sharepoint import errors, items
from worker.emulators.sharepoint.calls import Call
from worker.emulators.sharepoint.formats import Named, Result
from worker.emulators.sharepoint.models import SPField, SPList
from worker.emulators.sharepoint.people import find_user
from worker.emulators.sharepoint.values import TypedDict, TypedList, stamp, to_kept

FAILED = -2146232832
_TIME_FORMS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%d-%m-%Y %H:%M",
    "%d-%m-%Y",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y",
)
_SYSTEM = {"Modified": "modified", "Created": "created", "Editor": "editor", "Author": "author"}


class _Refused(Exception):
    """A value that one column does not take; the text is for the caller."""


def validate_update(call: Call) -> Result:
    """`{"formValues":[{"FieldName","FieldValue"}],"bNewDocumentUpdate","datesInUTC"}` on one item."""
    one, item = call.item()
    body = call.json()
    entries = _entries(body.get("formValues"))
    rows, values, system = _read(call, one, entries, utc=bool(body.get("datesInUTC")))
    if not any(row["HasException"] for row in rows):
        try:
            quiet = bool(body.get("bNewDocumentUpdate"))
            after = items.change_item(call, one, item, {**item.doc, **values}, list(values), quiet=quiet)
            if system:
                stamped = type(after)(**{**vars(after), **system})
                call.store.update_item(one, after, stamped)
        except errors.ODataError as error:
            rows[0] = _row(rows[0]["FieldName"], rows[0]["FieldValue"], item.id, error.text)
    for row in rows:
        row["ItemId"] = item.id
    return _answer("ValidateUpdateListItem", rows)


def add_validated(call: Call) -> Result:
    """The same for a new item; its id stands in an extra row named `Id`."""
    one, body = call.one_list(), call.json()
    rows, values, _ = _read(call, one, _entries(body.get("formValues")), utc=bool(body.get("datesInUTC")))
    sent = {row["FieldName"] for row in rows}
    rows += [
        _row(field.internal, "", 0, "You can't leave this blank.")
        for field in one.fields
        if field.required and field.internal not in sent and not field.read_only and field.default is None
    ]
    if not any(row["HasException"] for row in rows):
        try:
            item = items.keep_new(call, one, values)
            rows.append(_row("Id", str(item.id), item.id, None))
            for row in rows:
                row["ItemId"] = item.id
        except errors.ODataError as error:
            rows.append(_row("Id", "", 0, error.text))
    return _answer("AddValidateUpdateItemUsingPath", rows)


def _answer(name: str, rows: list[dict[str, Any]]) -> Result:
    typed = [TypedDict("SP.ListItemFormUpdateValue", row) for row in rows]
    light = TypedList("Collection(SP.ListItemFormUpdateValue)", typed)
    return Result(Named(name, light))


def _entries(value: Any) -> list[dict[str, Any]]:
    found = value.get("results", []) if isinstance(value, dict) else value
    if not isinstance(found, list) or not found:
        raise errors.bad_query("The parameter formValues does not exist in method ValidateUpdateListItem.")
    return found


def _row(name: str, value: Any, item_id: int, error: str | None) -> dict[str, Any]:
    return {
        "ErrorCode": FAILED if error else 0,
        "ErrorMessage": error,
        "FieldName": name,
        "FieldValue": value,
        "HasException": error is not None,
        "ItemId": item_id,
    }


def _read(
    call: Call, one: SPList, entries: list[dict[str, Any]], *, utc: bool
) -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any]]:
    """Result rows, the values of columns, and the item's own stamps (Modified, Editor...)."""
    rows, values, system = list[dict[str, Any]](), dict[str, Any](), dict[str, Any]()
    for entry in entries:
        name, text = str(entry.get("FieldName")), entry.get("FieldValue")
        problem = None
        try:
            field = one.field_by_internal(name)
            if field is None or (field.read_only and name not in _SYSTEM):
                raise _Refused(f"Column '{name}' does not exist or is read-only.")
            kept = _value(call, field, text, utc=utc)
            (system if name in _SYSTEM else values)[_SYSTEM.get(name, field.internal)] = kept
        except _Refused as refused:
            problem = str(refused)
        except errors.ODataError as error:
            problem = error.text
        rows.append(_row(name, text, 0, problem))
    return rows, values, {key: value for key, value in system.items() if value is not None}


def _value(call: Call, field: SPField, text: Any, *, utc: bool) -> Any:
    """A form text as a kept value."""
    if text is None or text == "":
        if field.required:
            raise _Refused("You can't leave this blank.")
        return None
    if not isinstance(text, str):
        raise _Refused("The value must be text.")
    match field.type:
        case "Number" | "Currency":
            return _number(call, text)
        case "Boolean":
            return text in ("1", "true", "True", "Yes")
        case "DateTime":
            return to_kept(field, _time(call, text, utc=utc), call.rules)
        case "URL":
            url, _, shown = text.partition(", ")
            return to_kept(field, {"Url": url, "Description": shown or url}, call.rules)
        case "MultiChoice":
            return to_kept(field, [part for part in text.split(";#") if part], call.rules)
        case _ if field.is_lookup:
            return to_kept(field, _ids(field, text), call.rules)
        case _:
            return to_kept(field, text, call.rules)


def _number(call: Call, text: str) -> float:
    plain = text.replace(".", "").replace(",", ".") if call.switch("number_format") == "site" else text.replace(",", "")
    try:
        return float(plain)
    except ValueError:
        raise _Refused("Only numbers can go here.") from None


def _time(call: Call, text: str, *, utc: bool) -> str:
    if re.match(r"^\d{4}-\d{2}-\d{2}T", text):
        return text
    for form in _TIME_FORMS:
        try:
            naive = datetime.strptime(text, form)  # noqa: DTZ007  (its zone follows below)
        except ValueError:
            continue
        return stamp(naive.replace(tzinfo=UTC if utc else call.site.options.tzinfo))
    raise _Refused("You must specify a valid date within the range of 1/1/1900 and 12/31/8900.")


def _ids(field: SPField, text: str) -> Any:
    """Look-ups as `1` or `1;#;#2`, people as `[{"Key":"i:0#.f|membership|a@b.c"}]`."""
    if field.type.startswith("User"):
        try:
            keys = [str(person["Key"]) for person in json.loads(text)]
        except (ValueError, KeyError, TypeError):
            raise _Refused("The user does not exist or is not unique.") from None
        ids = [find_user(key) for key in keys]
        if None in ids:
            raise _Refused("The user does not exist or is not unique.")
    else:
        ids = [int(part) for part in re.findall(r"\d+", text)]
    return ids if field.is_multiple else ids[0] if ids else None
