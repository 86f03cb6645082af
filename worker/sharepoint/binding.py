"""From logical columns to a real list's columns, before anything is read from e-conomic. Pure.

Order, as people set CRM sites up: an internal name somebody configured; the exact display name; an alias in any letter
case; the name a list made by the worker has. What is missing, ambiguous or of the wrong type is collected, with the
candidates, and nothing is ever created, renamed or dropped here.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from worker.domain.values import ColumnKind
from worker.errors import Problem
from worker.sharepoint.definitions import ColumnDefinition, ListDefinition
from worker.sharepoint.site_lists import FieldInfo

K = ColumnKind
# What else can hold values of a kind without loss; its own kind always can.
_HOLDS: Mapping[ColumnKind, frozenset[ColumnKind]] = {
    K.TEXT: frozenset({K.NOTE, K.CHOICE, K.URL}),
    K.NOTE: frozenset({K.TEXT}),
    K.NUMBER: frozenset({K.CURRENCY, K.TEXT}),
    K.CURRENCY: frozenset({K.NUMBER}),
    K.DATE: frozenset({K.TEXT}),
    K.CHOICE: frozenset({K.TEXT}),
    K.BOOLEAN: frozenset({K.CHOICE, K.TEXT}),
}
# Types that can be looked up by value, which a key must be.
_KEYS = frozenset({K.TEXT, K.NUMBER, K.CHOICE})
_SHOWN = 12


@dataclass(frozen=True)
class ColumnNames:
    """What a configuration says about one list: logical column -> internal name."""

    explicit: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bound:
    """A logical column and the real one it stands for."""

    name: str
    field: FieldInfo


def bind_columns(
    label: str,
    definition: ListDefinition,
    fields: Sequence[FieldInfo],
    wanted: Sequence[str],
    names: ColumnNames,
    lookup_lists: Mapping[str, str],
) -> tuple[list[Bound], list[Problem]]:
    """The real columns for `wanted`, and everything that is wrong.

    `lookup_lists`: list key -> GUID of the list on this site. `label` names whoever asks, for the messages.
    """
    bound: list[Bound] = []
    problems: list[Problem] = []
    for name in wanted:
        where = f"{label}: list {definition.title}, column {name}"
        found = find_field(name, definition.by_name.get(name), fields, names)
        if len(found) == 1:
            problems += _misfits(where, name, definition, found[0], lookup_lists)
            bound.append(Bound(name, found[0]))
        else:
            where = f"{where} (set to '{names.explicit[name]}')" if name in names.explicit else where
            problems.append(_not_one(where, name, definition, found, fields))
    return bound, problems + _doubles(label, definition, bound)


def find_field(
    name: str, definition: ColumnDefinition | None, fields: Sequence[FieldInfo], names: ColumnNames
) -> list[FieldInfo]:
    """The columns the first rule that matches anything gives; one is what is wanted."""
    explicit = names.explicit.get(name)
    if explicit is not None:
        return [one for one in fields if one.internal == explicit]
    usable = [one for one in fields if not one.hidden and not (one.read_only and one.kind is None)]
    displays = {definition.display, definition.danish} if definition else {name}
    aliases = {alias.casefold() for alias in (name, *(definition.aliases if definition else ()))}
    aliases |= {display.casefold() for display in displays if display}
    rules = (
        [one for one in usable if one.title in displays],
        [one for one in usable if one.title.casefold() in aliases],
        [one for one in fields if one.internal == name],
    )
    found = next((rule for rule in rules if rule), [])
    if len(found) > 1:
        # A list made by the worker settles it: Title, for one, is shown by three columns.
        found = [one for one in found if one.internal == name] or found
    return found


def _not_one(
    where: str, name: str, definition: ListDefinition, found: Sequence[FieldInfo], fields: Sequence[FieldInfo]
) -> Problem:
    setting = f'Name it in the settings: [sharepoint.columns."{definition.title}"] {name} = "<internal name>".'
    if found:
        names = tuple(sorted(f"{one.title} ({one.internal})" for one in found))
        return Problem(where, f"fits several columns. {setting}", names)
    candidates = {one.title: one for one in fields if not one.hidden and one.kind is not None}
    close = difflib.get_close_matches(name, candidates, n=_SHOWN, cutoff=0.4) or sorted(candidates)[:_SHOWN]
    shown = tuple(f"{title} ({candidates[title].internal})" for title in close)
    return Problem(where, f"is not in the list. Add it with economic-sync provision, or: {setting}", shown)


def _misfits(
    where: str, name: str, definition: ListDefinition, real: FieldInfo, lookup_lists: Mapping[str, str]
) -> list[Problem]:
    shown = f"'{real.title}' ({real.internal})"
    if real.kind is None:
        return [Problem(where, f"{shown} is of type {real.type_name}, which the worker can't fill.")]
    if real.read_only:
        return [Problem(where, f"{shown} is read-only.")]
    if real.rich_text:
        return [Problem(where, f"{shown} holds formatted text. Switch it to plain text.")]
    if name == definition.key_column:
        words = f"{shown} is of type {real.type_name}; a key can't be looked up in it."
        return [] if real.kind in _KEYS else [Problem(where, words)]
    expected = definition.by_name.get(name)
    return [] if expected is None else _unlike(where, shown, expected, real, lookup_lists)


def _unlike(
    where: str, shown: str, expected: ColumnDefinition, real: FieldInfo, lookup_lists: Mapping[str, str]
) -> list[Problem]:
    """Differences from the definition that would make rows fail."""
    allowed = frozenset({expected.type}) | _HOLDS.get(expected.type, frozenset())
    if real.kind not in allowed:
        names = tuple(sorted(kind.value for kind in allowed))
        return [Problem(where, f"{shown} is of type {real.type_name}.", names)]
    missing = [choice for choice in expected.choices if choice not in real.choices]
    if real.kind is ColumnKind.CHOICE and missing and not real.fill_in and expected.choices:
        return [Problem(where, f"{shown} lacks the choices {', '.join(missing)}. Add them to the column.")]
    if expected.lookup is not None and real.lookup_list != lookup_lists.get(expected.lookup):
        return [Problem(where, f"{shown} points to another list than {expected.lookup}.")]
    return []


def _doubles(label: str, definition: ListDefinition, bound: Sequence[Bound]) -> list[Problem]:
    """Two logical columns that would write the same real one."""
    users: dict[str, list[str]] = {}
    for one in bound:
        users.setdefault(one.field.internal, []).append(one.name)
    return [
        Problem(f"{label}: list {definition.title}", f"{' and '.join(names)} would both be column {internal}.")
        for internal, names in users.items()
        if len(names) > 1
    ]
