"""A column's definition as SharePoint's field XML. Pure."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from worker.domain.values import ColumnKind
from worker.sharepoint.definitions import ColumnDefinition

_DANISH = 1030  # how money is shown
_FORMATS = {
    ColumnKind.DATE: "DateOnly",
    ColumnKind.DATETIME: "DateTime",
    ColumnKind.CHOICE: "Dropdown",
    ColumnKind.URL: "Hyperlink",
}


def field_xml(column: ColumnDefinition, title: str, lookup_guid: str | None) -> str:
    """The XML of a new column with the display title `title`; `lookup_guid` is the list a look-up points to."""
    kind = column.type
    attributes: dict[str, object] = {
        "Type": "DateTime" if kind is ColumnKind.DATE else kind.value,
        "Name": column.name,
        "StaticName": column.name,
        "DisplayName": title,
        "Required": "TRUE" if column.required else None,
        "MaxLength": column.max_length,
        "Decimals": column.decimals,
        "LCID": _DANISH if kind is ColumnKind.CURRENCY else None,
        "Format": _FORMATS.get(kind),
        "RichText": "FALSE" if kind is ColumnKind.NOTE else None,
        "NumLines": 6 if kind is ColumnKind.NOTE else None,
        "List": f"{{{lookup_guid}}}" if lookup_guid else None,
        "ShowField": "Title" if lookup_guid else None,
        "UserSelectionMode": "PeopleOnly" if kind is ColumnKind.PERSON else None,
        "Indexed": "TRUE" if column.indexed else None,
        "EnforceUniqueValues": "TRUE" if column.unique else None,
    }
    head = " ".join(f"{name}={quoteattr(str(value))}" for name, value in attributes.items() if value is not None)
    choices = "".join(f"<CHOICE>{escape(choice)}</CHOICE>" for choice in column.choices)
    inner = f"<CHOICES>{choices}</CHOICES>" if choices else ""
    inner += f"<Default>{escape(column.default)}</Default>" if column.default is not None else ""
    return f"<Field {head}>{inner}</Field>"
