"""The ProfileStore port over the list Mapping profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from worker.domain.profile import Profile, RunRequest
from worker.domain.profile_row import COLUMNS, parse_profile, profile_to_row
from worker.domain.profile_words import run_request
from worker.domain.secrets_guard import find_secret
from worker.domain.values import Item
from worker.errors import ConfigError
from worker.ports import ProfileRow
from worker.sharepoint.own_list import OwnList, OwnWrite, send
from worker.sharepoint.site import SharePointSite

HIDDEN = "(hidden)"  # in place of a title that looks like a secret
_LAST = 10**6  # where a row without an order stands


class SharePointProfiles:
    """Rows as people typed them, parsed one by one: a wrong one does not hide the others."""

    def __init__(self, site: SharePointSite) -> None:
        self._list = OwnList(site, "mapping-profiles")
        self._site = site
        self._ids: dict[str, int] | None = None

    def profiles(self) -> Sequence[ProfileRow]:
        """All rows, in run order, then by title; rows that can't be parsed come with their problems."""
        items = self._rows()
        rows = [(_order(item), _parsed(item)) for item in items]
        return [row for _, row in sorted(rows, key=lambda pair: (pair[0], pair[1].title))]

    def save(self, profile: Profile) -> None:
        """Creates or overwrites the row with this title; an equal row is left untouched."""
        wanted = profile_to_row(profile)
        same = [item for item in self._rows() if _title(item).casefold() == profile.title.casefold()]
        if not same:
            send(self._site, [self._list.create(profile.title, wanted)])
        elif _parsed(same[0]).profile != profile:
            send(self._site, [self._list.update(same[0].item_id, wanted)])
        self._ids = None

    def clear_requests(self, rows: Sequence[ProfileRow]) -> None:
        """Sets the requests of these rows back to None."""
        none = {"RunRequest": RunRequest.NONE.value}
        if rows:
            send(self._site, [self._list.update(row.item_id, none) for row in rows])

    def note_run(self, title: str, values: Mapping[str, Any]) -> list[OwnWrite]:
        """A write of last run and result to the profile's row, for the run list's closing batch; none when the row
        is gone."""
        if self._ids is None:
            self._rows()
        item_id = (self._ids or {}).get(title)
        return [] if item_id is None else [self._list.update(item_id, values)]

    def _rows(self) -> list[Item]:
        items = self._list.every([*COLUMNS, "RunRequest"])
        self._ids = {_title(item): item.item_id for item in items}
        return items


def _title(item: Item) -> str:
    return str(item.values.get("Title") or "").strip()


def _order(item: Item) -> Decimal:
    order = item.values.get("RunOrder")
    return order if isinstance(order, Decimal) else Decimal(_LAST)


def _parsed(item: Item) -> ProfileRow:
    title = _title(item)
    shown = HIDDEN if find_secret(title) else title
    request = run_request(item.values.get("RunRequest"))
    try:
        profile = parse_profile(item.values, f"profile '{title}' (row {item.item_id})")
    except ConfigError as error:
        cells = {name: value for name, value in item.values.items() if not find_secret(str(value))}
        return ProfileRow(item.item_id, shown, None, error.problems, request, cells)
    return ProfileRow(item.item_id, title, profile, request=request)
