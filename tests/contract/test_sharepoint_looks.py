"""Provisioning puts the looks in place once; what people change in them stays, and is told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests
from target_worlds import DEFINITIONS, LOOKS, PLAIN, TOKEN, EmulatorSiteWorld
from typer.testing import CliRunner

from tests.support.formatting_schema import Columns, problems
from tests.support.world import TOKEN as WORLD_TOKEN
from tests.support.world import World
from worker.cli.app import app
from worker.sharepoint.definitions import ListKey
from worker.sharepoint.formatting import link_in
from worker.sharepoint.formatting_marks import Origin, origin_of, signed
from worker.sharepoint.provision import Provisioner, ProvisionPlan, as_json
from worker.sharepoint.views import view_info

ADDRESS = "https://sync.example.com/economy/{customer}"
THEIRS = json.dumps({"elmType": "div", "txtContent": "@currentField", "style": {"color": "#ff0000"}})
BOTH = pytest.mark.parametrize("language", ["en", "da"])


@pytest.fixture
def empty() -> Iterator[EmulatorSiteWorld]:
    """A site without any list of ours."""
    with EmulatorSiteWorld() as world:
        yield world


class Look:
    """How a list of the site looks, and what a person does to it."""

    def __init__(self, world: EmulatorSiteWorld, key: ListKey) -> None:
        self._world = world
        found = world.make_site().find_list(key)
        assert found is not None
        self.path = found.path

    def _rows(self, what: str) -> list[dict[str, Any]]:
        url = f"{self._world.url}/_api/{self.path}/{what}"
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept": PLAIN}
        rows: list[dict[str, Any]] = requests.get(url, headers=headers, timeout=30).json()["value"]
        return rows

    def column(self, name: str) -> dict[str, Any]:
        (row,) = [row for row in self._rows("fields") if row["InternalName"] == name]
        return row

    def formatter(self, name: str) -> str:
        return str(self.column(name).get("CustomFormatter") or "")

    def view(self, title: str) -> dict[str, Any]:
        (row,) = [row for row in self._rows("views") if row["Title"] == title]
        return row

    def form(self) -> str:
        rows = self._rows("contenttypes?$select=StringId,Name,ClientFormCustomFormatter")
        (text,) = [
            row["ClientFormCustomFormatter"] or ""
            for row in rows
            if not row["StringId"].casefold().startswith("0x0120")
        ]
        return str(text)

    def change_column(self, name: str, **values: str) -> None:
        self._merge(f"fields/getbyinternalnameortitle('{name}')", values)

    def change_view(self, title: str, **values: str) -> None:
        self._merge(f"views(guid'{self.view(title)['Id']}')", values)

    def change_form(self, text: str) -> None:
        rows = self._rows("contenttypes?$select=StringId")
        (name,) = [row["StringId"] for row in rows if not row["StringId"].casefold().startswith("0x0120")]
        self._merge(f"contenttypes('{name}')", {"ClientFormCustomFormatter": text})

    def show_in_view(self, title: str, *columns: str) -> None:
        path = f"{self.path}/views(guid'{self.view(title)['Id']}')/viewfields"
        self._world.ask(f"{path}/removeallviewfields", {})
        for name in columns:
            self._world.ask(f"{path}/addviewfield('{name}')", {})

    def _merge(self, what: str, values: Mapping[str, str]) -> None:
        self._world.ask(f"{self.path}/{what}", values, X_HTTP_Method="MERGE", IF_MATCH="*")


def plan(world: EmulatorSiteWorld, language: str = "en", **options: Any) -> tuple[Provisioner, ProvisionPlan]:
    maker = Provisioner(world.make_site(), world.definitions, language, LOOKS)  # type: ignore[arg-type]
    return maker, maker.plan(**options)


def provision(world: EmulatorSiteWorld, language: str = "en", **options: Any) -> ProvisionPlan:
    """Provisions, and counts from there."""
    maker, found = plan(world, language, **options)
    maker.apply(found)
    world.reset()
    return found


def steps(world: EmulatorSiteWorld, language: str = "en", **options: Any) -> list[str]:
    return [str(step) for step in plan(world, language, **options)[1].steps]


def older(text: str) -> str:
    """What an earlier version of the worker could have written in the place of `text`: other, and its own."""
    document = json.loads(text)
    root = document.get("headerJSONFormatter") or document.get("groupProps", {}).get("headerFormatter") or document
    root["attributes"] = {}
    root["style"] = {"padding": "1px"}
    return signed(document, root)


# --- on an empty site


@BOTH
def test_every_look_stands_where_it_belongs_and_is_ours(empty, language):
    """Columns, views and forms of all lists, as SharePoint takes them."""
    provision(empty, language, economy_url=ADDRESS)
    for key, one in DEFINITIONS.items():
        look = Look(empty, key)
        known = Columns({column.name: column.type for column in one.columns})
        for column in one.columns:
            text = look.formatter(column.name)
            assert bool(text) == bool(column.formatter), (key, column.name)
            if text:
                at = Columns(known.kinds, column.name)
                assert origin_of(text) is Origin.OURS
                assert problems(json.loads(text), "column", at) == []
        for view in one.views:
            text = str(look.view(view.name(language)).get("CustomFormatter") or "")
            assert bool(text) == bool(view.formatter), (key, view.title)
            assert not text or problems(json.loads(text), "view", known) == []
    titles = [column.title(language) for column in DEFINITIONS["companies"].columns]
    form = json.loads(Look(empty, "companies").form())
    kinds = {column.name: column.type for column in DEFINITIONS["companies"].columns}
    assert problems(form, "form", Columns(kinds, titles=titles)) == []


@pytest.mark.parametrize(
    ("language", "address", "spelling"),
    [("en", None, "as-sent"), ("en", ADDRESS, "rewritten"), ("da", ADDRESS, "as-sent"), ("da", None, "rewritten")],
)
def test_a_second_provisioning_writes_nothing(empty, language, address, spelling):
    """Not even where SharePoint gives the JSON back in other words, nor in the other language."""
    empty.switch(text_spelling=spelling)
    provision(empty, language, economy_url=address)
    again = provision(empty, language, economy_url=address)
    assert (again.steps, again.kept) == ((), ())
    assert steps(empty, "en" if language == "da" else "da", economy_url=address) == []
    assert empty.metered["writes"] == 0


def test_danish_sites_get_danish_titles_words_and_sections(empty):
    """Names inside stay the same."""
    provision(empty, "da")
    companies = Look(empty, "companies")
    assert companies.column("OverdueAmount")["Title"] == "Forfaldent beløb"
    assert companies.column("OverdueAmount")["Description"] == LOOKS.descriptions["erp"].da
    assert "Ældste faktura forfalden i" in companies.formatter("OverdueAmount")
    assert companies.view("Penge")["ViewQuery"] == DEFINITIONS["companies"].views[1].query
    assert companies.view("Kunder på retur")
    sections = json.loads(companies.form())["bodyJSONFormatter"]["sections"]
    assert [section["displayname"] for section in sections] == [
        "Stamdata",
        "Penge",
        "Salg",
        "Opret i e-conomic",
        "Øvrigt",
    ]
    assert "Forfaldent beløb" in sections[1]["fields"]
    assert "faktura" in Look(empty, "invoices").view("Åbne pr. virksomhed")["CustomFormatter"]


# --- what people do


def test_a_look_that_a_person_changed_is_kept_and_told(crm):
    """Column, view and form; the columns a view shows too."""
    companies, invoices = Look(crm, "companies"), Look(crm, "invoices")
    companies.change_column("Balance", CustomFormatter=THEIRS)
    companies.change_form(json.dumps({"headerJSONFormatter": {"elmType": "div", "txtContent": "Ours"}}))
    companies.show_in_view("Money", "LinkTitle", "Balance")
    invoices.change_view("Open by company", CustomFormatter=json.dumps({"additionalRowClass": "ms-bgColor-white"}))
    crm.reset()
    found = provision(crm)
    assert found.steps == ()
    assert sorted(found.kept) == [
        "formatting of column Balance in 'Companies' was changed by hand",
        "formatting of view 'Open by company' in 'Invoices' was changed by hand",
        "layout of the form of 'Companies' was changed by hand",
        "view 'Money' in 'Companies' was changed by hand",
    ]
    assert as_json(found)["kept"] == list(found.kept)
    assert crm.metered["writes"] == 0
    assert companies.formatter("Balance") == THEIRS


def test_one_touch_to_a_look_of_ours_makes_it_theirs(crm):
    """The mark alone does not make it ours; it must fit."""
    companies = Look(crm, "companies")
    touched = companies.formatter("SalesTrend").replace("600", "400")
    companies.change_column("SalesTrend", CustomFormatter=touched)
    assert plan(crm)[1].kept == ("formatting of column SalesTrend in 'Companies' was changed by hand",)


@pytest.mark.parametrize("cleared", ["null", "empty"])
def test_a_look_that_a_person_took_away_stays_away(crm, cleared):
    """And it is told; the columns beside it are not touched."""
    crm.switch(cleared_formatting=cleared)
    companies, invoices = Look(crm, "companies"), Look(crm, "invoices")
    companies.change_column("OverdueAmount", CustomFormatter="")
    companies.change_form("")
    invoices.change_view("Open by company", CustomFormatter="")
    crm.reset()
    found = provision(crm, economy_url=None)
    assert found.steps == ()
    assert sorted(found.kept) == [
        "formatting of column OverdueAmount in 'Companies' was removed by hand",
        "formatting of view 'Open by company' in 'Invoices' was removed by hand",
        "layout of the form of 'Companies' was removed by hand",
    ]
    assert companies.formatter("OverdueAmount") == ""


def test_a_reset_puts_everything_back_once(crm):
    """Changed or taken away alike; after it nothing is left to do."""
    companies, invoices = Look(crm, "companies"), Look(crm, "invoices")
    before = companies.formatter("Balance"), companies.formatter("OverdueAmount"), companies.form()
    grouped = invoices.view("Open by company")["CustomFormatter"]
    companies.change_column("Balance", CustomFormatter=THEIRS)
    companies.change_column("OverdueAmount", CustomFormatter="")
    companies.change_form("")
    companies.show_in_view("Money", "LinkTitle", "Balance")
    invoices.change_view("Open by company", CustomFormatter="")
    found = provision(crm, reset_formatting=True)
    assert sorted(str(step).partition(" (")[0] for step in found.steps) == [
        "put back formatting of column Balance in 'Companies'",
        "put back formatting of column OverdueAmount in 'Companies'",
        "put back formatting of view 'Open by company' in 'Invoices'",
        "put back layout of the form of 'Companies'",
        "put back view 'Money' in 'Companies'",
    ]
    assert found.kept == ()
    assert (companies.formatter("Balance"), companies.formatter("OverdueAmount"), companies.form()) == before
    assert invoices.view("Open by company")["CustomFormatter"] == grouped
    assert plan(crm, reset_formatting=True)[1].is_empty


def test_a_look_of_an_earlier_version_is_brought_up_to_date(crm):
    """It carries our mark and nobody touched it."""
    companies, invoices = Look(crm, "companies"), Look(crm, "invoices")
    now = companies.formatter("Balance"), companies.form(), invoices.view("Open by company")["CustomFormatter"]
    companies.change_column("Balance", CustomFormatter=older(now[0]))
    companies.change_form(older(now[1]))
    invoices.change_view("Open by company", CustomFormatter=older(now[2]))
    found = provision(crm)
    assert [str(step).split(" of ")[0] for step in found.steps] == [
        "update formatting",
        "update layout",
        "update formatting",
    ]
    assert found.kept == ()
    assert (companies.formatter("Balance"), companies.form()) == now[:2]
    assert invoices.view("Open by company")["CustomFormatter"] == now[2]
    assert steps(crm) == []


def test_a_view_of_an_earlier_version_gets_its_present_columns(crm):
    """The order it shipped in before tells that nobody changed it."""
    money = next(view for view in DEFINITIONS["companies"].views if view.title == "Money")
    companies = Look(crm, "companies")
    names = ["LinkTitle" if name == "Title" else name for name in money.earlier[0].columns]
    companies.show_in_view("Money", *names)
    found = provision(crm)
    assert [str(step) for step in found.steps] == ["update view 'Money' in 'Companies'"]
    shown = view_info(companies.view("Money")).columns
    assert shown == tuple("LinkTitle" if name == "Title" else name for name in money.columns)
    assert steps(crm) == []


# --- descriptions


def test_columns_from_e_conomic_say_so_and_a_persons_words_stay(crm):
    """In the description, which SharePoint shows under the column in forms and beside its title."""
    companies = Look(crm, "companies")
    erp, worker = LOOKS.descriptions["erp"].en, LOOKS.descriptions["worker"].en
    assert companies.column("Balance")["Description"] == erp
    assert companies.column("SyncRunID")["Description"] == worker
    assert not companies.column("AccountManager").get("Description")
    assert not companies.column("CompanyType").get("Description")
    companies.change_column("Balance", Description="What they owe us. Ask Lene.")
    companies.change_column("City", Description="")
    found = provision(crm)
    assert [str(step) for step in found.steps] == ["describe as filled from e-conomic, in 'Companies': City"]
    assert companies.column("Balance")["Description"] == "What they owe us. Ask Lene."
    assert companies.column("City")["Description"] == erp
    assert steps(crm) == []


def test_the_crms_own_columns_are_dressed_under_their_own_names(empty):
    """A description that is there stays; money looks do not go on a text column."""
    made = empty.ask("web/lists", {"Title": "Companies", "BaseTemplate": 100}).json()
    path = f"web/lists(guid'{made['Id']}')"
    for xml in (
        '<Field Type="Currency" Name="field_7" DisplayName="Saldo" Description="Vores egen"/>',
        '<Field Type="Text" Name="OverdueAmount" DisplayName="Forfaldent beløb"/>',
        '<Field Type="Currency" Name="field_9" DisplayName="Kreditmaksimum"/>',
    ):
        empty.ask(f"{path}/fields/CreateFieldAsXml", {"parameters": {"SchemaXml": xml, "Options": 8}})
    provision(empty)
    companies = Look(empty, "companies")
    assert "[$field_9]" in companies.formatter("field_7")
    assert companies.column("field_7")["Description"] == "Vores egen"
    assert companies.column("field_9")["Description"] == LOOKS.descriptions["erp"].en
    assert companies.formatter("OverdueAmount") == ""
    assert "Saldo" in json.loads(companies.form())["bodyJSONFormatter"]["sections"][1]["fields"]
    assert steps(empty) == []


# --- links to the economy card


def test_an_address_that_is_given_later_makes_the_links(crm):
    """Three lists and the form; a second time changes nothing."""
    found = provision(crm, economy_url=ADDRESS)
    assert len(found.steps) == 4
    for key in ("companies", "invoices", "sales-statistics"):
        assert "'https://sync.example.com/economy/' + [$CustomerID]" in Look(crm, key).formatter("CustomerID")
    assert "'https://sync.example.com/economy/' + [$CustomerID]" in Look(crm, "companies").form()
    assert steps(crm, economy_url=ADDRESS) == []


def test_links_stay_when_provisioning_does_not_know_the_address(crm):
    """Another machine, or the console, need not know it; and an upgrade of the look keeps its link."""
    provision(crm, economy_url=ADDRESS)
    assert plan(crm)[1].is_empty
    companies = Look(crm, "companies")
    now = companies.formatter("CustomerID")
    companies.change_column("CustomerID", CustomFormatter=older(now))
    provision(crm)
    assert companies.formatter("CustomerID") == now


def test_another_address_takes_the_place_of_the_first_and_a_reset_without_one_takes_links_out(crm):
    """A worker that moved, and one whose people may not reach it any more."""
    provision(crm, economy_url=ADDRESS)
    assert len(provision(crm, economy_url="https://new.example.com/economy/").steps) == 4
    companies = Look(crm, "companies")
    assert "https://new.example.com/" in companies.formatter("CustomerID")
    assert "sync.example.com" not in companies.form()
    provision(crm, reset_formatting=True)
    assert "href" not in companies.formatter("CustomerID")
    assert "href" not in companies.form()


def test_a_link_that_a_person_took_away_stays_away(crm):
    """Though the address is given."""
    provision(crm, economy_url=ADDRESS)
    Look(crm, "invoices").change_column("CustomerID", CustomFormatter="")
    found = plan(crm, economy_url=ADDRESS)[1]
    assert found.is_empty
    assert found.kept == ("formatting of column CustomerID in 'Invoices' was removed by hand",)


def test_the_command_takes_the_address_from_the_installation(tmp_path):
    """ENGINE_PUBLIC_URL; the card of a customer is below it."""
    with World(tmp_path, "empty") as world:
        environment = {**world.environment(), "ENGINE_PUBLIC_URL": "https://sync.example.com/"}
        result = CliRunner().invoke(app, ["provision", "--no-profiles"], env=environment)
        assert result.exit_code == 0, result.output
        headers = {"Authorization": f"Bearer {WORLD_TOKEN}", "Accept": PLAIN}
        column = "web/lists/getbytitle('Companies')/fields/getbyinternalnameortitle('CustomerID')"
        made = requests.get(f"{world.site_url}/_api/{column}", headers=headers, timeout=30).json()
    assert link_in(made["CustomFormatter"]) == ("https://sync.example.com/economy/", "")


def test_without_looks_nothing_is_dressed(empty):
    """Lists, columns and views come all the same."""
    maker = Provisioner(empty.make_site(), empty.definitions)
    maker.apply(maker.plan())
    companies = Look(empty, "companies")
    assert companies.formatter("Balance") == companies.form() == ""
    assert not companies.column("Balance").get("Description")
