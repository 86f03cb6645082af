"""What a person types to find a customer -> filter texts of the classic API. Pure.

What people type is data: the signs of the filter grammar in it are escaped as the vendor documents (`$ ( ) * ,` with a
`$` before them), and `[`, which opens a class of characters in `$like:`, is written `[[]`, as found on live agreements;
the documented `$[` does not work there. A `]` alone means itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from worker.domain.converters import cvr_digits

LARGEST_NUMBER = 999_999_999  # of a customer
LONGEST_NAME = 255  # characters
_ESCAPES = str.maketrans({**{sign: f"${sign}" for sign in "$()*,"}, "[": "[[]"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a text may mean: a customer's number, a Danish CVR number (eight digits), a part of a name."""

    number: int | None
    cvr: str | None
    name: str | None


def wanted(text: str) -> Wanted:
    """All that `text` may mean; nothing at all when it is blank."""
    plain = printable(text)
    digits = re.fullmatch(r"[0-9]{1,9}", plain)
    number = int(plain) if digits else 0
    cvr = cvr_digits(plain)
    return Wanted(
        number=number if 1 <= number <= LARGEST_NUMBER else None,
        cvr=cvr if re.fullmatch(r"[0-9]{8}", cvr) else None,
        name=plain if 1 <= len(plain) <= LONGEST_NAME else None,
    )


def printable(text: str) -> str:
    """`text` with blanks for signs such as tabs, and none around it."""
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()


def cvr_filter(number: str) -> str:
    """Customers whose CVR field holds the digits of a number in this order, whatever stands between them; e-conomic
    keeps it as typed. More may match than has this number, which must hold a digit."""
    return f"corporateIdentificationNumber$like:*{'*'.join(re.findall('[0-9]', number))}*"


def email_filter(addresses: Iterable[str]) -> str:
    """Customers whose e-mail field, which may hold several, holds one of these. More may match."""
    return "$or:".join(f"email$like:*{one.translate(_ESCAPES)}*" for one in sorted(addresses))


def name_filter(part: str) -> str:
    """Customers whose name holds `part`, whatever signs it is made of."""
    return f"name$like:*{part.translate(_ESCAPES)}*"


def same_name_filter(name: str) -> str:
    """Customers of this name, whatever blanks stand between its words. More may match. Brackets mean themselves in
    `$eq:`."""
    words = name.split()
    equal = "name$eq:" + re.sub(r"[$()*,]", r"$\g<0>", name)
    return equal if len(words) < 2 else f"{equal}$or:name$like:{'*'.join(one.translate(_ESCAPES) for one in words)}"
