"""From rows and items to a plan. Pure: reads nothing, writes nothing.

Each source row ends in one decision (create, update, unchanged, left out); what remains of the target's items was not
in the source and is flagged when the profile says so. Matching follows three rules: one item with the key is updated,
none is created, two or more are an error that names them. A row's key counts as present even when the row itself is
filtered out or fails, so that neither can make an item look missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from worker.domain.encode import encode_value
from worker.domain.existing import ExistingIndex, Stored
from worker.domain.fit import fit
from worker.domain.mapping import Mapper
from worker.domain.plan import Change, ChangeKind, ControlSum, FieldChange, LeftOut, Plan, RowOutcome
from worker.domain.policy import POLICIES, Decision, Unchanged
from worker.domain.profile import FieldRule, OnBlank, OnMissing, Profile, WriteRule
from worker.domain.values import Value
from worker.errors import RowError

STATUS_COLUMN = "ERPStatus"
MISSING = "Missing in ERP"
_ORDER = {ChangeKind.CREATE: 0, ChangeKind.UPDATE: 1, ChangeKind.FLAG: 2}
# Rows that wait for an earlier profile of the same plan are no failures.
_SKIPPING = frozenset({"company-planned"})


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row as the catalogue's fields read it; `in_scope` is False when the profile's filter leaves it out."""

    record: object
    in_scope: bool = True


@dataclass(frozen=True)
class Planned:
    """A plan and what is needed to prove it afterwards.

    `expected`: for each row in scope its key and the control values, encoded, in the order of `plan.controls`;
    empty when the profile has no control column.
    """

    plan: Plan
    expected: dict[str, str] = field(default_factory=dict)


def build_plan(
    profile: Profile, mapper: Mapper, rows: Iterable[SourceRow], existing: ExistingIndex, as_of: date
) -> Planned:
    """The plan that makes the target true. Empties `existing` as it goes, to keep memory flat."""
    return _Planning(profile, mapper, existing).run(rows, as_of)


