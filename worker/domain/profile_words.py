"""The words a person may type in a profile, and what they mean. Any case, stray blanks, Danish yes and no."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

from worker.domain.fields import SOURCE_ALIASES
from worker.domain.profile import ImportType, OnBlank, OnMissing, PeriodType, RunRequest, SourceKind, WriteRule
from worker.domain.values import TargetKind

Word = TypeVar("Word", bound=StrEnum)

_TARGET_ALIASES = {
    "company": TargetKind.COMPANY,
    "companies": TargetKind.COMPANY,
    "contact": TargetKind.CONTACT,
    "contacts": TargetKind.CONTACT,
    "invoices": TargetKind.INVOICE,
    "statistics": TargetKind.STATISTICS,
}
_IMPORT_ALIASES = {
    "import and update": ImportType.IMPORT_AND_UPDATE,
    "import og opdater": ImportType.IMPORT_AND_UPDATE,
    "opdater": ImportType.UPDATE,
}
_YES = frozenset({"yes", "true", "1", "ja", "on"})
_NO = frozenset({"no", "false", "0", "nej", "off"})


def plain(text: object) -> str:
    """Lower case, single blanks, blanks around an ampersand."""
    return " ".join(str(text).replace("&", " & ").split()).casefold()


def word(kind: type[Word], text: object, aliases: Mapping[str, Word] | None = None) -> Word | None:
    """The member that `text` names; None when it names none."""
    typed = plain(text)
    return next((member for member in kind if plain(member.value) == typed), (aliases or {}).get(typed))


def source_kind(text: object) -> SourceKind | None:
    """Debtor and Customer are the same source."""
    return SOURCE_ALIASES.get(plain(text))


def target_kind(text: object) -> TargetKind | None:
    return word(TargetKind, text, _TARGET_ALIASES)


def import_type(text: object) -> ImportType | None:
    return word(ImportType, text, _IMPORT_ALIASES)


def write_rule(text: object) -> WriteRule | None:
    return word(WriteRule, text)


def on_blank(text: object) -> OnBlank | None:
    return word(OnBlank, text, {"keep": OnBlank.KEEP})


def on_missing(text: object) -> OnMissing | None:
    return word(OnMissing, text)


def run_request(text: object) -> RunRequest:
    """Anything but a known request is none."""
    return word(RunRequest, text) or RunRequest.NONE


def period_type(text: object) -> PeriodType | None:
    return word(PeriodType, text)


def yes_no(value: object) -> bool | None:
    """True, False, or None when it is neither."""
    if isinstance(value, bool):
        return value
    typed = plain(value)
    return True if typed in _YES else False if typed in _NO else None


def did_you_mean(text: object, candidates: Iterable[str]) -> str:
    """' Did you mean X?' for the closest candidate, else nothing."""
    by_plain = {plain(one): one for one in candidates}
    close = difflib.get_close_matches(plain(text), by_plain, n=1, cutoff=0.6)
    return f" Did you mean '{by_plain[close[0]]}'?" if close else ""
