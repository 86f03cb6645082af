"""How a list is shown: column formatters, row classes, group headers and form layout of its view and content type.

What SharePoint would refuse to draw is shown without formatting, with a mark that says why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from typing import Any

from worker.emulators.sharepoint.calls import Site
from worker.emulators.sharepoint.format_elements import draw
from worker.emulators.sharepoint.format_expressions import FormatError, to_text, value_of
from worker.emulators.sharepoint.format_values import Scalar, Scope, scope, shown
from worker.emulators.sharepoint.html import Markup, join
from worker.emulators.sharepoint.models import Item, SPField, SPList, SPView


@dataclass(frozen=True)
class Section:
    """A part of a form: its title and its columns."""

    title: str
    columns: list[SPField]


@dataclass(frozen=True)
class Looks:
    """How the rows of a list look through the columns of one view."""

    site: Site
    view: SPView
    columns: Sequence[SPField]

    def row(self, item: Item, index: int = 0) -> Scope:
        """What formatting sees of a row."""
        return scope(self.columns, item, self.site, rowindex=float(index))

    def cell(self, column: SPField, row: Scope) -> Markup | None:
        """The cell as its formatter draws it; None when the column has none. Raises FormatError."""
        formatter = self._formatters.get(column.internal)
        return None if formatter is None else draw(formatter, replace(row, current=column.internal.lower()))

    def row_class(self, row: Scope) -> str:
        """Classes the view gives a row; none where the expression is refused."""
        rule = self._view.get("additionalRowClass")
        try:
            return to_text(value_of(rule, row)) if rule else ""
        except FormatError:
            return ""

    def group(self, column: SPField, value: Any, count: int) -> Markup:
        """The header of a group."""
        parts = shown(column, value, self.site)
        specials: dict[str, Scalar] = {f"group.fielddata.{name}".rstrip("."): part for name, part in parts.items()}
        specials |= {"group.count": float(count), "group.columndisplayname": column.title}
        specials.setdefault("group.fielddata.displayvalue", parts[""])
        properties = self._view.get("groupProps")
        formatter = properties.get("headerFormatter") if isinstance(properties, dict) else None
        plain = join(f"{column.title}: {to_text(parts[''])} ({count})")
        if not formatter:
            return plain
        return guarded(lambda: draw(formatter, Scope({}, specials=specials)), plain)

    @cached_property
    def _formatters(self) -> Mapping[str, Any]:
        """Column formatters by internal name; the JSON's error in the place of one that can't be read."""
        return {column.internal: _json(column.custom_formatter) for column in self.columns if column.custom_formatter}

    @cached_property
    def _view(self) -> Mapping[str, Any]:
        found = _json(self.view.custom_formatter) if self.view.custom_formatter else {}
        return found if isinstance(found, dict) else {}


def guarded(drawing: Callable[[], Markup], plain: Markup) -> Markup:
    """What `drawing` draws, or `plain` with a mark that says why not."""
    try:
        return drawing()
    except FormatError as error:
        why = escape(f"Formatting is not shown: {error}.")
        return join(plain, Markup(f'<span class="format-error" title="{why}">⚠</span>'))


def form_header(one: SPList, item: Item, site: Site) -> Markup:
    """What the form formatter puts above a form."""
    header = _form(one).get("headerJSONFormatter")
    if not isinstance(header, dict):
        return Markup("")
    return guarded(lambda: draw(header, scope(one.fields, item, site)), Markup(""))


def form_sections(one: SPList, columns: Sequence[SPField]) -> list[Section]:
    """The columns in the form's sections, by display title; each in the first that names it, all others in the last.
    A form without layout is one section without a title."""
    body = _form(one).get("bodyJSONFormatter")
    found = body.get("sections") if isinstance(body, dict) else None
    sections: list[Section] = []
    left = list(columns)
    for part in found if isinstance(found, list) else []:
        title, names = _section(part)
        chosen = [column for name in names for column in left if column.title == name]
        left = [column for column in left if column not in chosen]
        sections.append(Section(title, chosen))
    if not sections:
        return [Section("", left)]
    sections[-1].columns.extend(left)
    return sections


def _section(part: Any) -> tuple[str, list[str]]:
    """Title and columns of a section, as far as they are what they should be."""
    if not isinstance(part, dict):
        return "", []
    names = part.get("fields")
    return str(part.get("displayname") or ""), [str(name) for name in names] if isinstance(names, list) else []


def _form(one: SPList) -> Mapping[str, Any]:
    text = next((item.form_formatter for item in one.content_types if item.form_formatter), None)
    found = _json(text) if text else {}
    return found if isinstance(found, dict) else {}


def _json(text: str) -> Any:
    """The JSON's value; text that is none becomes something no element is, so that drawing tells."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return "not JSON"
