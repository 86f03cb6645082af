"""What formatting JSON sees of a row: values as SharePoint hands them to the browser, by internal name.

Numbers and money are plain numbers with a `displayValue`, look-ups and people are objects, a blank is an empty text
(formatting syntax reference, "Special string values" and "displayValue"). Only columns of the view are there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from worker.emulators.sharepoint import cells
from worker.emulators.sharepoint.calls import Site
from worker.emulators.sharepoint.models import Item, SPField
from worker.emulators.sharepoint.people import USERS, user_title


class Moment(float):
    """A point in time: milliseconds since 1970 in comparisons, its local text where it is shown."""

    text: str

    def __new__(cls, milliseconds: float, text: str) -> Moment:
        made = super().__new__(cls, milliseconds)
        made.text = text
        return made


Scalar = str | float | bool
Shown = Mapping[str, Scalar]  # a value's parts; "" is the value itself


@dataclass(frozen=True)
class Scope:
    """What an expression can refer to."""

    fields: Mapping[str, Shown]
    current: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)
    specials: Mapping[str, Scalar] = field(default_factory=dict)  # now, me, rowIndex, group.count and the like

    def of(self, name: str, part: str) -> Scalar:
        """A column's value or a part of it; an empty text for what is not in the view."""
        value = self.fields.get(name.lower(), {})
        return value.get(part.lower(), "")

    def special(self, name: str) -> Scalar:
        """`@name`; an empty text when there is none."""
        return self.specials.get(name.lower(), "")


def scope(columns: Sequence[SPField], item: Item, site: Site, **specials: Scalar) -> Scope:
    """A row through the columns of a view."""
    return Scope(
        {column.internal.lower(): shown(column, cells.value_of(column, item), site) for column in columns},
        titles={column.internal.lower(): column.title for column in columns},
        specials={"now": _moment(site.options.now(), site), "me": "", **specials},
    )


def shown(column: SPField, value: Any, site: Site) -> Shown:
    """A kept value with its parts, named in lower case."""
    if value is None or value == "":
        return {"": ""}
    match column.type:
        case "Number" | "Currency" | "Counter":
            return {"": float(value), "displayvalue": cells.number_text(column, value)}
        case "DateTime":
            moment = _moment(datetime.fromisoformat(value), site, date_only=column.date_only)
            return {"": moment, "displayvalue": moment.text}
        case "Boolean":
            return {"": bool(value), "displayvalue": "Yes" if value else "No"}
        case "URL":
            return {"": str(value["Url"]), "desc": str(value["Description"])}
        case "Lookup":
            text = lookup_text(column, value, site)
            return {"": text, "lookupid": str(value), "lookupvalue": text}
        case "User":
            return {"": user_title(value), "id": str(value), "title": user_title(value), "email": _email(value)}
        case "MultiChoice" | "LookupMulti" | "UserMulti":
            return {"": ", ".join(str(one) for one in value)}
        case _:
            return {"": str(value)}


def lookup_text(column: SPField, item_id: int, site: Site) -> str:
    """What a look-up shows."""
    target = site.store.list_by_id(column.lookup_list or "")
    if target is None:
        return str(item_id)
    return str(site.store.titles(target, [item_id], column.lookup_field or "Title").get(item_id) or item_id)


def _email(user_id: int) -> str:
    return str(USERS.get(user_id, {}).get("Email", ""))


def _moment(moment: datetime, site: Site, *, date_only: bool = False) -> Moment:
    local = moment.astimezone(site.options.tzinfo)
    return Moment(moment.timestamp() * 1000, local.strftime("%d-%m-%Y" if date_only else "%d-%m-%Y %H:%M"))
