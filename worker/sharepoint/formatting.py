"""Looks of columns, views and forms: `config/formatting/*.json`, to the JSON texts that SharePoint keeps.

A file holds SharePoint's own JSON with three liberties, all resolved here: words in both languages as `{{word}}`,
columns by their logical names, and `{{economy_link}}`, the address of a company's economy card. An element that needs
an address nobody gave is left out; a column that would show nothing then shows its value, so that our mark stands on it
all the same: an address that is given one day is told from a link that somebody took away.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator

from worker.errors import ConfigError, Problem
from worker.sharepoint.definitions import Definitions, Filler, ListDefinition
from worker.sharepoint.formatting_marks import signed

Language = Literal["en", "da"]
LANGUAGES: tuple[Language, ...] = ("en", "da")
Kind = Literal["column", "view", "form"]
_WORD = re.compile(r"\{\{(\w+)\}\}")
_COLUMN = re.compile(r"\[\$(\w+)")
_LINK = "economy_link"
_INPUT = "actionInput"  # of a button: column -> value
_RENDERED_LINK = re.compile(r"='(https?://[^']*)' \+ \[\$\w+\](?: \+ '([^']*)')?")
_PLAIN = {"elmType": "span", "txtContent": "@currentField"}
_DESCRIPTIONS = "descriptions.json"
_HINT = "Restore config/formatting as shipped with the worker, or set SYNC_CONFIG_DIR."


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(_Model):
    """One text in each language. No quotes or braces: it stands inside expressions."""

    en: str
    da: str

    @field_validator("en", "da")
    @classmethod
    def _plain(cls, text: str) -> str:
        if set(text) & set("'\"\\{}"):
            raise ValueError("holds a quote, backslash or brace, which would end an expression")
        return text


class Formatter(_Model):
    """One file: `body` is its `json`."""

    kind: Kind
    about: str
    words: dict[str, Words] = {}
    body: dict[str, Any] = Field(alias="json")

    @model_validator(mode="after")
    def _whole(self) -> Formatter:
        unknown = {name for text in _texts(self.body) for name in _WORD.findall(text)} - {*self.words, _LINK}
        if unknown:
            raise ValueError(f"words not given: {', '.join(sorted(unknown))}")
        root = _root(self.kind, self.body)
        if root is None or str(root.get("attributes", {}).get("class", "")).startswith("="):
            raise ValueError("needs an outermost element whose class, if any, is plain text: our mark goes there")
        return self

    def columns(self) -> set[str]:
        """Logical names of the columns it reads or lays out."""
        named = {name for text in _texts(self.body) for name in _COLUMN.findall(text)} | set(_set_columns(self.body))
        return named | {name for section in _sections(self.body) for name in section["fields"]}

    def sections(self, language: Language) -> list[str]:
        """Titles of a form's sections."""
        return [self._worded(str(section["displayname"]), language) for section in _sections(self.body)]

    def _worded(self, text: str, language: Language) -> str:
        return _WORD.sub(lambda part: str(getattr(self.words[part[1]], language)), text)


@dataclass(frozen=True)
class Place:
    """Where a formatter goes: logical column -> real internal name and display title; where economy cards are, as
    `before` and `after` the customer's number (None: nowhere)."""

    internal: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    link: tuple[str, str] | None = None


@dataclass(frozen=True)
class Looks:
    """Everything in `config/formatting`."""

    formatters: Mapping[str, Formatter]
    descriptions: Mapping[Filler, Words]

    def text(self, name: str, place: Place, language: Language) -> str | None:
        """The signed JSON text of a formatter; None when it needs an address that is not given."""
        return render(self.formatters[name], place, language)


def load_looks(folder: Path, definitions: Definitions) -> Looks:
    """All files of `folder`. Raises ConfigError with every problem, lists naming what is not there included."""
    problems: list[Problem] = []
    formatters: dict[str, Formatter] = {}
    for file in sorted(folder.glob("*.json")):
        if file.name != _DESCRIPTIONS:
            try:
                formatters[file.stem] = Formatter.model_validate_json(file.read_bytes())
            except (OSError, ValidationError) as error:
                problems += _problems(file.name, error)
    try:
        texts = TypeAdapter(dict[Filler, Words]).validate_json((folder / _DESCRIPTIONS).read_bytes())
    except (OSError, ValidationError) as error:
        problems += _problems(_DESCRIPTIONS, error)
        texts = {}
    for definition in definitions.values():
        problems += _misnamed(definition, formatters)
    if problems:
        raise ConfigError(problems, hint=_HINT)
    return Looks(formatters, texts)


def _problems(file: str, error: OSError | ValidationError) -> Iterator[Problem]:
    if isinstance(error, OSError):
        yield Problem(file, f"can't be read ({error.strerror}).")
        return
    for one in error.errors(include_url=False, include_input=False):
        place = ".".join(str(part) for part in one["loc"])
        yield Problem(f"{file}, {place}" if place else file, f"{one['msg']}.")


