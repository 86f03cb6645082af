"""One customer, explained: every source value, the rule, what stands in the CRM, and what a run would do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from worker.domain.encode import encode_value
from worker.domain.existing import ExistingIndex, Stored
from worker.domain.fields import CATALOGUE, Need, resolve_field
from worker.domain.mapping import Mapper
from worker.domain.plan import Change, LeftOut, Plan, RowOutcome
from worker.domain.planning import Held, SourceRow, build_plan
from worker.domain.profile import FieldRule, Profile, SourceKind
from worker.domain.reasons import Language, sentence
from worker.domain.records import Customer, CustomerContact, Invoice
from worker.domain.render.json import json_value
from worker.domain.render.values import some
from worker.domain.rows import CustomerRow, RunFacts
from worker.domain.values import Column, Item, Value
from worker.errors import RowError
from worker.ports import Target
from worker.sync.numbers import held_as_other
from worker.sync.planner import Planner, target_columns
from worker.sync.rows import source_rows
from worker.sync.snapshot import Snapshot, profile_needs

WRITTEN = "would be written"
EQUAL = "equal"


@dataclass(frozen=True, slots=True)
class FieldStory:
    """One mapped column of one item. `says` is what the run would do; `problem` why the value can't be used."""

    source: str
    source_value: Value
    converter: str
    rule: str
    column: str
    wanted: Value
    standing: Value
    says: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ProfileStory:
    """One profile's view of one customer. `outcome`: the kind of change, or what else would become of the row;
    `reason`: why, in a sentence; `columns`: how many would be written."""

    profile: str
    item_ids: tuple[int, ...]
    outcome: str
    fields: tuple[FieldStory, ...] = ()
    reason: str = ""
    columns: int = 0

    @property
    def verdict(self) -> str:
        """All of it on one line."""
        more = self.reason or (some(self.columns, "column") if self.columns else "")
        return f"{self.outcome}: {more}" if more else self.outcome


@dataclass(frozen=True, slots=True)
class CustomerStory:
    """One customer. `source`: every field of the catalogue that the profiles' invoice data suffice for, with its value.

    `contacts` and `invoices` count e-conomic's rows of this customer as the profiles see them (live contacts; booked
    invoices from `invoices_since` on, None = from the beginning); None when no profile reads such rows.
    """

    number: int
    source: tuple[tuple[str, Value], ...]
    contacts: int | None
    invoices: int | None
    invoices_since: date | None
    profiles: tuple[ProfileStory, ...]


def explain_customer(
    number: int, profiles: Sequence[Profile], targets: Mapping[str, Target], planner: Planner, snapshot: Snapshot,
    facts: RunFacts, language: Language = "en",
) -> CustomerStory | None:  # fmt: skip
    """The customer through every profile that reads customers. `targets` are by profile title; `planner` knows whose
    each company is. None when e-conomic has no customer with this number."""
    customer = next((one for one in snapshot.customers if one.number == number), None)
    if customer is None:
        return None
    stories = []
    for profile in profiles:
        row = _row(number, profile, snapshot, facts) if profile.source is SourceKind.CUSTOMER else None
        if row is not None:
            stories.append(_story(profile, row, targets[profile.title], planner, facts, language))
    sources = {profile.source for profile in profiles}
    return CustomerStory(
        number=number,
        source=_source_values(customer, profiles, snapshot, facts),
        contacts=_count(number, snapshot.contacts()) if SourceKind.CONTACT in sources else None,
        invoices=_count(number, snapshot.invoices()) if SourceKind.INVOICE in sources else None,
        invoices_since=snapshot.since() if SourceKind.INVOICE in sources else None,
        profiles=tuple(stories),
    )


def _source_values(
    customer: Customer, profiles: Sequence[Profile], snapshot: Snapshot, facts: RunFacts
) -> tuple[tuple[str, Value], ...]:
    """The run's own stamps are left out, and figures whose invoices no profile asks for: they would be wrong."""
    known = frozenset[Need]().union(*map(profile_needs, profiles))
    if Need.SALES_ALL in known:
        known |= {Need.SALES_YEARS}
    figures = snapshot.sales.figures(customer.number) if known else None
    row = CustomerRow(customer, figures, snapshot.agreement.number, facts)
    fields = CATALOGUE[SourceKind.CUSTOMER].values()
    wanted = (one for one in fields if one.needs <= known and (one.rest_path or not one.stamp))
    return tuple((one.name, one.read(row)) for one in wanted)


def _count(number: int, rows: Iterable[CustomerContact | Invoice]) -> int:
    return sum(1 for row in rows if row.customer_number == number)


def _row(number: int, profile: Profile, snapshot: Snapshot, facts: RunFacts) -> SourceRow | None:
    for row in source_rows(profile, snapshot, facts):
        if isinstance(row.record, CustomerRow) and row.record.customer.number == number:
            return row
    return None


