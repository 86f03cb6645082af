"""Mapping: a profile and a source row make the item the target should hold. Pure.

The steps for one column: read the source field, blank means the rule's default, run the converter, resolve a look-up
through the company's Customer ID, fit to the column. The first step that can't be done makes the whole row fail: half
a row is never written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worker.domain.converters import CONVERTERS, Converter
from worker.domain.existing import key_text
from worker.domain.fields import SourceField, resolve_field
from worker.domain.fit import fit
from worker.domain.profile import FieldRule, Profile
from worker.domain.values import Column, ColumnKind, Value
from worker.errors import RowError


class Lookup:
    """Item ids by key text, for a look-up column: which company item carries this Customer ID."""

    def __init__(self, pairs: Sequence[tuple[str, int]] = (), *, expected: frozenset[str] = frozenset()) -> None:
        self._ids: dict[str, int | tuple[int, ...]] = {}
        self._keys: dict[int, str] | None = None
        self.expected = expected  # keys that an earlier profile of the same plan is going to create
        for key, item_id in pairs:
            self.add(key, item_id)

    def add(self, key: str, item_id: int) -> None:
        """Adds an item; the same item twice is one item."""
        self._keys = None
        earlier = self._ids.get(key)
        if earlier is None:
            self._ids[key] = item_id
        elif item_id not in _as_tuple(earlier):
            self._ids[key] = (*_as_tuple(earlier), item_id)

    def move(self, moves: Mapping[str, str]) -> None:
        """Items of old keys are found by their new ones only, all at once, from before their list says so."""
        self._keys = None
        taken = {new: self._ids.pop(old) for old, new in moves.items() if old in self._ids}
        for new, ids in taken.items():
            for item_id in _as_tuple(ids):
                self.add(new, item_id)

    def drop(self, key: str) -> None:
        """What carries this key is somebody else's."""
        self._keys = None
        self._ids.pop(key, None)

    def knows(self, key: str) -> bool:
        """Whether any item carries it."""
        return key in self._ids

    def ids(self, key: str) -> tuple[int, ...]:
        """The items that carry it."""
        return _as_tuple(self._ids.get(key, ()))

    def key_of(self, item_id: int) -> str | None:
        """The key an item was found under; None when it carries none."""
        if self._keys is None:
            self._keys = {item: key for key, ids in self._ids.items() for item in _as_tuple(ids)}
        return self._keys.get(item_id)

    def resolve(self, key: str) -> int:
        """The one item id. Raises RowError (company-missing, company-planned, company-ambiguous)."""
        found = self._ids.get(key)
        if isinstance(found, int):
            return found
        if found is not None:
            raise RowError("company-ambiguous", {"customer": key, "items": ", ".join(map(str, found))})
        raise RowError("company-planned" if key in self.expected else "company-missing", {"customer": key})


def _as_tuple(ids: int | tuple[int, ...]) -> tuple[int, ...]:
    return (ids,) if isinstance(ids, int) else ids


@dataclass(frozen=True, slots=True)
class _Step:
    """One rule, resolved once per run."""

    rule: FieldRule
    column: Column
    field: SourceField | None
    converter: Converter | None


class Mapper:
    """A profile bound to its columns. `columns` are the bound columns by logical name."""

    def __init__(self, profile: Profile, columns: Mapping[str, Column], lookup: Lookup | None = None) -> None:
        self._steps = tuple(_resolve(rule, profile, columns) for rule in profile.rules)
        self._lookup = lookup or Lookup()
        self.rules = profile.rules
        self.columns = tuple(step.column for step in self._steps)
        self.fields = tuple(step.field for step in self._steps)
        key = resolve_field(profile.source, profile.key_source)
        names = [rule.target for rule in profile.rules]
        self._key = self._steps[names.index(profile.key_target)]
        self._title = names.index("Title") if "Title" in names else None
        if key is None:
            raise ValueError(f"profile {profile.title!r} was not checked: key field {profile.key_source!r}")

    def key(self, row: object) -> str:
        """The row's key text. Raises RowError (key-blank, or what makes the key unusable)."""
        key = key_text(self._value(self._key, row))
        if key is None:
            raise RowError("key-blank", {"column": self._key.column.display})
        return key

    def title(self, row: object) -> str | None:
        """The row's title as the source has it, for people; None when there is none or it can't be mapped."""
        if self._title is None:
            return None
        step = self._steps[self._title]
        value = step.field.read(row) if step.field else None
        return value.strip()[:120] if isinstance(value, str) else None

    def values(self, row: object) -> tuple[Value, ...]:
        """The desired values, aligned with `rules`. Raises RowError."""
        return tuple(self._value(step, row) for step in self._steps)

    def _value(self, step: _Step, row: object) -> Value:
        value = step.field.read(row) if step.field else None
        if value is None or (isinstance(value, str) and not value.strip()):
            value = step.rule.default
        elif step.converter is not None:
            value = step.converter.run(value)
        if value is not None and step.column.kind is ColumnKind.LOOKUP:
            value = self._lookup.resolve(key_text(value) or "")
        fitted = fit(value, step.column, shorten=step.rule.shorten)
        if fitted is None and step.column.required:
            raise RowError("required-blank", {"column": step.column.display})
        return fitted


def _resolve(rule: FieldRule, profile: Profile, columns: Mapping[str, Column]) -> _Step:
    source = resolve_field(profile.source, rule.source) if rule.source else None
    converter = CONVERTERS[rule.converter] if rule.converter else None
    return _Step(rule, columns[rule.target], source, converter)
