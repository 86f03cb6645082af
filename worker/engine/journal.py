"""What runs overwrote, kept so that a run can be undone: each change with the values that stood there before.

Changes are kept in portions, each before it is sent, so a run that is killed can be undone as far as it came: undoing
looks at what stands in the list, not at what a run believes to have written. A change that is sent again, because
somebody saved the item meanwhile, is kept again with what stands there by then; reading puts the portions together.
What was answered goes into the next portion: of a killed run all else may never have been sent. The whole plan kept
beforehand would be one record, but would hold what the plan saw, not what was overwritten.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from worker.domain.plan import Change
from worker.domain.plan_file import change_data, read_change
from worker.domain.profile import Profile
from worker.domain.profile_row import profile_from_json, profile_to_json
from worker.engine.journal_entries import Portion, put_together, without_disproved, written
from worker.engine.packing import pack, unpack
from worker.errors import ConflictError
from worker.ports import Clock, Records

log = logging.getLogger(__name__)
_MOMENT, _DIGITS = "%Y%m%dT%H%M%S%f", 21


@dataclass(frozen=True, slots=True)
class Kept:
    """One profile's run: what it overwrote, and the items it made (creates; without an id where a kill came first)."""

    run_id: str
    profile: Profile
    changes: tuple[Change, ...]
    existing: int  # items that the list held then
    moment: datetime
    unsure: frozenset[int] = frozenset()  # items of which nobody knows whether their change was ever sent


@dataclass(frozen=True, slots=True)
class _Entry:
    """One record."""

    profile: Profile
    held: int
    moment: datetime
    portion: Portion


class RunJournal:
    """Implements ports.Journal on records; entries older than `keep_days` are cleared away when new ones come."""

    def __init__(self, records: Records, connection: str, clock: Clock, keep_days: int) -> None:
        self._records = records
        self._prefix = f"journal/{connection}/"
        self._clock = clock
        self._portions: dict[str, int] = {}  # of runs in hand
        self._first: dict[str, datetime] = {}  # and the moment before which they kept nothing
        self.keep_days = keep_days

    def keep(self, run_id: str, profile: Profile, held: int, changes: Sequence[Change]) -> None:
        """See ports.Journal. A run that goes on in another process adds to what is kept of it."""
        now = self._clock.now()
        if run_id not in self._portions:
            names = self._records.names(self._prefix)
            self._clear(names, now)
            self._portions[run_id] = len(_portions_of(run_id, names))
            self._first[run_id] = _after(name for name in names if not _is_of(run_id, name))
        head = {"run": run_id, "at": now.isoformat(), "profile": profile_to_json(profile), "held": held}
        content = pack([head, *(change_data(change) for change in changes)])
        begin = f"{self._prefix}{max(now, self._first[run_id]):{_MOMENT}}-{_mark(run_id)}"
        while not self._added(f"{begin}.{self._portions[run_id]:06}", content):
            self._portions[run_id] += 1
        self._portions[run_id] += 1

    def read(self, run_id: str) -> Kept | None:
        """None when it is not kept, or damaged. Where the run was killed over a change, later runs are read too: they
        may have found that it was never done."""
        names = self._records.names(self._prefix)
        found = [self._entry(name) for name in _portions_of(run_id, names)]
        entries = [one for one in found if one is not None]
        if not entries or len(entries) < len(found):
            return None
        head, known = entries[0], put_together(one.portion for one in entries)
        since = min((one.since for one in known.values() if one.since), default="")
        if since:
            others = [name for name in names if _moment_of(name) > since and not _is_of(run_id, name)]
            known = without_disproved(known, self._same_list(others, head.profile))
        last = list(written(known))
        unsure = frozenset(one.change.item_id for one in last if one.since and one.change.item_id is not None)
        return Kept(run_id, head.profile, tuple(one.change for one in last), head.held, head.moment, unsure)

    def _same_list(self, names: Sequence[str], profile: Profile) -> Iterator[Portion]:
        """What runs over the same list, by the same key, kept."""
        for name in names:
            entry = self._entry(name)
            if entry and (entry.profile.target, entry.profile.key_target) == (profile.target, profile.key_target):
                yield entry.portion

    def _entry(self, name: str) -> _Entry | None:
        """None when it is damaged, or was cleared away in this moment."""
        record = self._records.read(name)
        if record is None:
            return None
        try:
            head, *rows = unpack(record.content)
            profile = profile_from_json(head["profile"], "a kept profile")
            portion = Portion(_moment_of(name), [read_change(row) for row in rows])
            return _Entry(profile, int(head["held"]), datetime.fromisoformat(head["at"]), portion)
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


def _portions_of(run_id: str, names: Sequence[str]) -> list[str]:
    """In the order they were kept."""
    return sorted((name for name in names if _is_of(run_id, name)), key=lambda name: (name.rpartition(".")[2], name))


def _is_of(run_id: str, name: str) -> bool:
    return f"-{_mark(run_id)}." in name


def _after(names: Iterable[str]) -> datetime:
    """A moment after all of these: which of two runs came later is told by their names, whatever the clock shows."""
    last = max((_moment_of(name) for name in names), default="")
    if not last:
        return datetime.min.replace(tzinfo=UTC)
    return datetime.strptime(last.ljust(_DIGITS, "0"), _MOMENT).replace(tzinfo=UTC) + timedelta(microseconds=1)


def _moment_of(name: str) -> str:
    """When it was kept, as a text that sorts."""
    return name.rpartition("/")[2].partition("-")[0]


def _mark(run_id: str) -> str:
    """Run ids hold titles of profiles; names of records may not."""
    return hashlib.sha256(run_id.encode()).hexdigest()[:20]
