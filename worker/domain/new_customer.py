"""A CRM company -> a customer that e-conomic would take, or everything that is missing. Pure.

Limits are those of the vendor's customer schema (name 255, address 510, city 50, zip 30, EAN 13, P number 10).
A text that is too long is a problem and never cut: a cut name would be printed on invoices.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from worker.domain.addresses import MOST, are_addresses, joined
from worker.domain.converters import cvr_digits, single_line, trim
from worker.domain.creation_texts import Text
from worker.domain.values import Value

_LIMITS: Mapping[str, tuple[str, int]] = {
    # CRM column -> property of e-conomic, most characters
    "Address": ("address", 510),
    "Zip": ("zip", 30),
    "City": ("city", 50),
    "Country": ("country", 50),
    "EMail": ("email", MOST),
    "Phone": ("telephoneAndFaxNumber", 255),
    "Mobile": ("mobilePhone", 50),
    "Website": ("website", 255),
    "VATNumber": ("vatNumber", 20),
}
_NAME = 255
_DANISH_WORDS = re.compile(r"(?:CVR|MOMS|VAT|CVRSE|SE(?=N))?(?:NR|NUMMER|NO|NUMBER)?(?:DK)?")
_DANISH = frozenset({"", "danmark", "denmark", "dk"})
# Columns a company may override the connection's defaults with.
OVERRIDES = ("CustomerGroup", "PaymentTerms", "VATZone", "CurrencyCode")
# Everything a new customer is ever sent with.
PROPERTIES = frozenset(
    {"customerNumber", "name", "corporateIdentificationNumber", "ean", "pNumber", "customerGroup", "paymentTerms",
     "vatZone", "currency", *(name for name, _ in _LIMITS.values())}
)  # fmt: skip
COLUMNS = ("Title", "CompanyName", "CINumber", "EAN", "PNumber", *_LIMITS, *OVERRIDES)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a connection gives every new customer; a group, terms or zone by number or name. `numbers`: the range new
    numbers come from, None = e-conomic chooses. `without_cvr`: customers without a CVR number may be created."""

    group: str | None = None
    payment_terms: str | None = None
    vat_zone: str | None = None
    currency: str | None = None
    numbers: tuple[int, int] | None = None
    without_cvr: bool = False


@dataclass(frozen=True, slots=True)
class Choices:
    """e-conomic's own lists: number -> name, and the currency codes."""

    groups: Mapping[int, str] = field(default_factory=dict)
    terms: Mapping[int, str] = field(default_factory=dict)
    zones: Mapping[int, str] = field(default_factory=dict)
    currencies: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """A customer to be made: `body` is what e-conomic is sent; the rest is for finding one that exists already."""

    body: Mapping[str, object]

    @property
    def name(self) -> str:
        """As it is sent."""
        return str(self.body["name"])

    @property
    def cvr(self) -> str:
        """The CVR number, "" when it has none."""
        return str(self.body.get("corporateIdentificationNumber") or "")

    @property
    def email(self) -> str:
        """The e-mail address, "" when it has none."""
        return str(self.body.get("email") or "")

    @property
    def number(self) -> int | None:
        """The number it is to have; None = e-conomic chooses."""
        number = self.body.get("customerNumber")
        return number if isinstance(number, int) else None


def build(
    values: Mapping[str, Value], defaults: Defaults, choices: Choices
) -> tuple[NewCustomer | None, tuple[Text, ...]]:
    """The customer, or None and everything that keeps it from being made."""
    maker = _Maker(values, defaults, choices)
    body = dict(maker.parts())
    return (None, tuple(maker.problems)) if maker.problems else (NewCustomer(body), ())


def same_text(one: str, other: str) -> bool:
    """Whether two names or addresses are alike but for letter case and blanks; blank ones never are."""
    plain = single_line(one).casefold()
    return bool(plain) and plain == single_line(other).casefold()


def company_number(text: str) -> tuple[str, str]:
    """A registration number as it is compared: its country's two letters ("" when none are written) and the rest in
    capitals without signs. Words before a Danish number are left out ("CVR-nr. 12 34 56 78")."""
    plain = re.sub(r"[\W_]", "", text).upper()
    lead = re.match(r"[^\W\d]*", plain)
    letters = lead[0] if lead else ""
    rest = plain[len(letters) :]
    digits = re.sub(r"\D", "", rest)
    if _DANISH_WORDS.fullmatch(letters) and len(digits) == 8:
        return ("DK" if letters.endswith("DK") else ""), digits
    if len(letters) in (2, 3):
        return plain[:2], plain[2:]
    return "", rest if len(letters) > 3 else plain  # prose, or a letter that belongs to the number


def same_number(one: str, other: str) -> bool:
    """Whether two registration numbers are of one company, however they are written; the country may be left out. What
    holds no digit is no number."""
    (country, number), (other_country, other_number) = company_number(one), company_number(other)
    digits = any(sign.isdecimal() for sign in number)
    return digits and number == other_number and (country == other_country or "" in (country, other_country))


