"""The read-only pages, as a browser gets them."""

from __future__ import annotations

import re
from html import unescape

import pytest
import requests
from emu_sharepoint_kit import BALANCE, DUE, KEY, LINK, NOTES, PAID, STATE, Emulator


def page(emulator: Emulator, path: str) -> requests.Response:
    return requests.get(path if path.startswith("http") else f"{emulator.url}{path}", timeout=20)


def links(text: str) -> dict[str, str]:
    found = re.findall(r'<a href="([^"]*)"[^>]*>(.*?)</a>', text)
    return {unescape(re.sub("<[^>]*>", "", label)): unescape(target) for target, label in found}


@pytest.fixture
def path(emulator: Emulator) -> str:
    path = emulator.make_list("Åbne poster", KEY, BALANCE, DUE, PAID, STATE, NOTES, LINK)
    view = {
        "Title": "Overdue",
        "RowLimit": 10,
        "ViewQuery": '<Where><Gt><FieldRef Name="Balance"/><Value Type="Number">59</Value></Gt></Where>',
        "ViewFields": ["LinkTitle", "Balance", "DueDate"],
    }
    emulator.post(f"{path}/views", view)
    for number in range(1, 62):
        emulator.add(path, Title=f"row {number:02}", Balance=number + 0.5, DueDate="2026-07-01", EcoState="Created")
    return path


def test_home_lists_the_lists(emulator: Emulator, path: str) -> None:
    """The root leads to the site, which lists each list with its count."""
    home = page(emulator, "/")
    assert home.url == emulator.site
    assert links(home.text)["Åbne poster"] == "/sites/crm/Lists/%C3%85bne%20poster"
    assert '<td class="number">61</td>' in home.text


def test_empty_site_says_so(emulator: Emulator) -> None:
    """A site without lists says what to do."""
    assert "no lists yet" in page(emulator, "/sites/crm").text


def test_list_with_paging_and_sorting(emulator: Emulator, path: str) -> None:
    """A list shows 50 rows, leads to the next page, and sorts by a column both ways."""
    first = page(emulator, "/sites/crm/Lists/Åbne poster")
    assert "row 01" in first.text
    assert "row 51" not in first.text
    second = page(emulator, emulator.url + links(first.text)["Next page ›"])
    assert "row 51" in second.text
    assert "« First page" in links(second.text)
    up = page(emulator, emulator.url + links(first.text)["Title"])
    down = page(emulator, emulator.url + links(up.text)["Title ▲"])
    assert re.findall(r"row \d\d", down.text)[0] == "row 61"
    assert re.findall(r"row \d\d", page(emulator, emulator.url + links(down.text)["Next page ›"]).text)[0] == "row 11"


def test_view_selection(emulator: Emulator, path: str) -> None:
    """A view brings its own columns and condition."""
    tabs = links(page(emulator, "/sites/crm/Lists/Åbne poster").text)
    shown = page(emulator, emulator.url + tabs["Overdue"]).text
    assert re.findall(r"row \d\d", shown) == ["row 59", "row 60", "row 61"]
    assert '<td class="number">59,50</td>' in shown
    assert "01-07-2026" in shown


def test_item_page_shows_values_and_versions(emulator: Emulator, path: str) -> None:
    """An item shows all its values, who changed it, and what each version changed."""
    emulator.merge(f"{path}/items(1)", {"Balance": 1000, "Notes": "line 1\nline 2"}, X_Emulator_User="9")
    shown = page(emulator, "/sites/crm/Lists/Åbne poster/1").text
    for text in ("1.000,00", "Anne Holm", "line 1\nline 2", "2.0", "Balance: 1,50", "SharePoint App"):
        assert text in shown, text


def test_everything_is_escaped(emulator: Emulator) -> None:
    """Titles and values cannot become markup, nor an address a script."""
    path = emulator.make_list("<b>x", NOTES, LINK)
    evil = "<script>alert(1)</script>"
    emulator.merge(f"{path}/fields/getbytitle('Notes')", {"Title": evil})
    emulator.add(path, Title=evil, Notes=evil, Pdf={"Url": "javascript:alert(1)", "Description": evil})
    for address in ("/sites/crm", "/sites/crm/Lists/bx", "/sites/crm/Lists/bx/1"):
        text = page(emulator, address).text
        assert "<script>" not in text
        assert "<b>x" not in text
        assert 'href="javascript' not in text


def test_missing_pages(emulator: Emulator, path: str) -> None:
    """A list or item that is not there is a 404 with a sentence."""
    for address in ("/sites/crm/Lists/nope", "/sites/crm/Lists/Åbne poster/999"):
        answer = page(emulator, address)
        assert (answer.status_code, "nothing here" in answer.text) == (404, True)


def test_looking_is_not_counted(emulator: Emulator, path: str) -> None:
    """Pages are read only and do not appear among the callers' requests."""
    emulator.app.state.meter.reset()
    page(emulator, "/sites/crm")
    assert requests.post(emulator.site, timeout=20).status_code == 405
    assert emulator.app.state.meter.snapshot()["total"]["requests"] == 1
