"""Profiles as people type them: every problem at once, and a faithful way back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.converters import CONVERTERS
from worker.domain.fields import CATALOGUE, FieldType
from worker.domain.profile import (
    FieldRule,
    ImportType,
    OnBlank,
    OnMissing,
    PeriodType,
    Profile,
    SourceFilter,
    SourceKind,
    WriteRule,
)
from worker.domain.profile_checks import TARGETS
from worker.domain.profile_row import (
    parse_profile,
    profile_digest,
    profile_from_json,
    profile_to_json,
    profile_to_row,
)
from worker.errors import ConfigError, Problem

SHIPPED = sorted((Path(__file__).parents[3] / "config" / "profiles").glob("*.json"))
ROW: dict[str, Any] = {
    "Title": "Customers",
    "Source": "Debtor",
    "Target": "CRM Company",
    "ImportType": "Import & Update",
    "Mapping": '[{"source": "Name", "target": "Title"}, {"source": "Number", "target": "CustomerID"}]',
}
WHERE = "profile 'Customers' (row 3)"


def shipped() -> list[Profile]:
    return [profile_from_json(path.read_text(encoding="utf-8"), path.name) for path in SHIPPED]


def problems(**cells: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_profile({**ROW, **cells}, WHERE)
    return [str(problem) for problem in caught.value.problems]


words = st.text("abcdefghijklmnopqrstuvwxyzæøåABC ", min_size=1, max_size=12).map(str.strip).filter(bool)


LENIENT = (FieldType.TEXT, FieldType.CHOICE)  # a default may be any text


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    """Any profile that passes the checks."""
    source = draw(st.sampled_from(SourceKind))
    target, key_target = TARGETS[source]
    fields = list(CATALOGUE[source].values())
    key = {"Customer": "Number", "Customer Contact": "ImportID", "Booked invoice": "InvoiceNumber", "Sales": "StatKey"}
    rules = [FieldRule(key_target, key[source.value])]
    names = draw(st.lists(st.sampled_from(["Title", "City", "Note", "Phone", "X1"]), unique=True, max_size=4))
    for name in names:
        field = draw(st.sampled_from(fields))
        converters = [None, *(n for n, c in CONVERTERS.items() if field.type in c.accepts and n != "date")]
        rules.append(
            FieldRule(
                name,
                field.name,
                draw(st.sampled_from(WriteRule)),
                draw(st.sampled_from(converters)),
                draw(st.one_of(st.none(), st.just("0"), words)) if field.type in LENIENT else None,
                draw(st.booleans()),
            )
        )
    plain = SourceFilter().periods
    periods = draw(st.sets(st.sampled_from(PeriodType), min_size=1)) if source is SourceKind.SALES else plain
    windowed = source in (SourceKind.INVOICE, SourceKind.SALES)
    return Profile(
        title=draw(words),
        source=source,
        target=target,
        import_type=draw(st.sampled_from(ImportType)),
        key_target=key_target,
        key_source=key[source.value],
        rules=tuple(rules),
        enabled=draw(st.booleans()),
        order=draw(st.integers(0, 1000)),
        source_filter=SourceFilter(
            frozenset(draw(st.lists(st.integers(1, 99), max_size=3))),
            draw(st.booleans()),
            draw(st.one_of(st.none(), st.integers(1, 60))) if windowed else None,
            tuple(kind for kind in PeriodType if kind in periods),
        ),
        on_blank=draw(st.sampled_from(OnBlank)),
        max_change_pct=Decimal(draw(st.integers(0, 100))),
        schedule=draw(st.sampled_from([None, "0 2 * * *", "*/15 6-18 * * 1-5"])),
    )


@given(profiles())
def test_a_profile_survives_the_list_and_a_file(profile):
    """Row and JSON give the same profile back."""
    assert parse_profile(profile_to_row(profile), WHERE) == profile
    assert profile_from_json(profile_to_json(profile), "file") == profile


@given(profiles())
def test_the_digest_changes_with_the_plan_and_not_with_the_timing(profile):
    """When and whether a profile runs does not make a plan stale."""
    timed = replace(profile, enabled=not profile.enabled, order=7, schedule="1 1 * * *", time_zone="UTC")
    assert profile_digest(timed) == profile_digest(profile)
    other = OnBlank.CLEAR if profile.on_blank is OnBlank.KEEP else OnBlank.KEEP
    assert profile_digest(replace(profile, on_blank=other)) != profile_digest(profile)


def test_the_six_shipped_profiles_parse_in_their_order():
    """Companies first, then what needs them."""
    assert [(profile.order, profile.title) for profile in shipped()] == [
        (10, "Customers"),
        (20, "Contacts"),
        (30, "Balances"),
        (40, "Sales history"),
        (50, "Invoices"),
        (60, "Sales statistics by period"),
    ]
    assert {profile.time_zone for profile in shipped()} == {"Europe/Copenhagen"}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_file_is_written_back_as_it_stands(path):
    """But for the note for people, and Customer for its old name Debtor."""
    text = path.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith('  "note":')]
    expected = "".join(lines).replace('"source": "Debtor"', '"source": "Customer"')
    assert profile_to_json(profile_from_json(text, path.name)) == expected


def test_customers_fill_the_master_data_and_nothing_of_peoples_own():
    """The type of a company is set once; its account manager is never touched."""
    rules = {rule.target: rule for rule in shipped()[0].rules}
    assert rules["CompanyType"] == FieldRule("CompanyType", None, WriteRule.ON_CREATE_ONLY, None, "Customer")
    assert rules["CINumber"].converter == "cvr_digits"
    assert rules["EMail"].converter == "first_email"
    assert "AccountManager" not in rules
    assert shipped()[0].on_missing is OnMissing.FLAG


def test_sales_history_is_the_profile_of_the_products_documentation():
    """Update; Title, Company name, Address, Customer ID, Sales year to date and nothing else."""
    profile = shipped()[3]
    assert profile.import_type is ImportType.UPDATE
    assert {rule.target: rule.source for rule in profile.rules} == {
        "Title": "Name",
        "CompanyName": "Name",
        "Address": "Address",
        "CustomerID": "Number",
        "SalesYearToDate": "SalesThisYear",
    }


def test_blank_cells_get_the_documented_defaults():
    """Keys, brake, blank, zone; switched on, and only on request."""
    profile = parse_profile({**ROW, "ImportType": None}, WHERE)
    assert (profile.key_target, profile.key_source) == ("CustomerID", "Number")
    assert profile.import_type is ImportType.IMPORT_AND_UPDATE
    assert (profile.max_change_pct, profile.on_blank) == (30, OnBlank.KEEP)
    assert (profile.enabled, profile.order, profile.schedule) == (True, 100, None)
    assert profile.time_zone == "Europe/Copenhagen"


@pytest.mark.parametrize(
    ("source", "target", "keys"),
    [
        ("Customer Contact", "CRM Contact", ("ImportID", "ImportID")),
        ("Booked invoice", "Invoice", ("InvoiceNumber", "InvoiceNumber")),
        ("Sales", "Sales statistics", ("StatKey", "StatKey")),
    ],
)
def test_every_source_has_its_own_default_key(source, target, keys):
    """Import ID for contacts, the number for invoices, the period's key for sales."""
    rules = [{"target": "Title", "default": "x"}]
    profile = parse_profile({"Title": "P", "Source": source, "Target": target, "Mapping": rules}, WHERE)
    assert (profile.key_target, profile.key_source) == keys
    assert profile.rules[0] == FieldRule(*keys)


