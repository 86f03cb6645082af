"""A filter tree as SQL over the items table, and as a test on plain objects."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from worker.emulators.sharepoint import errors
from worker.emulators.sharepoint.filters import Both, Compare, Either, Node, Not
from worker.emulators.sharepoint.models import SPField, SPList
from worker.emulators.sharepoint.names import property_name
from worker.emulators.sharepoint.store import BLANK, ITEM_COLUMNS, fold
from worker.emulators.sharepoint.values import Rules, parse_time, stamp

Sql = tuple[str, list[Any]]
_OPERATORS = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_PLAIN = re.compile(r"^\w+$")
# Site users are few and fixed; see people.py. Their names are what a filter on Author/Title compares.
USER_PARTS = {"id", "title", "email", "name"}


def field_of(one: SPList, name: str) -> SPField | None:
    """The column a query means: property name, or with `Id` at the end for look-ups and people."""
    for field in one.fields:
        prop = property_name(field.internal)
        if prop.lower() == name.lower() or (field.is_lookup and f"{prop}Id".lower() == name.lower()):
            return field
    return one.field_by_internal("ID") if name.lower() == "id" else None


def value_sql(field: SPField) -> str:
    """The SQL expression of a column's value, comparable as `fold` makes it."""
    column = ITEM_COLUMNS.get(field.internal)
    if column in ("id", "author", "editor"):
        return column
    if column is not None:
        return f"lower({column})"
    special = {"GUID": "guid", "_UIVersionString": "(ui_version || '.0')", "FSObjType": "0"}
    if field.internal in special:
        return special[field.internal]
    if not _PLAIN.match(field.internal):
        raise errors.unknown_field(field.internal)
    return f"fold(json_extract(doc, '$.{field.internal}'))"


class FilterSql:
    """Turns filter trees of one list into SQL; ODataError for unknown or unfilterable columns."""

    def __init__(self, one: SPList, rules: Rules) -> None:
        self._list = one
        self._rules = rules

    def where(self, node: Node) -> Sql:
        """The WHERE text and its arguments."""
        match node:
            case Both(left, right):
                return self._joined("AND", left, right)
            case Either(left, right):
                return self._joined("OR", left, right)
            case Not(inner):
                text, args = self.where(inner)
                return f"NOT ({text})", args
            case Compare():
                return self._compare(node)

    def _joined(self, word: str, left: Node, right: Node) -> Sql:
        (first, first_args), (second, second_args) = self.where(left), self.where(right)
        return f"({first} {word} {second})", first_args + second_args

    def _compare(self, node: Compare) -> Sql:
        field = self.field(node)
        if len(node.path) == 2 and node.path[1].lower() != "id":
            return self._of_target(field, node)
        return comparison(value_sql(field), node.op, self.constant(field, node))

    def field(self, node: Compare) -> SPField:
        """The column a comparison names."""
        field = field_of(self._list, node.path[0])
        if field is None:
            raise errors.unknown_field(node.path[0])
        if field.type in ("Note", "URL") or (len(node.path) > 1 and not field.is_lookup):
            raise errors.bad_argument(
                f"The field '{field.title}' of type '{field.type}' cannot be used in the query filter expression."
            )
        return field

    def constant(self, field: SPField, node: Compare) -> Any:
        """The constant of a comparison, as `fold` would have it in the column."""
        if node.kind == "null":
            return BLANK
        if field.type == "Boolean":
            return self._boolean(node)
        if field.type == "DateTime":
            return self._time(node)
        numeric = field.type in ("Number", "Currency", "Counter") or field.is_lookup
        if numeric != (node.kind in ("number", "bool")):
            raise errors.bad_query(
                "A binary operator with incompatible types was detected. Found operand types "
                f"'{'Edm.Double' if numeric else 'Edm.String'}' and '{node.kind}' for '{node.op}'."
            )
        return fold(node.value)

    def _boolean(self, node: Compare) -> int:
        allowed = self._rules.switches.get("boolean_filter")
        form = "word" if node.kind == "bool" else "number"
        if node.kind not in ("bool", "number") or allowed not in ("both", form):
            raise errors.bad_query(f"The value of '{node.path[0]}' in the filter is not a Boolean.")
        return int(bool(node.value))

    def _time(self, node: Compare) -> str:
        if node.kind not in ("time", "text"):
            raise errors.bad_query(f"The value of '{node.path[0]}' in the filter is not a date.")
        try:
            return stamp(parse_time(str(node.value), self._rules)).lower()
        except ValueError:
            raise errors.bad_query(f"'{node.value}' is not a valid date and time.") from None

    def _of_target(self, field: SPField, node: Compare) -> Sql:
        """A condition on a column of the looked-up item: the ids that fulfil it."""
        target = self._rules.store.list_by_id(field.lookup_list or "")
        if target is None:
            raise errors.unknown_field("/".join(node.path))
        inner = Compare((node.path[1],), node.op, node.value, node.kind)
        text, args = FilterSql(target, self._rules).where(inner)
        ids = [item.id for item in self._rules.store.items(target, text, args)]
        marks = ",".join("?" * len(ids))
        return f"{value_sql(field)} IN ({marks})", ids


def comparison(expression: str, op: str, value: Any) -> Sql:
    """One comparison in SQL; ordering comparisons never match a blank."""
    if op == "startswith":
        return f"substr({expression}, 1, ?) = ?", [len(value), value]
    if op == "substringof":
        return f"instr({expression}, ?) > 0", [value]
    text = f"{expression} {_OPERATORS[op]} ?"
    if op in ("lt", "le") and value != BLANK:
        return f"({text} AND {expression} <> ?)", [value, BLANK]
    return text, [value]


def matches(node: Node, get: Callable[[str], Any]) -> bool:
    """Whether a plain object fulfils a filter; `get` gives a property or raises ODataError."""
    match node:
        case Both(left, right):
            return matches(left, get) and matches(right, get)
        case Either(left, right):
            return matches(left, get) or matches(right, get)
        case Not(inner):
            return not matches(inner, get)
        case Compare(path, op, value, _):
            return _holds(op, fold(get(path[0])), fold(value))


def _holds(op: str, left: Any, right: Any) -> bool:
    if op == "startswith":
        return str(left).startswith(str(right))
    if op == "substringof":
        return str(right) in str(left)
    if op in ("eq", "ne"):
        return bool(left == right) == (op == "eq")
    if left == BLANK or isinstance(left, str) != isinstance(right, str):
        return False
    checks = {"lt": left < right, "le": left <= right, "gt": left > right, "ge": left >= right}
    return bool(checks[op])
