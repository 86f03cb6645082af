"""Expressions of SharePoint's list formatting: Excel-style text and its tree form, in the part that is used here.

Values mix as in the browser: `+` joins when either side is text, comparisons turn text into numbers when the other
side is one, a blank counts as nothing. Whether a blank *equals* zero is not documented; here it does not, and
formatting that is to look the same everywhere must not ask (formatting syntax reference, "Operators").
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import LarkError

from worker.emulators.sharepoint.format_values import Moment, Scalar, Scope

MAX_LENGTH = 10_000
GRAMMAR = r"""
?start: or_
?or_: and_ | or_ OR and_ -> binary
?and_: equal | and_ AND equal -> binary
?equal: compare | equal EQUAL compare -> binary
?compare: sum | compare COMPARE sum -> binary
?sum: product | sum SIGN product -> binary
?product: unary | product TIMES unary -> binary
?unary: atom | SIGN unary -> signed
?atom: NUMBER -> number
     | STRING -> string
     | SPECIAL -> special
     | FIELD -> field
     | TITLE -> title
     | NAME "(" [or_ ("," or_)*] ")" -> call
     | "(" or_ ")"

OR: "||"
AND: "&&"
EQUAL: "==" | "!="
COMPARE: ">=" | "<=" | ">" | "<"
SIGN: "+" | "-"
TIMES: "*" | "/" | "%"
NUMBER: /\d+(\.\d+)?/
STRING: /'[^']*'/
SPECIAL: /@[A-Za-z]+(\.[A-Za-z]+)*/
FIELD: /\[\$\w+(\.\w+)*\]/
TITLE: /\[!\w+\.DisplayName\]/
NAME: /[A-Za-z]+/
%ignore /\s+/
"""


class FormatError(Exception):
    """Formatting that SharePoint would refuse, or that is outside the part drawn here; says which."""


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", maybe_placeholders=False)


@lru_cache(maxsize=1024)
def _tree(text: str) -> Tree[Token]:
    if len(text) > MAX_LENGTH:
        raise FormatError("an expression is too long")
    try:
        return _parser().parse(text)
    except LarkError as error:
        raise FormatError(f"an expression can't be read: {str(error).splitlines()[0]}") from None


def value_of(node: Any, scope: Scope) -> Scalar:
    """The value of a txtContent, attribute or style: plain text, a special string, `=expression`, or a tree."""
    if isinstance(node, dict):
        return _operation(node, scope)
    if isinstance(node, bool | int | float):
        return node
    if not isinstance(node, str):
        raise FormatError("a value is neither text nor an expression")
    if node.startswith("="):
        try:
            return _evaluate(_tree(node[1:]), scope)
        except RecursionError:
            raise FormatError("an expression is nested too deeply") from None
    if node.startswith(("@", "[$", "[!")):
        try:
            return _evaluate(_tree(node), scope)
        except FormatError:
            return node  # text that only begins like a reference
    return node


def to_text(value: Scalar) -> str:
    """As the browser writes it: whole numbers without a point."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Moment):
        return value.text
    if isinstance(value, str):
        return value
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return str(int(value)) if value == int(value) else repr(float(value))


def to_number(value: Scalar) -> float:
    """As the browser reads it: a blank is 0, other text that is no number NaN."""
    if isinstance(value, str):
        try:
            return float(value) if value.strip() else 0.0
        except ValueError:
            return math.nan
    return float(value)


# --- evaluation


def _evaluate(tree: Tree[Token] | Token, scope: Scope) -> Scalar:
    parts: list[Any] = tree.children if isinstance(tree, Tree) else [tree]
    match tree.data if isinstance(tree, Tree) else "":
        case "number":
            return float(parts[0])
        case "string":
            return str(parts[0])[1:-1]
        case "special":
            return _special(str(parts[0])[1:], scope)
        case "field":
            name, _, part = str(parts[0])[2:-1].partition(".")
            return scope.of(name, part)
        case "title":
            return scope.titles.get(str(parts[0])[2:-1].partition(".")[0].lower(), "")
        case "signed":
            number = to_number(_evaluate(parts[1], scope))
            return -number if parts[0] == "-" else number
        case "binary":
            left = _evaluate(parts[0], scope)
            return _binary(str(parts[1]), left, lambda: _evaluate(parts[2], scope))
        case _:
            return _call(str(parts[0]), [partial(_evaluate, one, scope) for one in parts[1:]])


