"""Values and JSON, per kind of column. Pure.

Decimals travel as the digits they are made of, never through a float. A date-only column holds the site's local
midnight in UTC, so a date is written as that and read back in the site's zone, never cut out of the text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from worker.domain.encode import plain_decimal
from worker.domain.values import ColumnKind, Value

_LINKED = frozenset({ColumnKind.LOOKUP, ColumnKind.PERSON})
# Wide enough for a midnight that another rule for summer time moved, too narrow to reach another day.
_HALF_DAY = timedelta(hours=12)


def property_name(entity_property: str, kind: ColumnKind) -> str:
    """The JSON key of a column: look-ups and people are read and written as `<Name>Id`."""
    return f"{entity_property}Id" if kind in _LINKED else entity_property


def entity_property(internal: str) -> str:
    """The REST name of an internal name where the list itself was not asked: `_X` becomes `OData__X`."""
    return f"OData_{internal}" if internal.startswith("_") else internal


def to_json_text(value: Value, kind: ColumnKind, zone: ZoneInfo) -> str:
    """`value` as JSON text for a write; None clears the column."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Decimal():
            return plain_decimal(value)
        case int():
            return str(value)
        case datetime():
            return json.dumps(utc_text(value))
        case date():
            return json.dumps(utc_text(datetime.combine(value, time(), zone)))
        case _:
            return json.dumps({"Url": value, "Description": value} if kind is ColumnKind.URL else value)


def utc_text(moment: datetime) -> str:
    """An aware moment as SharePoint prints it: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def object_text(texts: Mapping[str, str]) -> str:
    """A JSON object of texts that are JSON already."""
    return "{" + ",".join(f"{json.dumps(key)}:{text}" for key, text in texts.items()) + "}"


def decoder(kind: ColumnKind, zone: ZoneInfo) -> Callable[[Any], Value]:
    """A function from the JSON value of a read (numbers with a sign as Decimal) to our Value."""
    match kind:
        case ColumnKind.NUMBER | ColumnKind.CURRENCY:
            return _number
        case ColumnKind.DATE:
            return lambda value: _date(value, zone)
        case ColumnKind.DATETIME:
            return _moment
        case ColumnKind.BOOLEAN:
            return lambda value: None if value is None else bool(value)
        case ColumnKind.LOOKUP | ColumnKind.PERSON:
            return lambda value: int(value) if value else None
        case ColumnKind.URL:
            return lambda value: (value.get("Url") or None) if isinstance(value, dict) else (value or None)
        case ColumnKind.NOTE:
            return _note
        case _:
            return lambda value: value or None


def _number(value: Any) -> Value:
    return None if value is None or value == "" else Decimal(value)


def _note(value: Any) -> Value:
    return value.replace("\r\n", "\n").replace("\r", "\n") if value else None


def _moment(value: Any) -> Value:
    return datetime.fromisoformat(value).astimezone(UTC) if value else None


def _date(value: Any, zone: ZoneInfo) -> Value:
    if not value:
        return None
    local = datetime.fromisoformat(value).astimezone(zone).replace(tzinfo=None)
    return (local + _HALF_DAY).date()
