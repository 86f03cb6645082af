"""The CRM's site: its lists, their columns, its time zone; hands out bound targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from worker.domain.values import Column, TargetKind
from worker.errors import ConfigError, NotFoundError, Problem
from worker.ports import Usage
from worker.sharepoint.binding import ListFields, bind_columns
from worker.sharepoint.client import SharePointClient, list_path, text_literal
from worker.sharepoint.target import ListInfo, SharePointTarget

DEFAULT_LISTS: Mapping[TargetKind, str] = {
    TargetKind.COMPANY: "Companies",
    TargetKind.CONTACT: "Contacts",
    TargetKind.INVOICE: "Invoices",
    TargetKind.STATISTICS: "Sales statistics",
}
_FIELDS = (
    # Only properties that every column has; what one type has alone stands in SchemaXml.
    "fields?$select=InternalName,EntityPropertyName,Title,TypeAsString,Required,Indexed,EnforceUniqueValues,"
    "ReadOnlyField,Hidden,FromBaseType,SchemaXml"
)
# SharePoint numbers its time zones; these are the ones whose members agree on their clock for years.
_ZONES: Mapping[int, str] = {
    2: "Europe/London",
    3: "Europe/Copenhagen",
    4: "Europe/Berlin",
    6: "Europe/Budapest",
    7: "Europe/Athens",
    10: "America/New_York",
    11: "America/Chicago",
    12: "America/Denver",
    13: "America/Los_Angeles",
    57: "Europe/Warsaw",
    59: "Europe/Helsinki",
    93: "UTC",
}


@dataclass(frozen=True, slots=True)
class SiteOptions:
    """How lists and columns are found: target -> list (title, site-relative address or GUID) and internal names."""

    lists: Mapping[str, str]
    columns: Mapping[str, Mapping[str, str]]
    time_zone: str | None = None
    concurrency: int = 2


class SharePointSite:
    """Looks lists and columns up once per run."""

    def __init__(self, client: SharePointClient, options: SiteOptions) -> None:
        self.client = client
        self._options = options
        self._lists: dict[str, ListInfo] = {}
        self._fields: dict[str, ListFields] = {}
        self._targets: dict[TargetKind, SharePointTarget] = {}

    def usage(self) -> Usage:
        """What the site was asked so far."""
        return self.client.usage()

    def bind(self, wanted: Mapping[str, tuple[TargetKind, Sequence[str]]]) -> Mapping[TargetKind, SharePointTarget]:
        """Targets with the union of the columns that all labels want. Raises ConfigError with every problem."""
        problems: list[Problem] = []
        columns: dict[TargetKind, dict[str, Column]] = {}
        for label, (kind, names) in wanted.items():
            bound, wrong = self._bind_one(label, kind, names)
            problems += wrong
            columns.setdefault(kind, {}).update(bound)
        if problems:
            raise ConfigError(
                problems,
                hint="Correct the names in the settings file ([sharepoint.columns]), or run: economic-sync provision",
            )
        return {kind: self._target(kind, found) for kind, found in columns.items()}

    def list_info(self, address: str) -> ListInfo:
        """A list by title, site-relative address or GUID. Raises NotFoundError."""
        if address not in self._lists:
            select = "$select=Id,Title,ItemCount,ListItemEntityTypeFullName"
            data = self.client.get_json(f"{self._address(address)}?{select}")
            self._lists[address] = ListInfo(
                str(data["Id"]), str(data["Title"]), int(data["ItemCount"]), str(data["ListItemEntityTypeFullName"])
            )
        return self._lists[address]

    def raw_fields(self, list_id: str) -> list[dict[str, Any]]:
        """All columns of a list as the service describes them."""
        return [field for page in self.client.pages(f"{list_path(list_id)}/{_FIELDS}") for field in page]

    def list_address(self, kind: TargetKind) -> str:
        """Where the list of a target is: configured, else the default title."""
        return self._options.lists.get(kind.value) or DEFAULT_LISTS[kind]

    def forget(self) -> None:
        """Lists and columns may have changed: look them up again."""
        self._lists.clear()
        self._fields.clear()
        self._targets.clear()

    @cached_property
    def zone(self) -> ZoneInfo:
        """The site's time zone: configured, else by the site's own number. Raises ConfigError for an unknown one."""
        if self._options.time_zone:
            return ZoneInfo(self._options.time_zone)
        number = int(self.client.get_json("web/RegionalSettings/TimeZone").get("Id", 0))
        if number not in _ZONES:
            raise ConfigError(
                [
                    Problem(
                        "SHAREPOINT_TIME_ZONE", f"is not set, and the site's zone number {number} is not known here."
                    )
                ],
                hint="Set SHAREPOINT_TIME_ZONE to the site's zone, such as Europe/Copenhagen.",
            )
        return ZoneInfo(_ZONES[number])

    def _bind_one(self, label: str, kind: TargetKind, names: Sequence[str]) -> tuple[dict[str, Column], list[Problem]]:
        address = self.list_address(kind)
        try:
            info = self.list_info(address)
        except NotFoundError:
            return {}, [Problem(f"profile '{label}', target {kind.value}", f"the list '{address}' does not exist.")]
        if info.list_id not in self._fields:
            self._fields[info.list_id] = ListFields(info.title, self.raw_fields(info.list_id))
        return bind_columns(label, self._fields[info.list_id], names, self._options.columns.get(kind.value, {}))

    def _target(self, kind: TargetKind, columns: Mapping[str, Column]) -> SharePointTarget:
        info = self.list_info(self.list_address(kind))
        return SharePointTarget(self.client, kind, info, columns, self.zone, self._options.concurrency)

    def _address(self, address: str) -> str:
        if "/" in address:
            path = f"{urlsplit(self.client.site_url).path}/{address.strip('/')}"
            return f"web/GetList({quote(repr(path), safe='')})"
        try:
            return list_path(str(UUID(address)))
        except ValueError:
            return f"web/lists/GetByTitle({text_literal(address)})"
