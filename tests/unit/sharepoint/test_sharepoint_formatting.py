"""The shipped looks: SharePoint would take every one of them, in both languages, with links and without."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.formatting_schema import Columns, problems
from worker.errors import ConfigError
from worker.sharepoint.definitions import LIST_OF, ListDefinition, load_definitions
from worker.sharepoint.formatting import (
    LANGUAGES,
    Formatter,
    Kind,
    Language,
    Place,
    economy_link,
    link_in,
    load_looks,
    render,
)
from worker.sharepoint.formatting_marks import Origin, origin_of

CONFIG = Path(__file__).parents[3] / "config"
DEFINITIONS = load_definitions(CONFIG / "lists")
LOOKS = load_looks(CONFIG / "formatting", DEFINITIONS)
CARD = economy_link("https://sync.example.com/economy/{customer}")
ADDRESSES = pytest.mark.parametrize("link", [None, CARD], ids=["no address", "address"])
BOTH = pytest.mark.parametrize("language", LANGUAGES)


def uses() -> Iterator[tuple[ListDefinition, Kind, str, str]]:
    """Every place a formatter is put: list, kind, the column it stands on, its name."""
    for one in DEFINITIONS.values():
        yield from ((one, "column", column.name, column.formatter) for column in one.columns if column.formatter)
        yield from ((one, "view", "Title", view.formatter) for view in one.views if view.formatter)
        if one.form:
            yield one, "form", "Title", one.form


USES = pytest.mark.parametrize("use", list(uses()), ids=lambda use: f"{use[0].key}-{use[2]}-{use[3]}")


def columns_of(one: ListDefinition, language: Language, current: str) -> Columns:
    titles = [column.title(language) for column in one.columns]
    return Columns({column.name: column.type for column in one.columns}, current, titles=titles)


def rendered(one: ListDefinition, name: str, language: Language, link: tuple[str, str] | None) -> str:
    titles = {column.name: column.title(language) for column in one.columns}
    text = LOOKS.text(name, Place(titles=titles, link=link), language)
    assert text is not None
    return text


@USES
@BOTH
@ADDRESSES
def test_sharepoint_takes_every_formatter(use, language, link):
    """Shapes, names, expressions and the columns they refer to; and each is known as ours again."""
    one, kind, current, name = use
    text = rendered(one, name, language, link)
    assert problems(json.loads(text), kind, columns_of(one, language, current)) == []
    assert origin_of(text) is Origin.OURS
    assert "{{" not in text


@USES
def test_real_internal_names_stand_everywhere_in_the_place_of_logical_ones(use):
    """A CRM's own list has names of its own."""
    one, kind, current, name = use
    internal = {column.name: f"field_{index}" for index, column in enumerate(one.columns)}
    titles = {column.name: column.display for column in one.columns}
    text = LOOKS.text(name, Place(internal, titles, CARD), "en")
    assert text is not None
    kinds = {internal[column.name]: column.type for column in one.columns}
    known = Columns(kinds, internal[current], titles=list(titles.values()))
    assert problems(json.loads(text), kind, known) == []


@BOTH
def test_a_link_appears_only_where_an_address_is_given(language):
    """Without one the number is plain text, and still ours; with one it leads to that customer's card."""
    for key in ("companies", "invoices", "sales-statistics"):
        without = rendered(DEFINITIONS[key], "economy-link", language, None)
        assert "href" not in without
        assert '"txtContent":"@currentField"' in without
        with_link = rendered(DEFINITIONS[key], "economy-link", language, CARD)
        assert '"href":"=\'https://sync.example.com/economy/\' + [$CustomerID]"' in with_link
    assert "href" not in rendered(DEFINITIONS["companies"], "company-form", language, None)
    assert "href" in rendered(DEFINITIONS["companies"], "company-form", language, CARD)


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("https://a.example/economy/{customer}", ("https://a.example/economy/", "")),
        ("https://a.example/economy/", ("https://a.example/economy/", "")),
        ("https://a.example/c/{customer}/card", ("https://a.example/c/", "/card")),
    ],
)
def test_an_address_is_read_back_from_what_was_made_of_it(address, parts):
    """So that it can stay where it is not given again."""
    assert economy_link(address) == parts
    assert link_in(rendered(DEFINITIONS["companies"], "economy-link", "da", parts)) == parts
    assert link_in(rendered(DEFINITIONS["companies"], "company-form", "en", parts)) == parts
    assert link_in(rendered(DEFINITIONS["companies"], "balance", "en", parts)) is None


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)//",
        "economy/",
        "//a.example/",
        "https://",
        "https://a.example/'+[$Title]+'",
        "ftp://a.example/",
    ],
)
def test_an_address_that_is_no_web_address_is_refused(address):
    """Or that would end the expression it stands in."""
    with pytest.raises(ConfigError, match="economy address"):
        economy_link(address)


