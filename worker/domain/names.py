"""Company and personal names in a form that can be compared. Pure."""

from __future__ import annotations

import re
import unicodedata

# Legal forms of Denmark and its neighbours without signs: they say how a company is owned, not which it is.
_FORMS = frozenset(
    {"as", "aps", "is", "ks", "ivs", "amba", "fmba", "smba", "pmba", "ab", "ag", "gmbh", "ltd", "limited", "inc", "llc",
     "oy", "bv", "sa", "kg", "ug", "holding", "group", "gruppen", "danmark", "denmark", "v"}
)  # fmt: skip
_WEAK = frozenset({"holding", "group", "gruppen", "danmark", "denmark"})  # part of a name as often as not
_SPELLINGS = str.maketrans(
    {"æ": "ae", "ø": "oe", "å": "aa", "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "&": " og ", "+": " og "}
)


def plain_name(name: str) -> str:
    """Lower case words without accents, punctuation and legal forms; æ, ø and å as ae, oe and aa, as they are spelt out
    where a keyboard lacks them."""
    words = _words(name)
    kept = [word for word in words if word not in _FORMS] or words
    return " ".join(kept)


def is_company(name: str) -> bool:
    """Whether the name carries a legal form; a person's has none, and many people share one."""
    return any(word in _FORMS - _WEAK - {"v"} for word in _words(name))


def _words(name: str) -> list[str]:
    text = unicodedata.normalize("NFC", name).casefold()
    # A/S and A.p.S. fall apart at their signs otherwise.
    text = re.sub(r"\b([aik])\s*/\s*s\b", r"\1s", text)
    text = re.sub(r"\ba\.?\s?p\.?\s?s\.?(?=\W|$)", "aps", text)
    text = re.sub(r"\ba\.m\.b\.a\.?", "amba", text)
    text = text.translate(_SPELLINGS)
    text = "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))
    return re.findall(r"[a-z0-9]+", text)
