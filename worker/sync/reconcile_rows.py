"""Holds the rows of one kind against each other: which side has them, and whether their fields say the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from worker.domain.profile import SourceKind
from worker.domain.values import ColumnKind, Item, TargetKind, Value
from worker.sync.reconcile_fields import UNTOLD, Untold, World
from worker.sync.reconcile_forms import shortened, squeezed
from worker.sync.reconcile_read import Area, Dates, Sides
from worker.sync.reconcile_report import Difference, Double, Missing, NotCompared, Sum, Totals, Twin, Why
from worker.sync.reconcile_rules import Compared, Rules, Scope

MISSING_IN_ERP = "Missing in ERP"
NAMED = 200  # rows of each kind that a report names; all are counted


@dataclass(slots=True)
class Found:
    """What was found so far. The lists hold the first NAMED of each kind, the numbers beside them count all."""

    missing: list[Missing] = field(default_factory=list)
    doubles: list[Double] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    twins: list[Twin] = field(default_factory=list)
    sums: list[Sum] = field(default_factory=list)
    not_compared: list[NotCompared] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    missing_in_all: int = 0
    doubles_in_all: int = 0
    differences_in_all: int = 0
    twins_in_all: int = 0

    @property
    def totals(self) -> Totals:
        """How many of each."""
        return Totals(self.missing_in_all, self.doubles_in_all, self.differences_in_all, self.twins_in_all)


@dataclass(frozen=True, slots=True)
class Row:
    """One of e-conomic's rows: its customer, its name for people, and its day where it has one."""

    record: object
    customer_number: int
    name: str
    day: date = date.max


@dataclass(frozen=True, slots=True)
class Unlike:
    """What e-conomic has, where the CRM has something else."""

    theirs: Value


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of row: what it is called, where both sides have it, the field and the column that hold its key, and
    what of e-conomic it takes."""

    name: str
    source: SourceKind
    target: TargetKind
    key_field: str
    key_column: str
    needs: tuple[Area, ...]

    def rules(self, found: Found, both: Sides) -> tuple[Rules, str] | None:
        """How its rows are compared, and by which column. None, with the reason noted, where they can't be."""
        if not both.has(self.target):
            found.not_compared.append(NotCompared(self.name, "", Why.LIST))
            return None
        rules = both.rules(self.name, self.source, self.target)
        found.not_compared += rules.not_compared
        column = rules.column_of(self.key_field, self.key_column)
        if not rules.profiles or not column:
            found.not_compared.append(NotCompared(self.name, "", Why.KEY if rules.profiles else Why.PROFILE))
            return None
        denied = next((area for area in self.needs if both.may_not_read(area)), None)
        if denied is not None:
            found.not_compared.append(NotCompared(self.name, "", Why.ROLE, denied))
            return None
        return rules, column


def by_key(items: Iterable[Item], column: str) -> dict[str, list[Item]]:
    """Items that carry a key, by it."""
    found: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        key = squeezed(item.values.get(column))
        if key:
            found[key].append(item)
    return found


def singles(items: Mapping[str, Sequence[Item]]) -> Iterator[tuple[str, Item]]:
    """Keys that one item carries, with it."""
    return ((key, one[0]) for key, one in items.items() if len(one) == 1)


def amounts(items: Iterable[Item], column: str) -> Decimal:
    """The sum of a column."""
    values = (item.values.get(column) for item in items)
    return sum((value for value in values if isinstance(value, Decimal)), Decimal(0))


def sides(
    found: Found,
    kind: str,
    rows: Mapping[str, Row],
    expected: Collection[str],
    items: Mapping[str, Sequence[Item]],
) -> None:
    """Rows of one side only, and keys that stand twice. `expected`: keys that the CRM should have; `rows`: all that
    e-conomic has."""
    named = f"{kind}s"
    found.counts[f"{named} in e-conomic"] = sum(1 for key in rows if key in expected or key in items)
    found.counts[f"{named} in the CRM"] = sum(map(len, items.values()))
    outside = sum(1 for key in rows if key not in expected)
    if outside:
        found.counts[f"{named} that no profile takes"] = outside
    only_there = [
        Missing(kind, "e-conomic", key, rows[key].name) for key in rows if key in expected and key not in items
    ]
    gone = [(key, item) for key, theirs in items.items() for item in theirs if key not in rows]
    # What is flagged as missing is known to both: no difference that somebody must hear of each week.
    only_here = [
        Missing(kind, "CRM", key, squeezed(item.values.get("Title")), item.item_id)
        for key, item in gone
        if item.values.get("ERPStatus") != MISSING_IN_ERP
    ]
    found.counts[f"{named} flagged as missing"] = len(gone) - len(only_here)
    found.counts[f"{named} only in e-conomic"] = len(only_there)
    found.counts[f"{named} only in the CRM"] = len(only_here)
    found.missing_in_all += len(only_there) + len(only_here)
    found.missing += [*only_there[:NAMED], *only_here[:NAMED]]
    doubles = [Double(kind, key, tuple(one.item_id for one in theirs)) for key, theirs in items.items() if theirs[1:]]
    found.counts[f"{named} twice in the CRM"] = len(doubles)
    found.doubles_in_all += len(doubles)
    found.doubles += doubles[:NAMED]


