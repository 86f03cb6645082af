"""Whether what a rule gives can stand in its column, by types alone: before any row is read. Pure.

The same limits as `fit` has for values; there a row fails, here a person hears it while mapping.
"""

from __future__ import annotations

from dataclasses import dataclass

from worker.domain.converters import CONVERTERS
from worker.domain.field_types import FieldType, SourceField
from worker.domain.values import Column, ColumnKind

T, K = FieldType, ColumnKind
_NUMBERS = frozenset({T.WHOLE, T.MONEY, T.NUMBER})
# Field types that always fit a column, and those that fit when the value's text happens to be of the right form.
_ALWAYS = {
    K.NUMBER: _NUMBERS,
    K.CURRENCY: _NUMBERS,
    K.DATE: frozenset({T.DATE}),
    K.DATETIME: frozenset({T.TIMESTAMP}),
    K.BOOLEAN: frozenset({T.BOOL}),
    K.LOOKUP: frozenset({T.WHOLE, T.TEXT}),  # the number of a customer, by which the company is found
    K.PERSON: frozenset[FieldType](),
}
_SOMETIMES = {
    K.NUMBER: frozenset({T.TEXT, T.CHOICE}),
    K.CURRENCY: frozenset({T.TEXT, T.CHOICE}),
    K.DATE: frozenset({T.TEXT}),
    K.BOOLEAN: frozenset({T.TEXT, T.CHOICE}),
}


@dataclass(frozen=True, slots=True)
class Misfit:
    """What a person should hear. `certain`: no value at all would fit."""

    text: str
    certain: bool


def misfit(source: SourceField | None, converter: str | None, column: Column) -> Misfit | None:
    """None when everything fits. Without a `source` the rule is a constant, which is checked as a value."""
    if source is None:
        return None
    kind = CONVERTERS[converter].returns if converter and converter in CONVERTERS else source.type
    always = _ALWAYS.get(column.kind)
    if always is not None and kind not in always:
        if kind in _SOMETIMES.get(column.kind, frozenset()):
            return Misfit(f"Only values that can be read as {column.kind.value} fit this column.", certain=False)
        return Misfit(
            f"{source.name} is {kind.value}; a column of type {column.kind.value} can't hold it.", certain=True
        )
    missing = [choice for choice in source.choices if choice.casefold() not in _folded(column)]
    if column.kind is K.CHOICE and column.choices and missing and not converter:
        return Misfit(
            f"The column lacks the choices {', '.join(missing)}.", certain=len(missing) == len(source.choices)
        )
    return None


def _folded(column: Column) -> frozenset[str]:
    return frozenset(choice.casefold() for choice in column.choices)
