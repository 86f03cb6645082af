"""The forms in which a comparison holds e-conomic's value against the CRM's. Shares nothing with what converts and
fits values for writing: a fault there would otherwise be repeated here and hide itself.

Each form takes from a value what has to be the same on both sides; two spellings of one phone number are one number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from worker.domain.values import Column, ColumnKind, Value

_UNSTORED = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")  # what lists can't keep
_TEXT_LIMIT = 255
_TRUE = frozenset({"yes", "ja", "true", "1"})
_FALSE = frozenset({"no", "nej", "false", "0"})
_TRUNK_ZERO = re.compile(r"^((?:\+|00)\d{1,3})[\s\-./]+0")
_CVR_DIGITS = 8


def squeezed(value: Value) -> str:
    """As text, with single blanks and none at the ends; numbers without trailing zeros, days in ISO form."""
    match value:
        case None:
            return ""
        case bool():
            return "Yes" if value else "No"
        case int() | Decimal():
            return number(value) or "0"
        case datetime() | date():
            return day(value)
        case _:
            return " ".join(_UNSTORED.sub("", value).split())


def number(value: Value) -> str:
    """Digits without trailing zeros; nothing for zero, which a blank is the same as."""
    if value is None or value == "":
        return ""
    try:
        found = Decimal(str(value).strip())
    except InvalidOperation:
        return str(value)
    if not found.is_finite():
        return str(value)
    text = f"{found:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "" if found == 0 else text


def day(value: Value) -> str:
    """The day alone."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else squeezed_text(value)


def squeezed_text(value: Value) -> str:
    """Single blanks, none at the ends."""
    return " ".join(_UNSTORED.sub("", str(value)).split()) if value is not None else ""


def phone(value: Value) -> str:
    """Digits in international order; eight digits without a country code are Danish. The trunk zero, which nobody dials
    from abroad, is left out."""
    text = _TRUNK_ZERO.sub(r"\1 ", squeezed_text(value).replace("(0)", ""))
    digits = re.sub(r"\D", "", text)
    abroad = text.lstrip("( ").startswith("+") or digits.startswith("00")
    digits = digits.removeprefix("00") if abroad else digits
    if len(digits) == 8 and not abroad:
        return f"45{digits}"
    return digits or text.casefold()


def cvr(value: Value) -> str:
    """Letters and digits; a Danish number without its DK."""
    text = re.sub(r"[^0-9A-Z]", "", squeezed_text(value).upper())
    digits = text.removeprefix("DK")
    return digits if len(digits) == _CVR_DIGITS and digits.isdigit() else text


def first_address(value: Value) -> str:
    """The first e-mail address; without one the whole text."""
    text = squeezed_text(value).casefold()
    found = re.search(r"[^\s,;<>()\[\]\"']+@[^\s,;<>()\[\]\"']+", text)
    return found[0].removeprefix("mailto:") if found else text


def digits_only(value: Value) -> str:
    """Only the digits."""
    return re.sub(r"[^0-9]", "", squeezed(value))


def lines(value: Value) -> str:
    """What the lines hold, whatever divides them."""
    return re.sub(r"[\s,]+", "", squeezed_text(value))


def truth(value: Value) -> str:
    """Yes, No, or the text that is neither."""
    text = squeezed(value)
    return "Yes" if text.casefold() in _TRUE else "No" if text.casefold() in _FALSE else text


def iso_day(value: Value) -> str:
    """The day of a moment that may be written as text."""
    return day(value)[:10]


def folded(value: Value) -> str:
    """Whatever the case."""
    return squeezed(value).casefold()


@dataclass(frozen=True, slots=True)
class Form:
    """How a field's two values are read before they are held against each other. `as_is`: equal values are the same
    without that; there are millions of them."""

    economic: Callable[[Value], str]
    crm: Callable[[Value], str]
    as_is: bool = False


def _both(form: Callable[[Value], str], *, as_is: bool = False) -> Form:
    return Form(form, form, as_is)


PLAIN = _both(squeezed, as_is=True)
# Converter -> the form in which its result can be compared. One that is not here can't be compared independently.
FORMS: Mapping[str, Form] = {
    "trim": PLAIN,
    "single_line": PLAIN,
    "cvr_digits": _both(cvr),
    "phone": _both(phone),
    # Both addresses standing in the CRM would be a difference: only e-conomic's text is a list.
    "first_email": Form(first_address, folded),
    "upper": Form(lambda value: squeezed(value).upper(), squeezed),
    "lower": Form(lambda value: squeezed(value).lower(), squeezed),
    "digits": Form(digits_only, squeezed),
    "join_lines": _both(lines),
    "date": _both(iso_day),
    "yes_no": _both(truth),
    "text": PLAIN,
}
_BY_KIND: Mapping[ColumnKind, Callable[[Value], str]] = {
    ColumnKind.BOOLEAN: truth,
    ColumnKind.CHOICE: folded,
    ColumnKind.DATE: iso_day,
}
_NUMERIC = frozenset({ColumnKind.NUMBER, ColumnKind.CURRENCY})


def form_for(form: Form, column: Column) -> Form:
    """A plain value in the form that its column's kind stores; other forms as they are."""
    if form is not PLAIN:
        return form
    if column.kind in _NUMERIC:
        return _both(lambda value: _rounded(value, column), as_is=True)
    return _both(_BY_KIND.get(column.kind, squeezed), as_is=True)


def shortened(text: str, kept: str, column: Column) -> bool:
    """Whether `kept` is what a column of limited length can hold of `text`."""
    limit = min(column.max_length or _TEXT_LIMIT, _TEXT_LIMIT)
    return _length(text) > limit and text.startswith(kept) and _length(kept) >= limit // 2


def _rounded(value: Value, column: Column) -> str:
    places = 2 if column.kind is ColumnKind.CURRENCY and column.decimals is None else column.decimals
    amount = Decimal(value) if isinstance(value, int) else value
    if places is None or not isinstance(amount, Decimal) or not amount.is_finite():
        return number(amount)
    return number(amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP))


def _length(text: str) -> int:
    """As lists count: in units of UTF-16."""
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2
