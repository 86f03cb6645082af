"""Provisioning makes what is missing, once, and touches nothing else; and what the app may do is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from target_worlds import COMPANY, CONTACT, DEFINITIONS, LOOKS, EmulatorSiteWorld

from worker.errors import ConfigError
from worker.ports import Create, WriteStatus
from worker.sharepoint.definitions import ListKey
from worker.sharepoint.provision import Provisioner, ProvisionPlan
from worker.sharepoint.site_lists import FieldInfo, ListInfo


@pytest.fixture
def empty() -> Iterator[EmulatorSiteWorld]:
    """A site without any list of ours."""
    with EmulatorSiteWorld() as world:
        yield world


def plan(world: EmulatorSiteWorld, language: str = "en") -> tuple[Provisioner, ProvisionPlan]:
    maker = Provisioner(world.make_site(), world.definitions, language, LOOKS)  # type: ignore[arg-type]
    return maker, maker.plan()


def apply(world: EmulatorSiteWorld, language: str = "en") -> list[str]:
    told: list[str] = []
    maker, steps = plan(world, language)
    maker.apply(steps, told.append)
    return told


def texts(world: EmulatorSiteWorld) -> list[str]:
    return [str(step) for step in plan(world)[1].steps]


def columns(world: EmulatorSiteWorld, key: ListKey) -> dict[str, FieldInfo]:
    return {one.internal: one for one in world.make_site().lists.fields(info(world, key))}


def info(world: EmulatorSiteWorld, key: ListKey) -> ListInfo:
    found = world.make_site().find_list(key)
    assert found is not None
    return found


def views(world: EmulatorSiteWorld, key: ListKey) -> dict[str, dict[str, Any]]:
    client = world.make_site().client
    rows = client.get_json(f"{info(world, key).path}/views")["value"]
    return {
        row["Title"]: {**row, "columns": re.findall(r'FieldRef Name="(\w+)" />', row["ListViewXml"])} for row in rows
    }


def make_companies(world: EmulatorSiteWorld, title: str, *fields: str) -> str:
    """A list as a CRM has it already; its path."""
    made = world.ask("web/lists", {"Title": title, "BaseTemplate": 100}).json()
    path = f"web/lists(guid'{made['Id']}')"
    for xml in fields:
        world.ask(f"{path}/fields/CreateFieldAsXml", {"parameters": {"SchemaXml": xml, "Options": 8}})
    return path


def text_field(name: str, display: str) -> str:
    return f'<Field Type="Text" Name="{name}" DisplayName="{display}"/>'


def test_a_plan_says_everything_and_writes_nothing(empty):
    """What would be done, in the order it is done."""
    steps = texts(empty)
    assert steps[0] == "create list 'Companies'"
    assert "create column CustomerID (Text, indexed) in 'Companies'" in steps
    assert "create column InvoiceNumber (Text, unique) in 'Invoices'" in steps
    assert "create view 'Money' in 'Companies'" in steps
    assert empty.metered["writes"] == 0
    assert steps.index("create list 'Companies'") < steps.index("create column Company (Lookup, indexed) in 'Contacts'")


def test_what_was_planned_is_told_done_and_then_missing_no_more(empty):
    """The second plan is empty: provisioning twice changes nothing."""
    before = texts(empty)
    assert apply(empty) == before
    assert plan(empty)[1].is_empty


def test_everything_stands_as_defined(crm):
    """Types, indexes, uniqueness, display titles; versions off where only the worker writes."""
    for key, definition in DEFINITIONS.items():
        there = columns(crm, key)
        for column in definition.columns:
            real = there[column.name]
            assert real.kind is column.type, (key, column.name)
            assert (real.indexed, real.unique) == (column.indexed, column.unique), (key, column.name)
            assert real.title == column.display
            assert real.choices == column.choices
        assert info(crm, key).versioning is (definition.owner == "crm")
        assert info(crm, key).title == definition.title
    assert columns(crm, "contacts")["Company"].lookup_list == info(crm, "companies").guid


def test_views_show_their_columns_and_the_overview_opens_first(crm):
    """The title is a link to the item."""
    shown = views(crm, "companies")
    assert shown["Overview"]["DefaultView"]
    assert shown["Money"]["columns"][:3] == ["LinkTitle", "CustomerID", "Balance"]
    assert "OverdueAmount" in shown["Money"]["ViewQuery"]
    assert {"Latest invoices", "Overdue invoices"} <= set(views(crm, "invoices"))
    assert "Latest runs" in views(crm, "sync-runs")
    assert "Rows that need a person" in views(crm, "sync-row-results")


def test_danish_titles_are_given_when_asked_and_found_again_in_either_language(empty):
    """Names inside stay the same."""
    apply(empty, "da")
    assert info(empty, "companies").title == "Virksomheder"
    assert columns(empty, "companies")["CustomerID"].title == "Kundenummer"
    assert plan(empty, "da")[1].is_empty
    assert plan(empty, "en")[1].is_empty
    target = empty.site.bind({"A": (COMPANY, ["CustomerID", "City"])})[COMPANY]
    assert target.columns["City"].internal == "City"


def test_a_list_with_an_english_title_keeps_it_on_a_danish_site(empty):
    """It may be the CRM's own; nothing is renamed."""
    make_companies(empty, "Companies")
    apply(empty, "da")
    assert info(empty, "companies").title == "Companies"
    assert info(empty, "contacts").title == "Kontaktpersoner"


