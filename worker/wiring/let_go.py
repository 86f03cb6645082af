"""Which numbers runs took from companies because e-conomic gave them to somebody else; remembered for a while.

A company that lost its number no longer tells where rows belong that a renumbering, broken off before, left under an
even earlier one. A session that saw the number itself needs no note; after one that was killed, or a slice of the
engine that ended, nothing else knows it. Refused: to keep the number in the list, where people would take it for valid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from worker.domain.existing import key_text
from worker.domain.plan import Change
from worker.domain.profile import Profile
from worker.domain.values import TargetKind
from worker.engine.json_record import JsonRecord
from worker.ports import Clock, Journal, Records
from worker.sync.planner import COMPANY_KEY

_KEPT = timedelta(days=60)  # a profile may run once a month
_MOST = 5000

Noted = Mapping[int, tuple[str, str]]  # company item -> its number, and when it was taken (ISO, UTC)


class LetGoBook:
    """One connection's. Thread- and process-safe, as the store is."""

    def __init__(self, records: Records, connection: str, clock: Clock) -> None:
        self._record: JsonRecord[Noted] = JsonRecord(records, f"let-go/{connection}", {}, _load, _dump)
        self._clock = clock

    def read(self) -> dict[int, str]:
        """Company item -> number. A damaged record counts as none."""
        return {item: number for item, (number, _) in self._young(self._record.read()).items()}

    def note(self, profile: Profile, changes: Sequence[Change]) -> None:
        """Companies that lose their number by these changes; one that gets another is spoken for again. Raises
        ConflictError when too many processes write."""
        lost = _numbers_lost(changes) if profile.target is TargetKind.COMPANY else {}
        if not lost:
            return
        now = self._clock.now().isoformat()

        def change(before: Noted) -> Noted:
            after = {item: noted for item, noted in self._young(before).items() if item not in lost}
            after |= {item: (number, now) for item, number in lost.items() if number is not None}
            return dict(list(after.items())[-_MOST:])

        self._record.change(change)

    def _young(self, noted: Noted) -> dict[int, tuple[str, str]]:
        oldest = self._clock.now() - _KEPT
        return {item: one for item, one in noted.items() if datetime.fromisoformat(one[1]) >= oldest}


class LetGoJournal:
    """Implements ports.Journal: notes in a book, then keeps as another journal does."""

    def __init__(self, journal: Journal, book: LetGoBook) -> None:
        self._journal = journal
        self._book = book

    def keep(self, run_id: str, profile: Profile, held: int, changes: Sequence[Change]) -> None:
        """See ports.Journal."""
        self._book.note(profile, changes)
        self._journal.keep(run_id, profile, held, changes)


def _numbers_lost(changes: Sequence[Change]) -> dict[int, str | None]:
    """Company item -> the number that it has for the last time; None where it gets one."""
    found: dict[int, str | None] = {}
    for change in changes:
        for one in change.fields:
            if one.column == COMPANY_KEY and change.item_id is not None:
                found[change.item_id] = key_text(one.before) if one.after is None else None
    return found


def _load(data: Any) -> Noted:
    noted = {int(item): (str(number), str(moment)) for item, (number, moment) in data.items()}
    for _, moment in noted.values():
        if datetime.fromisoformat(moment).tzinfo is None:
            raise ValueError("a moment without its zone")
    return noted


def _dump(noted: Noted) -> dict[str, list[str]]:
    return {str(item): list(one) for item, one in noted.items()}
