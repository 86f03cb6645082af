"""Planning: matching, write rules, policies, flags, and the properties every plan must have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.domain.brake import brake_reasons
from worker.domain.existing import ExistingIndex
from worker.domain.ledger import planned_ledger
from worker.domain.mapping import Lookup, Mapper
from worker.domain.plan import ChangeKind, Plan, RowOutcome
from worker.domain.planning import Planned, SourceRow, build_plan
from worker.domain.profile import (
    FieldRule,
    ImportType,
    OnBlank,
    OnMissing,
    Profile,
    SourceKind,
    WriteRule,
)
from worker.domain.records import Customer, CustomerContact
from worker.domain.report import LastRun
from worker.domain.rows import ContactRow, CustomerRow, RunFacts
from worker.domain.values import Column, ColumnKind, Item, TargetKind, Value

TODAY = date(2026, 11, 25)
FACTS = RunFacts(run_id="run-1", started=datetime(2026, 11, 25, 1, tzinfo=UTC), today=TODAY)
KINDS = {
    "Title": ColumnKind.TEXT,
    "CustomerID": ColumnKind.TEXT,
    "City": ColumnKind.TEXT,
    "EMail": ColumnKind.TEXT,
    "Phone": ColumnKind.TEXT,
    "Balance": ColumnKind.CURRENCY,
    "ERPStatus": ColumnKind.CHOICE,
    "FiguresAsOf": ColumnKind.DATETIME,
    "JobTitle": ColumnKind.TEXT,
    "Company": ColumnKind.LOOKUP,
    "ImportID": ColumnKind.TEXT,
}
COLUMNS = {
    name: Column(name, name, name, kind, choices=("Active", "Barred", "Missing in ERP") if name == "ERPStatus" else ())
    for name, kind in KINDS.items()
}
PROFILE = Profile(
    title="Customers",
    source=SourceKind.CUSTOMER,
    target=TargetKind.COMPANY,
    import_type=ImportType.IMPORT_AND_UPDATE,
    key_target="CustomerID",
    key_source="Number",
    rules=(
        FieldRule("CustomerID", "Number"),
        FieldRule("Title", "Name"),
        FieldRule("City", "City"),
        FieldRule("EMail", "Email", WriteRule.FILL_IF_BLANK),
        FieldRule("Phone", "Phone", WriteRule.ON_CREATE_ONLY),
        FieldRule("Balance", "Balance"),
        FieldRule("ERPStatus", "ERPStatus"),
        FieldRule("FiguresAsOf", "RunStarted"),
    ),
    on_missing=OnMissing.FLAG,
)


def customer(number: int, name: str = "Jensen ApS", **more: object) -> Customer:
    return Customer(number, name, "DKK", Decimal(more.pop("balance", 0)), Decimal(0), **more)  # type: ignore[arg-type]


def row(record: Customer, *, in_scope: bool = True, facts: RunFacts = FACTS) -> SourceRow:
    return SourceRow(CustomerRow(record, None, 1118081, facts), in_scope)


def plan(
    profile: Profile, rows: Sequence[SourceRow], items: Sequence[Item] = (), lookup: Lookup | None = None
) -> Planned:
    names = dict.fromkeys([*profile.columns, "ERPStatus"])
    index = ExistingIndex([COLUMNS[name] for name in names], profile.key_target)
    for item in items:
        index.add(item)
    return build_plan(profile, Mapper(profile, COLUMNS, lookup), rows, index, TODAY)


def item(item_id: int, **values: Value) -> Item:
    return Item(item_id, f"v{item_id}", dict(values))


def perform(changes: Sequence, items: Sequence[Item]) -> list[Item]:
    """What a perfect target does with changes."""
    by_id = {one.item_id: one for one in items}
    for change in changes:
        if change.item_id is None:
            new = max(by_id, default=0) + 1
            by_id[new] = Item(new, "v", dict(change.values))
        else:
            old = by_id[change.item_id]
            by_id[change.item_id] = replace(old, values={**old.values, **change.values})
    return list(by_id.values())


texts = st.one_of(st.none(), st.text(max_size=12))
customers = st.builds(
    customer,
    st.integers(1, 30),
    st.text(min_size=1, max_size=12),
    balance=st.decimals(-1000, 1000, places=2),
    city=texts,
    email=texts,
    phone=texts,
    barred=st.booleans(),
)
worlds = st.lists(customers, max_size=15, unique_by=lambda one: one.number)
crm_values = st.fixed_dictionaries(
    {"CustomerID": st.one_of(st.none(), st.integers(1, 30).map(str))},
    optional={
        "Title": st.text(max_size=8),
        "City": texts,
        "EMail": texts,
        "Phone": texts,
        "JobTitle": texts,
        "Balance": st.decimals(-1000, 1000, places=2),
        "ERPStatus": st.sampled_from([None, "Active", "Missing in ERP"]),
    },
)
lists = st.lists(crm_values, max_size=12).map(lambda rows: [Item(n + 1, f"v{n}", r) for n, r in enumerate(rows)])
profiles = st.builds(
    lambda kind, blank, missing: replace(
        PROFILE,
        import_type=kind,
        on_blank=blank,
        on_missing=missing if kind is not ImportType.IMPORT else OnMissing.KEEP,
    ),
    st.sampled_from(ImportType),
    st.sampled_from(OnBlank),
    st.sampled_from(OnMissing),
)


@given(profiles, worlds, lists)
def test_a_plan_after_apply_is_empty(profile, world, items):
    """Applied once, the same source has nothing more to change."""
    rows = [row(one) for one in world]
    first = plan(profile, rows, items).plan
    assert plan(profile, rows, perform(first.changes, items)).plan.is_empty


@given(profiles, worlds, lists, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_items_does_not_matter(profile, world, items, random):
    """Shuffled input gives the same plan, down to the digest."""
    shuffled_world, shuffled_items = random.sample(world, len(world)), random.sample(items, len(items))
    first = plan(profile, [row(one) for one in world], items).plan
    second = plan(profile, [row(one) for one in shuffled_world], shuffled_items).plan
    assert first.digest == second.digest
    assert planned_ledger(first) == planned_ledger(second)


@given(profiles, worlds, lists)
def test_every_source_row_is_counted_exactly_once(profile, world, items):
    """The ledger's identity holds for every plan."""
    ledger = planned_ledger(plan(profile, [row(one) for one in world], items).plan)
    assert ledger.balances
    assert ledger.source_rows == len(world)


