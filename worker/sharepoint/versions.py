"""The versions of one item, and which of them gave a column the value that it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from worker.sharepoint.client import PAGE_SIZE, SharePointClient

Version = Mapping[str, Any]


def newest_first(client: SharePointClient, item_path: str) -> list[Version]:
    """All that are kept. Raises NotFoundError when the item is gone. One request."""
    # Without $select: which columns of a version it takes is unconfirmed, and an item has few versions.
    params = {"$top": str(PAGE_SIZE)}
    rows = [row for page in client.pages(f"{item_path}/versions", params) for row in page]
    return sorted(rows, key=number, reverse=True)


def number(version: Version) -> int:
    """Its major number."""
    return int(str(version.get("VersionLabel") or "0").partition(".")[0])


def maker(versions: Sequence[Version], name: str) -> Version | None:
    """Of the oldest version, counted from the newest, that has the value of today; the first version made it itself.
    None where a version writes the column under another name, as it may for odd ones, or those that would tell were
    trimmed away."""
    made: Version | None = None
    for version in versions:
        if name not in version:
            return None
        if made is not None and _blank(version.get(name)) != _blank(made.get(name)):
            return made
        made = version
    return made if made is not None and number(made) == 1 else None


def _blank(value: Any) -> Any:
    return None if value == "" else value
