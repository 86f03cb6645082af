"""Values as text and back: the form used in digests, plan files and the packed index of existing items.

Each kind has its own prefix, so the text "5" and the number 5 never meet. Decimals are written without an
exponent and without trailing zeros: 10, 10.0 and 1E+1 are one value.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from worker.domain.values import Value


def encode_value(value: Value) -> str:
    """`value` as prefixed text, e.g. s:Anna, d:12.5, i:7, b:1, D:2026-11-25, T:2026-11-25T02:00:00+00:00, n:."""
    match value:
        case None:
            return "n:"
        case bool():
            return f"b:{int(value)}"
        case int():
            return f"i:{value}"
        case Decimal():
            return f"d:{plain_decimal(value)}"
        case datetime():
            return f"T:{value.astimezone(UTC).isoformat()}"
        case date():
            return f"D:{value.isoformat()}"
        case str():
            return f"s:{value}"


def decode_value(text: str) -> Value:
    """The reverse of `encode_value`. Raises ValueError on anything else."""
    kind, body = text[:2], text[2:]
    if kind == "n:":
        return None
    if kind == "s:":
        return body
    if kind == "d:":
        return Decimal(body)
    if kind == "i:":
        return int(body)
    if kind == "b:":
        return body == "1"
    if kind == "D:":
        return date.fromisoformat(body)
    if kind == "T:":
        return datetime.fromisoformat(body)
    raise ValueError(f"not an encoded value: {kind!r}")


def plain_decimal(value: Decimal) -> str:
    """`value` without exponent, trailing zeros or a negative zero."""
    if value == 0:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
