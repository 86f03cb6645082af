"""The site's lists and their columns as SharePoint describes them, in our words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.domain.values import Column, ColumnKind
from worker.sharepoint.client import SharePointClient

_KINDS: Mapping[str, ColumnKind] = {
    kind.value: kind for kind in ColumnKind if kind not in (ColumnKind.DATE, ColumnKind.DATETIME)
}
_WITH_TIME = 1  # DisplayFormat of a DateTime column; 0 is DateOnly
_DECIMALS = re.compile(r'\bDecimals="(\d+)"')
_LIST_PROPERTIES = "Id,Title,ItemCount,EnableVersioning,Hidden,BaseTemplate,RootFolder/ServerRelativeUrl"


@dataclass(frozen=True, slots=True)
class ListInfo:
    """One list: its GUID, title, server-relative address and how many items it held when asked."""

    guid: str
    title: str
    address: str
    item_count: int
    versioning: bool = False

    @property
    def path(self) -> str:
        """Its path below `_api/`. By GUID: titles are renamed."""
        return f"web/lists(guid'{self.guid}')"


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One column. `kind` is None for a type the worker does not fill; `rest` is its property in item JSON."""

    internal: str
    rest: str
    title: str
    type_name: str
    kind: ColumnKind | None
    required: bool = False
    indexed: bool = False
    unique: bool = False
    read_only: bool = False
    hidden: bool = False
    rich_text: bool = False
    fill_in: bool = False
    max_length: int | None = None
    decimals: int | None = None
    choices: tuple[str, ...] = ()
    lookup_list: str | None = None

    def as_column(self, name: str) -> Column:
        """The column under the logical name `name`. Raises TypeError when its type is not one of ours."""
        if self.kind is None:
            raise TypeError(f"column type {self.type_name} can't be bound")
        return Column(
            name=name,
            internal=self.internal,
            display=self.title,
            kind=self.kind,
            required=self.required,
            max_length=self.max_length,
            decimals=self.decimals,
            choices=() if self.fill_in else self.choices,
            indexed=self.indexed,
            unique=self.unique,
            read_only=self.read_only,
            lookup_list=self.lookup_list,
        )


@dataclass
class SiteLists:
    """The lists of the site, read once, and columns per list, read when asked for."""

    client: SharePointClient
    _lists: list[ListInfo] | None = None
    _fields: dict[str, list[FieldInfo]] = field(default_factory=dict)

    def all(self) -> list[ListInfo]:
        """Every list that is not hidden."""
        if self._lists is None:
            params = {"$select": _LIST_PROPERTIES, "$expand": "RootFolder", "$top": "5000"}
            rows = [row for page in self.client.pages("web/lists", params) for row in page]
            self._lists = [_list_info(row) for row in rows if not row.get("Hidden")]
        return self._lists

    def find(self, address: str) -> ListInfo | None:
        """The list with this GUID, title, or address (site-relative or server-relative), letter case ignored."""
        wanted = address.strip().strip("{}").casefold()
        tail = "/" + wanted.strip("/")
        for one in self.all():
            if wanted in (one.guid, one.title.casefold()) or one.address.casefold().endswith(tail):
                return one
        return None

    def fields(self, one: ListInfo) -> list[FieldInfo]:
        """Columns of a list."""
        if one.guid not in self._fields:
            # No $select: properties that only some column types have are not selectable on all of them.
            rows = [row for page in self.client.pages(f"{one.path}/fields") for row in page]
            self._fields[one.guid] = [field_info(row) for row in rows]
        return self._fields[one.guid]

    def forget(self) -> None:
        """Something was provisioned: ask again next time."""
        self._lists = None
        self._fields.clear()


def _list_info(row: Mapping[str, Any]) -> ListInfo:
    return ListInfo(
        guid=str(row["Id"]).casefold(),
        title=str(row.get("Title") or ""),
        address=str((row.get("RootFolder") or {}).get("ServerRelativeUrl") or ""),
        item_count=int(row.get("ItemCount") or 0),
        versioning=bool(row.get("EnableVersioning")),
    )


def field_info(row: Mapping[str, Any]) -> FieldInfo:
    """A column from its JSON, `odata=nometadata`."""
    internal = str(row["InternalName"])
    type_name = str(row.get("TypeAsString") or "")
    schema = str(row.get("SchemaXml") or "").partition(">")[0]
    return FieldInfo(
        internal=internal,
        rest=str(row.get("EntityPropertyName") or internal),
        title=str(row.get("Title") or internal),
        type_name=type_name,
        kind=_kind(type_name, row),
        required=bool(row.get("Required")),
        indexed=bool(row.get("Indexed")),
        unique=bool(row.get("EnforceUniqueValues")),
        read_only=bool(row.get("ReadOnlyField")),
        hidden=bool(row.get("Hidden")),
        rich_text=bool(row.get("RichText")),
        fill_in=bool(row.get("FillInChoice")),
        max_length=row.get("MaxLength") if type_name == "Text" else None,
        decimals=int(found.group(1)) if (found := _DECIMALS.search(schema)) else None,
        choices=_choices(row.get("Choices")),
        lookup_list=str(row.get("LookupList") or "").strip("{}").casefold() or None,
    )


def _kind(type_name: str, row: Mapping[str, Any]) -> ColumnKind | None:
    if type_name == "DateTime":
        return ColumnKind.DATETIME if row.get("DisplayFormat") == _WITH_TIME else ColumnKind.DATE
    return _KINDS.get(type_name)


def _choices(value: Any) -> tuple[str, ...]:
    values = value.get("results") if isinstance(value, dict) else value
    return tuple(str(choice) for choice in values or ())
