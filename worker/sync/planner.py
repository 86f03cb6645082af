"""Reads what a plan needs from both sides and hands it to the pure planning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from worker.domain.existing import ExistingIndex, key_text
from worker.domain.fit import normal
from worker.domain.mapping import Lookup, Mapper
from worker.domain.plan import ChangeKind, Plan
from worker.domain.planning import STATUS_COLUMN, Planned, build_plan
from worker.domain.profile import OnMissing, Profile
from worker.domain.rows import RunFacts
from worker.domain.values import ColumnKind, Item, TargetKind, Value
from worker.ports import Progress, Target
from worker.sync.rows import source_rows
from worker.sync.snapshot import Snapshot

COMPANY_KEY = "CustomerID"


def target_columns(profile: Profile) -> tuple[str, ...]:
    """Every logical column a profile reads or writes."""
    extra = (STATUS_COLUMN,) if profile.on_missing is OnMissing.FLAG else ()
    return tuple(dict.fromkeys([*profile.columns, *extra]))


class Planner:
    """Plans profiles of one session. Company ids found on the way serve the look-ups of later profiles."""

    def __init__(self, targets: Mapping[TargetKind, Target], snapshot: Snapshot, progress: Progress) -> None:
        self._targets = targets
        self._snapshot = snapshot
        self._progress = progress
        self._companies: Lookup | None = None
        self._planned_companies: frozenset[str] = frozenset()

    def plan(self, profile: Profile, facts: RunFacts) -> Planned:
        """Reads the target's items, then the source's rows."""
        target = self._targets[profile.target]
        names = target_columns(profile)
        existing = ExistingIndex([target.columns[name] for name in names], profile.key_target)
        self._read(profile, target, names, existing)
        mapper = Mapper(profile, target.columns, self._lookup_for(profile, target))
        self._progress.started(f"{profile.title}: comparing", None)
        rows = source_rows(profile, self._snapshot, facts)
        planned = build_plan(profile, mapper, rows, existing, facts.today)
        self._progress.finished()
        planned = replace(planned, plan=self._waiting(profile, planned.plan))
        self._remember(profile, planned.plan)
        return planned

    def created(self, profile: Profile, pairs: Iterable[tuple[str, int]]) -> None:
        """Companies that were just created can be pointed at."""
        if not self._holds_companies(profile):
            return
        self._planned_companies = frozenset()
        if self._companies is not None:
            for key, item_id in pairs:
                self._companies.add(key, item_id)

    def standing(self, profile: Profile, columns: list[str]) -> Iterator[tuple[str, list[Value]]]:
        """Key and values of every item as it stands in the list now."""
        target = self._targets[profile.target]
        for key, item in _keyed(target, profile.key_target, columns):
            yield key, [normal(item.values.get(name), target.columns[name]) for name in columns]

    def _read(self, profile: Profile, target: Target, names: tuple[str, ...], existing: ExistingIndex) -> None:
        self._progress.started(f"{profile.title}: reading {profile.target.value} items", None)
        companies = Lookup() if self._holds_companies(profile) else None
        for item in target.items(names):
            key = existing.add(item)
            if companies is not None and key is not None:
                companies.add(key, item.item_id)
            self._progress.advanced(1)
        if companies is not None:
            self._companies = companies
        self._progress.finished()

    def _holds_companies(self, profile: Profile) -> bool:
        return profile.target is TargetKind.COMPANY and profile.key_target == COMPANY_KEY

    def _lookup_for(self, profile: Profile, target: Target) -> Lookup | None:
        if not any(target.columns[rule.target].kind is ColumnKind.LOOKUP for rule in profile.rules):
            return None
        if self._companies is None:
            self._companies = self._read_companies()
        self._companies.expected = self._planned_companies
        return self._companies

    def _read_companies(self) -> Lookup:
        keyed = _keyed(self._targets[TargetKind.COMPANY], COMPANY_KEY)
        return Lookup([(key, item.item_id) for key, item in keyed])

    def _waiting(self, profile: Profile, plan: Plan) -> Plan:
        """Rows whose item an earlier profile of this plan creates wait; they are not unmatched."""
        if not self._holds_companies(profile) or not self._planned_companies:
            return plan
        left_out = tuple(
            replace(row, code="company-planned", facts={"customer": row.key})
            if row.code == "unmatched" and row.key in self._planned_companies
            else row
            for row in plan.left_out
        )
        return replace(plan, left_out=left_out)

    def _remember(self, profile: Profile, plan: Plan) -> None:
        if self._holds_companies(profile):
            creates = (change.key for change in plan.changes if change.kind is ChangeKind.CREATE)
            self._planned_companies = self._planned_companies | frozenset(creates)


def _keyed(target: Target, key_column: str, columns: Sequence[str] = ()) -> Iterator[tuple[str, Item]]:
    """The items that carry a key, with it."""
    column = target.columns[key_column]
    for item in target.items([key_column, *columns]):
        key = key_text(normal(item.values.get(key_column), column))
        if key is not None:
            yield key, item