# --- what was asked for is there


@pytest.mark.parametrize(
    ("key", "column", "formatter"),
    [
        ("companies", "OverdueAmount", "overdue-pill"),
        ("companies", "OldestOverdueDays", "ageing-bar"),
        ("companies", "SalesTrend", "trend"),
        ("companies", "SalesYearToDate", "sales-change"),
        ("companies", "Balance", "balance"),
        ("companies", "CustomerID", "economy-link"),
        ("companies", "ERPStatus", "erp-status"),
        ("invoices", "InvoiceStatus", "invoice-status"),
        ("invoices", "DaysOverdue", "days-overdue"),
        ("invoices", "CustomerID", "economy-link"),
        ("sync-runs", "RunStatus", "run-status"),
        ("sync-runs", "FailedRows", "count-alert"),
        ("sync-row-results", "Outcome", "row-outcome"),
    ],
)
def test_each_figure_has_its_look(key, column, formatter):
    """Pills, bar, arrow, colours, link."""
    assert DEFINITIONS[key].by_name[column].formatter == formatter


def test_every_formatter_file_is_used():
    """One that nothing names would be dead weight."""
    assert {name for _, _, _, name in uses()} == set(LOOKS.formatters)


@BOTH
def test_a_choice_column_with_a_look_says_each_of_its_choices(language):
    """A choice that was added without its words would stand there in English."""
    for one, kind, current, name in uses():
        column = one.by_name.get(current)
        if kind == "column" and column and column.choices:
            text = rendered(one, name, language, None)
            missing = [choice for choice in column.choices if f"== '{choice}'" not in text]
            assert missing == [], (one.key, current)


def test_money_is_sorted_by_what_is_overdue_and_shows_what_its_looks_read():
    """In SharePoint a formatter sees only the columns of the view."""
    views = {view.title: view for view in DEFINITIONS["companies"].views}
    money = views["Money"]
    assert money.query == '<OrderBy><FieldRef Name="OverdueAmount" Ascending="FALSE"/></OrderBy>'
    assert {"Balance", "CreditLimit", "OverdueAmount", "OldestOverdueDays", "SalesTrend"} <= set(money.columns)
    assert reads("overdue-pill", "ageing-bar", "balance") <= set(money.columns)
    slipping = views["Slipping customers"]
    assert ">Declining<" in slipping.query
    assert ">Lapsed<" in slipping.query
    assert reads("trend", "sales-change") <= set(slipping.columns)


def reads(*names: str) -> set[str]:
    return set().union(*(LOOKS.formatters[name].columns() for name in names))


def test_open_invoices_are_grouped_by_company():
    """Under a header of the worker's."""
    (grouped,) = (view for view in DEFINITIONS["invoices"].views if "<GroupBy" in view.query)
    assert '<FieldRef Name="Company"/></GroupBy>' in grouped.query
    assert grouped.formatter == "invoice-groups"


@pytest.mark.parametrize(
    ("language", "titles"),
    [
        ("en", ["Master data", "Money", "Sales", "Create in e-conomic", "Other"]),
        ("da", ["Stamdata", "Penge", "Salg", "Opret i e-conomic", "Øvrigt"]),
    ],
)
def test_the_form_has_its_sections_and_every_column_in_one(language, titles):
    """A column in none would come last, whatever it is."""
    form = json.loads(rendered(DEFINITIONS["companies"], "company-form", language, None))
    sections = form["bodyJSONFormatter"]["sections"]
    assert [section["displayname"] for section in sections] == titles
    placed = [title for section in sections for title in section["fields"]]
    assert sorted(placed) == sorted(column.title(language) for column in DEFINITIONS["companies"].columns)


