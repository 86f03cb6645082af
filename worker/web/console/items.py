"""Addresses of SharePoint items, for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from fastapi import Request

from worker.domain.values import TargetKind
from worker.errors import WorkerError
from worker.sharepoint.definitions import LIST_OF
from worker.transport import origin
from worker.web.console.common import desk_of, host_of


@dataclass(frozen=True, slots=True)
class ItemLinks:
    """`lists`: target -> address of its list on the web; a list that is not known has no links."""

    lists: Mapping[str, str] = field(default_factory=dict)

    def of(self, target: str, item_id: int | None) -> str:
        """The page that shows an item; "" when it is not known."""
        base = self.lists.get(target)
        return f"{base}/DispForm.aspx?ID={item_id}" if base and item_id is not None else ""


def item_links(request: Request, connection: str) -> ItemLinks:
    """From the site's own lists. A site that can't be asked gives no links: the page is about something else."""
    try:
        home = origin(host_of(request).live.of(connection).sharepoint.site_url)
        with desk_of(request).open(connection) as app:
            found = {kind: app.site.find_list(LIST_OF[kind]) for kind in TargetKind}
    except WorkerError:
        return ItemLinks()
    return ItemLinks({kind.value: f"{home}{quote(one.address)}" for kind, one in found.items() if one is not None})
