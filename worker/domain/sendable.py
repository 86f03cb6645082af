"""Columns whose values can go from the CRM to e-conomic: how both sides' texts are compared, and what e-conomic takes.
Pure.

Profiles bring texts into a form of their own (phones, first addresses, country names), so that both sides may say the
same in other signs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from worker.domain.addresses import MOST, addresses, are_addresses, joined
from worker.domain.converters import country_code, first_email, join_lines, phone, single_line, trim

_EAN = 13


@dataclass(frozen=True, slots=True)
class Sendable:
    """A column: the attribute of our record, the property of e-conomic, and the most characters it takes."""

    attribute: str
    name: str
    most: int


SENDABLES: Mapping[str, Sendable] = {
    "EMail": Sendable("email", "email", MOST),
    "Phone": Sendable("phone", "telephoneAndFaxNumber", 255),
    "Mobile": Sendable("mobile", "mobilePhone", 50),
    "Website": Sendable("website", "website", 255),
    "Address": Sendable("address", "address", 510),
    "Zip": Sendable("zip", "zip", 30),
    "City": Sendable("city", "city", 50),
    "Country": Sendable("country", "country", 50),
    "EAN": Sendable("ean", "ean", _EAN),
}
_FORMS: Mapping[str, Callable[[str], str]] = {
    "EMail": lambda text: (first_email(text) or "").casefold(),
    "Phone": phone,
    "Mobile": phone,
    "Address": lambda text: single_line(join_lines(text)),
    "Country": country_code,
    "EAN": lambda text: re.sub(r"\s", "", text),
}


def tidy(column: str, value: object) -> str:
    """A side's text as it is compared and sent: without blanks at the ends; an EAN without any, e-mail addresses with
    one between them."""
    text = trim(str(value)) if value is not None else ""
    if column == "EMail":
        return joined(text)
    return re.sub(r"\s", "", text) if column == "EAN" else text


def alike(column: str, economic: str, crm: str) -> bool:
    """Whether two tidy texts mean the same. e-conomic's list of e-mail addresses is like its first one, which is what
    profiles bring."""
    if column == "EMail" and len(addresses(crm)) > 1:
        return [part.casefold() for part in addresses(economic)] == [part.casefold() for part in addresses(crm)]
    form = _FORMS.get(column, single_line)
    return form(economic) == form(crm)


def refusal(column: str, economic: str, crm: str) -> str:
    """Why a tidy text of the CRM is not sent in place of e-conomic's: too-long, no-ean, no-email, or several, which is
    more addresses in e-conomic than would be left; "" when it can be. A blank can."""
    if len(crm) > SENDABLES[column].most:
        return "too-long" if column != "EAN" else "no-ean"
    if column == "EAN" and crm and not re.fullmatch(rf"[0-9]{{{_EAN}}}", crm):
        return "no-ean"
    if column == "EMail":
        if crm and not are_addresses(crm):
            return "no-email"
        return "several" if len(addresses(economic)) > max(1, len(addresses(crm))) else ""
    return ""