def profile_columns() -> set[tuple[str, str]]:
    """List and column of everything the shipped profiles write every time, or once when it is blank."""
    keys = {kind.value: key for kind, key in LIST_OF.items()}
    found = set()
    for file in (CONFIG / "profiles").glob("*.json"):
        profile = json.loads(file.read_text("utf-8"))
        lines = [line for line in profile["mapping"] if line.get("rule") != "On create only"]
        found |= {(keys[profile["target"]], line["target"]) for line in lines}
    return found


def test_exactly_the_columns_that_e_conomic_fills_say_so():
    """And those that only a new company gets, or nobody fills, are people's and say nothing."""
    described = {(key, column.name) for key in LIST_OF.values() for column in DEFINITIONS[key].columns if column.filled}
    creation = {("companies", name) for name in ("CreateInEconomic", "CreateStatus", "CreateClaim")}
    flagged = {(key, "ERPMissingSince") for key in ("companies", "contacts")} | {("contacts", "PrivacyReview")}
    assert described == profile_columns() | creation | flagged
    assert "e-conomic" in LOOKS.descriptions["erp"].en
    assert "e-conomic" in LOOKS.descriptions["erp"].da


# --- files that are wrong


def folder_with(tmp_path: Path, name: str, text: str) -> Path:
    for file in (CONFIG / "formatting").glob("*.json"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def element(**more: Any) -> str:
    return json.dumps({"kind": "column", "about": "x", "json": {"elmType": "div", **more}})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "balance.json"),
        (element(txtContent="{{nowhere}}"), "words not given: nowhere"),
        (element(txtContent="[$Shoe]"), "reads columns the list does not have: Shoe"),
        (element(attributes={"class": "=if(1 > 0, 'a', 'b')"}), "our mark goes there"),
        (element().replace('"column"', '"view"'), "needs an outermost element"),
        (element().replace('"about"', '"abuot"'), "abuot"),
        (
            element(txtContent="{{w}}").replace('"about"', '"words": {"w": {"en": "don\'t", "da": "x"}}, "about"'),
            "would end an expression",
        ),
    ],
)
def test_a_wrong_file_is_told_with_its_name(tmp_path, text, told):
    """Before anything is asked of SharePoint."""
    with pytest.raises(ConfigError) as caught:
        load_looks(folder_with(tmp_path, "balance.json", text), DEFINITIONS)
    assert told in " ".join(str(problem) for problem in caught.value.problems)


def test_everything_wrong_is_told_at_once(tmp_path):
    """A missing file, a broken one, and descriptions that lack a language."""
    folder = folder_with(tmp_path, "trend.json", "{")
    (folder / "balance.json").unlink()
    (folder / "descriptions.json").write_text('{"erp": {"en": "x"}}', "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_looks(folder, DEFINITIONS)
    told = " ".join(str(problem) for problem in caught.value.problems)
    assert "trend.json" in told
    assert "there is no column formatter 'balance'" in told
    assert "descriptions.json, erp.da" in told


def test_an_element_below_which_nothing_is_left_goes_with_its_children():
    """In a form or view; a column would be empty, so there the value takes the place."""
    link = {"elmType": "a", "txtContent": "x", "attributes": {"href": "={{economy_link}}"}}
    inner = {"elmType": "div", "children": [link]}
    header = {"elmType": "div", "children": [{"elmType": "span", "txtContent": "x"}, inner]}
    form = Formatter.model_validate({"kind": "form", "about": "x", "json": {"headerJSONFormatter": header}})
    made = json.loads(render(form, Place(), "en") or "")
    assert [child["elmType"] for child in made["headerJSONFormatter"]["children"]] == ["span"]
    column = Formatter.model_validate({"kind": "column", "about": "x", "json": {"elmType": "div", "children": [inner]}})
    assert '"txtContent":"@currentField"' in (render(column, Place(), "en") or "")
    bare = Formatter.model_validate({"kind": "column", "about": "x", "json": link})
    assert render(bare, Place(), "en") is None
