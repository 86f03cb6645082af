"""The CRM's site: finds its lists, binds columns, hands out targets. The Site port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from worker.domain.values import TargetKind
from worker.errors import ConfigError, NotFoundError, Problem
from worker.ports import Target, Usage
from worker.sharepoint.access import Access, check_access
from worker.sharepoint.binding import Bound, ColumnNames, bind_columns, find_field
from worker.sharepoint.client import SharePointClient
from worker.sharepoint.definitions import LIST_OF, Definitions, ListDefinition, ListKey
from worker.sharepoint.items import literal
from worker.sharepoint.site_lists import ListInfo, SiteLists
from worker.sharepoint.target import SharePointTarget, shapes_of
from worker.sharepoint.zones import named_zone, site_zone

Entry = TypeVar("Entry")
_HINT = "Correct the list or the settings, then run: economic-sync check"


@dataclass(frozen=True)
class SiteOptions:
    """What a configuration says about the site. `lists`: target (as in a profile, or the list's own key) -> title,
    address or GUID; `columns`: the same -> logical column -> internal name; `time_zone`: an IANA name, None = ask."""

    lists: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    time_zone: str | None = None
    concurrency: int = 2


class SharePointSite:
    """One site. Lists and columns are read once and kept; after provisioning call `forget`."""

    def __init__(self, client: SharePointClient, definitions: Definitions, options: SiteOptions | None = None) -> None:
        self.client = client
        self.definitions = definitions
        self.options = options or SiteOptions()
        self.lists = SiteLists(client)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The site's time zone. Raises ConfigError when it can't be told."""
        if self.options.time_zone:
            return named_zone(self.options.time_zone)
        return site_zone(self.client.get_json("web/RegionalSettings/TimeZone"))

    def bind(self, wanted: Mapping[str, tuple[TargetKind, Sequence[str]]]) -> Mapping[TargetKind, Target]:
        """See ports.Site."""
        problems = self._unknown_settings()
        bound: dict[TargetKind, dict[str, Bound]] = {}
        found: dict[TargetKind, ListInfo] = {}
        for label, (kind, columns) in wanted.items():
            info = self.find_list(LIST_OF[kind])
            if info is None:
                problems.append(self._missing(label, LIST_OF[kind]))
                continue
            found[kind] = info
            one, wrong = self._bind_one(label, kind, info, columns)
            bound.setdefault(kind, {}).update({column.name: column for column in one})
            problems += wrong
        if problems:
            raise ConfigError(problems, hint=_HINT)
        return {kind: self._target(kind, found[kind], list(columns.values())) for kind, columns in bound.items()}

    def has_list(self, kind: TargetKind) -> bool:
        """See ports.Site. The site's listing alone proves nothing: it does not tell of hidden lists, for one. So a list
        that is not in it is asked for by every name it may have."""
        definition = self.definitions[LIST_OF[kind]]
        if self.find_list(definition.key) is not None:
            return True
        if _setting(self.options.lists, definition):
            raise ConfigError([self._missing("settings", definition.key)], hint=_HINT)
        address = f"{urlsplit(self.client.site_url).path}/Lists/{definition.url}"
        paths = [f"web/lists/getbytitle({literal(title)})" for title in definition.titles()]
        return any(self._answers(path) for path in (*paths, f"web/GetList({literal(address)})"))

    def view_of(self, kind: TargetKind, columns: Sequence[str]) -> SharePointTarget | None:
        """The list with those of these columns that it has, for pages; None when there is no list."""
        info = self.find_list(LIST_OF[kind])
        if info is None:
            return None
        definition, names = self.definitions[LIST_OF[kind]], self.names_for(LIST_OF[kind])
        fields = self.lists.fields(info)
        found = {name: find_field(name, definition.by_name.get(name), fields, names) for name in columns}
        bound = [Bound(name, real[0]) for name, real in found.items() if len(real) == 1 and real[0].kind is not None]
        return self._target(kind, info, bound)

    def find_list(self, key: ListKey) -> ListInfo | None:
        """The site's list for a definition: as configured, else by any of its titles."""
        definition = self.definitions[key]
        configured = _setting(self.options.lists, definition)
        if configured:
            return self.lists.find(configured)
        matches = (self.lists.find(title) for title in (*definition.titles(), f"Lists/{definition.url}"))
        return next((one for one in matches if one is not None), None)

    def names_for(self, key: ListKey) -> ColumnNames:
        """The configured internal names of a list."""
        return ColumnNames(_setting(self.options.columns, self.definitions[key]) or {})

    def usage(self) -> Usage:
        """What the whole site was asked so far."""
        return self.client.usage()

    def check_access(self) -> Access:
        """What the app may do here, and what stands in the way. See access.check_access."""
        return check_access(self)

    def forget(self) -> None:
        """Lists or columns were made: look again."""
        self.lists.forget()

    def _bind_one(
        self, label: str, kind: TargetKind, info: ListInfo, columns: Sequence[str]
    ) -> tuple[list[Bound], list[Problem]]:
        key = LIST_OF[kind]
        guids = {name: one.guid for name in ("companies",) if (one := self.find_list(name)) is not None}
        return bind_columns(label, self.definitions[key], self.lists.fields(info), columns, self.names_for(key), guids)

    def _target(self, kind: TargetKind, info: ListInfo, bound: Sequence[Bound]) -> SharePointTarget:
        shapes = shapes_of(bound, self.zone)
        return SharePointTarget(kind, self.client, info, shapes, self.zone, self.options.concurrency)

    def _answers(self, path: str) -> bool:
        """Whether something is there; only SharePoint's own 404 is a no."""
        try:
            self.client.get_json(path, {"$select": "Id"})
        except NotFoundError:
            return False
        return True

    def _missing(self, label: str, key: ListKey) -> Problem:
        definition = self.definitions[key]
        configured = _setting(self.options.lists, definition)
        name = configured or definition.title
        titles = tuple(sorted(one.title for one in self.lists.all()))
        return Problem(
            f"{label}: list {name}", "is not on the site. Make it with economic-sync provision, or name it.", titles
        )

    def _unknown_settings(self) -> list[Problem]:
        """Settings for lists that do not exist are mistakes, and silently binding by default would hide them."""
        known = {name for one in self.definitions.values() for name in _names(one)}
        shown = tuple(kind.value for kind in LIST_OF)
        named = {"lists": self.options.lists, "columns": self.options.columns}
        return [
            Problem(f"settings, [sharepoint.{table}]", f"'{name}' is no list of the worker.", shown)
            for table, entries in named.items()
            for name in entries
            if name.casefold() not in known
        ]


def _names(definition: ListDefinition) -> set[str]:
    """What a setting may call a list: the profile's word for the target, the title, the key."""
    kinds = [kind.value for kind, key in LIST_OF.items() if key == definition.key]
    return {name.casefold() for name in (definition.key, definition.title, *kinds)}


def _setting(entries: Mapping[str, Entry], definition: ListDefinition) -> Entry | None:
    names = _names(definition)
    return next((value for name, value in entries.items() if name.casefold() in names), None)
