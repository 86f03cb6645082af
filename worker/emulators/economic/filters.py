"""The filter grammar of both APIs (`name$like:*aps$and:balance$ne:0`), parsed with lark and compiled to SQL.

A grammar rather than splitting text by hand: operators, escapes, grouping and lists interact, and lark's contextual
lexer says exactly where a text stops making sense. Compiling to SQL rather than filtering rows in Python keeps a
filter on a key as cheap as the index below it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

from lark import Lark, Token, Transformer, UnexpectedInput
from lark.exceptions import VisitError

MAX_LIST = 200
_MOST = 2**63 - 1  # beyond it no table holds a number, so a comparison with it comes out the same
_GRAMMAR = r"""
    start: _either
    _either: either | _both
    _both: both | _single
    either: _both ("$or:"i _both)+
    both: _single ("$and:"i _single)+
    _single: "(" _either ")" | comparison
    comparison: FIELD OPERATOR (NULL | VALUE) | FIELD LIST_OPERATOR LIST
    FIELD: /[A-Za-z][A-Za-z0-9_.]*/
    OPERATOR: /\$(eq|ne|gte|gt|lte|lt|like):/i
    LIST_OPERATOR: /\$(in|nin):/i
    NULL.2: /\$null:/i
    VALUE: /(?:\$[$()*,]|[^$)])+/
    LIST: /\[[^\[\]]*\]/
"""
_PARSER = Lark(_GRAMMAR, parser="lalr", lexer="contextual")
_ESCAPE = re.compile(r"\$(.)", re.DOTALL)
_SQL = {"eq": "=", "ne": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

Kind = Literal["int", "number", "text", "date", "time", "bool"]


class FilterError(Exception):
    """The filter cannot be used; the text says why. `operator` is set when only the operator is not allowed."""

    def __init__(self, message: str, operator: str | None = None) -> None:
        super().__init__(message)
        self.operator = operator


@dataclass(frozen=True)
class Field:
    """A property that can be filtered or sorted by: its SQL expression, its kind, and what it allows."""

    sql: str
    kind: Kind
    filterable: bool = True
    sortable: bool = True
    operators: frozenset[str] | None = None  # None: all of them


@dataclass(frozen=True)
class Condition:
    """A piece of a WHERE clause with its parameters."""

    sql: str
    params: tuple[Any, ...] = ()


Fields = Mapping[str, Field]
EVERYTHING = Condition("1")


def compile_filter(text: str, fields: Fields, *, fractions: bool = True) -> Condition:
    """The SQL condition of a filter text; `fractions` allows milliseconds and offsets in timestamps.

    Raises FilterError for a text that does not parse, a property or operator that is not allowed, a value of the
    wrong type, and a list of more than 200 values.
    """
    try:
        tree = _PARSER.parse(text)
    except UnexpectedInput as error:
        raise FilterError(f"Unexpected input at position {error.pos_in_stream}: {text!r}.") from None
    try:
        condition: Condition = _Compiler(fields, fractions).transform(tree)
    except VisitError as error:
        raise error.orig_exc from None
    return condition


def both(*conditions: Condition) -> Condition:
    """All of them."""
    sql = " AND ".join(f"({each.sql})" for each in conditions)
    return Condition(sql, tuple(param for each in conditions for param in each.params))


class _Compiler(Transformer[Token, Condition]):
    def __init__(self, fields: Fields, fractions: bool) -> None:
        super().__init__()
        self._fields = {name.casefold(): (name, field) for name, field in fields.items() if field.filterable}
        self._fractions = fractions

    def start(self, children: list[Condition]) -> Condition:
        return children[0]

    def both(self, children: list[Condition]) -> Condition:
        return both(*children)

    def either(self, children: list[Condition]) -> Condition:
        sql = " OR ".join(f"({each.sql})" for each in children)
        return Condition(f"({sql})", tuple(param for each in children for param in each.params))

    def comparison(self, tokens: list[Token]) -> Condition:
        name, operator, value = tokens
        field = self._field(str(name))
        word = operator.strip("$:").lower()
        if field.operators is not None and word not in field.operators:
            raise FilterError(f"Operator '{word}' is not allowed on property '{name}'.", word)
        if value.type == "LIST":
            return _in_list(field, str(value), negated=word == "nin")
        if value.type == "NULL":
            return _null(field, word)
        return _compare(field, word, str(value), self._fractions)

    def _field(self, name: str) -> Field:
        found = self._fields.get(name.casefold())
        if found is None:
            raise FilterError(f"Filtering is not allowed on property '{name}'.")
        return found[1]


def _null(field: Field, operator: str) -> Condition:
    if operator not in ("eq", "ne"):
        raise FilterError(f"$null: cannot be used with ${operator}:.")
    return Condition(f"{field.sql} IS {'NOT ' if operator == 'ne' else ''}NULL")


def _in_list(field: Field, text: str, *, negated: bool) -> Condition:
    values = [part.strip() for part in text[1:-1].split(",") if part.strip()]
    if len(values) > MAX_LIST:
        raise FilterError(f"A list may hold at most {MAX_LIST} values.")
    if field.kind not in ("int", "number") or not values:
        return Condition("1" if negated else "0")  # accepted on texts, and matches nothing
    marks = ",".join("?" * len(values))
    params = tuple(_typed(field, value, fractions=True) for value in values)
    return Condition(f"{field.sql} {'NOT ' if negated else ''}IN ({marks})", params)


def _compare(field: Field, operator: str, raw: str, fractions: bool) -> Condition:
    if operator == "like":
        return Condition(f"like_match({field.sql}, ?)", (raw,))
    value = _typed(field, _ESCAPE.sub(r"\1", raw), fractions)
    left, value = (f"fold({field.sql})", fold(value)) if field.kind == "text" else (field.sql, value)
    if operator == "ne":
        return Condition(f"{left} IS NOT ?", (value,))  # a missing value differs from every value
    return Condition(f"{left} {_SQL[operator]} ?", (value,))


def _typed(field: Field, text: str, fractions: bool) -> Any:
    try:
        return _parse(field.kind, text, fractions)
    except ValueError:
        raise FilterError(f"'{text}' is not a valid value of type {field.kind}.") from None


def _parse(kind: Kind, text: str, fractions: bool) -> Any:
    if kind == "int":
        return max(-_MOST, min(_MOST, int(text)))
    if kind == "number":
        return float(text)
    if kind == "bool":
        return _truth(text)
    if kind == "date":
        return datetime.fromisoformat(text).date().isoformat()
    return _timestamp(text, fractions) if kind == "time" else text


def _truth(text: str) -> int:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return int(text.lower() == "true")


def _timestamp(text: str, fractions: bool) -> str:
    """A timestamp as stored: `YYYY-MM-DDTHH:MM:SSZ`, with fractions kept where the filter has them."""
    if _DATE.fullmatch(text):
        return f"{datetime.fromisoformat(text).date().isoformat()}T00:00:00Z"
    moment = datetime.fromisoformat(text)
    if not fractions and ("." in text or (moment.tzinfo is not None and not text.endswith("Z"))):
        raise ValueError(text)
    moment = moment.astimezone(UTC) if moment.tzinfo else moment
    seconds = moment.strftime("%Y-%m-%dT%H:%M:%S")
    # "." sorts before "Z": a fraction must compare as later than the whole second it belongs to.
    return f"{seconds}Z{moment.microsecond:06d}" if moment.microsecond else f"{seconds}Z"


def fold(value: Any) -> Any:
    """Case folded text, for SQL: the database's own NOCASE knows ASCII only, and Danish names are not."""
    return value.casefold() if isinstance(value, str) else value


