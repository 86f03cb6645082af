"""Who saved an item last, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from worker.errors import NotFoundError
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
