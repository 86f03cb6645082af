"""Row results as the current state: one row per profile and source key, never a diary. Pure.

A failure that stands as it stood is no news and costs no write; a row that is well again turns to Healed; one that
fails again starts anew.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal

from worker.domain.fit import fit
from worker.domain.reasons import Language, hint, sentence
from worker.domain.report import RowResult, RunMode, RunReport, RunStatus
from worker.domain.values import Column, ColumnKind, Item, Value

HEALED = "Healed"
_COMPARED = ("Outcome", "ReasonCode", "Reason", "Hint", "TargetItemID")
KNOWN_COLUMNS = ("ResultKey", "Profile", "SourceKey", *_COMPARED)
# Only a run that looked at every row can say that one is well.
_COMPLETE = frozenset({RunStatus.SUCCEEDED, RunStatus.WITH_ERRORS})
_LONGEST_KEY = 200
_TEXT = Column("text", "text", "text", ColumnKind.TEXT)
_NOTE = Column("note", "note", "note", ColumnKind.NOTE)


def is_judged(report: RunReport) -> bool:
    """Whether a run says anything about rows."""
    return report.mode is RunMode.APPLY and (report.status in _COMPLETE or bool(report.rows))


def news(
    report: RunReport, known: Mapping[str, Item], language: Language
) -> Iterator[tuple[str, int | None, dict[str, Value]]]:
    """What changes in the list: key, item to update (None = new row), values. `known`: result key -> row."""
    seen: Counter[str] = Counter()
    for result in report.rows:
        seen[result.key] += 1
        key = result_key(report.profile, result.key, seen[result.key])
        row = _row(report, result, key, language)
        there = known.get(key)
        if there is None:
            yield key, None, {**row, "Since": report.started}
        elif any(there.values[name] != row[name] for name in _COMPARED):
            again: dict[str, Value] = {"Since": report.started} if there.values["Outcome"] == HEALED else {}
            yield key, there.item_id, {**row, **again}
    if report.status in _COMPLETE:
        standing = {result_key(report.profile, key, n) for key, count in seen.items() for n in range(1, count + 1)}
        yield from _healed(report, known, standing)


def _healed(
    report: RunReport, known: Mapping[str, Item], standing: set[str]
) -> Iterator[tuple[str, int | None, dict[str, Value]]]:
    for key, there in known.items():
        ours = there.values["Profile"] == report.profile
        looked_at = report.judged is None or there.values["SourceKey"] in report.judged
        if ours and looked_at and key not in standing and there.values["Outcome"] != HEALED:
            yield key, there.item_id, {"Outcome": HEALED, "RunID": report.run_id}


def result_key(profile: str, key: str, occurrence: int = 1) -> str:
    """Profile and source key; numbered when a key fails several times in one run, a digest when it gets too long."""
    text = f"{profile}|{key}" + (f"|{occurrence}" if occurrence > 1 else "")
    return text if len(text) <= _LONGEST_KEY else hashlib.sha256(text.encode()).hexdigest()


def _row(report: RunReport, result: RowResult, key: str, language: Language) -> dict[str, Value]:
    return {
        "ResultKey": key,
        "Title": fit(result.title or result.key or "?", _TEXT, shorten=True),
        "RunID": report.run_id,
        "Profile": report.profile,
        "SourceKey": fit(result.key, _TEXT, shorten=True),
        "TargetItemID": None if result.item_id is None else Decimal(result.item_id),
        "Outcome": result.outcome,
        "ReasonCode": result.code,
        "Reason": fit(sentence(result.code, result.facts, language), _NOTE),
        "Hint": fit(hint(result.code, language), _NOTE),
    }
