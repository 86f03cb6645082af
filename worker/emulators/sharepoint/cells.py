"""One value as a browser shows it: Danish numbers and dates, links for look-ups, everything escaped."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from worker.emulators.sharepoint.calls import Site
from worker.emulators.sharepoint.html import Markup, element, join, link, url_part
from worker.emulators.sharepoint.models import Item, SPField
from worker.emulators.sharepoint.people import user_title

UNSORTABLE = frozenset({"Note", "URL", "MultiChoice", "LookupMulti", "UserMulti", "Computed"})
_NUMBERS = frozenset({"Number", "Currency", "Counter"})
SHORT = 120


def css(field: SPField) -> str:
    return "number" if field.type in _NUMBERS else "note" if field.type == "Note" else ""


def local_time(text: str, site: Site) -> str:
    """A kept time in the site's zone, as `31-01-2026 14:05`."""
    return datetime.fromisoformat(text).astimezone(site.options.tzinfo).strftime("%d-%m-%Y %H:%M")


def value_of(field: SPField, item: Item) -> Any:
    """The kept value, the item's own stamps included."""
    own = {"ID": item.id, "Created": item.created, "Modified": item.modified}
    own |= {"Author": item.author, "Editor": item.editor}
    return own.get(field.internal, item.doc.get(field.internal))


def cell(field: SPField, item: Item, site: Site, root: str, *, whole: bool = False) -> Markup:
    """A value as markup; long texts are cut unless `whole`."""
    value = value_of(field, item)
    if value is None or value == "":
        return Markup("")
    match field.type:
        case "Number" | "Currency":
            return join(number_text(field, value))
        case "DateTime":
            shown = local_time(value, site)
            return join(shown[:10] if field.date_only else shown)
        case "Boolean":
            return join("Yes" if value else "No")
        case "URL":
            return _url(value)
        case "Choice":
            return element("span", value, class_="pill")
        case "MultiChoice":
            return join(*[element("span", one, class_="pill") for one in value])
        case "User" | "UserMulti":
            return join(", ".join(user_title(one) for one in _many(value)))
        case "Lookup" | "LookupMulti":
            return join(*[_target(field, one, site, root) for one in _many(value)])
        case _:
            text = str(value)
            return join(text if whole or len(text) <= SHORT else text[: SHORT - 1] + "…")


def _many(value: Any) -> list[int]:
    return value if isinstance(value, list) else [value]


def number_text(field: SPField, value: float) -> str:
    """A number as a Danish site shows it."""
    if field.type == "Currency" or field.decimals:
        text = f"{value:,.{field.decimals if field.decimals is not None else 2}f}"
    else:
        text = f"{value:,.14g}"
    return text.translate(str.maketrans(",.", ".,"))


def _url(value: dict[str, str]) -> Markup:
    # Anything else than a web address stays text, so that no script address becomes a link.
    if value["Url"].lower().startswith(("http://", "https://")):
        return link(value["Description"], value["Url"])
    return join(value["Description"])


def _target(field: SPField, item_id: int, site: Site, root: str) -> Markup:
    target = site.store.list_by_id(field.lookup_list or "")
    if target is None:
        return join(str(item_id))
    titles = site.store.titles(target, [item_id], field.lookup_field or "Title")
    return link(str(titles.get(item_id) or item_id), f"{root}/Lists/{url_part(target.url_name)}/{item_id}")
