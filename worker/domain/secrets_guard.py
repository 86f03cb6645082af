"""Finds what looks like a secret in a text a person typed, so that it never gets stored in a list.

Lists are read by every site member and kept in version histories, so a false alarm is cheaper than a miss; but names,
addresses, mappings and GUIDs must pass. Long words are judged by their rhythm: in names a letter case or a number goes
on for several characters, in a random token it changes at almost every one.
"""

from __future__ import annotations

import re

_KINDS = (
    ("a certificate or key", re.compile(r"-----BEGIN [A-Z ]+-----")),
    ("a sign-in token", re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")),
    ("a sign-in token", re.compile(r"(?i)\bbearer\s+[A-Za-z0-9._~+/-]{16,}")),
    (
        "a password or token",
        re.compile(
            r"(?i)(password|passwd|pwd|secret|token|api[_-]?key|accountkey|adgangskode|kodeord)[\w-]{0,30}"
            r"[\"']?\s{0,9}[=:]\s{0,9}[\"']?[^\s\"',;{}\[\]]{4,}"
        ),
    ),
    ("an address with a password", re.compile(r"://[^/\s:@]{1,64}:[^/\s@]{1,64}@")),
    ("a signed address", re.compile(r"[?&]sig=[A-Za-z0-9%+/]{20,}")),
)
_GUID = re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9A-Za-z])")
# e-conomic's tokens have about 43 characters, Entra's client secrets 40; SharePoint's own names have 32 at most.
_LONG = re.compile(r"[A-Za-z0-9+/_\-~.]{36,}={0,2}")
_RUN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_SEPARATORS = re.compile(r"[/_\-~.]")


def find_secret(text: str) -> str | None:
    """What kind of secret `text` seems to hold, in words; None when it holds none. Never the value itself."""
    for kind, pattern in _KINDS:
        if pattern.search(text):
            return kind
    words = _LONG.findall(_GUID.sub(" ", text))
    return "a token" if any(_looks_random(word) for word in words) else None


def _looks_random(word: str) -> bool:
    """Mixed kinds of characters that change often. A path or a name with separators may change a little oftener."""
    kinds = sum(bool(re.search(kind, word)) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    if kinds < 2 or len(set(word)) < 12:
        return False
    runs = _RUN.findall(word)
    average = sum(map(len, runs)) / len(runs)
    return average < (3.5 if _SEPARATORS.search(word) else 4)
