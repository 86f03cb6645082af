"""Writing items: create, change, versions, delete, refusals, column types."""

from __future__ import annotations

from typing import Any

import pytest
from emu_sharepoint_kit import BALANCE, DUE, KEY, LINK, NONE, NOTES, PAID, STATE, VERBOSE, Emulator

DUPLICATE = "-2130575169, Microsoft.SharePoint.SPDuplicateValuesFoundException"


@pytest.fixture
def path(emulator: Emulator) -> str:
    return emulator.make_list("Invoices", KEY, BALANCE, DUE, PAID, STATE, NOTES, LINK)


def item(emulator: Emulator, path: str, item_id: int = 1) -> dict[str, Any]:
    return emulator.get(f"{path}/items({item_id})")


def test_create(emulator: Emulator, path: str) -> None:
    """A create answers 201 with the item, its etag and its address; defaults are filled in."""
    answer = emulator.ask("POST", f"{path}/items", {"Title": "a", "Balance": 11})
    assert answer.status_code == 201
    body = answer.json()
    assert answer.headers["ETag"] == f'"{body["GUID"]},1"'
    assert emulator.get(answer.headers["Location"])["Id"] == 1
    assert (body["Balance"], body["Paid"], body["EcoState"]) == (11.0, False, None)
    assert '"Balance":11.0' in answer.text


def test_merge_makes_a_new_version(emulator: Emulator, path: str) -> None:
    """MERGE answers 204 with the next etag, changes what was sent only, and raises the version."""
    emulator.add(path, Title="a", Balance=1)
    answer = emulator.merge(f"{path}/items(1)", {"Balance": 2.5})
    assert (answer.status_code, answer.content) == (204, b"")
    after = item(emulator, path)
    assert answer.headers["ETag"] == f'"{after["GUID"]},2"'
    assert (after["Title"], after["Balance"], after["OData__UIVersionString"]) == ("a", 2.5, "2.0")


@pytest.mark.parametrize("method", ["PATCH", "MERGE"])
def test_real_verbs_work_too(emulator: Emulator, path: str, method: str) -> None:
    """PATCH and MERGE as real verbs change an item."""
    emulator.add(path)
    assert emulator.ask(method, f"{path}/items(1)", {"Title": "b"}, IF_MATCH="*").status_code == 204
    assert item(emulator, path)["Title"] == "b"


def test_put_resets_what_was_not_sent(emulator: Emulator, path: str) -> None:
    """PUT gives every other column its default."""
    emulator.add(path, Title="a", Balance=5, Paid=True)
    assert emulator.ask("PUT", f"{path}/items(1)", {"Title": "b"}, IF_MATCH="*").status_code == 204
    after = item(emulator, path)
    assert (after["Title"], after["Balance"], after["Paid"]) == ("b", None, False)


def test_etags(emulator: Emulator, path: str) -> None:
    """The long and the short form match; a stale one is a 412 with both in the text."""
    guid = emulator.add(path)["GUID"]
    assert emulator.merge(f"{path}/items(1)", {"Title": "b"}, if_match=f'"{guid},1"').status_code == 204
    assert emulator.merge(f"{path}/items(1)", {"Title": "c"}, if_match='"2"').status_code == 204
    stale = emulator.merge(f"{path}/items(1)", {"Title": "d"}, if_match='"2"')
    assert stale.status_code == 412
    assert emulator.code(stale) == "-1, Microsoft.SharePoint.Client.ClientServiceException"
    assert (
        f"""'"2"' does not match the object's ETag value '"{guid},3"'."""
        in stale.json()["odata.error"]["message"]["value"]
    )
    emulator.switch(short_etag="refused")
    assert emulator.merge(f"{path}/items(1)", {"Title": "d"}, if_match='"3"').status_code == 412
    assert item(emulator, path)["Title"] == "c"


def test_missing_if_match(emulator: Emulator, path: str) -> None:
    """Without IF-MATCH the item is overwritten, or with the strict switch refused."""
    emulator.add(path)
    assert emulator.ask("PATCH", f"{path}/items(1)", {"Title": "b"}).status_code == 204
    emulator.switch(missing_if_match="strict")
    assert emulator.ask("PATCH", f"{path}/items(1)", {"Title": "c"}).status_code == 412


