"""Cells of files that people open in a spreadsheet."""

from __future__ import annotations

# A cell that begins with one of these is a formula to a spreadsheet (OWASP, "CSV injection"); whoever can name a
# customer in e-conomic could otherwise run one on the reader's machine.
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def safe(text: str) -> str:
    """The text; with an apostrophe before it when a spreadsheet would take it for a formula. Plain negative numbers
    are left as they are."""
    stripped = text.lstrip()
    if not stripped.startswith(_STARTS) and not text.startswith(_STARTS):
        return text
    return text if _is_number(text) else f"'{text}"


def _is_number(text: str) -> bool:
    head, body = text[:1], text[1:]
    return head in "+-" and body.replace(".", "", 1).replace(",", "", 1).isdigit() and body.isascii()
