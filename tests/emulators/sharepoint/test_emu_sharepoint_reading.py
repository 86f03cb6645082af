"""Reading items: pages, options, filters, thresholds, formats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from emu_sharepoint_kit import BALANCE, DUE, KEY, MINIMAL, NOTES, PAID, STATE, VERBOSE, Emulator, serve

from worker.emulators.sharepoint.options import SharePointOptions

ITEM_KEYS = [
    "FileSystemObjectType",
    "Id",
    "ServerRedirectedEmbedUri",
    "ServerRedirectedEmbedUrl",
    "ContentTypeId",
    "Title",
    "EcoKey",
    "ComplianceAssetId",
    "ID",
    "Modified",
    "Created",
    "AuthorId",
    "EditorId",
    "OData__UIVersionString",
    "Attachments",
    "GUID",
]


@pytest.fixture
def small() -> Iterator[Emulator]:
    """A site whose list view threshold is 5 items."""
    yield from serve(SharePointOptions(ru_per_minute=0, list_view_threshold=5, lookup_threshold=2))


def ids(emulator: Emulator, path: str, query: str) -> list[int]:
    return [row["Id"] for row in emulator.get(f"{path}/items?$select=Id&{query}")["value"]]


def fill(emulator: Emulator, path: str, count: int, **values: Any) -> None:
    for number in range(1, count + 1):
        emulator.add(path, Title=f"row {number}", **values)


def test_item_shape(emulator: Emulator) -> None:
    """A bare item has the recorded properties in the recorded order, and its etag in the header."""
    path = emulator.make_list("Invoices", KEY)
    emulator.add(path, Title="a", EcoKey="1")
    answer = emulator.ask("GET", f"{path}/items(1)")
    assert list(answer.json()) == ITEM_KEYS
    assert answer.headers["ETag"] == f'"{answer.json()["GUID"]},1"'
    assert answer.headers["Content-Type"] == "application/json;odata=nometadata;streaming=true;charset=utf-8"
    for name in ("SPRequestGuid", "request-id", "X-SharePointHealthScore", "SPClientServiceRequestDuration"):
        assert answer.headers[name]


def test_pages_follow_the_link(emulator: Emulator) -> None:
    """The link is written as recorded, keeps the options, and is absent on a last page that is exactly full."""
    path = emulator.make_list("Invoices")
    fill(emulator, path, 6)
    page = emulator.get(f"{path}/items?$select=Id,Title&$top=3")
    assert next(iter(page)) == "odata.nextLink"
    link = page["odata.nextLink"]
    assert link.endswith("/items?%24skiptoken=Paged%3dTRUE%26p_ID%3d3&%24select=Id%2cTitle&%24top=3")
    assert page["value"][0] == {"Id": 1, "ID": 1, "Title": "row 1"}
    last = emulator.get(link)
    assert [row["Id"] for row in last["value"]] == [4, 5, 6]
    assert "odata.nextLink" not in last


def test_default_page_is_a_hundred_and_skip_is_ignored(emulator: Emulator) -> None:
    """Without $top a page has 100 items; $skip does nothing, but stays in the link."""
    path = emulator.make_list("Invoices")
    fill(emulator, path, 101)
    page = emulator.get(f"{path}/items?$skip=50")
    assert (len(page["value"]), page["value"][0]["Id"]) == (100, 1)
    assert page["odata.nextLink"].endswith("&%24skip=50")


def test_encoded_option_names(emulator: Emulator) -> None:
    """`%24top` and `+` for a blank are read like the plain forms."""
    path = emulator.make_list("Invoices")
    fill(emulator, path, 3)
    assert ids(emulator, path, "%24top=1&$orderby=Id+desc") == [3]


@pytest.mark.parametrize(
    ("option", "status"),
    [("$top=5001", 500), ("$top=x", 400), ("$order_by=Id", 400), ("$select=Nope", 400), ("$orderby=Nope", 400)],
)
def test_wrong_options(emulator: Emulator, option: str, status: int) -> None:
    """A page over 5,000, a text as a number, an unknown option or column are refused."""
    path = emulator.make_list("Invoices")
    assert emulator.ask("GET", f"{path}/items?{option}").status_code == status


def test_unknown_option_may_be_ignored(emulator: Emulator) -> None:
    """The switch makes an unknown option harmless."""
    path = emulator.make_list("Invoices")
    emulator.switch(unknown_option="ignored")
    assert emulator.get(f"{path}/items?$order_by=Id") == {"value": []}


@pytest.fixture
def filled(emulator: Emulator) -> tuple[Emulator, str]:
    path = emulator.make_list("Invoices", KEY, BALANCE, DUE, PAID, STATE, NOTES)
    emulator.add(path, Title="Ærø", EcoKey="A-1", Balance=10, DueDate="2026-01-31", Paid=True, EcoState="Created")
    emulator.add(path, Title="O'Brien", EcoKey="B-1", Balance=20.5, DueDate="2026-02-28")
    emulator.add(path, Title="Bo", EcoKey="B-2", Balance=-5, EcoState="Requested", Notes="long")
    emulator.add(path, Title=None)
    return emulator, path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Title eq 'ærø'", [1]),
        ("Title eq 'O''Brien'", [2]),
        ("Title ne 'Bo'", [1, 2, 4]),
        ("Balance gt 10", [2]),
        ("Balance ge 10 and Balance lt 20", [1]),
        ("Balance lt 0", [3]),
        ("Balance eq null", [4]),
        ("Title ne null", [1, 2, 3]),
        ("startswith(EcoKey,'b-')", [2, 3]),
        ("substringof('rie',Title)", [2]),
        ("substringof('rie',Title) eq true", [2]),
        ("not (Balance gt 0)", [3, 4]),
        ("Paid eq 1", [1]),
        ("Paid eq true", [1]),
        ("Paid ne true", [2, 3, 4]),
        ("EcoState eq 'Requested' or Paid eq 1", [1, 3]),
        ("(EcoState eq 'Requested' or Paid eq 1) and Balance gt 0", [1]),
        ("DueDate lt datetime'2026-02-01T00:00:00Z'", [1]),
        ("DueDate ge '2026-02-28'", [2]),
        ("Id gt 2", [3, 4]),
        ("ID le 1", [1]),
        ("Modified gt datetime'2020-01-01T00:00:00Z' and Id eq 3", [3]),
        ("AuthorId eq 1073741822", [1, 2, 3, 4]),
    ],
)
def test_filters(filled: tuple[Emulator, str], text: str, expected: list[int]) -> None:
    """Filters compare without letter case, blanks apart, and times by moment."""
    emulator, path = filled
    assert ids(emulator, path, f"$filter={text}") == expected


@pytest.mark.parametrize(
    "text",
    [
        "Nope eq 1",
        "Title eq",
        "endswith(Title,'x')",
        "contains(Title,'x')",
        "Balance eq 'x'",
        "Title eq 5",
        "DueDate gt datetime'soon'",
        "Notes eq 'long'",
        "Balance add 1 eq 2",
        "Paid eq 'x'",
    ],
)
def test_filters_that_are_refused(filled: tuple[Emulator, str], text: str) -> None:
    """Unknown columns and functions, wrong types and multi-line text are a 400."""
    emulator, path = filled
    assert emulator.ask("GET", f"{path}/items?$filter={text}").status_code == 400


def test_switches_of_filters(filled: tuple[Emulator, str]) -> None:
    """contains() and the accepted Boolean form are switches."""
    emulator, path = filled
    emulator.switch(contains_filter="accepted", boolean_filter="number")
    assert ids(emulator, path, "$filter=contains(Title,'b')") == [2, 3]
    assert emulator.ask("GET", f"{path}/items?$filter=Paid eq true").status_code == 400
    emulator.switch(boolean_filter="word")
    assert emulator.ask("GET", f"{path}/items?$filter=Paid eq 1").status_code == 400


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("Title", [4, 3, 2, 1]),
        ("Balance desc", [2, 1, 3, 4]),
        ("Paid desc,Title desc", [1, 2, 3, 4]),
        ("EcoState,Id desc", [4, 2, 1, 3]),
    ],
)
def test_order_and_its_pages(filled: tuple[Emulator, str], order: str, expected: list[int]) -> None:
    """Rows come in order, blanks lowest, and pages of one add up to the whole."""
    emulator, path = filled
    assert ids(emulator, path, f"$orderby={order}") == expected
    found, link = [], f"{path}/items?$select=Id&$top=1&$orderby={order}"
    while link:
        page = emulator.get(link)
        found += [row["Id"] for row in page["value"]]
        link = page.get("odata.nextLink", "")
    assert found == expected


def test_threshold(small: Emulator) -> None:
    """Above the threshold a filter must begin with a selective indexed column; plain paging always works."""
    path = small.make_list("Invoices", KEY, BALANCE, STATE)
    for number in range(8):
        small.add(path, EcoKey=f"k{number}", Balance=number, EcoState="Requested" if number == 3 else "Created")
    assert len(ids(small, path, "$top=100")) == 8
    assert ids(small, path, "$filter=EcoKey eq 'k3' and Balance gt 1") == [4]
    assert ids(small, path, "$filter=EcoState eq 'Requested'") == [4]
    assert ids(small, path, "$filter=Id gt 3 and Id le 6") == [4, 5, 6]
    assert ids(small, path, "$filter=EcoKey eq 'k1' or EcoKey eq 'k2'") == [2, 3]
    assert ids(small, path, "$orderby=EcoKey desc&$top=2") == [8, 7]
    for query in (
        "$filter=Balance gt 1",
        "$filter=Balance gt 1 and EcoKey eq 'k3'",
        "$filter=EcoState eq 'Created'",
        "$filter=Id gt 1",
        "$filter=EcoKey eq 'k1' or Balance gt 1",
        "$filter=substringof('k',EcoKey)",
        "$filter=not (EcoKey eq 'k1')",
        "$orderby=Balance",
    ):
        answer = small.ask("GET", f"{path}/items?{query}")
        assert answer.status_code == 500, query
        assert small.code(answer) == "-2147024860, Microsoft.SharePoint.SPQueryThrottledException"


def test_indexed_order_pages_above_the_threshold(small: Emulator) -> None:
    """Order by an indexed column reads page by page through the index, ties and blanks included."""
    path = small.make_list("Invoices", STATE)
    for state in ("Created", None, "Requested", None, "Created", "Created", "Requested"):
        small.add(path, EcoState=state)
    for order, expected in (("EcoState", [2, 4, 1, 5, 6, 3, 7]), ("EcoState desc", [7, 3, 6, 5, 1, 4, 2])):
        found, link = [], f"{path}/items?$select=Id&$top=2&$orderby={order}"
        while link:
            page = small.get(link)
            found += [row["Id"] for row in page["value"]]
            link = page.get("odata.nextLink", "")
        assert found == expected


def test_expand(emulator: Emulator) -> None:
    """Look-ups and people expand to the parts that $select names; without $expand that is a 400."""
    companies = emulator.make_list("Companies", KEY)
    emulator.add(companies, Title="Acme", EcoKey="7")
    list_id = emulator.get(companies)["Id"]
    path = emulator.make_list("Contacts", f'<Field Type="Lookup" Name="Company" DisplayName="C" List="{{{list_id}}}"/>')
    emulator.add(path, Title="Bo", CompanyId=1)
    emulator.add(path, Title="Alone")
    rows = emulator.get(
        f"{path}/items?$select=Id,CompanyId,Company/Title,Company/EcoKey,Author/Title&$expand=Company,Author"
    )
    assert rows["value"][0] == {
        "Id": 1,
        "ID": 1,
        "CompanyId": 1,
        "Company": {"Title": "Acme", "EcoKey": "7"},
        "Author": {"Title": "SharePoint App"},
    }
    assert rows["value"][1]["Company"] is None
    assert ids(emulator, path, "$filter=Company/Title eq 'acme'") == [1]
    assert ids(emulator, path, "$filter=CompanyId eq 1") == [1]
    assert emulator.ask("GET", f"{path}/items?$select=Company/Title").status_code == 400
    assert emulator.ask("GET", f"{path}/items?$select=Company").status_code == 400
    verbose = emulator.get(f"{path}/items(1)?$select=Company/Title&$expand=Company", accept=VERBOSE)
    assert verbose["d"]["Company"] == {"__metadata": {"type": "SP.Data.CompaniesListItem"}, "Title": "Acme"}


def test_lookup_threshold(small: Emulator) -> None:
    """More look-up columns in one query than allowed is the throttling error."""
    target = small.get(small.make_list("Target"))["Id"]
    xml = '<Field Type="Lookup" Name="L{0}" DisplayName="L{0}" List="{1}"/>'
    path = small.make_list("Many", *[xml.format(number, target) for number in range(3)])
    assert small.ask("GET", f"{path}/items").status_code == 500
    assert small.get(f"{path}/items?$select=Id,L0Id,L1Id") == {"value": []}


def test_verbose_and_minimal(emulator: Emulator) -> None:
    """The other formats wrap, and carry types, addresses and the short etag."""
    path = emulator.make_list("My list_1", KEY)
    for number in range(3):
        emulator.add(path, EcoKey=str(number))
    verbose = emulator.get(f"{path}/items?$top=2", accept=VERBOSE)["d"]
    assert "skiptoken" in verbose["__next"]
    metadata = verbose["results"][0]["__metadata"]
    assert metadata["type"] == "SP.Data.My_x0020_list_x005f_1ListItem"
    assert metadata["etag"] == '"1"'
    assert emulator.get(metadata["uri"])["EcoKey"] == "0"
    one = emulator.get(f"{path}/items(1)", accept=MINIMAL)
    assert one["odata.metadata"].endswith("/$metadata#SP.ListData.My_x0020_list_x005f_1ListItems/@Element")
    assert one["odata.editLink"].startswith("Web/Lists(guid'")
    assert one["odata.etag"] == '"1"'
    emulator.switch(body_etag="long")
    assert emulator.get(f"{path}/items(1)", accept=MINIMAL)["odata.etag"] == f'"{one["GUID"]},1"'


@pytest.mark.parametrize(
    "address",
    [
        "web/lists/getbytitle('Åbne (nye) poster')",
        "Web/Lists/GetByTitle('%C3%85bne%20(nye)%20poster')",
        "web/getlist('/sites/crm/Lists/%C3%85bne (nye) poster')",
        "web/GetList(@u)?@u='/sites/crm/lists/Åbne (nye) poster'",
        "web/lists('{id}')",
        "web/lists(guid'{id}')",
        "web/lists/getbyid('{id}')",
    ],
)
def test_list_addresses(emulator: Emulator, address: str) -> None:
    """A list answers to its title, id and URL in any letter case and encoding."""
    made = emulator.post("web/lists", {"Title": "Åbne (nye) poster", "BaseTemplate": 100})
    assert emulator.get(address.replace("{id}", made["Id"]))["Id"] == made["Id"]


def test_quotes_in_titles(emulator: Emulator) -> None:
    """A doubled quote in an address is one quote of the title."""
    emulator.make_list("Bo's / list")
    assert emulator.get("web/lists/getbytitle('Bo''s / list')")["Title"] == "Bo's / list"


def test_missing_things(emulator: Emulator) -> None:
    """Each missing thing has its own status and code."""
    path = emulator.make_list("Invoices")
    expected = {
        "web/lists/getbytitle('x')": (404, "-1, System.ArgumentException"),
        "web/getlist('/sites/crm/lists/x')": (404, "-2147024894, System.IO.FileNotFoundException"),
        f"{path}/items(9)": (404, "-2130575338, System.ArgumentException"),
        f"{path}/nonsense": (404, "-1, Microsoft.SharePoint.Client.ResourceNotFoundException"),
        "web/nonsense('x')": (404, "-1, Microsoft.SharePoint.Client.ResourceNotFoundException"),
        f"{path}/fields/getbytitle('x')": (400, "-2147024809, System.ArgumentException"),
    }
    for address, (status, code) in expected.items():
        answer = emulator.ask("GET", address)
        assert (answer.status_code, emulator.code(answer)) == (status, code), address


def test_single_properties(emulator: Emulator) -> None:
    """A property can be read by its path."""
    path = emulator.make_list("Invoices")
    emulator.add(path)
    assert emulator.get(f"{path}/ItemCount") == {"value": 1}
    assert emulator.get(f"{path}/ItemCount", accept=VERBOSE) == {"d": {"ItemCount": 1}}
    assert emulator.get(f"{path}/items(1)/ParentList?$select=Title") == {"Title": "Invoices"}
    assert emulator.get("web/title") == {"value": "CRM"}


def test_web_basics(emulator: Emulator) -> None:
    """The web tells its address, time zone, user and rights."""
    web = emulator.get("web?$select=Title,Url,ServerRelativeUrl,Id")
    assert (web["Title"], web["Url"], web["ServerRelativeUrl"]) == ("CRM", emulator.site, "/sites/crm")
    zone = emulator.get("web/RegionalSettings/TimeZone")
    assert (zone["Id"], zone["Information"]) == (3, {"Bias": -60, "DaylightBias": -60, "StandardBias": 0})
    assert emulator.get("web/currentuser")["Title"] == "SharePoint App"
    assert set(emulator.get("web/EffectiveBasePermissions")) == {"High", "Low"}
    assert emulator.get("web?$expand=CurrentUser&$select=CurrentUser")["CurrentUser"]["Id"] == 1073741822
