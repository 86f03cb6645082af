"""One customer explained: the whole source record, each rule, what stands in the CRM, and why."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.fake_source import FakeSource
from tests.fakes.fake_stores import FakeRunStore
from tests.fakes.fake_target import FakeSite, FakeTarget
from tests.fakes.quiet import Quiet, StillClock
from worker.domain.profile import ImportType, OnBlank, SourceFilter
from worker.domain.profile_row import profile_from_json
from worker.domain.records import Customer, CustomerContact, Invoice
from worker.domain.values import TargetKind
from worker.sharepoint.definitions import LIST_OF, load_definitions
from worker.sync.explain import CustomerStory, FieldStory, ProfileStory, story_data
from worker.sync.runner import RunOptions, Session, World

CONFIG = Path(__file__).parents[3] / "config"
DEFINITIONS = load_definitions(CONFIG / "lists")


class Nights:
    """A CRM and an e-conomic in memory, a worker between them, and the shipped profiles of these titles (or all)."""

    def __init__(self, *titles: str) -> None:
        self.source = FakeSource()
        self.targets = {
            kind: FakeTarget(kind, {one.name: one.as_column() for one in DEFINITIONS[LIST_OF[kind]].columns})
            for kind in TargetKind
        }
        files = sorted((CONFIG / "profiles").glob("*.json"))
        found = [profile_from_json(file.read_text(encoding="utf-8"), file.name) for file in files]
        self.profiles = [profile for profile in found if not titles or profile.title in titles]
        self._runs, self._clock, self._ids = FakeRunStore(), StillClock(), itertools.count(1)

    @property
    def companies(self) -> FakeTarget:
        return self.targets[TargetKind.COMPANY]

    def session(self) -> Session:
        ids = lambda: f"r{next(self._ids)}"  # noqa: E731
        site = FakeSite(self.targets)
        world = World(self.source, site, self._runs, self._clock, Quiet(), threading.Event(), ids)
        return Session(world, self.profiles, RunOptions(year_start="01-01"))

    def run(self) -> None:
        with self.session() as session:
            assert session.run().error is None


def customer(number: int, name: str = "Jensen ApS", **more: Any) -> Customer:
    return Customer(number, name, "DKK", Decimal(0), Decimal(0), **more)


def invoice(number: int, belongs: int, net: int) -> Invoice:
    money, day = Decimal(net), date(2026, 3, 1)
    return Invoice(number, belongs, day, "DKK", money, Decimal(0), money, money, Decimal(0), Decimal(0), due_date=day)


def explained(nights: Nights, number: int = 1) -> CustomerStory:
    with nights.session() as session:
        story = session.explain(number)
    assert story is not None
    return story


def only(story: CustomerStory) -> ProfileStory:
    (profile,) = story.profiles
    return profile


def column(story: CustomerStory, name: str) -> FieldStory:
    return next(field for field in only(story).fields if field.column == name)


@pytest.fixture
def nights() -> Nights:
    nights = Nights("Customers")
    nights.source.customer_records = [customer(1, "Jensen ApS", city="Vejle", cvr="DK 10 00 00 09"), customer(2)]
    return nights


def test_a_customer_that_is_not_in_the_crm_would_be_created(nights):
    """Each value with its converter, beside what stands there: nothing."""
    story = explained(nights)
    assert only(story).verdict.startswith("Create: ")
    assert only(story).item_ids == ()
    city = column(story, "CINumber")
    assert (city.source_value, city.converter, city.wanted, city.standing, city.says) == (
        "DK 10 00 00 09", "cvr_digits", "10000009", None, "would be written",
    )  # fmt: skip
    assert nights.companies.written == []


def test_after_a_run_everything_is_equal_and_a_persons_edit_would_be_healed(nights):
    """Only the edited column is written again; the run's stamp rides along."""
    nights.run()
    assert only(explained(nights)).verdict == "Unchanged"
    (item_id,) = only(explained(nights)).item_ids
    nights.companies.edit(item_id, City="Byen")
    story = explained(nights)
    assert {field.column for field in only(story).fields if field.says == "would be written"} == {"City"}
    assert (column(story, "City").standing, column(story, "City").wanted) == ("Byen", "Vejle")
    assert column(story, "SyncRunID").says == "rides along"


def test_a_blank_in_e_conomic_keeps_what_stands_in_the_crm_or_clears_it(nights):
    """As the profile says."""
    nights.run()
    nights.source.customer_records[0] = replace(nights.source.customer_records[0], city=None)
    assert column(explained(nights), "City").says == "kept"
    nights.profiles = [replace(profile, on_blank=OnBlank.CLEAR) for profile in nights.profiles]
    assert column(explained(nights), "City").says == "would be written"


def test_a_value_that_does_not_fit_is_named_beside_its_column(nights):
    """With the limit; the verdict is the row's."""
    nights.source.customer_records[0] = customer(1, "N" * 300)
    story = explained(nights)
    assert only(story).verdict.startswith("Failed: ")
    title = column(story, "Title")
    assert title.says == "fails"
    assert "255" in title.problem


def test_two_companies_with_the_number_are_both_named(nights):
    """Nothing is guessed."""
    first, second = nights.companies.add(CustomerID="1"), nights.companies.add(CustomerID="1")
    story = explained(nights)
    assert only(story).item_ids == (first, second)
    assert only(story).verdict.startswith("Failed: ")
    assert str(first) in only(story).verdict


def test_a_profile_that_leaves_the_customer_out_says_so(nights):
    """By its filter, or because it only updates."""
    nights.profiles = [replace(one, source_filter=SourceFilter(frozenset({9}))) for one in nights.profiles]
    assert "filter" in only(explained(nights)).verdict
    nights.profiles = [
        replace(one, source_filter=SourceFilter(), import_type=ImportType.UPDATE) for one in nights.profiles
    ]
    assert only(explained(nights)).verdict.startswith("Skipped: ")


def test_the_source_record_is_shown_with_the_figures_that_can_be_right(nights):
    """Sales figures only when some profile has their invoices read; rows are counted as the profiles see them."""
    story = explained(nights)
    values = dict(story.source)
    assert (values["Name"], values["CINumber"], values["City"]) == ("Jensen ApS", "DK 10 00 00 09", "Vejle")
    assert "SalesThisYear" not in values
    assert "RunID" not in values
    assert (story.contacts, story.invoices) == (None, None)

    everything = Nights()
    everything.source.customer_records = nights.source.customer_records
    everything.source.contact_records = [CustomerContact(5, 1, "Anna"), CustomerContact(6, 1, "Bo", deleted=True)]
    everything.source.invoice_records = [invoice(1, 1, 100), invoice(2, 2, 900), invoice(3, 1, -40)]
    story = explained(everything)
    assert dict(story.source)["SalesThisYear"] == 60
    assert (story.contacts, story.invoices) == (1, 2)


def test_a_customer_that_e_conomic_does_not_have_has_no_story(nights):
    """None, not an empty one."""
    with nights.session() as session:
        assert session.explain(4711) is None


def test_a_story_as_data_has_plain_values(nights):
    """Dates and money as text."""
    data = story_data(explained(nights))
    assert data["customer"] == 1
    source = data["source"]
    assert isinstance(source, dict)
    assert (source["Name"], source["Balance"], source["Barred"]) == ("Jensen ApS", "0", False)
