"""Lists, columns, indexes, views, content types, roles."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from emu_sharepoint_kit import BALANCE, DUE, KEY, LINK, NOTES, STATE, Emulator, serve

from worker.emulators.sharepoint.options import SharePointOptions


@pytest.fixture
def limited() -> Iterator[Emulator]:
    """A site that allows 2 indexes, and no index changes or list deletion above 3 items."""
    yield from serve(SharePointOptions(ru_per_minute=0, max_indexes=2, index_item_limit=3, delete_list_limit=3))


def test_create_list(emulator: Emulator) -> None:
    """A list answers 201; its first title fixes URL and entity type, also after a rename."""
    answer = emulator.ask("POST", "web/lists", {"Title": "Kunde liste", "BaseTemplate": 100, "EnableVersioning": False})
    made = answer.json()
    assert answer.status_code == 201
    assert made["ListItemEntityTypeFullName"] == "SP.Data.Kunde_x0020_listeListItem"
    assert (made["EnableVersioning"], made["MajorVersionLimit"], made["ItemCount"]) == (False, 50, 0)
    path = f"web/lists(guid'{made['Id']}')"
    assert emulator.merge(path, {"Title": "Customers"}).status_code == 204
    assert emulator.ask("GET", "web/lists/getbytitle('Kunde liste')").status_code == 404
    after = emulator.get("web/getlist('/sites/crm/lists/kunde liste')")
    assert (after["Title"], after["ListItemEntityTypeFullName"]) == ("Customers", made["ListItemEntityTypeFullName"])


def test_duplicate_title(emulator: Emulator) -> None:
    """A second list of the same title is refused, with the status of the switch; so is a rename to one."""
    emulator.make_list("Invoices")
    other = emulator.make_list("Other")
    answer = emulator.ask("POST", "web/lists", {"Title": "invoices", "BaseTemplate": 100})
    assert (answer.status_code, emulator.code(answer).split(",")[0]) == (500, "-2130575342")
    emulator.switch(duplicate_list_status="400")
    assert emulator.merge(other, {"Title": "Invoices"}).status_code == 400


def test_lists_can_be_filtered_and_deleted(emulator: Emulator) -> None:
    """The collection of lists takes $filter, $select and $expand; a deleted list is gone."""
    path = emulator.make_list("Invoices", KEY)
    emulator.make_list("Contacts")
    found = emulator.get(
        "web/lists?$filter=Title eq 'Invoices'&$select=Title,ItemCount,RootFolder/Name&$expand=RootFolder"
    )
    assert found["value"] == [
        {
            "Title": "Invoices",
            "ItemCount": 0,
            "RootFolder": {
                "Exists": True,
                "ItemCount": 0,
                "Name": "Invoices",
                "ServerRelativeUrl": "/sites/crm/Lists/Invoices",
            },
        }
    ]
    expanded = emulator.get(f"{path}?$expand=Fields,Views&$select=Fields,Views")
    assert "EcoKey" in [field["InternalName"] for field in expanded["Fields"]]
    emulator.add(path)
    assert emulator.ask("POST", path, X_HTTP_Method="DELETE", IF_MATCH="*").status_code == 200
    assert emulator.ask("GET", path).status_code == 404


def test_columns_from_xml(emulator: Emulator) -> None:
    """Each type round-trips with what the XML said."""
    path = emulator.make_list("Invoices", KEY, BALANCE, DUE, STATE, NOTES, LINK)
    shown = {row["InternalName"]: row for row in emulator.get(f"{path}/fields")["value"]}
    assert (shown["EcoKey"]["MaxLength"], shown["EcoKey"]["Indexed"], shown["EcoKey"]["EnforceUniqueValues"]) == (
        100,
        True,
        True,
    )
    assert (shown["Balance"]["TypeAsString"], shown["Balance"]["CurrencyLocaleId"]) == ("Currency", 1030)
    assert (shown["DueDate"]["Title"], shown["DueDate"]["DisplayFormat"]) == ("Due", 0)
    assert shown["EcoState"]["Choices"] == ["Requested", "Created"]
    assert [shown[name]["FieldTypeKind"] for name in ("EcoKey", "Notes", "DueDate", "EcoState", "Balance", "Pdf")] == [
        2,
        3,
        4,
        6,
        10,
        11,
    ]
    assert "<CHOICE>Requested</CHOICE>" in shown["EcoState"]["SchemaXml"]
    by_name = emulator.get(f"{path}/fields?$filter=InternalName eq 'Balance'&$select=Title")
    assert by_name == {"value": [{"Title": "Balance"}]}


def test_names_without_option_eight_come_from_the_title(emulator: Emulator) -> None:
    """Without option 8 the internal name is the encoded title, cut at 32, with a digit when taken."""
    path = emulator.make_list("Invoices")
    names = []
    for title in ("Betalt beløb", "Betalt beløb", "En meget lang dansk kolonneoverskrift"):
        body = {"parameters": {"SchemaXml": f'<Field Type="Text" Name="Ignored" DisplayName="{title}"/>'}}
        names.append(emulator.post(f"{path}/fields/createfieldasxml", body)["InternalName"])
    assert names == ["Betalt_x0020_bel_x00f8_b", "Betalt_x0020_bel_x00f8_b0", "En_x0020_meget_x0020_lang_x0020_"]


def test_column_errors(emulator: Emulator) -> None:
    """A duplicate name, unreadable XML, an unknown type or look-up list are refused."""
    path = emulator.make_list("Invoices", KEY)
    create = f"{path}/fields/createfieldasxml"
    for xml in (
        KEY,
        "<Field",
        '<Field Type="Odd" DisplayName="x"/>',
        '<Field Type="Lookup" Name="L" DisplayName="L" List="{0}"/>',
    ):
        answer = emulator.ask("POST", create, {"parameters": {"SchemaXml": xml, "Options": 8}})
        assert answer.status_code in (400, 500), xml


def test_change_column(emulator: Emulator) -> None:
    """Title, formatter, choices and default change by MERGE; texts come back as they were."""
    path = emulator.make_list("Invoices", STATE, '<Field Type="Text" Name="Phone" DisplayName="Phone"/>')
    emulator.add(path, Phone="1")
    formatter = '{"elmType":"div","txtContent":"@currentField"}'
    field = f"{path}/fields/getbyinternalnameortitle('Phone')"
    assert (
        emulator.merge(field, {"Title": "Telefon", "CustomFormatter": formatter, "Description": "d"}).status_code == 204
    )
    shown = emulator.get(f"{path}/fields/getbyinternalnameortitle('telefon')")
    assert (shown["InternalName"], shown["CustomFormatter"], shown["Description"]) == ("Phone", formatter, "d")
    emulator.merge(f"{path}/fields/getbytitle('State')", {"Choices": ["x"], "DefaultValue": "x"})
    assert emulator.add(path)["EcoState"] == "x"
    assert emulator.ask("POST", f"{path}/fields('{shown['Id']}')", X_HTTP_Method="DELETE").status_code == 200
    assert "Phone" not in emulator.get(f"{path}/items(1)")


def test_unique_needs_an_index_and_no_duplicates(emulator: Emulator) -> None:
    """Unique without an index, or over duplicates, is refused and changes nothing."""
    path = emulator.make_list("Invoices", '<Field Type="Text" Name="Key" DisplayName="Key"/>', NOTES)
    emulator.add(path, Key="a")
    emulator.add(path, Key="A")
    field = f"{path}/fields/getbytitle('Key')"
    assert emulator.merge(field, {"EnforceUniqueValues": True}).status_code == 400
    assert emulator.merge(field, {"Indexed": True, "EnforceUniqueValues": True}).status_code == 400
    assert emulator.get(f"{field}?$select=Indexed,EnforceUniqueValues") == {
        "Indexed": False,
        "EnforceUniqueValues": False,
    }
    emulator.merge(f"{path}/items(2)", {"Key": "b"})
    assert emulator.merge(field, {"Indexed": True, "EnforceUniqueValues": True}).status_code == 204
    assert emulator.ask("POST", f"{path}/items", {"Key": "B"}).status_code == 500
    assert emulator.merge(f"{path}/fields/getbytitle('Notes')", {"Indexed": True}).status_code == 400
    assert emulator.merge(field, {"Indexed": False, "EnforceUniqueValues": False}).status_code == 204
    assert emulator.ask("POST", f"{path}/items", {"Key": "B"}).status_code == 201


def test_index_limits(limited: Emulator) -> None:
    """More indexes than allowed, or one on a list that has grown too long, are refused."""
    path = limited.make_list("Invoices", KEY, DUE, BALANCE)
    index = f"{path}/fields/getbytitle('Balance')/enableindex"
    assert limited.ask("POST", index).status_code == 400
    limited.merge(f"{path}/fields/getbytitle('Due')", {"Indexed": False})
    for number in range(4):
        limited.add(path, EcoKey=str(number))
    late = limited.ask("POST", index)
    assert (late.status_code, limited.code(late).split(",")[0]) == (500, "-2147024860")
    assert limited.ask("DELETE", path).status_code == 500


def test_views(emulator: Emulator) -> None:
    """Views are made, filled column by column, changed, made default and deleted."""
    path = emulator.make_list("Invoices", BALANCE, DUE)
    assert emulator.get(f"{path}/defaultview")["Title"] == "All Items"
    query = '<OrderBy><FieldRef Name="DueDate" /></OrderBy>'
    made = emulator.post(
        f"{path}/views", {"Title": "Overdue", "RowLimit": 100, "ViewQuery": query, "PersonalView": False}
    )
    view = f"{path}/views('{made['Id']}')"
    emulator.post(f"{view}/viewfields/addviewfield('DueDate')")
    emulator.post(f"{view}/viewfields/addviewfield('Balance')")
    emulator.post(f"{view}/viewfields/removeviewfield('LinkTitle')")
    assert emulator.get(f"{view}/viewfields")["Items"] == ["DueDate", "Balance"]
    emulator.post(f"{view}/viewfields/moveviewfieldto", {"field": "Balance", "index": 0})
    assert emulator.get(f"{view}?$expand=ViewFields")["ViewFields"] == {"Items": ["Balance", "DueDate"]}
    formatter = '{"additionalRowClass":"x"}'
    assert emulator.merge(view, {"CustomFormatter": formatter, "DefaultView": True}).status_code == 204
    default = emulator.get(f"{path}/defaultview")
    assert (default["Title"], default["CustomFormatter"], default["ViewQuery"]) == ("Overdue", formatter, query)
    emulator.post(f"{view}/viewfields/removeallviewfields")
    assert emulator.get(f"{view}/viewfields")["Items"] == []
    assert emulator.ask("POST", f"{view}/viewfields/addviewfield('Nope')").status_code == 400
    assert emulator.ask("DELETE", view).status_code == 200
    assert emulator.ask("GET", f"{path}/views/getbytitle('Overdue')").status_code == 404
    emulator.switch(missing_view="empty")
    assert emulator.get(f"{path}/views/getbytitle('Overdue')") == {"odata.null": True}


def test_option_sixteen_puts_the_column_into_the_default_view(emulator: Emulator) -> None:
    """CreateFieldAsXml with option 16 adds the column to the default view."""
    path = emulator.make_list("Invoices")
    emulator.post(f"{path}/fields/createfieldasxml", {"parameters": {"SchemaXml": BALANCE, "Options": 24}})
    assert emulator.get(f"{path}/defaultview/viewfields")["Items"] == ["LinkTitle", "Balance"]


def test_form_layout_of_a_content_type(emulator: Emulator) -> None:
    """ClientFormCustomFormatter is kept as the text it was."""
    path = emulator.make_list("Companies")
    type_id = emulator.get(f"{path}/contenttypes?$select=StringId,Name")["value"][0]["StringId"]
    layout = '{"bodyJSONFormatter":{"sections":[]}}'
    assert emulator.merge(f"{path}/contenttypes('{type_id}')", {"ClientFormCustomFormatter": layout}).status_code == 204
    assert emulator.get(f"{path}/ContentTypes('{type_id}')")["ClientFormCustomFormatter"] == layout


def test_roles(emulator: Emulator) -> None:
    """Each token may do what its role allows; without a grant everything is refused with the access code."""
    path = emulator.make_list("Invoices")
    emulator.add(path)
    emulator.app.state.roles.update(reader="read", writer="write", nobody="none")
    expected = {"reader": (200, 403, 403), "writer": (200, 201, 403), "nobody": (403, 403, 403)}
    for token, statuses in expected.items():
        found = (
            emulator.ask("GET", f"{path}/items", token=token),
            emulator.ask("POST", f"{path}/items", {"Title": "x"}, token=token),
            emulator.ask("POST", "web/lists", {"Title": token, "BaseTemplate": 100}, token=token),
        )
        assert tuple(answer.status_code for answer in found) == statuses
        assert emulator.code(found[2]) == "-2147024891, System.UnauthorizedAccessException"
    emulator.switch(provision_role="write")
    assert emulator.ask("POST", "web/lists", {"Title": "w", "BaseTemplate": 100}, token="writer").status_code == 201


def test_roles_over_http(emulator: Emulator) -> None:
    """A test in another process sets roles through the control route; an unknown role is named."""
    url = f"{emulator.url}/_emulator/roles"
    assert emulator.session.post(url, json={"x": "read"}, timeout=20).status_code == 200
    assert emulator.ask("GET", "web", token="x").status_code == 200
    wrong = emulator.session.post(url, json={"x": "king"}, timeout=20)
    assert (wrong.status_code, "none, read, write, manage" in wrong.text) == (400, True)


def test_unknown_token(emulator: Emulator) -> None:
    """A token the site does not know, or none, is a 401 without an OData body."""
    answer = emulator.ask("GET", "web", token="other")
    assert answer.status_code == 401
    assert list(answer.json()) == ["error_description"]
    assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_ensure_user(emulator: Emulator) -> None:
    """A person is found by address; an unknown one is refused as recorded."""
    assert emulator.post("web/ensureuser", {"logonName": "anne.holm@example.dk"})["Id"] == 9
    assert emulator.get("web/getuserbyid(9)")["Title"] == "Anne Holm"
    answer = emulator.ask("POST", "web/ensureuser", {"logonName": "x"})
    assert answer.json()["odata.error"]["message"]["value"] == "The specified user x could not be found."
