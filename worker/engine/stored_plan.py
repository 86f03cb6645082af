"""A job's plans and what became of them, as records.

A plan is stored once, before anything of it is written, with what is needed to prove it afterwards. Outcomes are stored
in segments, one for each chunk of changes; a segment is written before the checkpoint that counts it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice
from typing import Any

from worker.domain.plan import Change, Plan
from worker.domain.plan_file import (
    PlanEntry,
    change_data,
    left_out_data,
    plan_to_data,
    read_change,
    read_left_out,
    read_plan,
)
from worker.domain.planning import Planned
from worker.domain.report import RowResult
from worker.domain.rows import RunFacts
from worker.engine.packing import fingerprint, pack, unpack
from worker.errors import FatalError
from worker.ports import ANY_VERSION, Records
from worker.sync.applier import Applied

_DAMAGED = "What was kept of this run is damaged ({what}); nothing more was written."
_ANEW = "Start the run again: it plans anew and finds what is done already."


class DamagedError(FatalError):
    """A record of a job is missing, damaged or altered."""

    def __init__(self, what: str) -> None:
        super().__init__(_DAMAGED.format(what=what), hint=_ANEW)


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """One profile's plan with the facts of its run."""

    planned: Planned
    facts: RunFacts
    profile_digest: str
    braked: tuple[str, ...] = ()

    @property
    def plan(self) -> Plan:
        """The plan itself."""
        return self.planned.plan


class Shelf:
    """The records of one job."""

    def __init__(self, records: Records, prefix: str) -> None:
        self._records = records
        self._prefix = prefix

    def put_plan(self, index: int, stored: StoredPlan) -> str:
        """Stores the plan of the job's profile number `index`; returns its fingerprint."""
        return self._put(f"plan-{index}", pack(_plan_rows(stored)))

    def plan(self, index: int, expected: str | None = None) -> StoredPlan | None:
        """The plan, None when there is none yet. Raises DamagedError when it is not what was stored."""
        content = self._get(f"plan-{index}", expected, "its plan")
        if content is None:
            return None
        try:
            stored = _read_plan_rows(unpack(content))
        except (ValueError, KeyError, TypeError, LookupError):
            raise DamagedError("its plan") from None
        return stored

    def put_rest(
        self, index: int, position: int, rest: Sequence[Change], settled: Sequence[tuple[int, Applied]]
    ) -> str:
        """Stores how the changes from `position` on are to be done after the list was found changed. `settled`:
        numbers of changes that need no write any more, with their outcome."""
        rows = [[number, change_data(change)] for number, change in enumerate(rest, position)]
        done = [[number, one.code, _texts(one.facts), one.done] for number, one in settled]
        return self._put(f"rest-{index}", pack([[position, done], *rows]))

    def rest(self, index: int, expected: str, changes: Sequence[Change]) -> tuple[list[Change], dict[int, Applied]]:
        """All changes with the rest in the form of the newest planning, and those that are settled without a write."""
        content = self._get(f"rest-{index}", expected, "its plan")
        if content is None:
            raise DamagedError("its plan")
        rows = unpack(content)
        position, done = next(rows)
        newest = [*changes[:position], *(read_change(data) for _, data in rows)]
        settled = {number: Applied(newest[number], ok, code, facts) for number, code, facts, ok in done}
        return newest, settled

    def put_segment(self, index: int, number: int, start: int, outcomes: Sequence[Applied]) -> None:
        """Stores the outcomes of the changes from `start` on."""
        undone = [[at, o.code, _texts(o.facts), o.item_id] for at, o in enumerate(outcomes, start) if not o.done]
        made = [[at, o.item_id] for at, o in enumerate(outcomes, start) if o.done and o.change.item_id is None]
        self._put(f"outcomes-{index}-{number:06}", pack([[start, len(outcomes)], undone, made]))

    def outcomes(self, index: int, segments: int, changes: Sequence[Change]) -> list[Applied]:
        """Everything that is settled, in the order of the changes."""
        found: list[Applied] = []
        for number in range(segments):
            content = self._get(f"outcomes-{index}-{number:06}", None, "its outcomes")
            if content is None:
                raise DamagedError("its outcomes")
            try:
                (start, count), undone, made = unpack(content)
            except ValueError:
                raise DamagedError("its outcomes") from None
            if start != len(found):
                raise DamagedError("its outcomes")
            ids = dict(made)
            left = {at: (code, facts, item_id) for at, code, facts, item_id in undone}
            for at in range(start, start + count):
                change = changes[at]
                if at in left:
                    code, facts, item_id = left[at]
                    found.append(Applied(change, False, code, facts, item_id))
                else:
                    found.append(Applied(change, True, item_id=ids.get(at, change.item_id)))
        return found

    def put_rows(self, index: int, rows: Sequence[RowResult]) -> None:
        """Stores the rows that need a person."""
        self._put(f"rows-{index}", pack([r.key, r.outcome, r.code, _texts(r.facts), r.item_id, r.title] for r in rows))

    def rows(self, index: int) -> list[RowResult]:
        """Those rows; none before the run is over."""
        content = self._get(f"rows-{index}", None, "its rows")
        try:
            return [RowResult(*row) for row in unpack(content)] if content else []
        except ValueError:
            raise DamagedError("its rows") from None

    def entry(self, index: int) -> PlanEntry | None:
        """The plan as people and programs get it."""
        stored = self.plan(index)
        return None if stored is None else PlanEntry(stored.plan, stored.profile_digest, stored.braked)

    def put(self, name: str, rows: Sequence[Any]) -> None:
        """Stores something small under a name of its own."""
        self._put(name, pack(rows))

    def get(self, name: str) -> list[Any] | None:
        """The reverse. Raises DamagedError."""
        content = self._get(name, None, name)
        try:
            return None if content is None else list(unpack(content))
        except ValueError:
            raise DamagedError(name) from None

    def _put(self, name: str, content: bytes) -> str:
        self._records.write(f"{self._prefix}{name}", content, ANY_VERSION)
        return fingerprint(content)

    def _get(self, name: str, expected: str | None, what: str) -> bytes | None:
        record = self._records.read(f"{self._prefix}{name}")
        if expected is not None and (record is None or fingerprint(record.content) != expected):
            raise DamagedError(what)
        return None if record is None else record.content