STATUS = [{"source": "ERPStatus", "target": "ERPStatus"}]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"Mapping": STATUS}, OnMissing.FLAG),
        ({"Mapping": STATUS, "ImportType": "Update"}, OnMissing.FLAG),
        ({"Mapping": STATUS, "ImportType": "Import"}, OnMissing.KEEP),
        ({"Mapping": [{**STATUS[0], "rule": "Fill if blank"}]}, OnMissing.KEEP),
        ({}, OnMissing.KEEP),
        ({"Mapping": STATUS, "OnMissing": "keep"}, OnMissing.KEEP),
    ],
)
def test_items_missing_in_the_erp_are_flagged_unless_told_otherwise(cells, expected):
    """Where a flag is possible: it needs the status column, and a profile that updates."""
    assert parse_profile({**ROW, **cells}, WHERE).on_missing is expected


@pytest.mark.parametrize(
    "cells",
    [
        {"Source": "customer", "Target": " crm  company ", "ImportType": "import AND update"},
        {"Source": "DEBTOR", "Enabled": "Ja", "MaxChangePct": "30 %"},
        {"Enabled": "1", "RunOrder": "100", "OnBlank": "keep", "OnMissing": "keep"},
    ],
)
def test_words_are_taken_in_any_case_with_stray_blanks(cells):
    """Old and new names, yes and no in Danish, a per cent sign."""
    assert parse_profile({**ROW, **cells}, WHERE) == parse_profile(ROW, WHERE)


def test_the_key_is_always_written():
    """A mapping that forgets its key column gets the rule."""
    profile = parse_profile({**ROW, "Mapping": '[{"source": "Name", "target": "Title"}]'}, WHERE)
    assert profile.rules[0] == FieldRule("CustomerID", "Number")


