"""From rows and items to a plan. Pure: reads nothing, writes nothing.

Each source row ends in one decision (create, update, unchanged, left out); what remains of the target's items was not
in the source and is flagged when the profile says so. Matching follows three rules: one item with the key is updated,
none is created, two or more are an error that names them. A row's key counts as present even when the row itself is
filtered out or fails, so that neither can make an item look missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from worker.domain.encode import encode_value
from worker.domain.existing import ExistingIndex, Stored, key_text
from worker.domain.fit import fit
from worker.domain.key_order import in_order
from worker.domain.mapping import Mapper
from worker.domain.plan import Change, ChangeKind, ControlSum, FieldChange, LeftOut, Plan, RowOutcome
from worker.domain.policy import POLICIES, Decision, Unchanged
from worker.domain.profile import FieldRule, OnBlank, OnMissing, Profile, SourceKind, WriteRule
from worker.domain.profile_customer import COMPANY_COLUMN, key_separator
from worker.domain.values import Value
from worker.errors import RowError

STATUS_COLUMN = "ERPStatus"
MISSING = "Missing in ERP"
SINCE_COLUMN = "ERPMissingSince"  # the day an item was flagged
REVIEW_COLUMN = "PrivacyReview"  # of a person who is no contact any more: may we still keep what we know?
TO_DO = "To do"
_ORDER = {ChangeKind.CREATE: 0, ChangeKind.UPDATE: 1, ChangeKind.FLAG: 2}
# Rows that wait for their company are no failures.
_SKIPPING = frozenset({"company-planned", "company-waits"})


@dataclass(frozen=True, slots=True)
class Held:
    """Why nothing of a customer may be written now: a code of `domain.reasons`, and its facts."""

    code: str
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row as the catalogue's fields read it; `in_scope` is False when the profile's filter leaves it out. A `held`
    row counts as present and is not written."""

    record: object
    in_scope: bool = True
    held: Held | None = None


@dataclass(frozen=True)
class Planned:
    """A plan and what is needed to prove it afterwards.

    `expected`: for each row in scope its key and the control values, encoded, in the order of `plan.controls`;
    empty when the profile has no control column.
    """

    plan: Plan
    expected: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moves:
    """What changed numbers mean for a list, whose `column` holds them.

    `numbers`: old -> new. `by_company`: the same by number and company item, for numbers that are `shared`: somebody
    else has them by now, so that only the company tells whose a row is. `let_go`: key -> the item that carries it and
    is another customer's. `kept`: numbers of customers that wait for a person's answer; nothing of theirs is flagged.
    `writes_keys` False: another profile gives the items their new keys.
    """

    numbers: Mapping[str, str] = field(default_factory=dict)
    by_company: Mapping[tuple[str, int], str] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()
    column: str | None = None
    let_go: Mapping[str, Stored] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    writes_keys: bool = True

    def new_number(self, number: str, company: Value) -> str | None:
        """Of a row with this number and company item; None when it stays."""
        found = self.by_company.get((number, company)) if isinstance(company, int) else None
        return found or (None if number in self.shared else self.numbers.get(number))


def build_plan(
    profile: Profile,
    mapper: Mapper,
    rows: Iterable[SourceRow],
    existing: ExistingIndex,
    as_of: date,
    moves: Moves | None = None,
) -> Planned:
    """The plan that makes the target true. Empties `existing` as it goes, to keep memory flat."""
    return _Planning(profile, mapper, existing, as_of, moves or Moves()).run(rows, as_of)


