"""Who saved an item last, and who gave a column its value, and when."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from worker.errors import NotFoundError
from worker.sharepoint.definitions import ListKey
from worker.sharepoint.site import SharePointSite
from worker.sharepoint.versions import maker, newest_first


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
    try:
        rows = newest_first(site.client, f"{info.path}/items({item_id})")
    except NotFoundError:
        return {}
    made = {internal: maker(rows, name) for internal, name in rest.items()}
    found = {internal: _change(version) for internal, version in made.items() if version is not None}
    return {internal: change for internal, change in found.items() if change is not None}


def _change(version: Mapping[str, Any]) -> LastChange | None:
    """None where the version does not say when."""
    text, editor = version.get("Modified"), version.get("Editor") or {}
    if not text:
        return None
    moment = datetime.fromisoformat(str(text))
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return LastChange(aware, str(editor.get("LookupValue") or ""))