@given(profiles, worlds, lists)
def test_columns_outside_the_profile_never_change(profile, world, items):
    """People's columns are neither read as ours nor written."""
    changes = plan(profile, [row(one) for one in world], items).plan.changes
    mapped = {rule.target for rule in profile.rules}
    assert {field.column for change in changes for field in change.fields} <= mapped


@given(profiles, worlds, lists)
def test_filled_columns_of_people_are_kept(profile, world, items):
    """Fill if blank never overwrites, On create only never updates."""
    for change in plan(profile, [row(one) for one in world], items).plan.changes:
        if change.kind is ChangeKind.UPDATE:
            assert all(f.before is None for f in change.fields if f.column == "EMail")
            assert "Phone" not in change.values


@given(worlds, lists)
def test_a_policy_never_adds_a_change(world, items):
    """Import and Update make no change that Import & Update would not make."""
    rows = [row(one) for one in world]
    full = set(plan(PROFILE, rows, items).plan.changes)
    for kind in (ImportType.IMPORT, ImportType.UPDATE):
        assert set(plan(replace(PROFILE, import_type=kind), rows, items).plan.changes) <= full


@settings(max_examples=50)
@given(profiles, worlds, lists, st.integers(0, 30))
def test_interrupted_and_resumed_ends_like_uninterrupted(profile, world, items, cut):
    """Whatever prefix of the changes was done, planning again finishes the same list."""
    rows = [row(one) for one in world]
    changes = plan(profile, rows, items).plan.changes
    whole = perform(changes, items)
    part = perform(changes[:cut], items)
    resumed = perform(plan(profile, rows, part).plan.changes, part)
    assert sorted(str(sorted(i.values.items(), key=str)) for i in whole) == sorted(
        str(sorted(i.values.items(), key=str)) for i in resumed
    )


def test_two_items_with_the_key_are_an_error_that_names_both():
    """Never a silent pick."""
    result = plan(PROFILE, [row(customer(7))], [item(3, CustomerID="7"), item(9, CustomerID=" 7 ")]).plan
    assert result.is_empty
    (left,) = result.left_out
    assert (left.outcome, left.code, left.item_ids) == (RowOutcome.FAILED, "key-ambiguous", (3, 9))