def _misnamed(definition: ListDefinition, formatters: Mapping[str, Formatter]) -> Iterator[Problem]:
    """Formatters a list names that are missing, of another kind, or read columns the list does not have."""
    wanted: list[tuple[str, Kind, str | None]] = [
        *((f"column {column.name}", "column", column.formatter) for column in definition.columns),
        *((f"view {view.title}", "view", view.formatter) for view in definition.views),
        ("form", "form", definition.form),
    ]
    for what, kind, name in wanted:
        where = f"list {definition.title}, {what}"
        found = formatters.get(name) if name else None
        if name and (found is None or found.kind != kind):
            yield Problem(where, f"there is no {kind} formatter '{name}'.", tuple(formatters))
        elif found and (strange := found.columns() - set(definition.by_name)):
            yield Problem(where, f"'{name}' reads columns the list does not have: {', '.join(sorted(strange))}.")


def economy_link(address: str | None) -> tuple[str, str] | None:
    """An economy card's address around the customer's number: at `{customer}`, else at the end. Raises ConfigError for
    what SharePoint would not make a link of, or what would end an expression."""
    if not address:
        return None
    before, _, after = address.partition("{customer}")
    parts = urlsplit(before)
    if parts.scheme not in ("http", "https") or not parts.netloc or re.search(r"['\"\\{}<>\s]", before + after):
        raise ConfigError(
            [Problem("economy address", "is no web address that can stand in a list.")],
            hint="Give it like https://worker.example.com/economy/{customer}",
        )
    return before, after


def link_in(text: str) -> tuple[str, str] | None:
    """The address around the customer's number that stands in a formatter of ours; None when there is none."""
    found = (_RENDERED_LINK.fullmatch(part) for part in _texts(json.loads(text)))
    return next(((part[1], part[2] or "") for part in found if part), None)


# --- rendering


class _NoAddressError(Exception):
    """An element needs the address that was not given."""


def render(formatter: Formatter, place: Place, language: Language) -> str | None:
    """See Looks.text."""
    try:
        body = _filled(formatter, formatter.body, place, language)
    except _NoAddressError:
        return None
    for section in _sections(body):
        section["fields"] = [place.titles.get(name, name) for name in section["fields"]]
    root = _root(formatter.kind, body)
    return signed(body, root) if root is not None else None


def _filled(formatter: Formatter, node: Any, place: Place, language: Language) -> Any:
    if isinstance(node, str):
        return _filled_text(formatter, node, place, language)
    if isinstance(node, dict):
        return {name: _part(formatter, name, part, place, language) for name, part in node.items()}
    if isinstance(node, list):
        return [_filled(formatter, part, place, language) for part in node]
    return node


def _part(formatter: Formatter, name: str, node: Any, place: Place, language: Language) -> Any:
    if name == "children":
        return _children(formatter, node, place, language)
    if name == _INPUT:
        return {place.internal.get(column, column): value for column, value in node.items()}
    return _filled(formatter, node, place, language)


def _children(formatter: Formatter, nodes: list[Any], place: Place, language: Language) -> list[Any]:
    kept = []
    for node in nodes:
        try:
            kept.append(_filled(formatter, node, place, language))
        except _NoAddressError:
            continue
    if nodes and not kept:
        if formatter.kind != "column":
            raise _NoAddressError
        return [dict(_PLAIN)]
    return kept


def _filled_text(formatter: Formatter, text: str, place: Place, language: Language) -> str:
    def word(part: re.Match[str]) -> str:
        if part[1] != _LINK:
            return str(getattr(formatter.words[part[1]], language))
        if place.link is None:
            raise _NoAddressError
        before, after = place.link
        return f"'{before}' + [$CustomerID]" + (f" + '{after}'" if after else "")

    return _COLUMN.sub(lambda part: "[$" + place.internal.get(part[1], part[1]), _WORD.sub(word, text))


def _root(kind: Kind, body: dict[str, Any]) -> dict[str, Any] | None:
    """The outermost element: of a column itself, of a view its group header or row, of a form its header."""
    match kind:
        case "column":
            found: Any = body
        case "view":
            found = body.get("groupProps", {}).get("headerFormatter") or body.get("rowFormatter")
        case "form":
            found = body.get("headerJSONFormatter")
    return found if isinstance(found, dict) and "elmType" in found else None


def _sections(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    form = body.get("bodyJSONFormatter")
    return list(form.get("sections", [])) if isinstance(form, dict) else []


def _set_columns(node: Any) -> Iterator[str]:
    """Columns that buttons set."""
    if isinstance(node, dict):
        yield from node.get(_INPUT, {})
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _set_columns(part)


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for part in node.values() if isinstance(node, dict) else node:
            yield from _texts(part)
