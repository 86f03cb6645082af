"""E-mail addresses as e-conomic takes them: one, or several with a blank between them. Pure.

The one rule for a customer that is created and for a value that is sent. People divide addresses by commas, semicolons
and lines too; those are read, and written as blanks.
"""

from __future__ import annotations

import re

from worker.domain.converters import trim

MOST = 255  # characters of e-conomic's property, all addresses together
_BETWEEN = re.compile(r"[\s,;]+")
_NEVER = r"\s@,;:<>()\[\]\"\\"  # signs that no address holds beside its one @
_ADDRESS = re.compile(rf"[^{_NEVER}]+@(?:[^{_NEVER}.]+\.)+[^{_NEVER}.]+")


def addresses(text: str) -> list[str]:
    """The parts of a list of e-mail addresses, good or not."""
    return [part for part in _BETWEEN.split(text) if part]


def joined(text: str) -> str:
    """As e-conomic is sent it. What holds no part at all stays as it is: it must not pass for a blank."""
    return " ".join(addresses(text)) or trim(text)


def are_addresses(text: str) -> bool:
    """Whether there is at least one part, and every part is an address."""
    parts = addresses(text)
    return bool(parts) and all(_ADDRESS.fullmatch(part) for part in parts)
