"""What runs overwrote, kept so that a run can be undone: each change with the values that stood there before.

Changes are kept in portions, each before it is sent, so a run that is killed can be undone as far as it came: undoing
looks at what stands in the list, not at what a run believes to have written. A change that is sent again, because
somebody saved the item meanwhile, is kept again with what stands there by then; reading puts the portions together. The
whole plan kept beforehand would be one record, but would hold what the plan saw, not what was overwritten.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from worker.domain.encode import encode_value
from worker.domain.plan import Change, ChangeKind
from worker.domain.plan_file import change_data, read_change
from worker.domain.profile import Profile
from worker.domain.profile_row import profile_from_json, profile_to_json
from worker.engine.packing import pack, unpack
from worker.errors import ConflictError
from worker.ports import Clock, Records

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """One profile's run: what it overwrote, and the items it made (creates; without an id where a kill came first)."""

    run_id: str
    profile: Profile
    changes: tuple[Change, ...]
    existing: int  # items that the list held then
    moment: datetime


class RunJournal:
    """Implements ports.Journal on records; entries older than `keep_days` are cleared away when new ones come."""

    def __init__(self, records: Records, connection: str, clock: Clock, keep_days: int) -> None:
        self._records = records
        self._prefix = f"journal/{connection}/"
        self._clock = clock
        self._portions: dict[str, int] = {}  # of runs in hand
        self.keep_days = keep_days

    def keep(self, run_id: str, profile: Profile, held: int, changes: Sequence[Change]) -> None:
        """See ports.Journal. A run that goes on in another process adds to what is kept of it."""
        now = self._clock.now()
        if run_id not in self._portions:
            names = self._records.names(self._prefix)
            self._clear(names, now)
            self._portions[run_id] = len(_portions_of(run_id, names))
        head = {"run": run_id, "at": now.isoformat(), "profile": profile_to_json(profile), "held": held}
        content = pack([head, *(change_data(change) for change in changes)])
        begin = f"{self._prefix}{now:%Y%m%dT%H%M%S}-{_mark(run_id)}"
        while not self._added(f"{begin}.{self._portions[run_id]:06}", content):
            self._portions[run_id] += 1
        self._portions[run_id] += 1

    def read(self, run_id: str) -> Kept | None:
        """None when it is not kept, or damaged."""
        names = _portions_of(run_id, self._records.names(self._prefix))
        records = [self._records.read(name) for name in names]
        try:
            portions = [list(unpack(record.content)) for record in records if record is not None]
            if not portions:
                return None
            head = portions[0][0]
            profile = profile_from_json(head["profile"], "a kept profile")
            changes = _put_together(read_change(row) for portion in portions for row in portion[1:])
            return Kept(run_id, profile, changes, int(head["held"]), datetime.fromisoformat(head["at"]))
        except (ValueError, KeyError, TypeError, LookupError):
            log.warning("an entry of the journal is damaged")
            return None

    def _added(self, name: str, content: bytes) -> bool:
        """False when a process that was taken for dead has just added one of this number."""
        try:
            self._records.write(name, content, None)
        except ConflictError:
            return False
        return True

    def _clear(self, names: Sequence[str], now: datetime) -> None:
        oldest = f"{self._prefix}{now - timedelta(days=self.keep_days):%Y%m%dT%H%M%S}"
        for name in names:
            if name >= oldest:
                return
            self._records.remove(name)


def _put_together(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Each item once, in the order they were first kept, with what is known of it in the end."""
    found: dict[object, Change] = {}
    for change in changes:
        made = change.kind is ChangeKind.CREATE or change.item_id is None
        ident = ("new", change.key) if made else change.item_id
        found[ident] = _joined(found.get(ident), change)
    whole = (_as_written(change) for change in found.values())
    return tuple(one for one in whole if one.kind is ChangeKind.CREATE or any(not f.stamp for f in one.fields))


def _joined(before: Change | None, change: Change) -> Change:
    if before is None:
        return change
    fields = {one.column: one for one in (*before.fields, *change.fields)}
    return replace(
        change,
        fields=tuple(fields.values()),
        item_id=change.item_id if change.item_id is not None else before.item_id,
        title=change.title or before.title,
    )


def _as_written(change: Change) -> Change:
    """Without columns that were not written after all."""
    fields = tuple(one for one in change.fields if encode_value(one.before) != encode_value(one.after))
    return replace(change, fields=fields)


def _portions_of(run_id: str, names: Sequence[str]) -> list[str]:
    """In the order they were kept."""
    mark = f"-{_mark(run_id)}."
    return sorted((name for name in names if mark in name), key=lambda name: (name.rpartition(".")[2], name))


def _mark(run_id: str) -> str:
    """Run ids hold titles of profiles; names of records may not."""
    return hashlib.sha256(run_id.encode()).hexdigest()[:20]