def test_unique_column(emulator: Emulator, path: str) -> None:
    """A repeated key is a 500 naming the column, in any letter case; blanks may repeat."""
    emulator.add(path, EcoKey="a")
    emulator.add(path)
    emulator.add(path)
    again = emulator.ask("POST", f"{path}/items", {"EcoKey": "A"})
    assert (again.status_code, emulator.code(again)) == (500, DUPLICATE)
    assert again.json()["odata.error"]["message"]["value"].endswith("field(s) in the list: [EcoKey].")
    assert emulator.merge(f"{path}/items(2)", {"EcoKey": "a"}).status_code == 500
    assert emulator.merge(f"{path}/items(1)", {"EcoKey": "a", "Title": "same item"}).status_code == 204
    assert emulator.get(path)["ItemCount"] == 3


def test_unique_switches(emulator: Emulator, path: str) -> None:
    """Status, letter case and blanks of unique columns are switches."""
    emulator.switch(duplicate_key_status="400", unique_case="sensitive", unique_blanks="one")
    emulator.add(path, EcoKey="a")
    emulator.add(path, EcoKey="A")
    assert emulator.ask("POST", f"{path}/items", {"EcoKey": "a"}).status_code == 400
    emulator.add(path, Title="blank")
    assert emulator.ask("POST", f"{path}/items", {"Title": "blank"}).status_code == 400


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"Nope": 1}, "The property 'Nope' does not exist on type 'SP.Data.InvoicesListItem'"),
        ({"Balance": "11"}, "expected type 'Edm.Double'"),
        ({"Balance": True}, "expected type 'Edm.Double'"),
        ({"Title": 5}, "expected type 'Edm.String'"),
        ({"DueDate": "31-01-2026"}, "expected type 'Edm.DateTime'"),
        ({"Paid": "yes"}, "expected type 'Edm.Boolean'"),
        ({"Pdf": "https://x"}, "expected type 'SP.FieldUrlValue'"),
        ({"title": "case"}, "does not exist on type"),
    ],
)
def test_wrong_values_are_refused(emulator: Emulator, path: str, body: dict[str, Any], text: str) -> None:
    """An unknown property or a wrong JSON type is a 400 with the recorded text."""
    answer = emulator.ask("POST", f"{path}/items", body)
    assert (answer.status_code, emulator.code(answer)) == (
        400,
        "-1, Microsoft.SharePoint.Client.InvalidClientQueryException",
    )
    assert text in answer.json()["odata.error"]["message"]["value"]


def test_broken_bodies(emulator: Emulator, path: str) -> None:
    """No JSON, metadata in a light body, or no type in a verbose one are each a 400."""
    url = f"{emulator.site}/_api/{path}/items"
    headers = {"Authorization": "Bearer test-token", "Accept": NONE, "Content-Type": NONE}
    for text in ("", "{", "[]"):
        assert emulator.session.post(url, data=text, headers=headers, timeout=20).status_code == 400
    typed = {"__metadata": {"type": "SP.Data.InvoicesListItem"}, "Title": "x"}
    assert emulator.ask("POST", f"{path}/items", typed).status_code == 400
    assert emulator.ask("POST", f"{path}/items", {"Title": "x"}, Content_Type=VERBOSE).status_code == 400
    assert emulator.ask("POST", f"{path}/items", typed, Content_Type=VERBOSE).status_code == 201


def test_lengths(emulator: Emulator, path: str) -> None:
    """Text is refused beyond its column's length, multi-line text is not; the status is a switch."""
    emulator.add(path, Title="x" * 255, Notes="y" * 5000)
    for body in ({"Title": "x" * 256}, {"EcoKey": "k" * 101}):
        answer = emulator.ask("POST", f"{path}/items", body)
        assert (answer.status_code, emulator.code(answer).split(",")[0]) == (400, "-2130575155")
    emulator.switch(text_too_long_status="500")
    assert emulator.ask("POST", f"{path}/items", {"Title": "x" * 256}).status_code == 500


