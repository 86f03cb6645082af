"""Named converters, one function each. A converter changes a value's form, never cuts it; blank stays blank."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache

import phonenumbers
from babel import Locale
from babel.core import get_global

from worker.domain.encode import plain_decimal
from worker.domain.field_types import FieldType
from worker.domain.values import Value
from worker.errors import RowError

_TEXTS = frozenset({FieldType.TEXT, FieldType.CHOICE})
_NUMBERS = frozenset({FieldType.TEXT, FieldType.WHOLE, FieldType.MONEY, FieldType.NUMBER, FieldType.CHOICE})
_PHONE = re.compile(r"\(?\+?[0-9 ()\-./]+")
# Territories that ISO 3166 does not list as countries; Kosovo's XK is not in it either, but everybody uses it.
_NO_COUNTRIES = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"})
# Common spellings that the tables of territory names do not have.
_SPELLINGS = {
    "uk": "GB",
    "u.k.": "GB",
    "england": "GB",
    "scotland": "GB",
    "great britain": "GB",
    "u.s.a.": "US",
    "america": "US",
    "holland": "NL",
    "the netherlands": "NL",
    "czech republic": "CZ",
    "den tjekkiske republik": "CZ",
    "norge": "NO",
    "faroe islands": "FO",
    "suomi": "FI",
}
_LANGUAGES = ("da", "en", "sv", "de", "nb")  # what people type into e-conomic's free country field


@dataclass(frozen=True, slots=True)
class Converter:
    """`meaning` is for the reference; `accepts` are the field types it can take."""

    name: str
    meaning: str
    accepts: frozenset[FieldType]
    returns: FieldType
    run: Callable[[Value], Value]


def _text(name: str, change: Callable[[str], Value]) -> Callable[[Value], Value]:
    def run(value: Value) -> Value:
        if value is None:
            return None
        if not isinstance(value, str):
            raise RowError("not-convertible", {"converter": name, "expected": "a text"})
        return change(value)

    return run


def trim(text: str) -> str:
    """No blanks at the ends, single blanks inside; line breaks stay."""
    return "\n".join(re.sub(r"[^\S\n]+", " ", line).strip() for line in re.split(r"\r\n?|\n", text)).strip()


def single_line(text: str) -> str:
    """All white space, line breaks too, becomes single blanks."""
    return " ".join(text.split())


def cvr_digits(text: str) -> str:
    """A Danish CVR number as its eight digits, without DK, blanks and dots; anything else only trimmed."""
    match = re.fullmatch(r"(?:DK[\s\-:]*)?((?:\d[\s.\-]*){8})", text.strip(), re.IGNORECASE | re.ASCII)
    return re.sub(r"\D", "", match[1]) if match else single_line(text)


def phone(text: str) -> str:
    """Readable international form; numbers without a country code are Danish. What is no number is only trimmed."""
    plain = single_line(text)
    if not _PHONE.fullmatch(plain):
        return plain  # words beside the number would be lost
    try:
        number = phonenumbers.parse(plain, "DK")
    except phonenumbers.NumberParseException:
        return plain
    if not phonenumbers.is_valid_number(number):
        return plain
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def country_code(text: str) -> str:
    """ISO 3166 alpha-2 code for a name (Danish, English, Swedish, German, Norwegian) or code; else only trimmed."""
    plain = single_line(text)
    return _codes_by_name().get(plain.casefold(), plain)


def country_name(language: str) -> Callable[[str], str]:
    """The country's name in a language, from a name or code; what is not known is only trimmed."""

    def change(text: str) -> str:
        code = country_code(text)
        return _names(language).get(code) or single_line(text)

    return change


def first_email(text: str) -> str | None:
    """The first address of a list that blanks, commas or semicolons divide; without an address only trimmed."""
    parts = (part.strip("<>()[]\"'").removeprefix("mailto:") for part in re.split(r"[\s,;]+", text))
    return next((part for part in parts if "@" in part.strip("@")), single_line(text) or None)


