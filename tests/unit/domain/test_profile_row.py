"""Profiles as people type them: every problem at once, and a faithful way back."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.converters import CONVERTERS
from worker.domain.fields import CATALOGUE
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
from worker.domain.profile_lint import lint_profiles, profile_warnings
from worker.domain.profile_row import (
    parse_profile,
    profile_digest,
    profile_from_json,
    profile_to_json,
    profile_to_row,
)
from worker.domain.values import TargetKind
from worker.errors import ConfigError

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
        converters = [None, *(n for n, c in CONVERTERS.items() if field.type in c.accepts)]
        rules.append(
            FieldRule(
                name,
                field.name,
                draw(st.sampled_from(WriteRule)),
                draw(st.sampled_from(converters)),
                draw(st.one_of(st.none(), words)),
                draw(st.booleans()),
            )
        )
    periods = draw(st.sets(st.sampled_from(PeriodType), min_size=1))
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


def test_the_six_shipped_profiles_are_right():
    """They parse, agree with each other and warn of nothing unmeant."""
    found = shipped()
    assert [profile.title for profile in found] == [
        "Customers",
        "Contacts",
        "Balances",
        "Sales history",
        "Invoices",
        "Sales statistics by period",
    ]
    assert lint_profiles(found) == []
    assert [warning for profile in found[:5] for warning in profile_warnings(profile)] == []


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
    """Keys, brake, blank, missing, zone."""
    profile = parse_profile(ROW, WHERE)
    assert (profile.key_target, profile.key_source) == ("CustomerID", "Number")
    assert (profile.max_change_pct, profile.on_blank, profile.on_missing) == (30, OnBlank.KEEP, OnMissing.KEEP)
    assert (profile.enabled, profile.order, profile.schedule) == (True, 100, None)
    assert profile.time_zone == "Europe/Copenhagen"


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


def test_three_mistakes_are_three_problems():
    """Each names row, column and what is allowed."""
    found = problems(ImportType="Imprt", OnBlank="wipe", MaxChangePct="many")
    assert len(found) == 3
    assert all(text.startswith("profile 'Customers' (row 3), column ") for text in found)
    assert (
        "column Import type: 'Imprt' is not known. Did you mean 'Import'? Allowed: Import, Import & Update, Update."
        in (found[0])
    )


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ({"Title": " "}, "column Title: is blank"),
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
        ({"Mapping": '[{"source": "Name", "target": "CustomerID"}]'}, "CustomerID is mapped from Name, but the key is"),
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


@pytest.mark.parametrize("column", ["Title", "KeySource", "Mapping", "SourceFilter", "Schedule"])
@pytest.mark.parametrize(
    "secret",
    [
        "Zk3vQ9xW7rT1pL5mN8bC2dF4gH6jK0sA9yU3iO5",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc",
        "-----BEGIN PRIVATE KEY-----",
        "password: hemmelig1",
        "client_secret=abcdef123",
    ],
)
def test_what_looks_like_a_secret_is_refused_and_never_repeated(column, secret):
    """In any column; the message says what kind it is, not what it is."""
    found = problems(**{column: secret})
    assert all("Secrets must not be stored in a list" in text for text in found)
    assert all(secret not in text for text in found)


def test_ordinary_texts_are_no_secrets():
    """Mappings, GUIDs, long Danish words, addresses."""
    for text in (
        "Speciallægepraksisplanlægningsstabiliseringsperioden",
        "https://contoso.sharepoint.com/sites/crm/Lists/Companies/AllItems.aspx",
        "0bb1641a-3b3b-47f7-a11e-01279d92abfb",
        "Token ring customers",
    ):
        parse_profile({**ROW, "Title": text}, WHERE)


def test_a_file_with_unknown_keys_or_no_json_is_refused():
    """The note for people is allowed."""
    good = profile_to_json(parse_profile(ROW, WHERE))
    profile_from_json(good.replace("{", '{"note": "x",', 1), "file a.json")
    for text, says in ((good.replace("{", '{"colour": 1,', 1), "key colour: is not known"), ("[", "not readable JSON")):
        with pytest.raises(ConfigError) as caught:
            profile_from_json(text, "file a.json")
        assert says in str(caught.value.problems[0])


def test_profiles_that_would_overwrite_each_other_for_ever_are_a_problem():
    """Two owners of one column must agree."""
    first = parse_profile(ROW, WHERE)
    second = replace(first, title="Other", rules=(first.rules[1], FieldRule("Title", "City")))
    assert any("both own column Title" in str(problem) for problem in lint_profiles([first, second]))
    agreeing = replace(second, rules=first.rules)
    assert lint_profiles([first, agreeing]) == []
    asleep = replace(second, enabled=False)
    assert lint_profiles([first, asleep]) == []


def test_order_and_double_titles_are_looked_at():
    """Contacts need their companies first."""
    companies = replace(parse_profile(ROW, WHERE), order=50)
    contacts = replace(shipped()[1], order=10)
    found = [str(problem) for problem in lint_profiles([companies, contacts, replace(companies, enabled=False)])]
    assert any("need companies, which are made at 50" in text for text in found)
    assert sum("same title" in text for text in found) == 2


def test_what_is_allowed_but_seldom_meant_is_a_warning():
    """People's columns, and a brake that is off."""
    profile = replace(
        parse_profile(ROW, WHERE),
        rules=(FieldRule("CustomerID", "Number"), FieldRule("AccountManager", "SalesPerson")),
        max_change_pct=Decimal(100),
        target=TargetKind.COMPANY,
    )
    assert len(profile_warnings(profile)) == 2
