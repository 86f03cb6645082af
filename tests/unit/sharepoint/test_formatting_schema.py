"""The checker of formatting refuses what SharePoint would refuse: each case is shipped formatting with one mistake."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.formatting_schema import ATTRIBUTES, ELEMENTS, STYLES, Columns, problems
from worker.emulators.sharepoint import format_elements
from worker.sharepoint.definitions import load_definitions
from worker.sharepoint.formatting import Place, load_looks

CONFIG = Path(__file__).parents[3] / "config"
DEFINITIONS = load_definitions(CONFIG / "lists")
LOOKS = load_looks(CONFIG / "formatting", DEFINITIONS)
TITLES = {column.name: column.display for column in DEFINITIONS["companies"].columns}
COMPANY = Columns(
    {column.name: column.type for column in DEFINITIONS["companies"].columns}, "Balance", titles=list(TITLES.values())
)
INVOICE = Columns({column.name: column.type for column in DEFINITIONS["invoices"].columns}, "Title")
CARD = ("https://sync.example.com/economy/", "")


def shipped(name: str) -> Any:
    return json.loads(LOOKS.text(name, Place(titles=TITLES, link=CARD), "en") or "")


def column_with(change: Callable[[Any], object]) -> list[str]:
    """What is said of the balance formatter after a change of its inner element."""
    document = shipped("balance")
    change(document["children"][0])
    return problems(document, "column", COMPANY)


ELEMENT_MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"elmType": "script"}, "'script' is no element"),
    ({"elmType": "iframe"}, "'iframe' is no element"),
    ({"elmType": "DIV"}, "'DIV' is no element"),
    ({"elmtype": "div"}, "elmtype: is not known"),
    ({"innerHTML": "<b>x</b>"}, "innerHTML: is not known"),
    ({"$schema": "x"}, "$schema: is not known"),
    ({"style": {"background": "red"}}, "style.background: is not known"),
    ({"style": {"colour": "red"}}, "style.colour: is not known"),
    ({"style": "color:red"}, "style: is no object"),
    ({"style": {"color": ["red"]}}, "style.color: is no value"),
    ({"attributes": {"onclick": "alert(1)"}}, "attributes.onclick: is not known"),
    ({"attributes": {"script": "alert(1)"}}, "attributes.script: is not known"),
    ({"attributes": {"style": "color:red"}}, "attributes.style: is not known"),
    ({"attributes": ["title"]}, "attributes: is no object"),
    ({"attributes": {"class": "my-own-red"}}, "'my-own-red' is no class"),
    ({"attributes": {"class": "=if(1 > 0, 'danger', '')"}}, "'danger' is no class"),
    ({"elmType": "a", "attributes": {"href": "javascript:alert(1)"}}, "href: is not seen"),
    ({"elmType": "a", "attributes": {"href": "='javascript:' + [$Title]"}}, "href: is not seen"),
    ({"elmType": "a", "attributes": {"href": "[$Website]"}}, "href: is not seen"),
    ({"elmType": "a", "attributes": {"href": "=if(1 > 0, 'https://a.example', '')"}}, "href: is not seen"),
    ({"attributes": {"href": "https://a.example/"}}, "href: belongs to an a"),
    ({"children": [{"elmType": "div"}]}, "children: are not shown beside txtContent"),
    ({"forEach": "one of @currentField"}, "forEach: is not"),
    ({"elmType": "button"}, "a button needs one"),
    ({"customRowAction": {"action": "runScript"}}, "customRowAction: is no action"),
    ({"customRowAction": {"action": "share", "script": "x"}}, "customRowAction.script: is not known"),
    ({"inlineEditField": "Balance"}, "inlineEditField: refers to no column"),
    ({"columnFormatterReference": "[$Shoe]"}, "columnFormatterReference: refers to no column"),
    ({"customCardProps": {"formatter": {"elmType": "object"}}}, "'object' is no element"),
]
VALUE_MISTAKES: list[tuple[Any, str]] = [
    ("=if(@currentField > 0, 'x'", "can't be read"),
    ("=if(@currentField > 0, 'x', 'y'))", "can't be read"),
    ("='it's'", "can't be read"),
    ("=@currentField >", "can't be read"),
    ("=1 ; 2", "can't be read"),
    ('="x"', "can't be read"),
    ("=if(@currentField, 'x')", "'if' takes 3 operands, not 2"),
    ("=round(1)", "'round' is no operator"),
    ("=IF(1, 2, 3)", "'IF' is no operator"),
    ("=[$Shoe] + 1", "[$Shoe] is no column"),
    ("[$Shoe]", "[$Shoe] is no column"),
    ("@currentfield", "@currentfield stands for nothing"),
    ("=@today", "@today stands for nothing"),
    ("=@group.count", "@group.count stands for nothing"),
    ("[$City.displayValue]", "[$City] has no displayValue"),
    ("=[$AccountManager.mail]", "[$AccountManager] has no mail"),
    ("Balance [$Balance]", "it lacks its ="),
    ("@currentField kr.", "can't be read"),
    ({"operator": "**", "operands": [1, 2]}, "'**' is no operator"),
    ({"operator": "toString", "operands": [1]}, "'toString' is no operator"),
    ({"operator": "?", "operands": [1, 2]}, "'?' takes 3 operands, not 2"),
    ({"operator": "+"}, "is no operator with operands"),
    ({"operator": "+", "operands": [1, "[$Shoe]"]}, "[$Shoe] is no column"),
    (None, "is no value"),
]
GOOD_VALUES = [
    "",
    "plain – text, 100 %",
    "@currentField.displayValue",
    "[!Balance.DisplayName]",
    "=-1 * [$Balance] + (2 - 3) / 4 % 5",
    "=if(@now > addDays([$LastInvoiceDate], 30) && 1 == 1, 'x', '')",
    "=[$AccountManager.title] + ' ' + @me",
    {"operator": ":", "operands": [{"operator": "==", "operands": ["@currentField", 1]}, "a", "b"]},
    {"operator": "toLocaleString()", "operands": ["@now"]},
    12,
]


@pytest.mark.parametrize(("more", "told"), ELEMENT_MISTAKES, ids=lambda case: str(case))
def test_a_wrong_element_is_refused(more, told):
    """Names that are not in the published lists, and addresses that are not seen to lead to the web."""
    assert [one for one in column_with(lambda node: node.update(more)) if told in one] != []


@pytest.mark.parametrize(("value", "told"), VALUE_MISTAKES, ids=lambda case: str(case))
@pytest.mark.parametrize("where", ["txtContent", "title", "color"])
def test_a_wrong_value_is_refused_wherever_it_stands(value, told, where):
    """In text, an attribute or a style."""

    def change(node: Any) -> None:
        holder = {"txtContent": node, "title": node["attributes"], "color": node["style"]}[where]
        holder[where] = value

    assert [one for one in column_with(change) if told in one] != []


@pytest.mark.parametrize("value", GOOD_VALUES, ids=str)
def test_a_good_value_is_taken(value):
    """Else the refusals above would prove nothing."""
    assert column_with(lambda node: node.update(txtContent=value)) == []


def test_what_belongs_to_the_outside_is_refused_inside_and_the_other_way_round():
    """Schema, forEach, and things that are no objects."""
    assert problems("text", "column", COMPANY) == ["is no object"]
    for wrong in ("https://example.com/schema.json", None):
        assert any("$schema" in one for one in problems({**shipped("balance"), "$schema": wrong}, "column", COMPANY))
    looped = {**shipped("balance"), "forEach": "one in @currentField"}
    assert any("forEach" in one for one in problems(looped, "column", COMPANY))
    childless = {**shipped("balance"), "children": {"elmType": "div"}}
    assert any("children: is no list" in one for one in problems(childless, "column", COMPANY))
    assert any(
        ": is no element" in one for one in problems({**shipped("balance"), "children": ["x"]}, "column", COMPANY)
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"tileProps": {}}, "tileProps: is not known"),
        ({"groupProps": {"formatter": {}}}, "groupProps.formatter: is not known"),
        ({"groupProps": {"headerFormatter": {"elmType": "h1"}}}, "'h1' is no element"),
        ({"groupProps": {"headerFormatter": {"elmType": "div", "txtContent": "@currentField"}}}, "stands for nothing"),
        ({"groupProps": {"headerFormatter": {"elmType": "div", "txtContent": "@group.sum"}}}, "stands for nothing"),
        ({"additionalRowClass": "=if([$Shoe] > 1, '', '')"}, "[$Shoe] is no column"),
        ({"rowFormatter": {"elmType": "table"}}, "'table' is no element"),
        ({"$schema": "https://developer.microsoft.com/json-schemas/sp/v2/column-formatting.schema.json"}, "$schema"),
    ],
)
def test_a_wrong_view_is_refused(change, told):
    """Properties of other layouts, and group values where there are none."""
    assert problems(shipped("invoice-groups"), "view", INVOICE) == []
    assert [one for one in problems({**shipped("invoice-groups"), **change}, "view", INVOICE) if told in one] != []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"header": {}}, "header: is not known"),
        ({"headerJSONFormatter": {"elmType": "h1"}}, "'h1' is no element"),
        ({"footerJSONFormatter": "text"}, "is no element"),
        ({"bodyJSONFormatter": {"fields": []}}, "has no sections"),
        ({"bodyJSONFormatter": {"sections": [{"displayname": "A", "fields": ["Shoe"]}]}}, "'Shoe' is no column's"),
        ({"bodyJSONFormatter": {"sections": [{"displayname": "A", "fields": ["OverdueAmount"]}]}}, "is no column's"),
        ({"bodyJSONFormatter": {"sections": [{"displayname": "A", "fields": ["City", "City"]}]}}, "two sections"),
        ({"bodyJSONFormatter": {"sections": [{"displayName": "A", "fields": []}]}}, "no displayname with fields"),
        ({"bodyJSONFormatter": {"sections": [{"displayname": 1, "fields": []}]}}, "displayname: is no text"),
    ],
)
def test_a_wrong_form_is_refused(change, told):
    """Internal names in a section, above all: SharePoint wants display names there."""
    assert problems(shipped("company-form"), "form", COMPANY) == []
    assert [one for one in problems({**shipped("company-form"), **change}, "form", COMPANY) if told in one] != []


def test_the_emulator_draws_no_more_than_sharepoint_takes():
    """Its lists are parts of the published ones, so that nothing looks right here and fails there."""
    assert format_elements._TAGS <= ELEMENTS
    assert format_elements._ATTRIBUTES <= ATTRIBUTES
    assert format_elements._STYLES <= STYLES
