"""Validation formulas of lists and columns: one comparison, as in `=[Balance]>=0` or `=LEN([Title])<50`.

SharePoint's formulas are a language of their own; this much is enough to provoke its validation errors.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from worker.emulators.sharepoint import errors
from worker.emulators.sharepoint.models import SPList

_FORMULA = re.compile(
    r"^=\s*(?P<len>LEN\()?\[?(?P<name>[^\]()<>=]+?)\]?\)?\s*(?P<op><=|>=|<>|<|>|=)\s*"
    r"(?P<value>-?\d+(?:\.\d+)?|\"[^\"]*\")\s*$",
    re.IGNORECASE,
)
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
}


def check(one: SPList, doc: dict[str, Any]) -> None:
    """ODataError when the list's or a column's formula is false for the item."""
    for field in one.fields:
        if field.validation_formula and not holds(one, field.validation_formula, doc):
            text = field.validation_message or f"The validation formula has failed for column {field.title}."
            raise errors.column_validation_failed(text)
    if one.validation_formula and not holds(one, one.validation_formula, doc):
        raise errors.validation_failed(one.validation_message or "List data validation failed.")


def holds(one: SPList, formula: str, doc: dict[str, Any]) -> bool:
    """Whether a formula is true; one that is not understood is."""
    match = _FORMULA.match(formula)
    field = one.field_by_name(match.group("name").strip()) if match else None
    if match is None or field is None:
        return True
    value: Any = doc.get(field.internal)
    if match.group("len"):
        value = len(str(value or ""))
    constant: Any = match.group("value")
    if constant.startswith('"'):
        return _OPERATORS[match.group("op")](str(value or "").lower(), constant.strip('"').lower())
    number = value if isinstance(value, int | float) else 0
    return _OPERATORS[match.group("op")](number, float(constant))