class _Planning:
    def __init__(self, profile: Profile, mapper: Mapper, existing: ExistingIndex, as_of: date, moves: Moves) -> None:
        self.moves = moves
        self.as_of = as_of
        self.profile = profile
        self.mapper = mapper
        self.existing = existing
        self.policy = POLICIES[profile.import_type]
        self.separator = key_separator(profile)
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
        self._rest()
        plan = Plan(
            profile=self.profile.title,
            target=self.profile.target.value,
            import_type=self.profile.import_type.value,
            as_of=as_of,
            changes=tuple(in_order(sorted(self.changes, key=_order), self.profile.key_target)),
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
            self._find_moved(key)
            if not row.in_scope:
                self.counts["filtered"] += 1
                return
            if row.held is not None:
                raise RowError(row.held.code, row.held.facts)
            self._decide(key, row.record)
        except RowError as error:
            outcome = RowOutcome.SKIPPED if error.code in _SKIPPING else RowOutcome.FAILED
            title = self.mapper.title(row.record)
            left = LeftOut(key, outcome, error.code, error.facts, _ids(error), title)
            self._leave_out(left, row.record)

    def _find_moved(self, key: str) -> None:
        """A contact keeps its own number, which is the agreement's only one, whatever becomes of its customer's."""
        if self.profile.source is not SourceKind.CONTACT or self.separator is None or self.existing.has(key):
            return
        before = self.existing.only_with_tail(self.separator, key.partition(self.separator)[2])
        if before is not None:
            self.existing.rekey({before: key})

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
        if (other := self.moves.let_go.get(key)) is not None:
            self._let_go(key, other)
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
            if change is not None and (self.moves.writes_keys or not self._is_new_key(change)):
                fields.append(change)
        fields += self._back_again(item)
        if all(change.stamp for change in fields):
            return Unchanged(key, item.item_id, title)
        return Change(ChangeKind.UPDATE, key, tuple(fields), item.item_id, item.version, title)

    def _is_new_key(self, change: FieldChange) -> bool:
        return change.column == self.profile.key_target and key_text(change.before) != key_text(change.after)

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

    def _back_again(self, item: Stored) -> list[FieldChange]:
        """What the flagging of an item that is back wrote; its status comes by the profile's own rules."""
        found = []
        for name in (SINCE_COLUMN, REVIEW_COLUMN):
            at = self.existing.positions.get(name)
            value = None if at is None else item.value(at)
            if value is not None and (name == SINCE_COLUMN or value == TO_DO):
                found.append(FieldChange(name, value, None))
        return found

    def _rest(self) -> None:
        """Items whose key is not in the source: flagged where the profile says so, and moved to the new number of a
        customer that was renumbered."""
        for key, items in self.existing.rest():
            if key in self.seen:
                continue
            for item in items:
                if self._whose(key, item) in self.moves.kept:
                    continue
                fields = self._moved(key, item)
                if self.profile.on_missing is OnMissing.FLAG:
                    fields += self._missing(key, item)
                if fields:
                    self._flag(Change(ChangeKind.FLAG, key, tuple(fields), item.item_id, item.version))

    def _missing(self, key: str, item: Stored) -> list[FieldChange]:
        """Status, day, and for a person the question of privacy; nothing for an item that is flagged already."""
        positions, columns = self.existing.positions, self.existing.columns
        at = positions[STATUS_COLUMN]
        missing = fit(MISSING, columns[at])
        if item.value(at) == missing:
            self.still_missing.append((key, item.item_id))
            return []
        wanted: dict[str, Value] = {STATUS_COLUMN: missing, SINCE_COLUMN: self.as_of, REVIEW_COLUMN: TO_DO}
        changes = [FieldChange(name, item.value(positions[name]), wanted[name]) for name in wanted if name in positions]
        return [one for one in changes if encode_value(one.before) != encode_value(one.after)]

    def _whose(self, key: str, item: Stored) -> str | None:
        """The number of an item's customer; by its key where the list has no column for it."""
        column = self.moves.column
        if column is not None and column in self.existing.positions:
            return key_text(item.value(self.existing.positions[column]))
        return key.partition(self.separator)[0] if self.separator else None

    def _moved(self, key: str, item: Stored) -> list[FieldChange]:
        """Key and number of an item whose customer was renumbered."""
        positions, column = self.existing.positions, self.moves.column
        found = []
        before = item.value(positions[self.profile.key_target])
        if key_text(before) != key:
            found.append(FieldChange(self.profile.key_target, before, key))
        if column is not None and column in positions and column != self.profile.key_target:
            before = item.value(positions[column])
            after = self.moves.new_number(key_text(before) or "", self._company(item))
            if after is not None:
                found.append(FieldChange(column, before, after))
        return found

    def _company(self, item: Stored) -> Value:
        at = self.existing.positions.get(COMPANY_COLUMN)
        return None if at is None else item.value(at)

    def _let_go(self, key: str, item: Stored) -> None:
        """An item whose number e-conomic has given to somebody else: it loses the number and is flagged; the new
        customer gets an item of its own."""
        positions = self.existing.positions
        names = [self.profile.key_target, *(rule.target for rule in self.profile.rules if rule.source == "ImportID")]
        fields = [FieldChange(name, item.value(positions[name]), None) for name in dict.fromkeys(names)]
        self._flag(Change(ChangeKind.FLAG, key, (*fields, *self._missing(key, item)), item.item_id, item.version))

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
    # An item gives its number up before another gets it: a unique column would refuse the second.
    first = change.kind is ChangeKind.FLAG and any(one.after is None for one in change.fields)
    return -1 if first else _ORDER[change.kind], _natural(change.key), change.item_id or 0


def _natural(key: str) -> tuple[int, str]:
    """Customer numbers in number order, other keys by text after them."""
    return (int(key), "") if key.isdecimal() and len(key) < 16 else (10**16, key)
