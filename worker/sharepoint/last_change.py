"""Who saved an item last, and who gave a column its value, and when."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from worker.errors import NotFoundError
from worker.sharepoint.client import PAGE_SIZE
from worker.sharepoint.definitions import ListKey
from worker.sharepoint.site import SharePointSite


@dataclass(frozen=True, slots=True)
class LastChange:
    """`moment` is aware UTC; `by` is the display name of a person or of the app."""

    moment: datetime
    by: str


def last_change(site: SharePointSite, key: ListKey, item_id: int) -> LastChange | None:
    """None when the list or the item is gone. One request."""
    info = site.find_list(key)
    if info is None:
        return None
    params = {"$select": "Modified,Editor/Title", "$expand": "Editor"}
    try:
        row = site.client.get_json(f"{info.path}/items({item_id})", params)
    except NotFoundError:
        return None
    editor = row.get("Editor") or {}
    return LastChange(datetime.fromisoformat(row["Modified"]), str(editor.get("Title") or ""))


def column_changes(site: SharePointSite, key: ListKey, item_id: int, columns: Collection[str]) -> dict[str, LastChange]:
    """Who gave each of these columns (internal names) the value that it has, by the item's versions. A column is left
    out where they do not say: the list keeps none, or those that would tell were trimmed away. One request."""
    info = site.find_list(key)
    if info is None or not info.versioning:
        return {}
    rest = {one.internal: one.rest for one in site.lists.fields(info) if one.internal in columns}
    # Without $select: which columns of a version it takes is unconfirmed, and an item has few versions.
    params = {"$top": str(PAGE_SIZE)}
    try:
        pages = site.client.pages(f"{info.path}/items({item_id})/versions", params)
        rows = sorted((row for page in pages for row in page), key=_number, reverse=True)
    except NotFoundError:
        return {}
    found = {internal: _maker(rows, name) for internal, name in rest.items()}
    return {internal: change for internal, change in found.items() if change is not None}


def _number(version: Mapping[str, Any]) -> int:
    return int(str(version.get("VersionLabel") or "0").partition(".")[0])


def _maker(versions: Sequence[Mapping[str, Any]], name: str) -> LastChange | None:
    """Of the oldest version, counted from the newest, that has the value of today; the first version made it itself.
    None where a version writes the column under another name, as it may for odd ones."""
    made: Mapping[str, Any] | None = None
    for version in versions:
        if name not in version:
            return None
        if made is not None and _blank(version.get(name)) != _blank(made.get(name)):
            return _change(made)
        made = version
    return _change(made) if made is not None and _number(made) == 1 else None


def _blank(value: Any) -> Any:
    return None if value == "" else value


def _change(version: Mapping[str, Any]) -> LastChange | None:
    """None where the version does not say when."""
    text, editor = version.get("Modified"), version.get("Editor") or {}
    if not text:
        return None
    moment = datetime.fromisoformat(str(text))
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return LastChange(aware, str(editor.get("LookupValue") or ""))
