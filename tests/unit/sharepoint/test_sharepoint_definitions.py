"""The shipped list definitions, and what a wrong one is told."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from worker.domain.profile_row import COLUMNS, profile_from_json
from worker.domain.values import ColumnKind
from worker.errors import ConfigError
from worker.sharepoint.definitions import LIST_OF, ColumnDefinition, load_definitions
from worker.sharepoint.field_xml import field_xml

CONFIG = Path(__file__).parents[3] / "config"
parsed = ElementTree.fromstring  # our own XML, not somebody's
SHIPPED = load_definitions(CONFIG / "lists")
# Names that every SharePoint list has already.
BUILT_IN = {"Created", "Modified", "Author", "Editor", "ID", "GUID", "Attachments", "Version", "Order"}
ALL_COLUMNS = [(key, column) for key, one in SHIPPED.items() for column in one.columns]


def test_every_list_has_its_key_indexed():
    """Look-ups by key stay possible at any size; lists that only the worker writes hold each key once."""
    for one in SHIPPED.values():
        key = one.by_name[one.key_column or "Title"]
        assert key.indexed, one.title
        assert key.unique or one.key == "companies", one.title


def test_columns_that_are_filtered_on_are_indexed():
    """A list grows beyond the view threshold sooner or later."""
    runs, companies = SHIPPED["sync-runs"].by_name, SHIPPED["companies"].by_name
    assert all(runs[name].indexed for name in ("RunID", "Profile", "RunStatus", "PlanHash"))
    assert companies["CreateInEconomic"].indexed
    assert sum(column.indexed for column in companies.values()) == 14


def test_no_column_takes_a_name_sharepoint_uses_itself():
    """A column called Created would be the list's own."""
    assert {column.name for _, column in ALL_COLUMNS} & BUILT_IN == set()


def test_display_titles_are_unique_within_a_list_in_both_languages():
    """Binding by display name needs that."""
    for one in SHIPPED.values():
        for language in ("en", "da"):
            titles = [column.title(language).casefold() for column in one.columns]
            assert len(titles) == len(set(titles)), (one.title, language)


def test_the_profiles_list_holds_every_column_of_a_profile():
    """What is parsed and saved has a place to stand."""
    assert set(COLUMNS) <= set(SHIPPED["mapping-profiles"].by_name)


def test_the_shipped_profiles_fit_the_shipped_lists():
    """Every column they map exists."""
    for file in sorted((CONFIG / "profiles").glob("*.json")):
        profile = profile_from_json(file.read_text(encoding="utf-8"), file.name)
        assert set(profile.columns) <= set(SHIPPED[LIST_OF[profile.target]].by_name), file.name


def test_look_ups_come_after_the_list_they_point_to():
    """The order is the order of making."""
    order = list(SHIPPED)
    assert all(order.index(column.lookup) < order.index(key) for key, column in ALL_COLUMNS if column.lookup)


def test_customer_id_is_unique_only_when_asked():
    """Prospects have none, and whether several blanks are allowed depends on the tenant."""
    assert not SHIPPED["companies"].by_name["CustomerID"].unique
    asked = load_definitions(CONFIG / "lists", unique_customer_id=True)
    assert asked["companies"].by_name["CustomerID"].unique


def test_every_mistake_in_every_file_is_named_at_once(tmp_path):
    """File and place; missing files too."""
    for key, one in SHIPPED.items():
        (tmp_path / f"{key}.json").write_text(one.model_dump_json(by_alias=True), encoding="utf-8")
    broken = json.loads((tmp_path / "contacts.json").read_text(encoding="utf-8"))
    broken["columns"][0]["type"] = "Memo"
    broken["columns"][1]["colour"] = "red"
    (tmp_path / "contacts.json").write_text(json.dumps(broken), encoding="utf-8")
    (tmp_path / "invoices.json").write_text("{", encoding="utf-8")
    (tmp_path / "companies.json").unlink()
    with pytest.raises(ConfigError) as caught:
        load_definitions(tmp_path)
    places = [problem.where.partition(",")[0] for problem in caught.value.problems]
    assert places == ["companies.json", "contacts.json", "contacts.json", "invoices.json"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"unique": True}, "must be indexed"),
        ({"type": "Note", "indexed": True}, "can't be indexed"),
        ({"type": "Choice"}, "choices"),
        ({"type": "Lookup"}, "names its list"),
        ({"name": "Customer ID"}, "pattern"),
        ({"name": "X" * 33}, "pattern"),
    ],
)
def test_a_column_that_sharepoint_would_refuse_is_refused_here(change, words):
    """Before anything is made."""
    with pytest.raises(ValueError, match=words):
        ColumnDefinition.model_validate({"name": "Key", "display": "Key", "type": "Text", **change})


@pytest.mark.parametrize(("key", "column"), ALL_COLUMNS, ids=lambda part: getattr(part, "name", part))
def test_the_xml_of_every_column_is_whole(key, column):
    """Well-formed, with the internal name kept and the display title beside it."""
    root = parsed(field_xml(column, column.title("da"), "guid-1" if column.lookup else None))
    assert (root.get("Name"), root.get("DisplayName")) == (column.name, column.title("da"))
    assert [choice.text for choice in root.iter("CHOICE")] == list(column.choices)
    assert (root.get("Indexed") == "TRUE", root.get("EnforceUniqueValues") == "TRUE") == (column.indexed, column.unique)


def test_titles_and_choices_are_escaped_in_xml():
    """Import & Update is one of them."""
    column = ColumnDefinition(name="K", display='<A & "B">', type=ColumnKind.CHOICE, choices=("Import & Update", "<x>"))
    root = parsed(field_xml(column, column.display, None))
    assert root.get("DisplayName") == '<A & "B">'
    assert [choice.text for choice in root.iter("CHOICE")] == ["Import & Update", "<x>"]