def _story(
    profile: Profile, row: SourceRow, target: Target, planner: Planner, facts: RunFacts, language: Language
) -> ProfileStory:
    names = target_columns(profile)
    mapper = Mapper(profile, target.columns)
    try:
        key = mapper.key(row.record)
    except RowError as error:
        reason = sentence(error.code, error.facts, language)
        return ProfileStory(profile.title, (), RowOutcome.FAILED.value, reason=reason)
    placed = planner.placed(profile, key)
    identity = planner.identity(profile)
    wanted = list(dict.fromkeys([*names, *identity]))
    items = target.find(profile.key_target, [placed.carried], wanted) if placed.carried else []
    held = placed.held or (_other(row.record, items) if identity else None)
    index = ExistingIndex([target.columns[name] for name in names], profile.key_target)
    for item in items:
        index.add(item)
    if placed.carried:
        index.rekey({placed.carried: key})
    planned = build_plan(profile, mapper, [replace(row, held=held)], index, facts.today, placed.moves)
    plan = planner.left_alone(profile, planned).plan
    standing = _standing(items, names, profile, target)
    change = plan.changes[0] if plan.changes else None
    fields = tuple(
        _field(profile, rule, column, row.record, standing, change, language)
        for rule, column in zip(profile.rules, mapper.columns, strict=True)
    )
    return replace(_outcome(plan, language), item_ids=tuple(i.item_id for i in items), fields=fields)


def _other(record: object, items: Sequence[Item]) -> Held | None:
    if not isinstance(record, CustomerRow):
        return None
    return next((held for item in items if (held := held_as_other(record.customer, item))), None)


def _standing(items: Sequence[Item], names: Sequence[str], profile: Profile, target: Target) -> Mapping[str, Value]:
    if len(items) != 1:
        return {}
    index = ExistingIndex([target.columns[name] for name in names], profile.key_target)
    key = index.add(items[0])
    stored: list[Stored] = index.take(key) if key is not None else []
    return {name: stored[0].value(at) for at, name in enumerate(names)} if stored else {}


def _outcome(plan: Plan, language: Language) -> ProfileStory:
    if plan.left_out:
        left: LeftOut = plan.left_out[0]
        return ProfileStory(plan.profile, (), left.outcome.value, reason=sentence(left.code, left.facts, language))
    if plan.changes:
        change = plan.changes[0]
        return ProfileStory(plan.profile, (), change.kind.value, columns=len(change.fields))
    if plan.filtered:
        return ProfileStory(plan.profile, (), RowOutcome.SKIPPED.value, reason=sentence("filtered", {}, language))
    return ProfileStory(plan.profile, (), "Unchanged")


def _field(
    profile: Profile, rule: FieldRule, column: Column, record: object, standing: Mapping[str, Value],
    change: Change | None, language: Language,
) -> FieldStory:  # fmt: skip
    source = resolve_field(profile.source, rule.source) if rule.source else None
    value = source.read(record) if source else None
    wanted, problem = _wanted(profile, rule, column, record, language)
    now = standing.get(rule.target)
    return FieldStory(
        source=source.name if source else "(constant)",
        source_value=value,
        converter=rule.converter or "",
        rule=rule.write.value,
        column=rule.target,
        wanted=wanted,
        standing=now,
        says="fails" if problem else _says(rule, change, same=encode_value(wanted) == encode_value(now)),
        problem=problem,
    )


def _wanted(profile: Profile, rule: FieldRule, column: Column, record: object, language: Language) -> tuple[Value, str]:
    """The fitted value, or what is wrong with it."""
    alone = Profile(
        profile.title, profile.source, profile.target, profile.import_type, rule.target, profile.key_source, (rule,)
    )
    try:
        value = Mapper(alone, {rule.target: column}).values(record)[0]
    except RowError as error:
        return None, sentence(error.code, error.facts, language)
    return value, ""


def _says(rule: FieldRule, change: Change | None, *, same: bool) -> str:
    changed = {field.column: field for field in change.fields} if change else {}
    if rule.target in changed:
        return "rides along" if changed[rule.target].stamp else WRITTEN
    return EQUAL if same else "kept"


def story_data(story: CustomerStory) -> dict[str, object]:
    """A story as JSON-ready data."""
    return {
        "customer": story.number,
        "source": {name: json_value(value) for name, value in story.source},
        "contacts": story.contacts,
        "invoices": story.invoices,
        "invoicesSince": json_value(story.invoices_since),
        "profiles": [_profile_data(one) for one in story.profiles],
    }


def _profile_data(story: ProfileStory) -> dict[str, object]:
    return {
        "profile": story.profile,
        "itemIds": list(story.item_ids),
        "verdict": story.verdict,
        "fields": [
            {
                "source": one.source,
                "sourceValue": json_value(one.source_value),
                "converter": one.converter,
                "rule": one.rule,
                "column": one.column,
                "wanted": json_value(one.wanted),
                "standing": json_value(one.standing),
                "says": one.says,
                "problem": one.problem,
            }
            for one in story.fields
        ],
    }