class _Planning:
    def __init__(self, profile: Profile, mapper: Mapper, existing: ExistingIndex) -> None:
        self.profile = profile
        self.mapper = mapper
        self.existing = existing
        self.policy = POLICIES[profile.import_type]
        self.positions = [existing.positions[rule.target] for rule in mapper.rules]
        self.stamps = [bool(f and f.stamp) for f in mapper.fields]
        self.control_at = [
            at
            for at, (rule, f) in enumerate(zip(mapper.rules, mapper.fields, strict=True))
            if f and f.control and rule.write is WriteRule.ERP_OWNS
        ]
        self.seen: set[str] = set()
        self.expected: dict[str, str] = {}
        self.sums = [Decimal(0)] * len(self.control_at)
        self.left_sums = [Decimal(0)] * len(self.control_at)
        self.still_missing: list[tuple[str, int]] = []
        self.changes: list[Change] = []
        self.left_out: list[LeftOut] = []
        self.counts: Counter[str] = Counter()
        self.blanked: Counter[str] = Counter()
        self.filled: Counter[str] = Counter()

    def run(self, rows: Iterable[SourceRow], as_of: date) -> Planned:
        existing = self.existing.keyed
        for row in rows:
            self.counts["rows"] += 1
            self._row(row)
        if self.profile.on_missing is OnMissing.FLAG:
            self._flag_missing()
        plan = Plan(
            profile=self.profile.title,
            target=self.profile.target.value,
            import_type=self.profile.import_type.value,
            as_of=as_of,
            changes=tuple(sorted(self.changes, key=_order)),
            left_out=tuple(sorted(self.left_out, key=lambda row: _natural(row.key))),
            source_rows=self.counts["rows"],
            unchanged=self.counts["unchanged"],
            filtered=self.counts["filtered"],
            existing=existing,
            blanked=dict(self.blanked),
            filled=dict(self.filled),
            controls=self._controls(),
            still_missing=tuple(sorted(self.still_missing)),
        )
        return Planned(plan, self.expected)

    def _controls(self) -> tuple[ControlSum, ...]:
        rules = self.mapper.rules
        return tuple(
            ControlSum(rules[at].target, rules[at].source or "", total, left)
            for at, total, left in zip(self.control_at, self.sums, self.left_sums, strict=True)
        )

    def _row(self, row: SourceRow) -> None:
        key = ""
        try:
            key = self.mapper.key(row.record)
            if key in self.seen:
                raise RowError("key-duplicate-source", {"key": key})
            self.seen.add(key)
            if not row.in_scope:
                self.counts["filtered"] += 1
                return
            self._decide(key, row.record)
        except RowError as error:
            outcome = RowOutcome.SKIPPED if error.code in _SKIPPING else RowOutcome.FAILED
            title = self.mapper.title(row.record)
            left = LeftOut(key, outcome, error.code, error.facts, _ids(error), title)
            self._leave_out(left, row.record)

    def _leave_out(self, left: LeftOut, record: object) -> None:
        self.left_out.append(left)
        for position, at in enumerate(self.control_at):
            source = self.mapper.fields[at]
            value = source.read(record) if source else None
            if isinstance(value, Decimal):
                self.left_sums[position] += value

    def _decide(self, key: str, record: object) -> None:
        values = self.mapper.values(record)
        items = self.existing.take(key)
        if len(items) > 1:
            ids = tuple(item.item_id for item in items)
            raise RowError("key-ambiguous", {"key": key, "items": ", ".join(map(str, ids))})
        title = self.mapper.title(record)
        decision = self._update(key, title, values, items[0]) if items else self._create(key, title, values)
        kept = self.policy(decision)
        if isinstance(kept, LeftOut):
            self._leave_out(kept, record)
        else:
            self._keep(kept, key, values)

    def _keep(self, decision: Change | Unchanged | None, key: str, values: Sequence[Value]) -> None:
        match decision:
            case Unchanged():
                self.counts["unchanged"] += 1
            case Change():
                self.changes.append(decision)
        if self.control_at:
            self._expect(key, values)

    def _expect(self, key: str, values: Sequence[Value]) -> None:
        chosen = [values[at] for at in self.control_at]
        self.expected[key] = "|".join(map(encode_value, chosen))
        for position, value in enumerate(chosen):
            if isinstance(value, Decimal):
                self.sums[position] += value

    def _create(self, key: str, title: str | None, values: Sequence[Value]) -> Change:
        fields = tuple(
            FieldChange(rule.target, None, value, stamp)
            for rule, value, stamp in zip(self.mapper.rules, values, self.stamps, strict=True)
            if value is not None
        )
        return Change(ChangeKind.CREATE, key, fields, title=title)

    def _update(self, key: str, title: str | None, values: Sequence[Value], item: Stored) -> Decision:
        fields: list[FieldChange] = []
        for rule, value, position, stamp in zip(self.mapper.rules, values, self.positions, self.stamps, strict=True):
            change = self._field(rule, value, item, position, stamp)
            if change is not None:
                fields.append(change)
        if all(change.stamp for change in fields):
            return Unchanged(key, item.item_id, title)
        return Change(ChangeKind.UPDATE, key, tuple(fields), item.item_id, item.version, title)

    def _field(self, rule: FieldRule, value: Value, item: Stored, position: int, stamp: bool) -> FieldChange | None:
        text = item.texts[position]
        filled = text != "n:"
        if filled and not stamp:
            self.filled[rule.target] += 1
        if encode_value(value) == text or not may_write(rule.write, filled=filled):
            return None
        if value is None:
            if self.profile.on_blank is OnBlank.KEEP:
                return None
            self.blanked[rule.target] += 1
        return FieldChange(rule.target, item.value(position), value, stamp)

    def _flag_missing(self) -> None:
        position = self.existing.positions[STATUS_COLUMN]
        column = self.existing.columns[position]
        missing = fit(MISSING, column)
        for key, items in self.existing.rest():
            if key in self.seen:
                continue
            for item in items:
                if item.value(position) == missing:
                    self.still_missing.append((key, item.item_id))
                    continue
                change = FieldChange(STATUS_COLUMN, item.value(position), missing)
                self._flag(Change(ChangeKind.FLAG, key, (change,), item.item_id, item.version))

    def _flag(self, change: Change) -> None:
        kept = self.policy(change)
        if isinstance(kept, Change):
            self.changes.append(kept)


def may_write(rule: WriteRule, *, filled: bool) -> bool:
    """Whether a rule lets a column of an existing item be written."""
    match rule:
        case WriteRule.ERP_OWNS:
            return True
        case WriteRule.FILL_IF_BLANK:
            return not filled
        case WriteRule.ON_CREATE_ONLY:
            return False


def _ids(error: RowError) -> tuple[int, ...]:
    items = error.facts.get("items")
    return tuple(int(part) for part in items.split(", ")) if isinstance(items, str) else ()


def _order(change: Change) -> tuple[int, tuple[int, str], int]:
    return _ORDER[change.kind], _natural(change.key), change.item_id or 0


def _natural(key: str) -> tuple[int, str]:
    """Customer numbers in number order, other keys by text after them."""
    return (int(key), "") if key.isdecimal() and len(key) < 16 else (10**16, key)