@pytest.mark.parametrize("typed", ["customer id", "CustomerId", " Customer  ID "])
def test_the_key_column_is_known_by_its_label_too(typed):
    """Customer ID is what the product shows; it is not a second column."""
    profile = parse_profile({**ROW, "KeyTarget": typed, "Mapping": [{"source": "Number", "target": typed}]}, WHERE)
    assert profile.columns == ("CustomerID",)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (
            {"ImportType": "Imprt", "OnBlank": "wipe", "MaxChangePct": "many"},
            [
                "column Import type: 'Imprt' is not known. Did you mean 'Import'? "
                "Allowed: Import, Import & Update, Update.",
                "column Stop if changes exceed %: 'many' is not a number.",
                "column Blank source: 'wipe' is not known. Allowed: Keep CRM value, Clear.",
            ],
        ),
        (
            {"Source": "Debitr", "TimeZone": "Copenhagen", "Schedule": "hourly"},
            [
                "column Source: 'Debitr' is not known. Did you mean 'Debtor'? "
                "Allowed: Debtor, Customer, Customer Contact, Booked invoice, Sales.",
                "column Time zone: 'Copenhagen' is not a time zone name such as Europe/Copenhagen. "
                "Did you mean 'Europe/Copenhagen'?",
                "column Schedule: 'hourly' is not a cron text of five fields such as '0 2 * * *' (every night at two).",
            ],
        ),
        (
            {"Target": None, "Mapping": '[{"source": "Name"}]', "SourceFilter": '{"barred": true}'},
            [
                "column Target: is blank. Allowed: CRM Company, CRM Contact, Invoice, Sales statistics.",
                "column Mapping: rule 1: names no target column.",
                "column Filter: 'barred' is not known. Did you mean 'includeBarred'? "
                "Allowed: customerGroups, includeBarred, months, periods.",
            ],
        ),
        (
            {"Title": None, "Target": "CRM Contact", "KeySource": "Nummber", "RunOrder": "1.5"},
            [
                "column Title: is blank; a profile needs a name.",
                "column Target: Customer can't fill CRM Contact. Allowed: CRM Company.",
                "column Order: 1.5 is not a whole number.",
                "column Key (ERP): Customer has no field 'Nummber'. Did you mean Number",
            ],
        ),
        (
            {"Mapping": '[{"source": "Name", "source": "City", "target": "Title"}]', "Enabled": "perhaps"},
            [
                "column Mapping: 'source' stands twice in one object.",
                "column Enabled: 'perhaps' is neither yes nor no. Allowed: Yes, No.",
            ],
        ),
        (
            {"OnMissing": "Flag", "ImportType": "Import"},
            [
                "column Missing in ERP: Import never touches existing items, so it can't flag. Allowed: Keep.",
                "column Missing in ERP: Flag needs a rule that fills ERPStatus and is owned by the ERP, "
                "so that the flag goes away again. Allowed: Keep.",
            ],
        ),
    ],
)
def test_a_bad_row_shows_all_its_problems_and_no_other(cells, expected):
    """Each names row, column and what is allowed; one mistake is one problem."""
    found = problems(**cells)
    assert len(found) == len(expected), found
    for text, start in zip(found, expected, strict=True):
        assert text.startswith(f"{WHERE}, {start}"), text


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ({"Title": " "}, "column Title: is blank"),
        ({"Title": "a\nb"}, "holds a line break"),
        ({"Title": "x" * 256}, "has 256 characters; a title can have 255"),
        ({"Source": None}, "column Source: is blank. Allowed: Debtor"),
        ({"Source": "Debitr"}, "Did you mean 'Debtor'?"),
        ({"Target": "CRM Contact"}, "Customer can't fill CRM Contact. Allowed: CRM Company."),
        ({"Enabled": "perhaps"}, "neither yes nor no"),
        ({"RunOrder": "first"}, "is not a number"),
        ({"MaxChangePct": "-1"}, "out of range"),
        ({"Schedule": "hourly"}, "not a cron text of five fields"),
        ({"Schedule": "99 2 * * *"}, "not a valid cron text"),
        ({"TimeZone": "Copenhagen"}, "not a time zone name"),
        ({"KeySource": "Nummber"}, "Customer has no field 'Nummber'. Did you mean Number"),
        ({"Mapping": ""}, "must be a JSON list of rules"),
        ({"Mapping": "{}"}, "must be a JSON list of rules"),
        ({"Mapping": '[\n{"source" "Name"}]'}, "not readable JSON: Expecting ':' delimiter at line 2, column 11"),
        ({"Mapping": '["Name"]'}, "rule 1: must be an object"),
        ({"Mapping": '[{"source": "Name"}]'}, "rule 1: names no target column"),
        ({"Mapping": '[{"target": "Title"}]'}, "rule 1: has neither a source field nor a default"),
        ({"Mapping": '[{"source": "Nmae", "target": "Title"}]'}, "has no field 'Nmae'. Did you mean Name"),
        ({"Mapping": '[{"source": "Name", "target": "Title", "rule": "mine"}]'}, "write rule 'mine' is not known"),
        ({"Mapping": '[{"source": "Name", "target": "Title", "converter": "trimm"}]'}, "Did you mean 'trim'?"),
        (
            {"Mapping": '[{"source": "Balance", "target": "Title", "converter": "phone"}]'},
            "phone can't convert Balance",
        ),
        ({"Mapping": '[{"source": "Name", "target": "Title", "shorten": "x"}]'}, "shorten is neither yes nor no"),
        ({"Mapping": '[{"source": "Name", "target": "T"}, {"source": "City", "target": "T"}]'}, "T is mapped twice"),
        ({"Mapping": '[{"source": "Name", "target": "T", "to": 1}]'}, "rule 1: 'to' is not known"),
        (
            {"Mapping": '[{"source": "Name", "target": "CustomerID"}]'},
            "CustomerID is filled from Name, but the key is Number",
        ),
        ({"SourceFilter": '{"periods": ["Month"]}'}, "periods has no meaning for Customer"),
        ({"SourceFilter": "{"}, "not readable JSON"),
        ({"SourceFilter": "[1]"}, "must be a JSON object"),
        ({"SourceFilter": '{"group": 1}'}, "'group' is not known"),
        ({"SourceFilter": '{"customerGroups": ["a"]}'}, "must be a list of group numbers"),
        ({"SourceFilter": '{"includeBarred": "perhaps"}'}, "includeBarred must be true or false"),
        ({"SourceFilter": '{"months": 0}'}, "whole number from 1 to 600"),
        ({"SourceFilter": '{"months": 24}'}, "months has no meaning for Customer"),
        ({"SourceFilter": '{"periods": ["Week"]}'}, "list of period types. Allowed: Financial year"),
        ({"OnMissing": "Flag"}, "Flag needs a rule that fills ERPStatus"),
        ({"OnMissing": "Flag", "ImportType": "Import"}, "Import never touches existing items"),
        ({"OnMissing": "Delete"}, "Allowed: Keep, Flag"),
    ],
)
def test_every_bad_cell_is_named_with_what_is_right(cells, says):
    """One sentence each."""
    assert any(says in text for text in problems(**cells)), problems(**cells)


