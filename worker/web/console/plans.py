"""A plan as pages and downloads show it: filtered, by the page, each change field by field."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from worker.domain.plan import Change, ChangeKind, FieldChange, LeftOut, Plan
from worker.domain.plan_file import PlanEntry, change_data
from worker.domain.reasons import Language, hint, sentence
from worker.domain.render.values import plain
from worker.domain.values import Value
from worker.engine.engine import Engine
from worker.errors import NotFoundError
from worker.web.spreadsheet import safe

# A page ends with the change that fills it: a new item has many fields, and a page must stay below 100 KB.
_CHANGES = 50
_FIELDS = 300
_FIELDS_SHOWN = 40  # of one change; the page says when there are more
_KEPT = 4


class PlanShelf:
    """The plans that were looked at last. A stored plan never changes, and one of 20,000 changes takes a while to read.
    Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str, str], PlanEntry] = OrderedDict()

    def entry(self, connection: str, job_id: str, profile: str) -> PlanEntry:
        """Raises NotFoundError when there is none, or not yet."""
        key = (connection, job_id, profile.casefold())
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        found = self._engine.plan_of(connection, job_id, profile)
        if found is None:
            raise NotFoundError("This profile is not planned yet.", hint="Look again when the run has got that far.")
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to see of a plan. Blank = all."""

    kind: str = ""
    column: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class ShownField:
    """One column before and after."""

    column: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class ShownChange:
    """One item. `more` counts fields that are not shown."""

    kind: str
    key: str
    title: str
    item_id: int | None
    fields: tuple[ShownField, ...]
    more: int


@dataclass(frozen=True, slots=True)
class PlanPage:
    """Some changes of a plan, and where they stand."""

    changes: list[ShownChange]
    found: int
    page: int
    last: int
    columns: list[str]


def page_of(plan: Plan, wanted: Wanted, page: int) -> PlanPage:
    """The page of changes that fit; a page beyond the last is the last."""
    found = [change for change in plan.changes if _fits(change, wanted)]
    starts = _starts(found, wanted.column)
    at = min(max(1, page), len(starts))
    end = starts[at] if at < len(starts) else len(found)
    changes = [_shown(change, wanted.column) for change in found[starts[at - 1] : end]]
    return PlanPage(changes, len(found), at, len(starts), columns_of(plan))


def _starts(changes: Sequence[Change], column: str) -> list[int]:
    """Where each page begins."""
    starts, fields = [0], 0
    for at, change in enumerate(changes):
        size = 1 if column else min(len(change.fields), _FIELDS_SHOWN)
        if at > starts[-1] and (at - starts[-1] >= _CHANGES or fields + size > _FIELDS):
            starts.append(at)
            fields = 0
        fields += size
    return starts


def columns_of(plan: Plan) -> list[str]:
    """Every column that the plan changes."""
    return sorted({field.column for change in plan.changes for field in change.fields if not field.stamp})


def counts_of(plan: Plan) -> dict[str, int]:
    """Changes by kind."""
    return {kind.value: plan.count(kind) for kind in ChangeKind}


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row that needs a person, with the reason and the next step in the reader's language."""

    key: str
    title: str
    outcome: str
    reason: str
    hint: str
    item_id: int | None
    can_retry: bool


def left_out(rows: tuple[LeftOut, ...], language: Language, limit: int) -> list[ShownRow]:
    """Rows of a plan that would not be written."""
    return [
        ShownRow(
            plain(row.key),
            plain(row.title or ""),
            row.outcome.value,
            sentence(row.code, row.facts, language),
            hint(row.code, language),
            next(iter(row.item_ids), None),
            can_retry=False,
        )
        for row in rows[:limit]
    ]


def as_csv(plan: Plan, wanted: Wanted) -> str:
    """One line for each field; for a spreadsheet, so what a spreadsheet would run is made harmless."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["profile", "kind", "key", "title", "item", "column", "before", "after"])
    for change, field in _lines(plan, wanted):
        head = [plan.profile, change.kind.value, change.key, change.title or "", str(change.item_id or "")]
        writer.writerow([safe(part) for part in [*head, field.column, _cell(field.before), _cell(field.after)]])
    return out.getvalue()


def as_json(plan: Plan, wanted: Wanted) -> str:
    """The changes as a plan file has them."""
    changes = [change_data(change) for change in plan.changes if _fits(change, wanted)]
    data = {"profile": plan.profile, "target": plan.target, "digest": plan.digest, "changes": changes}
    return json.dumps(data, ensure_ascii=False, indent=1)


def _lines(plan: Plan, wanted: Wanted) -> Iterator[tuple[Change, FieldChange]]:
    for change in plan.changes:
        if _fits(change, wanted):
            for field in change.fields:
                if not field.stamp and wanted.column in ("", field.column):
                    yield change, field


def _cell(value: object) -> str:
    return "" if value is None else plain(str(value))


def _fits(change: Change, wanted: Wanted) -> bool:
    if wanted.kind and change.kind.value != wanted.kind:
        return False
    if wanted.column and all(field.column != wanted.column or field.stamp for field in change.fields):
        return False
    text = wanted.text.casefold()
    return not text or text in change.key.casefold() or text in (change.title or "").casefold()


def _shown(change: Change, column: str) -> ShownChange:
    fields = [one for one in change.fields if not one.stamp and column in ("", one.column)]
    if change.kind is ChangeKind.CREATE:
        fields = [one for one in fields if one.after is not None]
    told = tuple(ShownField(one.column, one.before, one.after) for one in fields[:_FIELDS_SHOWN])
    more = len(fields) - len(told)
    return ShownChange(change.kind.value, plain(change.key), plain(change.title or ""), change.item_id, told, more)
