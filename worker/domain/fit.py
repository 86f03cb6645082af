"""Fits a value to what a column can hold, and brings both sides to one normal form before they are compared.

Servers rewrite what they are given: SharePoint trims nothing but stores notes with its own line ends, prints whole
numbers as 11.0 and keeps dates as local midnight in UTC. `normal` undoes such differences on either side, so that an
unchanged source gives an empty plan. Nothing is ever cut silently: a text that is too long is a row error.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from worker.domain.encode import plain_decimal
from worker.domain.values import Column, ColumnKind, Value
from worker.errors import RowError

_LINE_ENDS = re.compile(r"\r\n?|\u2028|\u2029")
_BREAKS = re.compile(r"\s*[\n\v\f\x85]+\s*")
# What XML 1.0, and so SharePoint's storage, cannot hold; the unit separator among them is our packing mark.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_TEXT_LIMIT = 255
_YES = frozenset({"yes", "true", "1", "ja"})
_NO = frozenset({"no", "false", "0", "nej"})


def normal(value: Value, column: Column) -> Value:
    """`value` in the form both sides are compared in; never raises: what does not fit its column stays as it is."""
    if isinstance(value, str):
        value = _normal_text(value, column.kind)
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC).replace(microsecond=0)
    if isinstance(value, int) and not isinstance(value, bool) and column.kind in _NUMERIC:
        value = Decimal(value)
    if isinstance(value, Decimal):
        value = _quantized(value, column)
    return None if value == "" else value


def fit(value: Value, column: Column, *, shorten: bool = False) -> Value:
    """`value` as `column` can hold it, in normal form; None stays None.

    Raises RowError (too-long, wrong-type, not-a-choice) when it can't be held as it is; `shorten` cuts texts instead.
    """
    value = normal(value, column)
    if value is None:
        return None
    return normal(_FITTERS[column.kind](value, column, shorten), column)


def text_length(text: str) -> int:
    """Length as SharePoint counts it: UTF-16 units, so an emoji is two."""
    return len(text.encode("utf-16-le")) // 2


def _normal_text(text: str, kind: ColumnKind) -> str:
    text = _CONTROL.sub("", _LINE_ENDS.sub("\n", text))
    if kind is not ColumnKind.NOTE:
        text = _BREAKS.sub(" ", text)
    return text.strip()


_NUMERIC = frozenset({ColumnKind.NUMBER, ColumnKind.CURRENCY})


def _quantized(value: Decimal, column: Column) -> Decimal:
    places = 2 if column.kind is ColumnKind.CURRENCY and column.decimals is None else column.decimals
    if places is None or column.kind not in _NUMERIC or not value.is_finite():
        return value
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def _as_text(value: Value) -> str:
    match value:
        case bool():
            return "Yes" if value else "No"
        case Decimal():
            return plain_decimal(value)
        case datetime():
            return value.strftime("%Y-%m-%dT%H:%M:%SZ")
        case date():
            return value.isoformat()
        case _:
            return str(value)


def _fit_text(value: Value, column: Column, shorten: bool) -> Value:
    text = _as_text(value)
    limit = min(column.max_length or _TEXT_LIMIT, _TEXT_LIMIT)
    return _limited(text, column, limit, shorten)


def _fit_note(value: Value, column: Column, shorten: bool) -> Value:
    text = _as_text(value)
    return _limited(text, column, column.max_length, shorten) if column.max_length else text


def _limited(text: str, column: Column, limit: int, shorten: bool) -> str:
    length = text_length(text)
    if length <= limit:
        return text
    if not shorten:
        raise RowError("too-long", {"column": column.display, "length": length, "limit": limit})
    # Cut in UTF-16 units; half a surrogate pair at the end is dropped.
    return text.encode("utf-16-le")[: limit * 2].decode("utf-16-le", errors="ignore").rstrip()


def _fit_number(value: Value, column: Column, _shorten: bool) -> Value:
    if isinstance(value, Decimal) and value.is_finite():
        return value
    if isinstance(value, str):
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise _wrong_type(value, column, "a number") from None
        if number.is_finite():
            return number
    raise _wrong_type(value, column, "a number")


def _fit_date(value: Value, column: Column, _shorten: bool) -> Value:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise _wrong_type(value, column, "a date (YYYY-MM-DD)") from None
    raise _wrong_type(value, column, "a date")


def _fit_datetime(value: Value, column: Column, _shorten: bool) -> Value:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    raise _wrong_type(value, column, "a point in time")


def _fit_choice(value: Value, column: Column, _shorten: bool) -> Value:
    text = _as_text(value)
    for choice in column.choices:
        if choice.casefold() == text.casefold():
            return choice
    if not column.choices:
        return text
    raise RowError("not-a-choice", {"column": column.display, "value": text[:60], "allowed": ", ".join(column.choices)})


def _fit_boolean(value: Value, column: Column, _shorten: bool) -> Value:
    if isinstance(value, bool):
        return value
    word = _as_text(value).casefold()
    if word in _YES | _NO:
        return word in _YES
    raise _wrong_type(value, column, "yes or no")


def _fit_item_id(value: Value, column: Column, _shorten: bool) -> Value:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _wrong_type(value, column, "an item of the other list")


def _wrong_type(value: Value, column: Column, expected: str) -> RowError:
    return RowError("wrong-type", {"column": column.display, "value": _as_text(value)[:60], "expected": expected})


_FITTERS = {
    ColumnKind.TEXT: _fit_text,
    ColumnKind.URL: _fit_text,
    ColumnKind.NOTE: _fit_note,
    ColumnKind.NUMBER: _fit_number,
    ColumnKind.CURRENCY: _fit_number,
    ColumnKind.DATE: _fit_date,
    ColumnKind.DATETIME: _fit_datetime,
    ColumnKind.CHOICE: _fit_choice,
    ColumnKind.BOOLEAN: _fit_boolean,
    ColumnKind.LOOKUP: _fit_item_id,
    ColumnKind.PERSON: _fit_item_id,
}
