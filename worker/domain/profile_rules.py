"""The cell Mapping: one rule per target column."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from worker.domain import profile_words as words
from worker.domain.converters import CONVERTERS
from worker.domain.fields import CATALOGUE, FieldType, SourceField, resolve_field, suggest_fields
from worker.domain.profile import FieldRule, SourceKind, WriteRule
from worker.domain.profile_cells import Cells
from worker.domain.profile_json import shown

STATUS_COLUMN = "ERPStatus"
_COLUMN = "Mapping"
_KEYS = ("source", "target", "rule", "converter", "default", "shorten")
# Columns the sync itself has to recognise: typed as a label ("Customer ID") they are still these.
_KNOWN = {
    name.casefold(): name for name in ("CustomerID", "ImportID", "InvoiceNumber", "StatKey", "Title", "ERPStatus")
}


def read_rules(cells: Cells, source: SourceKind | None) -> list[FieldRule]:
    """The rules as far as they can be read, in the order typed. Notes problems in `cells`.

    With an unknown `source` everything that does not depend on it is still checked.
    """
    rules: dict[str, FieldRule] = {}
    for number, row in enumerate(_rows(cells), 1):
        rule = _Rule(cells, source, f"rule {number}: ", row).read() if isinstance(row, dict) else None
        if not isinstance(row, dict):
            cells.problem(_COLUMN, f"rule {number}: must be an object in {{ }}.")
        if rule is None:
            continue
        if _same(rule.target) in rules:
            cells.problem(_COLUMN, f"rule {number}: column {shown(rule.target)} is mapped twice.")
        rules[_same(rule.target)] = rule
    return list(rules.values())


def rule_data(rule: FieldRule) -> dict[str, Any]:
    """The rule as JSON data, without what is the default anyway."""
    full = {
        "source": rule.source,
        "target": rule.target,
        "rule": rule.write.value if rule.write is not WriteRule.ERP_OWNS else None,
        "converter": rule.converter,
        "default": rule.default,
        "shorten": rule.shorten or None,
    }
    return {key: value for key, value in full.items() if value is not None}


def column_name(typed: str) -> str:
    """A target column's logical name; the columns the sync must recognise may be typed with blanks and in any case."""
    return _KNOWN.get(_same(typed), typed)


def unknown_field(cells: Cells, column: str, at: str, source: SourceKind, name: str) -> None:
    """Notes that a source has no such field, with the closest ones."""
    close = suggest_fields(source, name)
    tail = f" Did you mean {' or '.join(close)}?" if close else ""
    cells.problem(column, f"{at}{source.value} has no field '{shown(name)}'.{tail}", tuple(CATALOGUE[source]))


def _rows(cells: Cells) -> list[Any]:
    rows = cells.json(_COLUMN)
    if isinstance(rows, list) and rows:
        return rows
    if cells.readable(_COLUMN):
        cells.problem(_COLUMN, 'must be a JSON list of rules such as [{"source": "Name", "target": "Title"}].')
    return []


def same_column(one: str, other: str) -> bool:
    """Names that differ only in case and blanks are the same column."""
    return _same(one) == _same(other)


def _same(target: str) -> str:
    return "".join(target.split()).casefold()


class _Rule:
    """One rule of the list; `at` says which in messages."""

    def __init__(self, cells: Cells, source: SourceKind | None, at: str, row: Mapping[str, Any]) -> None:
        self._cells, self._source, self._at, self._row = cells, source, at, row

    def read(self) -> FieldRule | None:
        """The rule; None without a target column."""
        for key in sorted(set(self._row) - set(_KEYS)):
            self._problem(f"'{shown(key)}' is not known.{words.did_you_mean(key, _KEYS)}", _KEYS)
        for key in sorted(set(_KEYS) & set(self._row)):
            if isinstance(self._row[key], (list, dict)):
                self._problem(f"{key} must be a single value.")
                return None
        target, name, default = self._text("target"), self._text("source"), self._default()
        if not target:
            self._problem("names no target column.")
        if not name and default is None:
            self._problem("has neither a source field nor a default.")
        field = self._field(name)
        converter = self._converter(field)
        write, shorten = self._write(), self._shorten()
        self._check_default(field, converter, default)
        if not target:
            return None
        source = field.name if field else name or None
        return FieldRule(column_name(target), source, write, converter, default, shorten)

    def _problem(self, message: str, allowed: tuple[str, ...] = ()) -> None:
        self._cells.problem(_COLUMN, f"{self._at}{message}", allowed)

    def _text(self, key: str) -> str:
        value = self._row.get(key)
        return "" if value is None else str(value).strip()

    def _default(self) -> str | None:
        value = self._row.get("default")
        if isinstance(value, bool):
            return "Yes" if value else "No"
        return None if value is None or not str(value).strip() else str(value)

    def _field(self, name: str) -> SourceField | None:
        if not name or self._source is None:
            return None
        field = resolve_field(self._source, name)
        if field is None:
            unknown_field(self._cells, _COLUMN, self._at, self._source, name)
        return field

    def _write(self) -> WriteRule:
        text = self._text("rule") or WriteRule.ERP_OWNS.value
        found = words.write_rule(text)
        if found is None:
            hint = words.did_you_mean(text, WriteRule)
            self._problem(f"write rule '{shown(text)}' is not known.{hint}", tuple(WriteRule))
        return found or WriteRule.ERP_OWNS

    def _shorten(self) -> bool:
        found = words.yes_no(self._row.get("shorten") or False)
        if found is None:
            self._problem("shorten is neither yes nor no.", ("true", "false"))
        return bool(found)

    def _converter(self, field: SourceField | None) -> str | None:
        name = self._text("converter")
        if not name:
            return None
        known = words.plain(name).replace(" ", "_")
        if known not in CONVERTERS:
            self._problem(
                f"converter '{shown(name)}' is not known.{words.did_you_mean(name, CONVERTERS)}", tuple(CONVERTERS)
            )
            return None
        if field is not None and field.type not in CONVERTERS[known].accepts:
            allowed = tuple(n for n, c in CONVERTERS.items() if field.type in c.accepts)
            self._problem(f"{known} can't convert {field.name}, which is {field.type.value}.", allowed)
        return known

    def _check_default(self, field: SourceField | None, converter: str | None, default: str | None) -> None:
        """A default stands in for what the field, or its converter, would have given: it must be of that type."""
        if field is None or default is None:
            return
        kind = CONVERTERS[converter].returns if converter else field.type
        if kind is FieldType.WHOLE and not field.computed:
            return  # numbers of customers and the like go to text columns, which take any word
        wrong = _misfit(kind, default)
        if wrong:
            self._problem(f"default '{shown(default)}' {wrong}, which {field.name} needs.")


def _misfit(kind: FieldType, default: str) -> str | None:
    match kind:
        case FieldType.WHOLE | FieldType.MONEY | FieldType.NUMBER:
            return None if _is_number(default) else "is not a number such as 0 or 12.50"
        case FieldType.DATE:
            return None if _is_date(default) else "is not a date such as 2026-01-31"
        case FieldType.TIMESTAMP:
            return "is not a point in time"
        case FieldType.BOOL:
            return None if words.yes_no(default) is not None else "is neither yes nor no"
        case _:
            return None


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _is_date(text: str) -> bool:
    try:
        return len(text) == len("2026-01-31") and bool(date.fromisoformat(text))
    except ValueError:
        return False
