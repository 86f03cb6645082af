"""Resource paths below `_api/`, to a route and its arguments.

`web/lists/GetByTitle('X')/items(7)/recycle()` becomes the route `list/item/recycle` with the list's address and the
item's id. Letter case is ignored, as both clients rely on (reference, section 4.1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from worker.emulators.sharepoint import errors

_PIECE = re.compile(r"(?:[^/('(]|'(?:[^']|'')*')+|/|\((?:[^()']|'(?:[^']|'')*'|\([^()]*\))*\)")
_ARGUMENT = re.compile(r"(?:(?P<name>@?\w+)\s*=\s*)?(?P<value>guid'[^']*'|'(?:[^']|'')*'|@\w+|[^,']+)", re.IGNORECASE)

# Addresses of one member, by the collection they are members of.
_BY = {
    "lists": {"": "list", "getbytitle": "list-by-title", "getbyid": "list"},
    "items": {"": "item", "getbyid": "item", "getitembyid": "item", "getbystringid": "item"},
    "fields": {"": "field", "getbyid": "field", "getbytitle": "field", "getbyinternalnameortitle": "field"},
    "views": {"": "view", "getbyid": "view", "getbytitle": "view-by-title"},
    "contenttypes": {"": "contenttype", "getbyid": "contenttype"},
    "subscriptions": {"": "subscription", "getbyid": "subscription"},
    "recyclebin": {"": "recycled", "getbyid": "recycled"},
    "siteusers": {"": "user", "getbyid": "user"},
    "versions": {"": "version", "getbyid": "version"},
}
_LIST_BY = {"list": "id", "list-by-title": "title"}


@dataclass(frozen=True)
class Segment:
    """One step of a path; `arguments` is None where no parentheses were written."""

    name: str
    arguments: tuple[Any, ...] | None = None


@dataclass
class Address:
    """A resolved path: the route's name and what it addresses, by kind (`list`, `item`, `field`...)."""

    route: str = ""
    keys: dict[str, Any] = field(default_factory=dict)
    list_by: str = ""  # id, title or url
    arguments: tuple[Any, ...] = ()
    text: str = ""


def parse_path(text: str, aliases: dict[str, str]) -> Address:
    """The address `text` (still percent-encoded, below `_api/`) means; `aliases` are `@name` query values."""
    plain = unquote(text).strip("/")
    address = Address(text=plain)
    steps: list[str] = []
    segments = [_segment(piece, aliases) for piece in _split(plain)]
    if segments and segments[0].name in ("web", "site"):
        segments = segments[1:] or [Segment(segments[0].name)]
    position = 0
    while position < len(segments):
        position += _step(segments, position, steps, address)
    address.route = "/".join(steps)
    return address


def _step(segments: list[Segment], position: int, steps: list[str], address: Address) -> int:
    """Resolve the segment at `position`; how many segments that took."""
    here = segments[position]
    after = segments[position + 1] if position + 1 < len(segments) else None
    if here.name == "getlist" and here.arguments:
        address.list_by, address.keys["list"] = "url", here.arguments[0]
        steps.append("list")
        return 1
    members = _BY.get(here.name)
    if members is not None and here.arguments:
        _member(members[""], here, steps, address)
        return 1
    if members is not None and after is not None and after.name in members and after.arguments:
        _member(members[after.name], after, steps, address)
        return 2
    if here.name == "getitembyid" and here.arguments:
        _member("item", here, steps, address)
        return 1
    steps.append(here.name)
    if here.arguments:
        address.arguments = here.arguments
    return 1


def _member(kind: str, segment: Segment, steps: list[str], address: Address) -> None:
    key = (segment.arguments or ("",))[0]
    if kind in _LIST_BY:
        address.list_by, kind = _LIST_BY[kind], "list"
    if kind == "view-by-title":
        address.keys["view-title"], kind = key, "view"
    address.keys[kind] = key
    steps.append(kind)


def _split(text: str) -> list[str]:
    """The path's steps; a slash inside quotes or parentheses separates nothing."""
    steps, current = [], ""
    position = 0
    while position < len(text):
        match = _PIECE.match(text, position)
        if match is None:
            raise errors.bad_query(f'The expression "{text}" is not valid.')
        position = match.end()
        if match.group() == "/":
            steps.append(current)
            current = ""
        else:
            current += match.group()
    return [step for step in [*steps, current] if step]


def _segment(piece: str, aliases: dict[str, str]) -> Segment:
    name, bracket, rest = piece.partition("(")
    if not bracket:
        return Segment(name.lower())
    inside = rest.removesuffix(")").strip()
    found = tuple(_value(match.group("value"), aliases) for match in _ARGUMENT.finditer(inside))
    return Segment(name.lower(), found)


def _value(text: str, aliases: dict[str, str]) -> Any:
    text = text.strip()
    if text.startswith("@"):
        text = aliases.get(text.lower(), "")
    if text.lower().startswith("guid'"):
        return text[5:-1].lower()
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    return int(text) if re.fullmatch(r"-?\d+", text) else text
