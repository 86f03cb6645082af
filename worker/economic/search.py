"""What a person types to find a customer -> filter texts of the classic API. Pure.

What people type is data: the signs of the filter grammar in it are escaped as the vendor documents (`$ ( ) * ,` with a
`$` before them), and `[`, which opens a class of characters in `$like:`, is written `[[]`, as found on live agreements;
the documented `$[` does not work there. A `]` alone means itself.
"""

from __future__ import annotations

import re
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
    plain = "".join(sign if sign.isprintable() else " " for sign in text).strip()
    digits = re.fullmatch(r"[0-9]{1,9}", plain)
    number = int(plain) if digits else 0
    cvr = cvr_digits(plain)
    return Wanted(
        number=number if 1 <= number <= LARGEST_NUMBER else None,
        cvr=cvr if re.fullmatch(r"[0-9]{8}", cvr) else None,
        name=plain if 1 <= len(plain) <= LONGEST_NAME else None,
    )


def cvr_filter(digits: str) -> str:
    """Customers whose CVR field holds these digits in a row or in pairs, with or without DK; e-conomic keeps it as
    typed. More may match than has this number."""
    pairs = " ".join(re.findall("..", digits))
    return "$or:".join(f"corporateIdentificationNumber$like:*{form}*" for form in (digits, pairs))


def name_filter(part: str) -> str:
    """Customers whose name holds `part`, whatever signs it is made of."""
    return f"name$like:*{part.translate(_ESCAPES)}*"
