"""The ProfileStore port over the list Mapping profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from worker.domain.profile import Profile
from worker.domain.profile_row import COLUMNS, parse_profile, profile_to_row
from worker.errors import ConfigError
from worker.ports import ProfileRow
from worker.sharepoint.admin_list import AdminList, plain, send
from worker.sharepoint.site import SharePointSite

PROFILES_LIST = "Mapping profiles"


class SharePointProfiles:
    """Rows as people typed them, parsed one by one: a wrong one does not hide the others."""

    def __init__(self, site: SharePointSite) -> None:
        self._list = AdminList(site, PROFILES_LIST)

    @property
    def list(self) -> AdminList:
        """The list itself, for the run list's closing batch."""
        return self._list

    def profiles(self) -> Sequence[ProfileRow]:
        """All rows, in run order, then by title; rows that can't be parsed come with their problems."""
        rows = [_parsed(row) for row in self._list.rows(list(COLUMNS))]
        return sorted(rows, key=lambda row: (row.profile.order if row.profile else 0, row.title))

    def save(self, profile: Profile) -> None:
        """Creates or overwrites the row with this title; an equal row is left untouched."""
        wanted = plain(profile_to_row(profile))
        for row in self._list.rows(list(COLUMNS)):
            if str(row.get("Title") or "").strip().casefold() != profile.title.casefold():
                continue
            if not _same(row, profile):
                send(self._list.client, [self._list.update(int(row["Id"]), wanted)])
            return
        send(self._list.client, [self._list.create(wanted)])


def _parsed(row: Mapping[str, Any]) -> ProfileRow:
    item_id, title = int(row["Id"]), str(row.get("Title") or "").strip()
    where = f"profile '{title}' (row {item_id})"
    try:
        profile = parse_profile({name: row.get(name) for name in COLUMNS}, where)
    except ConfigError as error:
        return ProfileRow(item_id, title, None, error.problems)
    return ProfileRow(item_id, title, profile)


def _same(row: Mapping[str, Any], profile: Profile) -> bool:
    parsed = _parsed(row).profile
    return parsed == profile