def test_dates(emulator: Emulator, path: str) -> None:
    """DateOnly keeps site-local midnight in UTC, across the change to summer time; naive input is site time."""
    sent = {
        "2026-01-31": "2026-01-30T23:00:00Z",
        "2026-07-01": "2026-06-30T22:00:00Z",
        "2026-01-30T23:00:00Z": "2026-01-30T23:00:00Z",
        "2026-01-31T12:00:00": "2026-01-30T23:00:00Z",
        "2026-01-31T12:00:00+00:00": "2026-01-30T23:00:00Z",
        "2026-01-31T23:30:00Z": "2026-01-31T23:00:00Z",
    }
    for text, kept in sent.items():
        assert emulator.add(path, DueDate=text)["DueDate"] == kept


def test_naive_times(emulator: Emulator) -> None:
    """A time without a zone is read in the site's zone, or by the switch as UTC."""
    path = emulator.make_list("Log", '<Field Type="DateTime" Name="At" DisplayName="At" Format="DateTime"/>')
    assert emulator.add(path, At="2026-07-01T12:00:00")["At"] == "2026-07-01T10:00:00Z"
    emulator.switch(naive_time="utc")
    assert emulator.add(path, At="2026-07-01T12:00:00")["At"] == "2026-07-01T12:00:00Z"


def test_choice_and_url(emulator: Emulator, path: str) -> None:
    """A choice outside the list and a long address are accepted or refused by switch."""
    assert emulator.add(path, EcoState="Else")["EcoState"] == "Else"
    emulator.switch(choice_outside="refused")
    assert emulator.ask("POST", f"{path}/items", {"EcoState": "Else"}).status_code == 400
    shown = emulator.add(path, Pdf={"Url": "https://x/y", "Description": "Pdf"})["Pdf"]
    assert shown == {"Description": "Pdf", "Url": "https://x/y"}
    long = {"Pdf": {"Url": "https://x/" + "y" * 300, "Description": "Pdf"}}
    assert emulator.ask("POST", f"{path}/items", long).status_code == 400
    emulator.switch(url_too_long="accepted")
    assert emulator.ask("POST", f"{path}/items", long).status_code == 201


def test_clearing(emulator: Emulator, path: str) -> None:
    """Null clears any column; an empty text reads back as null, or by the switch as it was."""
    emulator.add(path, Title="a", Balance=1, DueDate="2026-01-01", Pdf={"Url": "https://x", "Description": "x"})
    emulator.merge(f"{path}/items(1)", {"Title": "", "Balance": None, "DueDate": None, "Pdf": None})
    after = item(emulator, path)
    assert [after[name] for name in ("Title", "Balance", "DueDate", "Pdf")] == [None] * 4
    emulator.switch(empty_text="kept")
    emulator.merge(f"{path}/items(1)", {"Title": ""})
    assert item(emulator, path)["Title"] == ""


def test_lookups_and_people(emulator: Emulator) -> None:
    """Look-ups and people are written by id; a look-up must exist unless the switch blanks it."""
    target = emulator.make_list("Companies")
    emulator.add(target, Title="Acme")
    list_id = emulator.get(target)["Id"]
    path = emulator.make_list(
        "Contacts",
        f'<Field Type="Lookup" Name="Company" DisplayName="Company" List="{{{list_id}}}" ShowField="Title"/>',
        f'<Field Type="LookupMulti" Name="Others" DisplayName="Others" List="{{{list_id}}}" Mult="TRUE"/>',
        '<Field Type="User" Name="Owner" DisplayName="Owner"/>',
        '<Field Type="MultiChoice" Name="Tags" DisplayName="Tags"><CHOICES><CHOICE>a</CHOICE></CHOICES></Field>',
    )
    made = emulator.add(path, CompanyId=1, OthersId=[1], OwnerId=9, Tags=["a", "b"])
    assert (made["CompanyId"], made["OthersId"], made["OwnerId"], made["Tags"]) == (1, [1], 9, ["a", "b"])
    verbose = emulator.get(f"{path}/items(1)", accept=VERBOSE)["d"]
    assert verbose["Tags"] == {"__metadata": {"type": "Collection(Edm.String)"}, "results": ["a", "b"]}
    assert emulator.get(f"{path}/items(1)?$select=OwnerStringId") == {"OwnerStringId": "9"}
    refused = emulator.ask("POST", f"{path}/items", {"CompanyId": 99})
    assert (refused.status_code, "[Company]" in refused.text) == (400, True)
    emulator.switch(missing_lookup="blank")
    assert emulator.add(path, CompanyId=99)["CompanyId"] is None
    sent = {"__metadata": {"type": "SP.Data.ContactsListItem"}, "Tags": {"results": ["c"]}}
    assert emulator.merge(f"{path}/items(1)", sent, Content_Type=VERBOSE).status_code == 204
    assert item(emulator, path)["Tags"] == ["c"]
    emulator.merge(f"{path}/items(1)", {"Tags": [], "OthersId": None})
    assert (item(emulator, path)["Tags"], item(emulator, path)["OthersId"]) == ([], [])


