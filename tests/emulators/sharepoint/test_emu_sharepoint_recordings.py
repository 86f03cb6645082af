"""The emulator's shapes beside answers recorded from a real tenant, where those lie at hand."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from emu_sharepoint_kit import Emulator

PLACE = Path(os.environ.get("SHAREPOINT_RECORDINGS") or Path(__file__).parents[4] / "shared/data/sharepoint-recordings")


def recorded(name: str) -> Any:
    """The body of a recorded answer; skips with the reason when it is not there."""
    found = sorted(PLACE.glob(f"{name}*.json"))
    if not found:
        pytest.skip(f"no recorded answer {name} in {PLACE.name}; set SHAREPOINT_RECORDINGS to the folder")
    return json.loads(json.loads(found[0].read_text())["Response"])


def shape(value: Any) -> Any:
    """Property names and JSON types, with null fitting anything."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    return type(value).__name__


def assert_covers(ours: dict[str, Any], real: dict[str, Any], but: set[str] = frozenset()) -> None:
    """Every recorded property is ours too, with the same JSON type where both have a value."""
    assert set(real) - set(ours) - but == set()
    for name in set(real) & set(ours):
        if real[name] is not None and ours[name] is not None:
            assert shape(ours[name]) == shape(real[name]), name


def test_list_shape(emulator: Emulator) -> None:
    """A new list has every property of a recorded one, in the same types and the same order."""
    real = recorded("read-PagingTests-ListDataAsStreamListItemGetPagedAsyncPaging-0-00003")
    ours = emulator.post("web/lists", {"Title": "Invoices", "BaseTemplate": 100})
    assert_covers(ours, real)
    assert [name for name in ours if name in real] == list(real)


def test_field_shape(emulator: Emulator) -> None:
    """A text column has every property of a recorded one, in the same order."""
    real = recorded("field-ListFieldTests-AddListFieldAsXmlAsyncTest-0-00003")
    path = emulator.make_list("Invoices", '<Field Type="Text" Name="A" DisplayName="A"/>')
    ours = emulator.get(f"{path}/fields/getbytitle('A')")
    assert_covers(ours, real)
    assert [name for name in ours if name in real] == list(real)


def test_item_page_shape(emulator: Emulator) -> None:
    """A page of items, its next link and each item are as recorded."""
    real = recorded("read-PagingTests-RESTListItemPaging-0-00007")
    path = emulator.make_list("Invoices")
    for _ in range(3):
        emulator.add(path, Title="x")
    ours = emulator.get(f"{path}/items?$top=2")
    assert list(ours) == list(real)
    assert set(ours["value"][0]) == set(real["value"][0])
    assert_covers(ours["value"][0], real["value"][0])
    assert ours["odata.nextLink"].split("?")[1] == real["odata.nextLink"].split("?")[1]


def test_selected_items_shape(emulator: Emulator) -> None:
    """`$select=Id,Title` gives both spellings of the id, as recorded."""
    real = recorded("read-PagingTests-RESTListItemAsyncPaging-100-00002")
    path = emulator.make_list("Invoices")
    emulator.add(path, Title="x")
    assert list(emulator.get(f"{path}/items?$select=Id,Title")["value"][0]) == list(real["value"][0])


def test_error_shape(emulator: Emulator) -> None:
    """A missing list is told in the recorded words."""
    real = recorded("error-BatchClientTests-HandleBatchErrorsForLargeBatch-0-00002")["odata.error"]
    ours = emulator.ask("GET", "web/lists/getbytitle('x')").json()["odata.error"]
    assert (shape(ours), ours["code"]) == (shape(real), real["code"])
    words = real["message"]["value"].split("'")
    assert ours["message"]["value"].split("'")[::2] == words[::2]


def test_regional_settings_shape(emulator: Emulator) -> None:
    """The time zone is told in the recorded shape."""
    real = recorded("field-ListFieldTests-AddListFieldAsXmlAsyncTest-0-00000")["RegionalSettings"]["TimeZone"]
    assert shape(emulator.get("web/RegionalSettings/TimeZone")) == shape(real)


def test_batch_answer_shape(emulator: Emulator) -> None:
    """The text around the parts of a batch answer is recorded byte for byte, names and ids aside."""
    found = sorted(PLACE.glob("batch-ListItemTests-ComplianceTagBatchTest*.json"))
    if not found:
        pytest.skip(f"no recorded batch in {PLACE.name}; set SHAREPOINT_RECORDINGS to the folder")
    real = json.loads(found[0].read_text())["Response"]
    path = emulator.make_list("Invoices")
    emulator.add(path)
    lines = ["--b", "Content-Type: multipart/mixed; boundary=c", "", "--c", "Content-Type: application/http", ""]
    lines += [f"MERGE /sites/crm/_api/{path}/items(1) HTTP/1.1", "Accept: application/json;odata=nometadata"]
    lines += ["Content-Type: application/json", "IF-MATCH: *", "", '{"Title":"x"}', "--c--", "--b--", ""]
    headers = {"Authorization": "Bearer test-token", "Content-Type": "multipart/mixed; boundary=b"}
    body = "\n".join(lines)
    ours = emulator.session.post(f"{emulator.site}/_api/$batch", data=body, headers=headers, timeout=20).text
    assert _parts(ours)[0] == _parts(real)[1]


def _parts(text: str) -> list[list[str]]:
    """The lines of each part, with the etag's value left out."""
    lines = [line.split('"')[0] for line in text.split("\r\n")]
    marks = [number for number, line in enumerate(lines) if line.startswith("--batchresponse")]
    return [lines[start + 1 : end] for start, end in pairwise(marks)]
