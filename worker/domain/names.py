"""Company and personal names in a form that can be compared. Pure.

A name has a core, legal forms, and words that are part of it as often as not. Two names of one core may be one firm in
two spellings, or two sister firms: only the rest tells.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum

# Legal forms of Denmark and its neighbours without signs: they say how a company is owned, not which it is.
_FORMS = frozenset(
    {"as", "aps", "is", "ks", "ps", "ivs", "amba", "fmba", "smba", "pmba", "ab", "hb", "ag", "gmbh", "ltd", "inc",
     "llc", "oy", "oyj", "bv", "nv", "sa", "kg", "ug"}
)  # fmt: skip
_TWO_LETTERS = frozenset({"as", "is", "ks", "ps"})  # with a sign between them, or a space where it was lost
_SPELT_OUT = {"limited": "ltd", "aktieselskab": "as", "anpartsselskab": "aps"}
# Part of a name as often as not; and v/, before the owner's name.
_WEAK = frozenset({"holding", "group", "gruppen", "danmark", "denmark", "v"})
_AMBIGUOUS = "is"  # I/S without its sign, or ice cream
_SPELLINGS = str.maketrans(
    {"æ": "ae", "ø": "oe", "å": "aa", "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "&": " og ", "+": " og "}
)


class Kin(Enum):
    """What the rest of two names of one core says."""

    SAME = "the same legal form, or none on both sides"
    OPEN = "one side names no legal form"
    SISTER = "another legal form, or a word such as Holding on one side only"


@dataclass(frozen=True, slots=True)
class Name:
    """`core`: see plain_name. `forms`: legal forms. `weak`: words such as Holding, which stand in no core."""

    core: str
    forms: frozenset[str] = frozenset()
    weak: frozenset[str] = frozenset()

    @property
    def is_company(self) -> bool:
        """Whether it carries a legal form; a person's has none, and many people share one."""
        return bool(self.forms) or _AMBIGUOUS in self.weak

    def kin(self, other: Name) -> Kin:
        """To a name of the same core."""
        mine, theirs = self._as_beside(other), other._as_beside(self)
        if mine.weak != theirs.weak:
            return Kin.SISTER
        if mine.forms == theirs.forms:
            return Kin.SAME
        return Kin.SISTER if mine.forms and theirs.forms else Kin.OPEN

    def _as_beside(self, other: Name) -> Name:
        """With IS read as I/S where the other name has that."""
        if _AMBIGUOUS in self.weak and _AMBIGUOUS in other.forms:
            return Name(self.core, self.forms | {_AMBIGUOUS}, self.weak - {_AMBIGUOUS})
        return self


def read_name(name: str) -> Name:
    """Takes a name apart."""
    words, has_sign = _words(name)
    core, spaced = _core(words)
    rest = frozenset(words)
    forms, weak = rest & _FORMS | spaced, rest & _WEAK
    if _AMBIGUOUS in forms - spaced and not has_sign:
        forms, weak = forms - {_AMBIGUOUS}, weak | {_AMBIGUOUS}
    return Name(" ".join(core), forms, weak)


def plain_name(name: str) -> str:
    """Lower case words without accents, punctuation, legal forms and words such as Holding; æ, ø and å as ae, oe and
    aa, as they are spelt out where a keyboard lacks them."""
    return " ".join(_core(_words(name)[0])[0])


def _core(words: list[str]) -> tuple[list[str], frozenset[str]]:
    """Its words, and the legal forms that were typed as two letters at the end."""
    kept = [word for word in words if word not in _FORMS and word not in _WEAK] or words
    spaced = set()
    while len(kept) > 2 and (form := "".join(kept[-2:])) in _TWO_LETTERS:
        spaced.add(form)
        kept = kept[:-2]
    return kept, frozenset(spaced)


def _words(name: str) -> tuple[list[str], bool]:
    """And whether I/S stands in it with its sign."""
    text = unicodedata.normalize("NFC", name).casefold()
    # A/S and A.p.S. fall apart at their signs otherwise.
    text, _ = re.subn(r"\b([akp])\s*/\s*s\b", r"\1s", text)
    text, signs = re.subn(r"\bi\s*/\s*s\b", "is", text)
    text = re.sub(r"\ba\.?\s?p\.?\s?s\.?(?=\W|$)", "aps", text)
    text = re.sub(r"\b([bn])\.\s?v\.?(?=\W|$)", r"\1v", text)
    text = re.sub(r"\ba\.m\.b\.a\.?", "amba", text)
    text = text.translate(_SPELLINGS)
    text = "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))
    return [_SPELT_OUT.get(word, word) for word in re.findall(r"[a-z0-9]+", text)], bool(signs)