def test_the_crms_own_list_keeps_its_names_views_and_versions(empty):
    """Columns count as there under their display names; only what is missing comes."""
    path = make_companies(empty, "Companies", text_field("field_1", "Kundenummer"), text_field("field_2", "Postnr"))
    steps = texts(empty)
    assert "create list 'Companies'" not in steps
    assert "create column CustomerID (Text, indexed) in 'Companies'" not in steps
    assert not [step for step in steps if step.startswith("create column Zip ")]
    assert "index column field_1 in 'Companies'" in steps
    apply(empty)
    there = columns(empty, "companies")
    assert (there["field_1"].title, there["field_1"].indexed) == ("Kundenummer", True)
    assert "CustomerID" not in there
    assert info(empty, "companies").versioning
    shown = views(empty, "companies")
    assert shown["All Items"]["DefaultView"]
    assert "field_1" in shown["Overview"]["columns"]
    assert path.endswith(f"{info(empty, 'companies').guid}')")
    (made,) = empty.site.bind({"A": (COMPANY, ["CustomerID", "Title"])})[COMPANY].write(
        [Create("1", {"Title": "A", "CustomerID": "1"})]
    )
    assert made.status is WriteStatus.DONE
    assert empty.rows("Companies")[0]["field_1"] == "1"


def test_a_column_of_the_wrong_type_stops_everything_with_its_name(empty):
    """Before anything is made; nothing is retyped."""
    make_companies(empty, "Sync runs", '<Field Type="Note" Name="RunID" DisplayName="Run ID"/>')
    maker, found = plan(empty)
    assert [str(one) for one in found.problems] == ["list Sync runs, column RunID: is of type Note, but must be Text."]
    empty.reset()
    with pytest.raises(ConfigError):
        maker.apply(found)
    assert empty.metered["writes"] == 0


def test_an_index_that_sharepoint_would_refuse_is_a_problem_not_a_step(empty, monkeypatch):
    """Above a size it can't be added any more."""
    monkeypatch.setattr("worker.sharepoint.provision._INDEX_LIMIT", 0)
    make_companies(empty, "Companies", text_field("CustomerID", "Customer ID"))
    empty.post("Companies", {"Title": "A"})
    _, found = plan(empty)
    assert any("CustomerID: must be indexed" in str(one) for one in found.problems)


def test_provisioning_that_was_cut_off_is_finished_by_the_next(empty):
    """A list that has not got its title yet is found by its address."""
    empty.ask("web/lists", {"Title": "MappingProfiles", "BaseTemplate": 100})
    assert "give list 'MappingProfiles' its title" in texts(empty)
    apply(empty)
    assert info(empty, "mapping-profiles").title == "Mapping profiles"
    assert plan(empty)[1].is_empty
    assert len({one.guid for one in empty.make_site().lists.all()}) == len(DEFINITIONS)


