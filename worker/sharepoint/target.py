"""A CRM list as the run sees it: the Target port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from worker.domain.values import TargetKind
from worker.sharepoint.binding import Bound
from worker.sharepoint.client import SharePointClient
from worker.sharepoint.items import ListItems, Shape, shape
from worker.sharepoint.site_lists import ListInfo


class SharePointTarget(ListItems):
    """One bound list; `kind` says which of the CRM's."""

    def __init__(
        self,
        kind: TargetKind,
        client: SharePointClient,
        info: ListInfo,
        shapes: Mapping[str, Shape],
        zone: ZoneInfo,
        concurrency: int = 2,
    ) -> None:
        super().__init__(client, info.path, shapes, zone, title=info.title, concurrency=concurrency)
        self.kind = kind


def shapes_of(bound: Sequence[Bound], zone: ZoneInfo) -> dict[str, Shape]:
    """How each bound column travels."""
    return {one.name: shape(one.field.as_column(one.name), zone, one.field.rest) for one in bound}