def _plan_rows(stored: StoredPlan) -> Iterator[Any]:
    plan, facts = stored.plan, stored.facts
    yield {
        "run": facts.run_id,
        "started": facts.started.isoformat(),
        "today": facts.today.isoformat(),
        "profileDigest": stored.profile_digest,
        "braked": list(stored.braked),
        "digest": plan.digest,
        "plan": plan_to_data(replace(plan, changes=(), left_out=())),
        "counts": [len(plan.changes), len(plan.left_out)],
    }
    yield from (change_data(change) for change in plan.changes)
    yield from (left_out_data(row) for row in plan.left_out)
    yield from ([key, text] for key, text in stored.planned.expected.items())


def _read_plan_rows(rows: Iterator[Any]) -> StoredPlan:
    head: Mapping[str, Any] = next(rows)
    count, left = head["counts"]
    changes = tuple(map(read_change, islice(rows, count)))
    left_out = tuple(map(read_left_out, islice(rows, left)))
    plan = replace(read_plan(head["plan"]), changes=changes, left_out=left_out)
    if plan.digest != head["digest"] or len(left_out) != left:
        raise ValueError("altered")
    facts = RunFacts(head["run"], datetime.fromisoformat(head["started"]), date.fromisoformat(head["today"]))
    return StoredPlan(Planned(plan, dict(rows)), facts, head["profileDigest"], tuple(head["braked"]))


def _texts(facts: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in facts.items()}