def like_match(value: Any, pattern: str) -> bool:
    """`$like:` for SQL: `*` is any text, `[ab]` a class, and a pattern without `*` means "contains"."""
    return value is not None and _like_pattern(pattern).fullmatch(str(value)) is not None


@lru_cache(maxsize=256)
def _like_pattern(text: str) -> re.Pattern[str]:
    parts = [_like_part(match) for match in re.finditer(r"\$(?s:.)|\[[^\]]+\]|(?s:.)", text)]
    body = "".join(parts)
    return re.compile(body if ".*" in parts else f".*{body}.*", re.IGNORECASE | re.DOTALL)


def _like_part(match: re.Match[str]) -> str:
    part = match[0]
    if part == "*":
        return ".*"
    if part.startswith("[") and len(part) > 1:
        return "[" + re.escape(part[1:-1]) + "]"
    return re.escape(part[1] if part.startswith("$") and len(part) > 1 else part)


def compile_sort(text: str, fields: Fields, key: str) -> str:
    """The ORDER BY of a sort text (`a`, `-a`, `~a`, comma separated), made total by `key`; FilterError if unknown."""
    terms = [_sort_term(part.strip(), fields) for part in text.split(",") if part.strip()]
    if any(term.removesuffix(" DESC") == key for term in terms):
        return ", ".join(terms)
    return ", ".join([*terms, key])


def _sort_term(part: str, fields: Fields) -> str:
    name = part.lstrip("-~")
    marks = part[: len(part) - len(name)]
    by_folded = {each.casefold(): field for each, field in fields.items() if field.sortable}
    field = by_folded.get(name.casefold())
    if field is None:
        raise FilterError(f"Cannot sort by '{name}'.")
    sql = field.sql
    if field.kind == "text":
        sql = f"fold({sql})"
    elif "~" in marks:
        sql = f"CAST({sql} AS TEXT)"
    return f"{sql} DESC" if "-" in marks else sql
