"""Column values: what a REST write may send, how it is kept, how REST gives it back (reference, section 6.4).

Kept forms: text, float, bool, item id, list of them, `{"Url","Description"}`, and times as `YYYY-MM-DDTHH:MM:SSZ`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from worker.emulators.common.switches import Switches
from worker.emulators.sharepoint import errors
from worker.emulators.sharepoint.models import SPField, SPList
from worker.emulators.sharepoint.names import property_name
from worker.emulators.sharepoint.options import SharePointOptions
from worker.emulators.sharepoint.store import SharePointStore

TEXT_LIMIT = 255
_ISO = re.compile(r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,7})?)?(Z|[+-]\d{2}:?\d{2})?)?$")


class TypedDict(dict[str, Any]):
    """A complex value that knows its OData type, which only the verbose format shows."""

    def __init__(self, type_name: str, value: dict[str, Any]) -> None:
        super().__init__(**value)
        self.type_name = type_name


class TypedList(list[Any]):
    """A collection value that knows its OData type, which only the verbose format shows."""

    def __init__(self, type_name: str, value: list[Any]) -> None:
        super().__init__(value)
        self.type_name = type_name


@dataclass(frozen=True)
class Rules:
    """What conversion needs to know about the site."""

    options: SharePointOptions
    switches: Switches
    store: SharePointStore

    def status(self, switch: str) -> int:
        return int(self.switches.get(switch))


def stamp(moment: datetime) -> str:
    """A moment as SharePoint prints it: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str, rules: Rules) -> datetime:
    """A written time as UTC; without a zone it is read in the site's zone (a switch). ValueError if it is none."""
    if not _ISO.match(text):
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        local = rules.switches.get("naive_time") == "site"
        moment = moment.replace(tzinfo=rules.options.tzinfo if local else UTC)
    return moment.astimezone(UTC)


def to_midnight(moment: datetime, rules: Rules) -> datetime:
    """The site-local midnight of the day `moment` falls on, which is what a DateOnly column keeps."""
    local = moment.astimezone(rules.options.tzinfo)
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def write_name(field: SPField) -> str:
    """The property a REST write uses for a column: look-ups and people carry `Id` at the end."""
    name = property_name(field.internal)
    return f"{name}Id" if field.is_lookup else name


def to_kept(field: SPField, value: Any, rules: Rules) -> Any:
    """A JSON value of a REST write as it is kept; ODataError for what SharePoint refuses. Null clears."""
    if field.is_multiple:
        return _multiple(field, value, rules)
    if value is None:
        return None
    writer: Callable[[SPField, Any, Rules], Any] = _WRITERS.get(field.type, _keep_text)
    return writer(field, value, rules)


def _keep_text(field: SPField, value: Any, rules: Rules) -> str | None:
    if not isinstance(value, str):
        raise errors.wrong_type("Edm.String")
    if field.type == "Text" and len(value) > (field.max_length or TEXT_LIMIT):
        raise errors.invalid_text(rules.status("text_too_long_status"))
    if value == "" and rules.switches.get("empty_text") == "null":
        return None
    return value


def _keep_choice(field: SPField, value: Any, rules: Rules) -> str | None:
    text = _keep_text(field, value, rules)
    if text is not None and text not in field.choices and rules.switches.get("choice_outside") == "refused":
        raise errors.invalid_choice()
    return text


def _keep_number(_field: SPField, value: Any, _rules: Rules) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise errors.wrong_type("Edm.Double")
    return float(value)


def _keep_boolean(_field: SPField, value: Any, _rules: Rules) -> bool:
    if not isinstance(value, bool):
        raise errors.wrong_type("Edm.Boolean")
    return value


def _keep_time(field: SPField, value: Any, rules: Rules) -> str:
    if not isinstance(value, str):
        raise errors.wrong_type("Edm.DateTime")
    try:
        moment = parse_time(value, rules)
    except ValueError:
        raise errors.wrong_type("Edm.DateTime") from None
    return stamp(to_midnight(moment, rules) if field.date_only else moment)


def _keep_url(_field: SPField, value: Any, rules: Rules) -> dict[str, str] | None:
    if not isinstance(value, dict):
        raise errors.wrong_type("SP.FieldUrlValue")
    url = value.get("Url") or ""
    if len(url) > TEXT_LIMIT and rules.switches.get("url_too_long") == "refused":
        raise errors.invalid_url()
    return {"Url": url, "Description": value.get("Description") or url} if url else None


def _keep_lookup(field: SPField, value: Any, rules: Rules) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise errors.wrong_type("Edm.Int32")
    if value == 0 or not lookup_exists(field, value, rules.store):
        if value and rules.switches.get("missing_lookup") == "refused":
            raise errors.invalid_lookup(field.title)
        return None
    return value


def lookup_exists(field: SPField, item_id: int, store: SharePointStore) -> bool:
    """Whether the item a look-up points at exists; people are not checked."""
    if field.type.startswith("User"):
        return True
    target = store.list_by_id(field.lookup_list or "")
    return target is not None and store.get_item(target, item_id) is not None


_WRITERS: dict[str, Callable[[SPField, Any, Rules], Any]] = {
    "Choice": _keep_choice,
    "Number": _keep_number,
    "Currency": _keep_number,
    "Boolean": _keep_boolean,
    "DateTime": _keep_time,
    "URL": _keep_url,
    "Lookup": _keep_lookup,
    "User": _keep_lookup,
}


def _multiple(field: SPField, value: Any, rules: Rules) -> list[Any] | None:
    values = value.get("results") if isinstance(value, dict) else value
    if values is None:
        return None
    if not isinstance(values, list):
        raise errors.bad_query(
            "An unexpected 'PrimitiveValue' node was found when reading from the JSON reader. "
            "A 'StartArray' node was expected."
        )
    one = _keep_choice if field.type == "MultiChoice" else _keep_lookup
    return [kept for item in values if (kept := one(field, item, rules)) is not None] or None


def to_json(field: SPField, value: Any) -> Any:
    """A kept value as REST gives it back."""
    if field.type == "MultiChoice":
        return TypedList("Collection(Edm.String)", value or [])
    if field.is_multiple:
        return TypedList("Collection(Edm.Int32)", value or [])
    if field.type == "URL" and value is not None:
        return TypedDict("SP.FieldUrlValue", {"Description": value["Description"], "Url": value["Url"]})
    return value


def default_of(field: SPField, rules: Rules) -> Any:
    """The value a new item gets where none was sent."""
    if field.default is None:
        return None
    if field.type == "Boolean":
        return field.default.strip().lower() in ("1", "true", "yes")
    if field.type in ("Number", "Currency"):
        return float(field.default)
    if field.type == "DateTime" and field.default.lower() == "[today]":
        return stamp(to_midnight(rules.options.now(), rules))
    return [field.default] if field.type == "MultiChoice" else field.default


def writable_fields(one: SPList) -> dict[str, SPField]:
    """The columns a REST write may name, by property name."""
    if "writable" not in one.derived:
        fields = [field for field in one.fields if not field.builtin or field.internal == "Title"]
        one.derived["writable"] = {write_name(field): field for field in fields}
    found: dict[str, SPField] = one.derived["writable"]
    return found
