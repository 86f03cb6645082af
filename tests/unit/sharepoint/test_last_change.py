"""Who gave a column its value, by an item's versions."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from worker.errors import NotFoundError
from worker.sharepoint.last_change import column_changes


def version(number: int, by: str, **values: Any) -> dict[str, Any]:
    """As the service writes one."""
    moment = f"2026-11-{number:02}T08:00:00Z"
    return {"VersionLabel": f"{number}.0", "Modified": moment, "Editor": {"LookupId": 1, "LookupValue": by}, **values}


def site_of(rows: list[dict[str, Any]] | None, *, versioning: bool = True) -> Any:
    """A site whose list has one item with these versions; None = the item is gone."""

    def pages(path: str, params: dict[str, str]) -> list[list[dict[str, Any]]]:
        if rows is None:
            raise NotFoundError("It is gone.")
        return [rows]

    fields = [SimpleNamespace(internal=name, rest=name) for name in ("City", "Zip")]
    return SimpleNamespace(
        find_list=lambda key: SimpleNamespace(path="list", versioning=versioning),
        lists=SimpleNamespace(fields=lambda info: fields),
        client=SimpleNamespace(pages=pages),
    )


def told(rows: list[dict[str, Any]] | None, **how: Any) -> dict[str, tuple[str, int]]:
    found = column_changes(site_of(rows, **how), "companies", 1, ["City", "Zip"])
    return {name: (one.by, one.moment.day) for name, one in found.items()}


def test_it_is_the_version_that_first_had_the_value_in_any_order_of_the_answer():
    rows = [
        version(1, "App", City="A", Zip="1"),
        version(10, "Peter", City="C", Zip="1"),
        version(9, "Anne", City="C", Zip="1"),
        version(2, "Bo", City="B", Zip="1"),
    ]
    assert told(rows) == {"City": ("Anne", 9), "Zip": ("App", 1)}


def test_a_value_that_went_and_came_back_was_given_by_who_brought_it_back():
    rows = [version(3, "Peter", City="A"), version(2, "Anne", City=None), version(1, "App", City="A")]
    assert told(rows)["City"] == ("Peter", 3)


def test_a_column_that_versions_write_under_another_name_is_not_claimed():
    """Odd internal names travel encoded there."""
    rows = [version(2, "Anne", City="B", Z_x0069_p="2"), version(1, "App", City="A", Z_x0069_p="1")]
    assert told(rows) == {"City": ("Anne", 2)}


def test_a_blank_is_a_blank():
    rows = [version(3, "Peter", City=""), version(2, "Anne", City=None), version(1, "App", City="A")]
    assert told(rows)["City"] == ("Anne", 2)


def test_where_the_versions_that_would_tell_were_trimmed_nothing_is_claimed():
    assert told([version(9, "Anne", City="B", Zip="2"), version(8, "Bo", City="A", Zip="2")]) == {"City": ("Anne", 9)}


@pytest.mark.parametrize(("rows", "versioning"), [(None, True), ([version(1, "App", City="A")], False), ([], True)])
def test_a_list_without_versions_and_an_item_that_is_gone_tell_nothing(rows, versioning):
    assert told(rows, versioning=versioning) == {}
