"""Finds what looks like a secret in a text a person typed, so that it never gets stored in a list."""

from __future__ import annotations

import re

_PEM = re.compile(r"-----BEGIN [A-Z ]+-----")
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")
_NAMED = re.compile(
    r"(?i)\b(password|passwd|pwd|secret|client_secret|token|api[_-]?key|bearer|adgangskode)\b\W{0,3}[=:\s]\W{0,2}[^\s\"',;]{6,}"
)
_LONG = re.compile(r"[A-Za-z0-9+/_\-]{36,}={0,2}")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def find_secret(text: str) -> str | None:
    """What kind of secret `text` seems to hold, in words; None when it holds none. Never the value itself."""
    if _PEM.search(text):
        return "a certificate or key"
    if _JWT.search(text):
        return "a sign-in token"
    if _NAMED.search(text):
        return "a password or token"
    if any(_looks_random(word) for word in _LONG.findall(text)):
        return "a token"
    return None


def _looks_random(word: str) -> bool:
    """Long, mixed and without the shape of a GUID: no column name or sentence looks like that."""
    if _GUID.fullmatch(word):
        return False
    kinds = sum(bool(re.search(kind, word)) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    return kinds >= 2 and len(set(word)) >= 12 and bool(re.search("[0-9]", word))