def test_read_only_columns(emulator: Emulator) -> None:
    """Writing a ReadOnlyField column is ignored, accepted or refused by switch; so are the site's own stamps."""
    path = emulator.make_list("Log", '<Field Type="Text" Name="Hash" DisplayName="Hash" ReadOnly="TRUE"/>')
    assert emulator.add(path, Hash="x", AuthorId=9)["Hash"] is None
    emulator.switch(read_only_field="accepted")
    assert emulator.add(path, Hash="x")["Hash"] == "x"
    emulator.switch(read_only_field="refused")
    assert emulator.ask("POST", f"{path}/items", {"Hash": "x"}).status_code == 400


def test_leading_underscore_names(emulator: Emulator) -> None:
    """A column whose internal name begins with an underscore is `OData__...` over REST."""
    path = emulator.make_list("Log", '<Field Type="Text" Name="_x00d8_l" DisplayName="Øl"/>')
    assert emulator.add(path, OData__x00d8_l="x")["OData__x00d8_l"] == "x"
    assert emulator.get(f"{path}/items?$filter=OData__x00d8_l eq 'x'&$select=Id")["value"] == [{"Id": 1, "ID": 1}]


def test_validation_formulas(emulator: Emulator, path: str) -> None:
    """A list's and a column's formula refuse an item with their own codes."""
    emulator.merge(path, {"ValidationFormula": "=[Balance]>=0", "ValidationMessage": "Not below zero"})
    answer = emulator.ask("POST", f"{path}/items", {"Balance": -1})
    assert (answer.status_code, emulator.code(answer)) == (
        500,
        "-2130575162, Microsoft.SharePoint.SPListDataValidationException",
    )
    assert "Not below zero" in answer.text
    emulator.merge(f"{path}/fields/getbytitle('EcoKey')", {"ValidationFormula": "=LEN([EcoKey])<3"})
    answer = emulator.ask("POST", f"{path}/items", {"EcoKey": "long"})
    assert (answer.status_code, emulator.code(answer).split(",")[0]) == (500, "-2130575163")


# --- taking away


def test_delete_recycles_or_not(emulator: Emulator, path: str) -> None:
    """DELETE puts the item into the bin, or by the switch removes it for good."""
    emulator.add(path, Title="a")
    emulator.add(path, Title="b")
    assert emulator.ask("POST", f"{path}/items(1)", X_HTTP_Method="DELETE", IF_MATCH="*").status_code == 200
    assert [row["Title"] for row in emulator.get("web/recyclebin")["value"]] == ["a"]
    emulator.switch(delete="permanent")
    assert emulator.ask("DELETE", f"{path}/items(2)", IF_MATCH="*").status_code == 200
    assert len(emulator.get("web/recyclebin")["value"]) == 1
    assert emulator.get(path)["ItemCount"] == 0


def test_recycle_and_restore(emulator: Emulator, path: str) -> None:
    """A recycled item frees its key; restored it has its old id, unless its key was taken meanwhile."""
    emulator.add(path, EcoKey="a")
    bin_id = emulator.post(f"{path}/items(1)/recycle()")["value"]
    assert emulator.ask("GET", f"{path}/items(1)").status_code == 404
    emulator.add(path, EcoKey="a")
    assert emulator.ask("POST", f"web/recyclebin('{bin_id}')/restore()").status_code == 500
    emulator.post(f"{path}/items(2)/recycle()")
    assert emulator.ask("POST", f"web/recyclebin('{bin_id}')/restore()").status_code == 200
    assert item(emulator, path)["EcoKey"] == "a"


def test_ids_are_never_used_twice(emulator: Emulator, path: str) -> None:
    """After a delete the next item gets a new id."""
    emulator.add(path)
    emulator.ask("DELETE", f"{path}/items(1)", IF_MATCH="*")
    assert emulator.add(path)["Id"] == 2


