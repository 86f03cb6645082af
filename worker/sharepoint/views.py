"""Views as SharePoint describes them, in our words. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

VIEW_PROPERTIES = "Id,Title,ViewQuery,CustomFormatter,ListViewXml"
_FIELDS = re.compile(r"<ViewFields>(.*?)</ViewFields>", re.DOTALL)
_NAME = re.compile(r'<FieldRef\b[^>]*?\bName="([^"]*)"')


@dataclass(frozen=True, slots=True)
class ViewInfo:
    """One view; `columns` by internal name, `formatter` "" for none."""

    guid: str
    title: str
    columns: tuple[str, ...]
    query: str
    formatter: str

    def path(self, of_list: str) -> str:
        """Its path below `_api/`, from its list's."""
        return f"{of_list}/views(guid'{self.guid}')"

    def shows(self, columns: tuple[str, ...], query: str) -> bool:
        """Whether it shows exactly these columns by this CAML query."""
        return self.columns == columns and _tidy(self.query) == _tidy(query)


def view_info(row: Mapping[str, Any]) -> ViewInfo:
    """A view from its JSON, with the properties of VIEW_PROPERTIES."""
    fields = _FIELDS.search(str(row.get("ListViewXml") or ""))
    return ViewInfo(
        guid=str(row["Id"]).casefold(),
        title=str(row["Title"]),
        columns=tuple(_NAME.findall(fields[1])) if fields else (),
        query=str(row.get("ViewQuery") or ""),
        formatter=str(row.get("CustomFormatter") or ""),
    )


def _tidy(query: str) -> str:
    """A query without the blanks that SharePoint is free to put between and at the end of tags."""
    return re.sub(r"\s*(/?>)\s*", r"\1", re.sub(r">\s+<", "><", query.strip()))
