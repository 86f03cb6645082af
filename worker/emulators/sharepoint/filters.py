"""The OData `$filter` grammar of SharePoint lists, to a tree (reference, section 6.2).

lark parses it: a grammar in a few lines can be compared with the reference, and gives positions in errors; filter
libraries on the package index translate to an ORM's models, which this store does not have.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import LarkError, VisitError

from worker.emulators.sharepoint import errors

GRAMMAR = r"""
?start: _WS? or_expr _WS?
?or_expr: and_expr (_WS "or"i _WS and_expr)*
?and_expr: term (_WS "and"i _WS term)*
?term: "not"i _WS? term -> negation
     | "(" _WS? or_expr _WS? ")"
     | call _WS "eq"i _WS (TRUE | ONE) -> call_holds
     | call _WS "eq"i _WS (FALSE | ZERO) -> call_fails
     | call
     | path _WS OPERATOR _WS literal -> comparison
     | literal _WS OPERATOR _WS path -> reverse
call: FUNCTION "(" _WS? argument _WS? "," _WS? argument _WS? ")"
?argument: path | literal
path: NAME ("/" NAME)*
literal: STRING | DATETIME | GUID | NUMBER | ONE | ZERO | TRUE | FALSE | NULL

OPERATOR: /(eq|ne|lt|le|gt|ge)\b/i
FUNCTION.3: /[A-Za-z]+(?=\s*\()/
STRING: /'(?:[^']|'')*'/
DATETIME.4: /datetime(offset)?'[^']*'/i
GUID.4: /guid'[^']*'/i
ONE.2: /1(?![\d.])/
ZERO.2: /0(?![\d.])/
NUMBER: /-?\d+(\.\d+)?([eE][+-]?\d+)?[mMdDfFlL]?/
TRUE.2: /true\b/i
FALSE.2: /false\b/i
NULL.2: /null\b/i
NAME: /[A-Za-z_][\w]*/
_WS: /\s+/
"""


@dataclass(frozen=True)
class Compare:
    """`path` compared with a constant: op is eq ne lt le gt ge startswith substringof."""

    path: tuple[str, ...]
    op: str
    value: Any
    kind: str = "literal"  # of the constant: text, number, bool, time, guid, null


@dataclass(frozen=True)
class Both:
    left: Node
    right: Node


@dataclass(frozen=True)
class Either:
    left: Node
    right: Node


@dataclass(frozen=True)
class Not:
    inner: Node


Node = Compare | Both | Either | Not
Literal = tuple[str, Any]
_MIRRORED = {"eq": "eq", "ne": "ne", "lt": "gt", "gt": "lt", "le": "ge", "ge": "le"}


class _ToTree(Transformer[Token, Node]):
    """Turns lark's parse into our tree."""

    def __init__(self, *, contains: bool) -> None:
        super().__init__()
        self._contains = contains

    def literal(self, items: list[Token]) -> Literal:
        return _literal(items[0])

    def path(self, items: list[Token]) -> tuple[str, ...]:
        return tuple(str(item) for item in items)

    def comparison(self, items: list[Any]) -> Compare:
        path, operator, (kind, value) = items
        return Compare(path, operator.lower(), value, kind)

    def reverse(self, items: list[Any]) -> Compare:
        (kind, value), operator, path = items
        return Compare(path, _MIRRORED[operator.lower()], value, kind)

    def negation(self, items: list[Node]) -> Not:
        return Not(items[0])

    def call_holds(self, items: list[Any]) -> Node:
        holds: Node = items[0]
        return holds

    def call_fails(self, items: list[Any]) -> Not:
        return Not(items[0])

    def and_expr(self, items: list[Node]) -> Node:
        tree = items[0]
        for item in items[1:]:
            tree = Both(tree, item)
        return tree

    def or_expr(self, items: list[Node]) -> Node:
        tree = items[0]
        for item in items[1:]:
            tree = Either(tree, item)
        return tree

    def call(self, items: list[Any]) -> Compare:
        name, first, second = str(items[0]).lower(), items[1], items[2]
        if name == "substringof" and _is_text(first) and _is_path(second):
            return Compare(second, "substringof", first[1], "text")
        if name == "startswith" and _is_path(first) and _is_text(second):
            return Compare(first, "startswith", second[1], "text")
        if name == "contains" and self._contains and _is_path(first) and _is_text(second):
            return Compare(first, "substringof", second[1], "text")
        raise errors.bad_query(f"The query is not valid: the function '{items[0]}' is not supported.")


_KINDS = ("text", "number", "bool", "time", "guid", "null")


def _is_text(item: Any) -> bool:
    return isinstance(item, tuple) and len(item) == 2 and item[0] == "text"


def _is_path(item: Any) -> bool:
    return isinstance(item, tuple) and not (len(item) == 2 and item[0] in _KINDS)


def _literal(token: Token) -> Literal:
    text = str(token)
    match token.type:
        case "STRING":
            return "text", text[1:-1].replace("''", "'")
        case "DATETIME":
            return "time", text[text.index("'") + 1 : -1]
        case "GUID":
            return "guid", text[text.index("'") + 1 : -1].lower()
        case "TRUE" | "FALSE":
            return "bool", text.lower() == "true"
        case "NULL":
            return "null", None
        case _:
            return "number", float(text.rstrip("mMdDfFlL"))


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="earley", lexer="dynamic", maybe_placeholders=False)


@lru_cache(maxsize=256)
def parse_filter(text: str, *, contains: bool = False) -> Node:
    """The tree of a filter; ODataError 400 when it cannot be read or uses what SharePoint lacks."""
    try:
        parsed = _parser().parse(text.strip())
        tree: Node = _ToTree(contains=contains).transform(parsed)
    except VisitError as error:
        if isinstance(error.orig_exc, errors.ODataError):
            raise error.orig_exc from None
        raise
    except LarkError:
        raise errors.bad_query(f'The expression "{text}" is not valid.') from None
    return tree