def test_a_list_under_another_name_is_used_when_configured(crm):
    """By title, site-relative address or GUID."""
    path = make_companies(crm, "Kunder 2026", text_field("No", "Customer ID"))
    guid = path.partition("'")[2].partition("'")[0]
    for address in ("Kunder 2026", "Lists/Kunder 2026", "/sites/crm/Lists/Kunder 2026", guid, f"{{{guid.upper()}}}"):
        site = crm.make_site(lists={"CRM Company": address})
        assert site.bind({"A": (COMPANY, ["CustomerID"])})[COMPANY].columns["CustomerID"].internal == "No"
    with pytest.raises(ConfigError, match=r"list Nowhere: is not on the site.*Kunder 2026"):
        crm.make_site(lists={"companies": "Nowhere"}).bind({"A": (COMPANY, ["CustomerID"])})


def test_a_setting_for_a_list_that_does_not_exist_is_a_mistake(crm):
    """Binding by default would hide it."""
    site = crm.make_site(columns={"CRM Companies": {"CustomerID": "No"}})
    with pytest.raises(ConfigError, match="'CRM Companies' is no list of the worker"):
        site.bind({"A": (COMPANY, ["CustomerID"])})


def test_a_look_up_into_another_list_is_refused(crm):
    """Ids of that list would link contacts to anything."""
    elsewhere = make_companies(crm, "Elsewhere").partition("'")[2].partition("'")[0]
    contacts = make_companies(
        crm,
        "People",
        text_field("ImportID", "Import ID"),
        f'<Field Type="Lookup" Name="Company" DisplayName="Company" List="{{{elsewhere}}}" ShowField="Title"/>',
    )
    assert contacts
    with pytest.raises(ConfigError, match="points to another list than companies"):
        crm.make_site(lists={"CRM Contact": "People"}).bind({"A": (CONTACT, ["ImportID", "Company"])})


# --- what the app may do


def access(crm: EmulatorSiteWorld, role: str):
    crm.app.state.roles["some-token"] = role
    return crm.make_site(crm.client(token="some-token")).check_access()


@pytest.mark.parametrize(
    ("role", "may"), [("read", (True, False, False)), ("write", (True, True, False)), ("manage", (True, True, True))]
)
def test_rights_are_told(crm, role, may):
    """Read, write, provision; the lists with their sizes, and the zone."""
    crm.post("Companies", {"Title": "A"})
    found = access(crm, role)
    assert (found.can_read, found.can_write, found.can_manage) == may
    assert (found.title, found.zone) == ("CRM", "Europe/Copenhagen")
    assert ("Companies", "Companies", 1) in found.lists
    assert len(found.problems) == (0 if found.can_write else 1)


def test_a_missing_grant_names_the_permission_to_ask_for(crm):
    """The most common mistake of a new installation."""
    (problem,) = access(crm, "none").problems
    assert "Sites.Selected" in problem.message


def test_missing_lists_name_the_next_step(empty):
    """For one that may provision, and for one that may not."""
    (able,) = empty.make_site().check_access().problems
    assert "Run: economic-sync provision" in able.message
    assert "Companies" in able.message
    (unable,) = access(empty, "write").problems
    assert "needs the role 'manage'" in unable.message


def test_a_zone_that_is_not_known_is_a_problem_with_its_setting(crm):
    """Among the others, not instead of them."""
    site = crm.make_site(time_zone="Denmark/Aarhus")
    (problem,) = site.check_access().problems
    assert "SHAREPOINT_TIME_ZONE" in str(problem)


def test_a_wrong_site_is_told(crm):
    """By its setting."""
    site = crm.make_site(crm.client(url=f"{crm.server.url}/sites/nowhere"))
    (problem,) = site.check_access().problems
    assert "SHAREPOINT_SITE_URL" in problem.message