def addresses(text: str) -> frozenset[str]:
    """The e-mail addresses of a field, which may hold several; letter case ignored."""
    parts = (part.strip("<>()[]\"'").casefold().removeprefix("mailto:") for part in re.split(r"[\s,;]+", text))
    return frozenset(part for part in parts if "@" in part.strip("@"))


class _Maker:
    def __init__(self, values: Mapping[str, Value], defaults: Defaults, choices: Choices) -> None:
        self._values = values
        self._defaults = defaults
        self._choices = choices
        self.problems: list[Text] = []

    def parts(self) -> Iterator[tuple[str, object]]:
        yield from self._name()
        yield from self._identity()
        for column, (name, limit) in _LIMITS.items():
            text = self._text(column)
            if len(text) > limit:
                self._wrong("too-long", what=column, length=len(text), limit=limit)
            elif text:
                yield name, text
        email = self._text("EMail")
        if email and not are_addresses(email):
            self._wrong("no-email", value=email)
        yield from self._references()

    def _name(self) -> Iterator[tuple[str, object]]:
        name = single_line(self._text("Title") or self._text("CompanyName"))
        if not name:
            self._wrong("no-name")
        elif len(name) > _NAME:
            self._wrong("too-long", what="Title", length=len(name), limit=_NAME)
        yield "name", name

    def _identity(self) -> Iterator[tuple[str, object]]:
        cvr = cvr_digits(self._text("CINumber"))
        if not cvr and not self._defaults.without_cvr:
            self._wrong("no-cvr")
        elif cvr and self._text("Country").casefold() in _DANISH and not re.fullmatch(r"[0-9]{8}", cvr):
            self._wrong("bad-cvr", value=cvr)
        elif len(cvr) > 40:
            self._wrong("too-long", what="CINumber", length=len(cvr), limit=40)
        elif cvr:
            yield "corporateIdentificationNumber", cvr
        for column, name, digits in (("EAN", "ean", 13), ("PNumber", "pNumber", 10)):
            text = re.sub(r"\s", "", self._text(column))
            if text and not re.fullmatch(rf"[0-9]{{{digits}}}", text):
                self._wrong("digits", what=column, wanted=digits, length=len(text))
            elif text:
                yield name, text

    def _references(self) -> Iterator[tuple[str, object]]:
        defaults, choices = self._defaults, self._choices
        for column, default, known, name, key in (
            ("CustomerGroup", defaults.group, choices.groups, "customerGroup", "customerGroupNumber"),
            ("PaymentTerms", defaults.payment_terms, choices.terms, "paymentTerms", "paymentTermsNumber"),
            ("VATZone", defaults.vat_zone, choices.zones, "vatZone", "vatZoneNumber"),
        ):
            wanted = self._text(column) or (default or "")
            if not wanted:
                self._wrong("no-default", what=column)
                continue
            number = find_choice(wanted, known)
            if number is None:
                self._wrong("unknown", what=column, value=wanted)
            else:
                yield name, {key: number}
        currency = (self._text("CurrencyCode") or defaults.currency or "").upper()
        if not currency:
            self._wrong("no-default", what="CurrencyCode")
        elif currency not in choices.currencies:
            self._wrong("unknown", what="CurrencyCode", value=currency)
        else:
            yield "currency", currency

    def _text(self, column: str) -> str:
        value = self._values.get(column)
        text = trim(str(value)) if value is not None else ""
        return joined(text) if column == "EMail" else text

    def _wrong(self, code: str, **facts: object) -> None:
        self.problems.append(Text(code, facts))


def find_choice(wanted: str, known: Mapping[int, str]) -> int | None:
    """A choice by its number, its name, or both as the CRM shows them ("1 Domestic"), letter case ignored; None when
    there is none, or several of the name."""
    for number, name in known.items():
        if wanted == str(number) or same_text(wanted, f"{number} {name}"):
            return number
    named = [number for number, name in known.items() if name.casefold() == wanted.casefold()]
    return named[0] if len(named) == 1 else None


def default_problems(defaults: Defaults, choices: Choices) -> list[Text]:
    """What is wrong with a connection's own defaults, blank ones left alone: a company may name its own."""
    problems = [
        Text("unknown", {"what": column, "value": wanted})
        for column, wanted, known in (
            ("CustomerGroup", defaults.group, choices.groups),
            ("PaymentTerms", defaults.payment_terms, choices.terms),
            ("VATZone", defaults.vat_zone, choices.zones),
        )
        if wanted and find_choice(wanted, known) is None
    ]
    if defaults.currency and defaults.currency.upper() not in choices.currencies:
        problems.append(Text("unknown", {"what": "CurrencyCode", "value": defaults.currency}))
    return problems