# --- versions and quiet updates


def test_versions(emulator: Emulator, path: str) -> None:
    """Versions are kept newest first up to the list's limit; without versioning the version stays 1.0."""
    emulator.merge(path, {"MajorVersionLimit": 2})
    emulator.add(path, Title="a")
    for title in ("b", "c"):
        emulator.merge(f"{path}/items(1)", {"Title": title})
    versions = emulator.get(f"{path}/items(1)/versions")["value"]
    assert [(one["VersionLabel"], one["Title"]) for one in versions] == [("3.0", "c"), ("2.0", "b")]
    emulator.merge(path, {"EnableVersioning": False})
    emulator.merge(f"{path}/items(1)", {"Title": "d"})
    assert item(emulator, path)["OData__UIVersionString"] == "3.0"


def test_who_changed_it(emulator: Emulator, path: str) -> None:
    """A person named by the emulator's own header stands as the editor."""
    emulator.add(path, Title="a")
    emulator.merge(f"{path}/items(1)", {"Title": "b"}, X_Emulator_User="9")
    after = item(emulator, path)
    assert (after["AuthorId"], after["EditorId"]) == (1073741822, 9)


def form(emulator: Emulator, path: str, values: dict[str, str], **more: Any) -> list[dict[str, Any]]:
    rows = [{"FieldName": name, "FieldValue": value} for name, value in values.items()]
    body = {"formValues": rows, **more}
    return emulator.post(f"{path}/items(1)/ValidateUpdateListItem()", body)["value"]


def test_validate_update(emulator: Emulator, path: str) -> None:
    """Texts are read in the site's locale; a quiet update keeps the version but not the etag."""
    emulator.add(path, Title="a")
    values = {"Balance": "1234.5", "Paid": "1", "DueDate": "2026-07-01 00:00:00", "Pdf": "https://x, Pdf"}
    rows = form(emulator, path, values, bNewDocumentUpdate=True, datesInUTC=False)
    assert not any(row["HasException"] for row in rows)
    after = item(emulator, path)
    assert (after["Balance"], after["Paid"], after["DueDate"]) == (1234.5, True, "2026-06-30T22:00:00Z")
    assert after["OData__UIVersionString"] == "1.0"
    form(
        emulator,
        path,
        {
            "Title": "b",
            "Modified": "2026-01-01 10:00:00",
            "Editor": '[{"Key":"i:0#.f|membership|anne.holm@example.dk"}]',
        },
        datesInUTC=True,
    )
    after = item(emulator, path)
    assert (after["OData__UIVersionString"], after["Modified"], after["EditorId"]) == ("2.0", "2026-01-01T10:00:00Z", 9)
    emulator.switch(number_format="site")
    form(emulator, path, {"Balance": "1.234,5"})
    assert item(emulator, path)["Balance"] == 1234.5


def test_validate_update_saves_all_or_nothing(emulator: Emulator, path: str) -> None:
    """One bad value: 200, its row tells, nothing is saved."""
    emulator.add(path, Title="a")
    emulator.add(path, EcoKey="k")
    rows = form(emulator, path, {"Title": "b", "Balance": "much"})
    assert [row["HasException"] for row in rows] == [False, True]
    assert rows[1]["ErrorCode"] == -2146232832
    assert item(emulator, path)["Title"] == "a"
    assert form(emulator, path, {"EcoKey": "k"})[0]["HasException"] is True
    assert form(emulator, path, {"Title": ""})[0]["HasException"] is True


def test_add_validated(emulator: Emulator, path: str) -> None:
    """AddValidateUpdateItemUsingPath adds one item and names its id."""
    body = {
        "listItemCreateInfo": {"FolderPath": {"DecodedUrl": "/x"}},
        "formValues": [{"FieldName": "Title", "FieldValue": "a"}],
    }
    rows = emulator.post(f"{path}/AddValidateUpdateItemUsingPath", body)["value"]
    assert (rows[-1]["FieldName"], rows[-1]["FieldValue"]) == ("Id", "1")
    body["formValues"] = [{"FieldName": "Balance", "FieldValue": "1"}]
    assert any(row["HasException"] for row in emulator.post(f"{path}/AddValidateUpdateItemUsingPath", body)["value"])
    assert emulator.get(path)["ItemCount"] == 1
