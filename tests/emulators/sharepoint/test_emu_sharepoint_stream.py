"""RenderListDataAsStream and GetItems: CAML in, formatted rows out."""

from __future__ import annotations

from typing import Any

import pytest
from emu_sharepoint_kit import BALANCE, DUE, KEY, LINK, PAID, STATE, Emulator


@pytest.fixture
def path(emulator: Emulator) -> str:
    target = emulator.make_list("Companies")
    emulator.add(target, Title="Acme")
    list_id = emulator.get(target)["Id"]
    lookup = f'<Field Type="Lookup" Name="Company" DisplayName="Company" List="{{{list_id}}}" ShowField="Title"/>'
    path = emulator.make_list("Invoices", KEY, BALANCE, DUE, PAID, STATE, LINK, lookup)
    emulator.add(path, Title="a", Balance=1234.5, DueDate="2026-07-01", Paid=True, CompanyId=1, EcoState="Created")
    emulator.add(path, Title="b", Balance=-2, Pdf={"Url": "https://x", "Description": "Pdf"})
    emulator.add(path, Title="Cæsar")
    return path


def stream(emulator: Emulator, path: str, xml: str, **more: Any) -> dict[str, Any]:
    return emulator.post(f"{path}/RenderListDataAsStream", {"parameters": {"ViewXml": xml, "RenderOptions": 2, **more}})


def where(condition: str) -> str:
    return f"<View><Query><Where>{condition}</Where></Query><RowLimit>10</RowLimit></View>"


def test_rows_are_formatted_for_the_site(emulator: Emulator, path: str) -> None:
    """Danish numbers and dates as text, raw values beside them, look-ups with id and title."""
    answer = stream(emulator, path, "<View><RowLimit>10</RowLimit></View>")
    first, second, _ = answer["Row"]
    assert (first["Balance"], first["Balance."]) == ("1.234,50 kr.", "1234.5")
    assert (first["DueDate"], first["DueDate."]) == ("01-07-2026", "2026-06-30T22:00:00Z")
    assert (first["Paid"], first["Paid.value"]) == ("Yes", "1")
    assert first["Company"] == [{"lookupId": 1, "lookupValue": "Acme", "isSecretFieldValue": False}]
    assert (second["Pdf"], second["Pdf.desc"], second["DueDate"]) == ("https://x", "Pdf", "")
    assert (answer["FirstRow"], answer["LastRow"], answer["RowLimit"]) == (1, 3, 10)
    assert "NextHref" not in answer


def test_stream_pages(emulator: Emulator, path: str) -> None:
    """NextHref given back as Paging reads the next rows; the columns asked for come."""
    xml = '<View><ViewFields><FieldRef Name="EcoKey"/></ViewFields><RowLimit Paged="TRUE">2</RowLimit></View>'
    first = stream(emulator, path, xml)
    assert first["NextHref"].startswith("?Paged=TRUE&p_ID=2")
    assert "EcoKey" in first["Row"][0]
    assert "Balance" not in first["Row"][0]
    second = stream(emulator, path, xml, Paging=first["NextHref"])
    assert [row["ID"] for row in second["Row"]] == ["3"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('<Eq><FieldRef Name="Title"/><Value Type="Text">A</Value></Eq>', ["1"]),
        ('<Neq><FieldRef Name="Title"/><Value Type="Text">a</Value></Neq>', ["2", "3"]),
        ('<Gt><FieldRef Name="Balance"/><Value Type="Number">0</Value></Gt>', ["1"]),
        ('<Leq><FieldRef Name="Balance"/><Value Type="Number">-2</Value></Leq>', ["2"]),
        ('<Lt><FieldRef Name="ID"/><Value Type="Counter">2</Value></Lt>', ["1"]),
        ('<Geq><FieldRef Name="DueDate"/><Value Type="DateTime">2026-07-01</Value></Geq>', ["1"]),
        ('<Lt><FieldRef Name="DueDate"/><Value Type="DateTime"><Today/></Value></Lt>', ["1"]),
        ('<IsNull><FieldRef Name="Balance"/></IsNull>', ["3"]),
        ('<IsNotNull><FieldRef Name="Balance"/></IsNotNull>', ["1", "2"]),
        ('<Contains><FieldRef Name="Title"/><Value Type="Text">ÆS</Value></Contains>', ["3"]),
        ('<BeginsWith><FieldRef Name="Title"/><Value Type="Text">c</Value></BeginsWith>', ["3"]),
        ('<Eq><FieldRef Name="Paid"/><Value Type="Boolean">1</Value></Eq>', ["1"]),
        ('<Eq><FieldRef Name="Company"/><Value Type="Lookup">acme</Value></Eq>', ["1"]),
        ('<Eq><FieldRef Name="Company" LookupId="TRUE"/><Value Type="Lookup">1</Value></Eq>', ["1"]),
        (
            '<Or><Eq><FieldRef Name="Title"/><Value Type="Text">b</Value></Eq><And><IsNull><FieldRef Name="Balance"/>'
            '</IsNull><IsNull><FieldRef Name="DueDate"/></IsNull></And></Or>',
            ["2", "3"],
        ),
        (
            '<In><FieldRef Name="Title"/><Values><Value Type="Text">a</Value>'
            '<Value Type="Text">b</Value></Values></In>',
            ["1", "2"],
        ),
    ],
)
def test_conditions(emulator: Emulator, path: str, condition: str, expected: list[str]) -> None:
    """Each CAML condition finds its rows."""
    emulator.merge(f"{path}/items(1)", {"DueDate": "2026-07-01"})
    assert [row["ID"] for row in stream(emulator, path, where(condition))["Row"]] == expected


def test_order(emulator: Emulator, path: str) -> None:
    """OrderBy sorts, descending where it says so."""
    xml = '<View><Query><OrderBy><FieldRef Name="Balance" Ascending="FALSE"/></OrderBy></Query></View>'
    assert [row["ID"] for row in stream(emulator, path, xml)["Row"]] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "xml",
    [
        "<View",
        where("<Eq/>"),
        where('<Eq><FieldRef Name="Nope"/></Eq>'),
        where('<Like><FieldRef Name="Title"/></Like>'),
    ],
)
def test_wrong_caml(emulator: Emulator, path: str, xml: str) -> None:
    """CAML that cannot be read, or names nothing known, is a 400."""
    body = {"parameters": {"ViewXml": xml}}
    assert emulator.ask("POST", f"{path}/RenderListDataAsStream", body).status_code == 400


def test_get_items_by_caml(emulator: Emulator, path: str) -> None:
    """GetItems takes a CAML view and answers items as the items endpoint does."""
    body = {"query": {"ViewXml": where('<Eq><FieldRef Name="Title"/><Value Type="Text">b</Value></Eq>')}}
    assert emulator.post(f"{path}/getitems?$select=Id,Balance", body)["value"] == [{"Id": 2, "ID": 2, "Balance": -2.0}]