class Comparer:
    """Holds fields against each other. `companies`: customer number -> ids of the items that carry it."""

    def __init__(self, scope: Scope, world: World, companies: Mapping[str, Collection[int]], dates: Dates) -> None:
        self._scope = scope
        self._world = world
        self._companies = companies
        self._dates = dates

    def fields(
        self,
        found: Found,
        kind: str,
        compared: Sequence[Compared],
        pairs: Iterable[tuple[str, Row, Item]],
    ) -> None:
        """Counts every field that differs, and names the first."""
        columns: dict[str, list[Compared]] = defaultdict(list)
        for one in compared:
            columns[one.column.name].append(one)
        name, named = f"{kind} fields that differ", 0
        profiles = list({one.profile.title: one.profile for one in compared}.values())
        untold: dict[str, int] = defaultdict(int)
        for key, row, item in pairs:
            taken = {one.title for one in profiles if self._scope.takes_row(one, row.customer_number, row.day)}
            for column, rules in columns.items():
                match self._judged([rule for rule in rules if rule.profile.title in taken], row, item):
                    case None:
                        continue
                    case Untold.UNTOLD:
                        untold[column] += 1
                    case Unlike(theirs):
                        found.counts[name] += 1
                        found.differences_in_all += 1
                        named += 1
                        if named <= NAMED:
                            ours = item.values.get(column)
                            updated = getattr(row.record, "last_updated", None)
                            found.differences.append(
                                Difference(kind, key, item.item_id, column, theirs, ours, updated=updated)
                            )
        found.not_compared += [NotCompared(kind, column, Why.DAY, str(count)) for column, count in untold.items()]

    def as_of(self, rule: Compared, row: Row, item: Item) -> Value | Untold:
        """e-conomic's value on the day that the item's figures are of: the first day on which both agree, else today's;
        UNTOLD where it may be of a day whose value can't be told."""
        first, *earlier = self._days(rule, item)
        theirs = self._value(rule, row, first)
        values = [theirs, *(self._value(rule, row, day) for day in earlier)]
        found = next((one for one in values if not isinstance(one, Untold) and self._agrees(rule, one, item)), None)
        if found is not None:
            return found
        return UNTOLD if UNTOLD in values else theirs

    def _judged(self, rules: Sequence[Compared], row: Row, item: Item) -> Unlike | Untold | None:
        """e-conomic's value where the CRM has another; None where both agree, or no profile would write."""
        for rule in reversed(rules):  # the profile that runs last has the last word
            first, *earlier = self._days(rule, item)
            theirs = self._value(rule, row, first)
            if isinstance(theirs, Untold):
                return UNTOLD
            if not self._is_told(rule, theirs):
                continue
            return None if self._agrees(rule, theirs, item) else self._earlier(rule, row, item, theirs, earlier)
        return None

    def _earlier(
        self, rule: Compared, row: Row, item: Item, theirs: Value, days: Sequence[date]
    ) -> Unlike | Untold | None:
        values = [self._value(rule, row, day) for day in days]
        if any(not isinstance(one, Untold) and self._agrees(rule, one, item) for one in values):
            return None
        return UNTOLD if UNTOLD in values else Unlike(theirs)

    def _days(self, rule: Compared, item: Item) -> Sequence[date]:
        """Those on which the item's figures may have been right: from the last run on, or from a later moment that the
        item itself names. Where no run is known only the item can say."""
        days = self._dates.days
        as_of = self._stamped(item.values.get(rule.stamp)) if rule.stamp else None
        if as_of is None or as_of > days[0]:
            return days
        if as_of < days[-1]:
            return days if self._dates.ran else [*days, as_of]
        return [day for day in days if day >= as_of]

    def _stamped(self, value: Value) -> date | None:
        if isinstance(value, datetime):
            return value.astimezone(self._dates.zone).date()
        return value if isinstance(value, date) else None

    def _value(self, rule: Compared, row: Row, day: date) -> Value | Untold:
        value = rule.read(row.record, day, self._world) if rule.read else None
        if isinstance(value, Untold):
            return value
        is_blank = rule.default is not None and squeezed(value) == ""
        return rule.default if is_blank else value

    @staticmethod
    def _is_told(rule: Compared, theirs: Value) -> bool:
        """A blank source keeps what the CRM has, unless the profile clears it. Zero is no blank."""
        blank = theirs is None or (isinstance(theirs, str) and rule.form.economic(theirs) == "")
        return rule.clears or not blank

    def _agrees(self, rule: Compared, theirs: Value, item: Item) -> bool:
        ours = item.values.get(rule.column.name)
        if rule.column.kind is ColumnKind.LOOKUP:
            return ours in self._companies.get(squeezed(theirs), ())
        if rule.form.as_is and type(ours) is type(theirs) and ours == theirs:
            return True
        wanted, kept = rule.form.economic(theirs), rule.form.crm(ours)
        return wanted == kept or (rule.shorten and shortened(wanted, kept, rule.column))
