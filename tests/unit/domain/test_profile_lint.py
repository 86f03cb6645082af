"""What is wrong between profiles, and what is allowed but seldom meant."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from worker.domain.profile import FieldRule, ImportType, Profile, SourceFilter, WriteRule
from worker.domain.profile_lint import lint_profiles, profile_warnings
from worker.domain.profile_row import profile_from_json

SHIPPED = [
    profile_from_json(path.read_text(encoding="utf-8"), path.name)
    for path in sorted((Path(__file__).parents[3] / "config" / "profiles").glob("*.json"))
]
CUSTOMERS, CONTACTS, BALANCES, HISTORY = SHIPPED[:4]
KEY = FieldRule("CustomerID", "Number")


def company(title: str, *rules: FieldRule, groups: frozenset[int] = frozenset()) -> Profile:
    """A profile for companies with these rules beside its key."""
    return replace(CUSTOMERS, title=title, rules=(KEY, *rules), source_filter=SourceFilter(groups))


def found(*profiles: Profile) -> list[str]:
    return [str(problem) for problem in lint_profiles(profiles)]


def test_the_shipped_profiles_agree_with_each_other():
    """Customers and Sales history both own the name and the address, by the same rule."""
    shared = set(CUSTOMERS.rules) & set(HISTORY.rules)
    assert {rule.target for rule in shared} == {"CustomerID", "Title", "CompanyName", "Address"}
    assert found(*SHIPPED) == []


def test_the_shipped_profiles_warn_of_nothing_but_the_open_brake_of_the_statistics():
    """Most periods move when everybody is invoiced in one night, so their brake's share is off; the linter says so."""
    warnings = [(profile.title, text) for profile in SHIPPED for text in profile_warnings(profile, SHIPPED)]
    assert warnings == [
        ("Sales statistics by period", "The brake is off: a wrong mapping could rewrite every item."),
    ]


def test_two_owners_that_fill_a_column_differently_are_a_problem():
    """Each run would overwrite the other's value for ever."""
    one, other = (
        company("One", FieldRule("City", "City")),
        company("Other", FieldRule("City", "City", converter="upper")),
    )
    assert found(one, other) == [
        "profiles 'One' and 'Other': both own column City but fill it differently: "
        "each run would overwrite the other's value."
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (company("One", FieldRule("X", "City")), company("Other", FieldRule("X", "City"))),
        (company("One", FieldRule("X", "City")), replace(company("Other", FieldRule("X", "Name")), enabled=False)),
        (company("One", FieldRule("X", "City")), company("Other", FieldRule("X", "Name", WriteRule.FILL_IF_BLANK))),
        (company("One", FieldRule("X", "City")),
         replace(company("Other", FieldRule("X", "Name")), import_type=ImportType.IMPORT)),
        (company("One", FieldRule("X", "City"), groups=frozenset({1})),
         company("Other", FieldRule("X", "Name"), groups=frozenset({2, 3}))),
        (company("One", FieldRule("X", "City")), replace(CONTACTS, rules=(*CONTACTS.rules, FieldRule("X", "Name")))),
    ],
    ids=["same rule", "switched off", "fills blanks only", "import only", "other customers", "other list"],
)  # fmt: skip
def test_profiles_that_never_disagree_are_fine(one, other):
    """They agree, or never write the same item's column twice."""
    assert found(one, other) == []


def test_three_owners_are_compared_pair_by_pair():
    """Disjoint customers in the middle hide nothing."""
    one = company("One", FieldRule("X", "City"), groups=frozenset({1}))
    two = company("Two", FieldRule("X", "Name"), groups=frozenset({2}))
    three = company("Three", FieldRule("X", "Name"), groups=frozenset({1}))
    assert [text.split(":")[0] for text in found(one, two, three)] == ["profiles 'One' and 'Three'"]


@pytest.mark.parametrize(
    ("companies", "contacts", "wrong"), [(50, 10, True), (10, 10, True), (10, 20, False), (10, 11, False)]
)
def test_contacts_come_after_their_companies(companies, contacts, wrong):
    """Of the same order, the title decides: Contacts would run before Customers."""
    texts = found(replace(CUSTOMERS, order=companies), replace(CONTACTS, order=contacts))
    assert bool(texts) is wrong
    if wrong:
        assert texts == [
            f"profile 'Contacts', column Order: is {contacts}: Customer Contact rows need companies, "
            f"which 'Customers' makes at {companies}."
        ]


def test_two_profiles_of_one_title_are_a_problem_for_both():
    """A title is how people and runs name a profile; letter case does not make two."""
    texts = found(CUSTOMERS, replace(CUSTOMERS, title="CUSTOMERS", enabled=False))
    assert texts == [
        "profile 'Customers': has the same title as another profile.",
        "profile 'CUSTOMERS': has the same title as another profile.",
    ]


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (replace(CUSTOMERS, rules=(*CUSTOMERS.rules, FieldRule("AccountManager", "SalesPerson"))),
         ["AccountManager is usually people's own column; this profile overwrites it."]),
        (replace(CUSTOMERS, rules=(*CUSTOMERS.rules, FieldRule("JobTitle", "Name", WriteRule.ON_CREATE_ONLY))), []),
        (replace(CUSTOMERS, rules=(replace(KEY, write=WriteRule.FILL_IF_BLANK), *CUSTOMERS.rules[1:])),
         ["The key CustomerID should be owned by the ERP."]),
        (replace(CUSTOMERS, max_change_pct=Decimal(100)),
         ["The brake is off: a wrong mapping could rewrite every item."]),
        (company("Small"), ["ImportID is not filled: new items don't say which agreement they came from."]),
        (replace(company("Small"), import_type=ImportType.UPDATE), []),
    ],
)  # fmt: skip
def test_what_is_allowed_but_seldom_meant_is_a_warning(profile, expected):
    """People's columns, an unsure key, a brake that is off, items of unknown origin."""
    assert profile_warnings(profile) == expected


def test_figures_need_a_date_from_one_of_the_profiles_of_their_list():
    """Sales history has none by itself; Balances brings it. Without knowing the others nothing is said."""
    warning = "SalesYearToDate without FiguresAsOf: nobody sees how old the figures are."
    assert profile_warnings(HISTORY) == []
    assert profile_warnings(HISTORY, [BALANCES]) == []
    assert profile_warnings(HISTORY, []) == [warning]
    assert profile_warnings(HISTORY, [replace(BALANCES, enabled=False)]) == [warning]
    assert profile_warnings(BALANCES, []) == []