def _special(name: str, scope: Scope) -> Scalar:
    head, _, part = name.partition(".")
    return scope.of(scope.current, part) if head.lower() == "currentfield" else scope.special(name)


def _binary(operator: str, left: Scalar, right: Callable[[], Scalar]) -> Scalar:
    if operator == "||":
        return left if _truth(left) else right()
    if operator == "&&":
        return right() if _truth(left) else left
    return _BINARY[operator](left, right())


def _truth(value: Scalar) -> bool:
    return bool(value) and not (isinstance(value, float) and math.isnan(value))


def _plus(left: Scalar, right: Scalar) -> Scalar:
    if isinstance(left, str) or isinstance(right, str):
        return to_text(left) + to_text(right)
    return to_number(left) + to_number(right)


def _equal(left: Scalar, right: Scalar) -> bool:
    if isinstance(left, str) == isinstance(right, str):
        return left == right
    if "" in (left, right):
        return False
    return to_number(left) == to_number(right)


def _compared(test: Callable[[Any, Any], bool]) -> Callable[[Scalar, Scalar], Scalar]:
    def compare(left: Scalar, right: Scalar) -> Scalar:
        if isinstance(left, str) and isinstance(right, str):
            return test(left, right)
        return test(to_number(left), to_number(right))

    return compare


def _divided(left: Scalar, right: Scalar) -> Scalar:
    above, below = to_number(left), to_number(right)
    if below:
        return above / below
    return math.nan if not above or math.isnan(above) else math.copysign(math.inf, above)


def _rest(left: Scalar, right: Scalar) -> Scalar:
    below = to_number(right)
    return math.fmod(to_number(left), below) if below else math.nan


_BINARY: Mapping[str, Callable[[Scalar, Scalar], Scalar]] = {
    "+": _plus,
    "-": lambda left, right: to_number(left) - to_number(right),
    "*": lambda left, right: to_number(left) * to_number(right),
    "/": _divided,
    "%": _rest,
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    ">": _compared(lambda left, right: left > right),
    "<": _compared(lambda left, right: left < right),
    ">=": _compared(lambda left, right: left >= right),
    "<=": _compared(lambda left, right: left <= right),
}


def _rounded(how: Callable[[float], int]) -> Callable[[Scalar], Scalar]:
    def round_(value: Scalar) -> Scalar:
        number = to_number(value)
        return number if math.isnan(number) or math.isinf(number) else float(how(number))

    return round_


_UNARY: Mapping[str, Callable[[Scalar], Scalar]] = {
    "tostring": to_text,
    "number": to_number,
    "abs": lambda value: abs(to_number(value)),
    "floor": _rounded(math.floor),
    "ceiling": _rounded(math.ceil),
    "tolowercase": lambda value: to_text(value).lower(),
    "touppercase": lambda value: to_text(value).upper(),
}
_OF_TWO: Mapping[str, Callable[[Scalar, Scalar], Scalar]] = {
    "indexof": lambda text, part: float(to_text(text).find(to_text(part))),
    "startswith": lambda text, part: to_text(text).startswith(to_text(part)),
    "endswith": lambda text, part: to_text(text).endswith(to_text(part)),
}


def _call(name: str, arguments: Sequence[Callable[[], Scalar]]) -> Scalar:
    key, count = name.lower(), len(arguments)
    if key == "if" and count == 3:
        return arguments[1 if _truth(arguments[0]()) else 2]()
    if key in _UNARY and count == 1:
        return _UNARY[key](arguments[0]())
    if key in _OF_TWO and count == 2:
        return _OF_TWO[key](arguments[0](), arguments[1]())
    raise FormatError(f"{name}() with {count} arguments is not drawn here")


def _operation(node: Mapping[str, Any], scope: Scope) -> Scalar:
    """The tree form, which SharePoint's own designer writes; it calls a condition `?` or `:`."""
    operator, operands = str(node.get("operator")), node.get("operands")
    if not isinstance(operands, list):
        raise FormatError("an operation has no operands")
    lazy = [partial(value_of, one, scope) for one in operands]
    if operator in ("?", ":"):
        return _call("if", lazy)
    if operator in ("||", "&&", *_BINARY) and len(lazy) == 2:
        return _binary(operator, lazy[0](), lazy[1])
    return _call(operator.removesuffix("()"), lazy)