def digits(text: str) -> str | None:
    """Only the digits."""
    return re.sub(r"[^0-9]", "", text) or None


def join_lines(text: str) -> str:
    """Address lines joined by a comma."""
    lines = (single_line(line).rstrip(" ,") for line in re.split(r"\r\n?|\n", text))
    return ", ".join(line for line in lines if line)


def as_date(value: Value) -> Value:
    """The day of a date, a timestamp (UTC) or an ISO text."""
    if isinstance(value, str):
        value = _moment(value.strip())
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    raise RowError("not-convertible", {"converter": "date", "expected": "a date"})


def yes_no(value: Value) -> Value:
    """Yes or No."""
    if isinstance(value, str):
        value = _TRUTHS.get(value.strip().casefold(), value)
    if value is None:
        return None
    if isinstance(value, bool):
        return "Yes" if value else "No"
    raise RowError("not-convertible", {"converter": "yes_no", "expected": "yes or no"})


def as_text(value: Value) -> Value:
    """A number as plain text, without thousands marks or exponent."""
    if isinstance(value, Decimal):
        return plain_decimal(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is None or isinstance(value, str):
        return value
    raise RowError("not-convertible", {"converter": "text", "expected": "a number or a text"})


_TRUTHS: Mapping[str, bool | None] = {
    **dict.fromkeys(("yes", "ja", "true", "1"), True),
    **dict.fromkeys(("no", "nej", "false", "0"), False),
    "": None,
}


def _moment(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)
    except ValueError:
        raise RowError("not-convertible", {"converter": "date", "expected": "a date"}) from None


@cache
def _names(language: str) -> Mapping[str, str]:
    """Country names by alpha-2 code."""
    names = Locale.parse(language).territories.items()
    return {code: str(name) for code, name in names if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES}


@cache
def _codes_by_name() -> Mapping[str, str]:
    """Alpha-2 codes by case-folded name in each language, alpha-2 and alpha-3 code."""
    known = _names("da")
    codes = {code.casefold(): code for code in known}
    for alias, current in get_global("territory_aliases").items():
        if len(alias) == 3 and alias.isalpha() and len(current) == 1 and current[0] in known:
            codes[alias.casefold()] = current[0]
    for language in _LANGUAGES:
        for code, name in _names(language).items():
            codes.setdefault(name.casefold(), code)
    return {**_SPELLINGS, **codes}


def _texts(name: str, change: Callable[[str], Value]) -> Converter:
    meaning = " ".join((change.__doc__ or "").split())
    return Converter(name, meaning, _TEXTS, FieldType.TEXT, _text(name, change))


def _named(name: str, meaning: str, change: Callable[[str], Value]) -> Converter:
    return Converter(name, meaning, _TEXTS, FieldType.TEXT, _text(name, change))


def _values(
    name: str, run: Callable[[Value], Value], accepts: frozenset[FieldType], returns: FieldType = FieldType.TEXT
) -> Converter:
    return Converter(name, " ".join((run.__doc__ or "").split()), accepts, returns, run)


_ALL = (
    _texts("trim", trim),
    _texts("single_line", single_line),
    _texts("cvr_digits", cvr_digits),
    _texts("phone", phone),
    _texts("country_code", country_code),
    _named("country_name", "The country's Danish name, from a name or code.", country_name("da")),
    _named("country_name_en", "The country's English name, from a name or code.", country_name("en")),
    _texts("first_email", first_email),
    _named("upper", "Upper case.", str.upper),
    _named("lower", "Lower case.", str.lower),
    _texts("digits", digits),
    _texts("join_lines", join_lines),
    _values("date", as_date, frozenset({FieldType.DATE, FieldType.TIMESTAMP, FieldType.TEXT}), FieldType.DATE),
    _values("yes_no", yes_no, frozenset({FieldType.BOOL, FieldType.TEXT})),
    _values("text", as_text, _NUMBERS),
)
CONVERTERS: Mapping[str, Converter] = {converter.name: converter for converter in _ALL}
