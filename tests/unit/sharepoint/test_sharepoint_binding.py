"""Logical columns find real ones, and everything that is wrong is said at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from worker.domain.values import ColumnKind as K
from worker.sharepoint.binding import ColumnNames, bind_columns
from worker.sharepoint.definitions import load_definitions
from worker.sharepoint.site_lists import FieldInfo, field_info

COMPANIES = load_definitions(Path(__file__).parents[3] / "config" / "lists")["companies"]
CONTACTS = load_definitions(Path(__file__).parents[3] / "config" / "lists")["contacts"]


def text(internal: str, title: str, **more: object) -> FieldInfo:
    return replace(FieldInfo(internal, internal, title, "Text", K.TEXT, max_length=255), **more)


def bind(fields, wanted, explicit=None, definition=COMPANIES, lookups=None):
    return bind_columns("Customers", definition, fields, wanted, ColumnNames(explicit or {}), lookups or {})


def bound(fields, name, explicit=None) -> str:
    found, problems = bind(fields, [name], explicit)
    assert problems == []
    return found[0].field.internal


def problem(fields, name, **more) -> str:
    _, problems = bind(fields, [name], **more)
    (one,) = problems
    return str(one)


CUSTOMER_ID = text("field_7", "Customer ID")


@pytest.mark.parametrize("title", ["Customer ID", "Kundenummer", "customerno", "KUNDENR", "CUSTOMER ID"])
def test_a_column_is_found_by_its_display_name_or_an_alias(title):
    """Aliases in any letter case, English and Danish."""
    assert bound([text("field_7", title), text("Title", "Title")], "CustomerID") == "field_7"


def test_the_order_is_configured_display_alias_internal():
    """The first rule that finds anything decides."""
    fields = [text("a", "Customer ID"), text("b", "Kundenr"), text("CustomerID", "Old number"), text("d", "Other")]
    assert bound(fields, "CustomerID", {"CustomerID": "d"}) == "d"
    assert bound(fields, "CustomerID") == "a"
    assert bound(fields[1:], "CustomerID") == "b"
    assert bound(fields[2:], "CustomerID") == "CustomerID"


def test_title_is_the_title_though_three_columns_show_it():
    """The two link columns of every list are no rivals."""
    link = FieldInfo("LinkTitle", "LinkTitle", "Title", "Computed", None, read_only=True)
    menu = FieldInfo("LinkTitleNoMenu", "LinkTitleNoMenu", "Title", "Computed", None, read_only=True)
    assert bound([link, text("Title", "Title"), menu], "Title") == "Title"


def test_a_column_of_the_crms_own_is_found_by_what_it_is_called():
    """Profiles may map columns the definitions do not know."""
    fields = [text("Omr_x00e5_de", "Område")]
    assert bound(fields, "Område") == "Omr_x00e5_de"
    assert bound(fields, "Omr_x00e5_de") == "Omr_x00e5_de"


def test_a_missing_column_names_near_ones_and_the_setting():
    """The candidates come first, with their internal names."""
    words = problem([text("Custno", "Customer numbre"), text("x", "Weather")], "CustomerID")
    assert "is not in the list" in words
    assert "Customer numbre (Custno)" in words
    assert '[sharepoint.columns."Companies"] CustomerID' in words


def test_an_ambiguous_column_names_all_it_could_be():
    """Never a silent pick."""
    words = problem([text("a", "Customer ID"), text("b", "Customer ID")], "CustomerID")
    assert "fits several columns" in words
    assert "Customer ID (a), Customer ID (b)" in words


def test_a_configured_name_that_does_not_exist_is_missing():
    """A typing mistake in the settings does not fall back to a guess."""
    assert "is not in the list" in problem([CUSTOMER_ID], "CustomerID", explicit={"CustomerID": "Costumer"})


@pytest.mark.parametrize(
    ("name", "field", "words"),
    [
        ("Balance", text("b", "Balance"), "is of type Text. Allowed: Currency, Number."),
        ("CustomerID", FieldInfo("c", "c", "Customer ID", "Note", K.NOTE), "a key can't be looked up in it"),
        ("City", FieldInfo("c", "c", "City", "TaxonomyFieldType", None), "TaxonomyFieldType, which the worker can't"),
        ("City", text("c", "City", read_only=True), "is read-only"),
        ("Address", FieldInfo("a", "a", "Address", "Note", K.NOTE, rich_text=True), "Switch it to plain text"),
        (
            "ERPStatus",
            FieldInfo("s", "s", "ERP status", "Choice", K.CHOICE, choices=("Active",)),
            "lacks the choices Barred, Missing in ERP",
        ),
    ],
    ids=["text for money", "note as key", "unknown type", "read-only", "rich text", "choices"],
)
def test_a_column_that_rows_would_fail_on_is_refused_before(name, field, words):
    """With what would be right."""
    assert words in problem([field], name)


def test_types_that_hold_the_values_as_well_are_accepted():
    """A CRM made by hand has text where we would have a choice."""
    fields = [
        FieldInfo("z", "z", "Zip", "Note", K.NOTE),
        FieldInfo("b", "b", "Balance", "Number", K.NUMBER),
        text("t", "Company type"),
        FieldInfo("s", "s", "ERP status", "Choice", K.CHOICE, fill_in=True),
        FieldInfo("k", "k", "Customer ID", "Number", K.NUMBER),
    ]
    found, problems = bind(fields, ["Zip", "Balance", "CompanyType", "ERPStatus", "CustomerID"])
    assert problems == []
    assert len(found) == 5


def test_a_look_up_must_point_to_the_companies():
    """Ids of another list would link contacts to anything."""
    field = FieldInfo("Company", "Company", "Company", "Lookup", K.LOOKUP, lookup_list="guid-1")
    assert "another list" in problem([field], "Company", definition=CONTACTS, lookups={"companies": "guid-2"})
    assert bind([field], ["Company"], definition=CONTACTS, lookups={"companies": "guid-1"})[1] == []


def test_two_names_for_one_column_are_refused():
    """They would overwrite each other every night."""
    _, problems = bind([text("x", "Title")], ["Title", "CompanyName"], {"CompanyName": "x"})
    assert [str(one) for one in problems] == [
        "Customers: list Companies: Title and CompanyName would both be column x."
    ]


def test_every_problem_of_a_profile_comes_at_once():
    """Not one per attempt."""
    _, problems = bind([text("x", "Weather")], ["CustomerID", "Title", "Balance"])
    assert len(problems) == 3
    assert all(one.where.startswith("Customers: list Companies, column ") for one in problems)


def test_a_column_is_read_from_what_sharepoint_says():
    """Format, length and decimals, in either spelling of choices."""
    money = field_info(
        {"InternalName": "B", "TypeAsString": "Currency", "SchemaXml": '<Field Decimals="2" LCID="1030"/>'}
    )
    day = field_info(
        {"InternalName": "_D", "EntityPropertyName": "OData__D", "TypeAsString": "DateTime", "DisplayFormat": 0}
    )
    choice = field_info({"InternalName": "C", "TypeAsString": "Choice", "Choices": {"results": ["a", "b"]}})
    look = field_info({"InternalName": "L", "TypeAsString": "Lookup", "LookupList": "{ABC-1}"})
    assert (money.kind, money.decimals) == (K.CURRENCY, 2)
    assert (day.kind, day.rest) == (K.DATE, "OData__D")
    assert field_info({"InternalName": "T", "TypeAsString": "DateTime", "DisplayFormat": 1}).kind is K.DATETIME
    assert choice.choices == ("a", "b")
    assert look.lookup_list == "abc-1"
    with pytest.raises(TypeError):
        field_info({"InternalName": "X", "TypeAsString": "Computed"}).as_column("X")