def tried(read: Callable[[], Profile]) -> tuple[Profile | None, tuple[Problem, ...]]:
    """The profile, or its problems."""
    try:
        return read(), ()
    except ConfigError as error:
        return None, error.problems


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["source", "target", "default", "months", "periods", "x"]), inner, max_size=4),
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from([*sorted(ROW), "Enabled", "RunOrder", "SourceFilter", "OnBlank", "OnMissing"]), anything
    )
)
def test_whatever_stands_in_a_row_is_a_profile_or_a_list_of_problems(cells):
    """Never a traceback; and what is accepted can be written back."""
    profile, found = tried(lambda: parse_profile({**ROW, **cells}, WHERE))
    assert bool(profile) != bool(found)
    if profile is not None:
        assert parse_profile(profile_to_row(profile), WHERE) == profile
        assert profile_from_json(profile_to_json(profile), "file") == profile


@given(st.dictionaries(st.sampled_from(["title", "mapping", "filter", "order", "x"]), anything))
def test_whatever_stands_in_a_file_is_a_profile_or_a_list_of_problems(data):
    """Never a traceback."""
    text = json.dumps({"source": "Customer", "target": "CRM Company", **data})
    profile, found = tried(lambda: profile_from_json(text, "file"))
    assert bool(profile) != bool(found)


def test_a_file_may_hold_a_note_for_people():
    """It is read by nobody else."""
    good = parse_profile(ROW, WHERE)
    assert profile_from_json(profile_to_json(good).replace("{", '{"note": "x",', 1), "file a.json") == good


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[", "file a.json: is not readable JSON: Expecting value at line 1, column 2."),
        ("[1]", "file a.json: must be a JSON object in { }."),
        ("", "file a.json: is not readable JSON: Expecting value at line 1, column 1."),
        ('{"titel": 1}', "file a.json, key titel: is not known. Did you mean 'title'? Allowed: title, enabled,"),
    ],
)
def test_a_file_that_is_no_profile_is_refused(text, expected):
    """With the place and what is allowed."""
    with pytest.raises(ConfigError) as caught:
        profile_from_json(text, "file a.json")
    assert str(caught.value.problems[0]).startswith(expected)


def test_a_file_shows_its_unknown_keys_and_its_bad_cells_together():
    """Nobody should have to import a file twice to see what is wrong."""
    text = profile_to_json(parse_profile(ROW, WHERE)).replace('"order": 100', '"order": "first", "colour": 1')
    with pytest.raises(ConfigError) as caught:
        profile_from_json(text, "file a.json")
    assert [problem.where for problem in caught.value.problems] == [
        "file a.json, key colour",
        "file a.json, column Order",
    ]
