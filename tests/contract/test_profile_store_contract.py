"""What every ProfileStore must do: in memory, and over the SharePoint emulator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest
from target_worlds import EmulatorSiteWorld

from tests.fakes.fake_stores import FakeProfileStore
from worker.domain.profile import RunRequest, SourceFilter, WriteRule
from worker.domain.profile_row import profile_from_json
from worker.ports import ProfileRow, ProfileStore
from worker.sharepoint.profiles import SharePointProfiles

SHIPPED = [
    profile_from_json(file.read_text(encoding="utf-8"), file.name)
    for file in sorted((Path(__file__).parents[2] / "config" / "profiles").glob("*.json"))
]


@dataclass
class Store:
    """A profile store, and how many writes it cost so far."""

    profiles: ProfileStore
    writes: Callable[[], int]


@pytest.fixture(params=["fake", "emulator"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "fake":
        fake = FakeProfileStore()
        return Store(fake, lambda: fake.writes)
    crm: EmulatorSiteWorld = request.getfixturevalue("crm")
    site = crm.make_site()
    return Store(SharePointProfiles(site), lambda: site.usage().write_requests)


def test_an_empty_list_has_no_profiles(store):
    """And is no error."""
    assert list(store.profiles.profiles()) == []


def test_the_shipped_profiles_survive_the_list(store):
    """Saved and read back equal, in run order."""
    for profile in reversed(SHIPPED):
        store.profiles.save(profile)
    rows = store.profiles.profiles()
    assert [row.profile for row in rows] == sorted(SHIPPED, key=lambda one: (one.order, one.title))
    assert all(row.problems == () and row.item_id > 0 for row in rows)


def test_an_equal_profile_is_not_written_again(store):
    """So that saving the defaults twice leaves no trace in the list's history."""
    store.profiles.save(SHIPPED[0])
    before = store.writes()
    store.profiles.save(SHIPPED[0])
    assert store.writes() == before


def test_a_changed_profile_overwrites_the_row_of_its_title(store):
    """Its id stays."""
    store.profiles.save(SHIPPED[0])
    (before,) = store.profiles.profiles()
    rules = (*SHIPPED[0].rules[1:], replace(SHIPPED[0].rules[0], write=WriteRule.FILL_IF_BLANK))
    changed = replace(SHIPPED[0], enabled=False, max_change_pct=Decimal("12.5"), rules=rules)
    store.profiles.save(changed)
    (after,) = store.profiles.profiles()
    assert after == ProfileRow(before.item_id, SHIPPED[0].title, changed)


def test_titles_with_quotes_and_danish_letters_are_kept(store):
    """People name profiles as they like."""
    odd = replace(SHIPPED[0], title="Kunder & 'venner' – Æblegården", source_filter=SourceFilter(frozenset({1, 2})))
    store.profiles.save(odd)
    store.profiles.save(odd)
    assert [row.profile for row in store.profiles.profiles()] == [odd]


def test_a_row_with_mistakes_does_not_hide_the_others(crm):
    """All its problems come with it; the good ones are there to run."""
    profiles = SharePointProfiles(crm.make_site())
    profiles.save(SHIPPED[0])
    wrong = {"Title": "Forkert", "Source": "Debtor", "Target": "CRM Company", "Mapping": "{", "OnBlank": "Maybe"}
    crm.post("Mapping profiles", wrong)
    rows = {row.title: row for row in profiles.profiles()}
    assert rows[SHIPPED[0].title].profile == SHIPPED[0]
    assert rows["Forkert"].profile is None
    assert len(rows["Forkert"].problems) >= 2
    assert all("Forkert" in problem.where for problem in rows["Forkert"].problems)


def test_what_people_and_runs_wrote_beside_a_profile_stays(crm):
    """Overwriting a profile leaves last run and result alone."""
    profiles = SharePointProfiles(crm.make_site())
    profiles.save(SHIPPED[0])
    (row,) = profiles.profiles()
    crm.merge("Mapping profiles", row.item_id, {"LastResult": "Succeeded: fine"})
    profiles.save(replace(SHIPPED[0], enabled=False))
    (kept,) = crm.rows("Mapping profiles")
    assert (kept["LastResult"], kept["Enabled"]) == ("Succeeded: fine", False)


def test_a_request_stands_until_it_is_cleared(store, request):
    """A person asks for a plan in one row; the next look finds nothing."""
    for profile in SHIPPED[:2]:
        store.profiles.save(profile)
    assert asked(store) == []
    ask(store, request, SHIPPED[1].title)
    (row,) = asked(store)
    assert (row.title, row.request, row.profile) == (SHIPPED[1].title, RunRequest.PLAN, SHIPPED[1])
    store.profiles.clear_requests([row])
    assert asked(store) == []


def asked(store: Store) -> list[ProfileRow]:
    return [row for row in store.profiles.profiles() if row.request is not RunRequest.NONE]


def ask(store: Store, request: pytest.FixtureRequest, title: str) -> None:
    """What the person does in the list."""
    if isinstance(store.profiles, FakeProfileStore):
        rows = store.profiles.rows
        store.profiles.rows = [replace(r, request=RunRequest.PLAN) if r.title == title else r for r in rows]
        return
    crm: EmulatorSiteWorld = request.getfixturevalue("crm")
    (row,) = [r for r in store.profiles.profiles() if r.title == title]
    crm.merge("Mapping profiles", row.item_id, {"RunRequest": "Plan"})