def test_a_padded_key_matches():
    """A Customer ID with stray blanks is the same customer."""
    result = plan(PROFILE, [row(customer(7))], [item(3, CustomerID=" 7")]).plan
    assert result.changes[0].item_id == 3


def test_import_reports_matched_rows_as_existing():
    """Import creates; what is there stays as it is."""
    profile = replace(PROFILE, import_type=ImportType.IMPORT, on_missing=OnMissing.KEEP)
    result = plan(profile, [row(customer(7)), row(customer(8))], [item(3, CustomerID="7", Title="Old")]).plan
    assert [(c.kind, c.key) for c in result.changes] == [(ChangeKind.CREATE, "8")]
    assert [(r.key, r.outcome, r.code, r.item_ids) for r in result.left_out] == [
        ("7", RowOutcome.SKIPPED, "exists", (3,))
    ]


def test_update_reports_rows_without_an_item():
    """Update never creates."""
    profile = replace(PROFILE, import_type=ImportType.UPDATE)
    result = plan(profile, [row(customer(7))]).plan
    assert result.is_empty
    assert [(r.outcome, r.code) for r in result.left_out] == [(RowOutcome.SKIPPED, "unmatched")]


def test_a_vanished_customer_is_flagged_once_and_then_remembered():
    """Absence becomes Flag; the next plan has nothing to do but still knows."""
    items = [item(3, CustomerID="7", Title="Gone ApS", ERPStatus="Active")]
    first = plan(PROFILE, [], items).plan
    assert [(c.kind, c.item_id, c.values) for c in first.changes] == [
        (ChangeKind.FLAG, 3, {"ERPStatus": "Missing in ERP"})
    ]
    second = plan(PROFILE, [], perform(first.changes, items)).plan
    assert second.is_empty
    assert second.still_missing == (("7", 3),)


def test_a_customer_that_comes_back_is_unflagged():
    """The status column is the ERP's."""
    items = [item(3, CustomerID="7", Title="Jensen ApS", Balance=Decimal(0), ERPStatus="Missing in ERP")]
    (change,) = plan(PROFILE, [row(customer(7))], items).plan.changes
    assert change.kind is ChangeKind.UPDATE
    assert change.values["ERPStatus"] == "Active"


def test_a_row_outside_the_filter_or_a_failed_row_is_never_missing():
    """The filter leaves rows out, it does not make items look orphaned."""
    items = [
        item(3, CustomerID="7", ERPStatus="Active"),
        item(4, CustomerID="8", ERPStatus="Active"),
    ]
    rows = [row(customer(7), in_scope=False), row(customer(8, "x" * 300))]
    result = plan(PROFILE, rows, items).plan
    assert result.is_empty
    assert result.filtered == 1
    assert [(r.key, r.code) for r in result.left_out] == [("8", "too-long")]


def test_stamps_ride_along_but_never_cause_a_change():
    """Figures-as-of is written only together with another column."""
    items = perform(plan(PROFILE, [row(customer(7))]).plan.changes, [])
    later = replace(FACTS, run_id="run-2", started=datetime(2026, 11, 26, 1, tzinfo=UTC))
    assert plan(PROFILE, [row(customer(7), facts=later)], items).plan.is_empty
    (change,) = plan(PROFILE, [row(customer(7, "New ApS"), facts=later)], items).plan.changes
    assert change.values == {"Title": "New ApS", "FiguresAsOf": later.started}


def test_a_blank_source_keeps_or_clears_as_the_profile_says():
    """Keep is the default."""
    items = [item(3, CustomerID="7", Title="Jensen ApS", City="Vejle", Balance=Decimal(0), ERPStatus="Active")]
    assert plan(PROFILE, [row(customer(7))], items).plan.is_empty
    (change,) = plan(replace(PROFILE, on_blank=OnBlank.CLEAR), [row(customer(7))], items).plan.changes
    assert change.values["City"] is None


def test_a_key_twice_in_the_source_fails_the_second_row():
    """The first one is written; the second is named."""
    result = plan(PROFILE, [row(customer(7)), row(customer(7, "Other"))]).plan
    assert result.count(ChangeKind.CREATE) == 1
    assert [r.code for r in result.left_out] == ["key-duplicate-source"]


CONTACTS = Profile(
    title="Contacts",
    source=SourceKind.CONTACT,
    target=TargetKind.CONTACT,
    import_type=ImportType.IMPORT_AND_UPDATE,
    key_target="ImportID",
    key_source="ImportID",
    rules=(FieldRule("ImportID", "ImportID"), FieldRule("Title", "Name"), FieldRule("Company", "CustomerNumber")),
)


def contact_row(number: int, customer_number: int) -> SourceRow:
    return SourceRow(ContactRow(CustomerContact(number, customer_number, "Anna Holm"), 1118081, FACTS))


def test_a_contact_finds_its_company_through_customer_id():
    """The look-up column gets the company's item id."""
    result = plan(CONTACTS, [contact_row(1, 7)], lookup=Lookup([("7", 44)])).plan
    assert result.changes[0].values["Company"] == 44


@pytest.mark.parametrize(
    ("lookup", "code", "outcome"),
    [
        (Lookup(), "company-missing", RowOutcome.FAILED),
        (Lookup([("7", 1), ("7", 2)]), "company-ambiguous", RowOutcome.FAILED),
        (Lookup(expected=frozenset({"7"})), "company-planned", RowOutcome.SKIPPED),
    ],
)
def test_a_contact_without_one_company_is_left_out(lookup, code, outcome):
    """It heals by itself once the company is there."""
    result = plan(CONTACTS, [contact_row(1, 7)], lookup=lookup).plan
    assert [(r.code, r.outcome) for r in result.left_out] == [(code, outcome)]
    assert not plan(CONTACTS, [contact_row(1, 7)], lookup=Lookup([("7", 44)])).plan.is_empty


def big(count: int, name: str = "Jensen ApS") -> list[Customer]:
    return [customer(n, name) for n in range(1, count + 1)]


def loaded(world: Sequence[Customer]) -> list[Item]:
    return perform(plan(PROFILE, [row(one) for one in world]).plan.changes, [])


GOOD = LastRun("r", 40, datetime(2026, 11, 24, tzinfo=UTC))


def reasons(result: Plan, last: LastRun | None = GOOD, limit: int = 30) -> list[str]:
    return brake_reasons(result, Decimal(limit), last)


def test_the_first_load_is_not_braked():
    """Creating into a list without keyed items, or filling blank columns, is no danger."""
    assert reasons(plan(PROFILE, [row(one) for one in big(40)]).plan, last=None) == []
    blank = [item(n, CustomerID=str(n)) for n in range(1, 41)]
    assert reasons(plan(PROFILE, [row(one) for one in big(40)], blank).plan, last=None) == []


def test_a_plan_that_overwrites_too_much_is_braked_with_its_numbers():
    """40 of 40 renamed is 100 %; below 20 items the brake does not look."""
    (reason,) = reasons(plan(PROFILE, [row(one) for one in big(40, "X")], loaded(big(40))).plan)
    assert "40 of 40" in reason
    assert "100 %" in reason
    assert reasons(plan(PROFILE, [row(one) for one in big(19, "X")], loaded(big(19))).plan, last=None) == []


def test_recreating_everything_is_braked_after_a_good_run():
    """A wrong key looks like all new."""
    rows = [row(replace(one, number=one.number + 1000)) for one in big(40)]
    assert any("40 created" in reason for reason in reasons(plan(PROFILE, rows, loaded(big(40))).plan))


def test_half_a_source_or_none_is_braked():
    """A failed or empty read is never 'nothing exists'."""
    items = loaded(big(40))
    assert any("saw 40" in r for r in reasons(plan(PROFILE, [row(one) for one in big(19)], items).plan, limit=100))
    assert any("no rows at all" in r for r in reasons(plan(PROFILE, [], items).plan, limit=100))
    assert reasons(plan(PROFILE, [], []).plan, last=None) == []


def test_a_column_that_would_go_blank_everywhere_is_braked():
    """Only with the profile's Clear; Keep never blanks."""
    clear = replace(PROFILE, on_blank=OnBlank.CLEAR)
    items = [replace(i, values={**i.values, "City": "Vejle"}) for i in loaded(big(40))]
    found = reasons(plan(clear, [row(one) for one in big(40)], items).plan, limit=100)
    assert any("City would go blank on 40 of 40" in reason for reason in found)
