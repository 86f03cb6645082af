"""`$batch`: the bodies both clients send, the flat answer, and faults inside it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import requests
from emu_sharepoint_kit import BALANCE, KEY, NONE, TIMEOUT, VERBOSE, Emulator


def pnp_body(requests_: list[tuple[str, str, Any]], newline: str = "\n") -> bytes:
    """A body as @pnp/sp composes it: consecutive writes share a changeset, reads stand alone."""
    lines: list[str] = []
    changeset = ""
    for method, url, body in requests_:
        if method == "GET":
            if changeset:
                lines += [f"--{changeset}--", ""]
                changeset = ""
            lines += ["--batch_1"]
        elif not changeset:
            changeset = "changeset_2"
            lines += ["--batch_1", f'Content-Type: multipart/mixed; boundary="{changeset}"', ""]
        if method != "GET":
            lines += [f"--{changeset}"]
        lines += ["Content-Type: application/http", "Content-Transfer-Encoding: binary", ""]
        lines += [
            f"{method} {url} HTTP/1.1",
            "Accept: application/json",
            "Content-Type: application/json;charset=utf-8",
        ]
        lines += ["IF-MATCH: *"] if method in ("MERGE", "DELETE", "PATCH") else []
        lines += ["", *([json.dumps(body), ""] if body is not None else [""])]
    lines += [f"--{changeset}--", ""] if changeset else []
    return newline.join([*lines, "--batch_1--", ""]).encode()


def send(emulator: Emulator, body: bytes, accept: str = NONE, token: str = "test-token") -> requests.Response:  # noqa: S107
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": accept,
        "Content-Type": "multipart/mixed; boundary=batch_1",
    }
    return emulator.session.post(f"{emulator.site}/_api/$batch", data=body, headers=headers, timeout=TIMEOUT)


def parts(answer: requests.Response) -> list[tuple[int, dict[str, str], str]]:
    """(status, headers, body) of each part, read the strict way: CRLF only."""
    boundary = answer.headers["Content-Type"].split("boundary=")[1]
    assert boundary.startswith("batchresponse_")
    assert answer.text.endswith(f"--{boundary}--\r\n")
    found = []
    for piece in answer.text.split(f"--{boundary}\r\n")[1:]:
        piece = piece.split(f"--{boundary}--")[0]
        head, http = piece.split("\r\n\r\n", 1)
        assert head == "Content-Type: application/http\r\nContent-Transfer-Encoding: binary"
        top, body = http.split("\r\n\r\n", 1)
        line, *rest = top.split("\r\n")
        headers = dict(one.split(": ", 1) for one in rest)
        assert re.match(r"^HTTP/1\.1 \d{3} \S", line)
        assert body.endswith("\r\n")
        found.append((int(line.split()[1]), headers, body.removesuffix("\r\n")))
    return found


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_pnp_shape(emulator: Emulator, newline: str) -> None:
    """Creates, changes, a read and a delete answer in request order, flat, with the recorded headers."""
    path = emulator.make_list("Åbne poster", KEY, BALANCE)
    url = f"{emulator.site}/_api/web/lists/getbytitle('Åbne poster')/items"
    body = pnp_body(
        [
            ("POST", url, {"EcoKey": "a", "Balance": 1}),
            ("POST", f"_api/{path}/items", {"EcoKey": "ø\n"}),
            ("GET", f"/sites/crm/_api/{path}/items?$select=Id,EcoKey", None),
            ("MERGE", f"{url}(1)", {"Balance": 2}),
            ("PATCH", f"{url}(1)", {"Balance": 3}),
            ("DELETE", f"{url}(2)", None),
            ("GET", f"{url}(2)", None),
        ],
        newline,
    )
    answer = send(emulator, body)
    found = parts(answer)
    assert [status for status, _, _ in found] == [201, 201, 200, 204, 204, 200, 404]
    created = json.loads(found[0][2])
    assert found[0][1]["LOCATION"] == f"{emulator.site}/_api/Web/Lists(guid'{emulator.get(path)['Id']}')/Items(1)"
    assert found[0][1]["ETAG"] == f'"{created["GUID"]},1"'
    assert found[0][1]["CONTENT-TYPE"].startswith("application/json;odata=minimalmetadata")
    assert [row["EcoKey"] for row in json.loads(found[2][2])["value"]] == ["a", "ø\n"]
    assert (found[3][1]["ETAG"], found[3][2]) == (f'"{created["GUID"]},2"', "")
    assert found[5][2] == ""
    assert json.loads(found[6][2])["odata.error"]["code"].startswith("-2130575338")


def test_post_with_method_header_and_no_blank_after_the_colon(emulator: Emulator) -> None:
    """Folded and tight headers, a preamble and POST with X-HTTP-Method are all read."""
    path = emulator.make_list("Invoices")
    emulator.add(path)
    body = "\n".join(
        [
            "Content-Type: multipart/mixed;",
            ' boundary="batch_1"',
            "",
            "--batch_1",
            'Content-Type: multipart/mixed;\n boundary="changeset_2"',
            "",
            "--changeset_2",
            "Content-Type: application/http",
            "",
            f"POST {emulator.site}/_api/{path}/items(1) HTTP/1.1",
            "X-HTTP-Method:MERGE",
            "IF-MATCH:*",
            f"Accept:{VERBOSE}",
            f"Content-Type:{VERBOSE}",
            "",
            "",
            '{"__metadata":{"type":"SP.Data.InvoicesListItem"},"Title":"b"}',
            "--changeset_2--",
            "",
            "--batch_1",
            "Content-Type: application/http",
            "",
            f"GET {emulator.site}/_api/{path}/items(1) HTTP/1.1",
            f"Accept:{VERBOSE}",
            "--batch_1--",
        ]
    ).encode()
    found = parts(send(emulator, body))
    assert [status for status, _, _ in found] == [204, 200]
    assert json.loads(found[1][2])["d"]["Title"] == "b"


def test_a_failed_part_stops_no_other(emulator: Emulator) -> None:
    """The outer status is 200, each part has its own, and the good ones are kept."""
    path = emulator.make_list("Invoices", KEY)
    url = f"{emulator.site}/_api/{path}/items"
    bodies: list[tuple[str, str, Any]] = [("POST", url, {"EcoKey": key}) for key in ("a", "a", "b")]
    bodies.append(("POST", url, {"Nope": 1}))
    found = parts(send(emulator, pnp_body(bodies)))
    assert [status for status, _, _ in found] == [201, 500, 201, 400]
    assert "[EcoKey]" in found[1][2]
    assert emulator.get(path)["ItemCount"] == 2


def test_batch_without_a_grant(emulator: Emulator) -> None:
    """A token without a grant on the site gets 403 for the batch as a whole."""
    emulator.app.state.roles["nobody"] = "none"
    path = emulator.make_list("Invoices")
    body = pnp_body([("POST", f"{emulator.site}/_api/{path}/items", {})])
    answer = send(emulator, body, token="nobody")
    assert (answer.status_code, emulator.code(answer).split(",")[0]) == (403, "-2147024891")


def test_unreadable_batches(emulator: Emulator) -> None:
    """No boundary, no parts or a broken request line are a 400 as a whole."""
    assert send(emulator, b"").status_code == 400
    assert send(emulator, b"--batch_1\n\nFETCH x HTTP/1.1\n\n--batch_1--\n").status_code == 400


def test_meter_counts_a_batch_once_and_its_parts_by_list(emulator: Emulator) -> None:
    """A batch is one write request; its parts count by list and cost their units."""
    one, two = emulator.make_list("One"), emulator.make_list("Two")
    emulator.app.state.meter.reset()
    base = f"{emulator.site}/_api"
    send(
        emulator,
        pnp_body(
            [
                ("POST", f"{base}/{one}/items", {}),
                ("POST", f"{base}/{two}/items", {}),
                ("GET", f"{base}/{one}/items", None),
            ]
        ),
    )
    send(emulator, pnp_body([("GET", f"{base}/{two}/items(1)", None)]))
    counts = emulator.app.state.meter.snapshot()["total"]
    assert {name: counts[name] for name in ("requests", "reads", "writes", "batches", "parts", "cost")} == {
        "requests": 2,
        "reads": 1,
        "writes": 1,
        "batches": 2,
        "parts": 4,
        "cost": 7.0,
    }
    assert counts["by_target"] == {"One": {"reads": 1, "writes": 1}, "Two": {"reads": 1, "writes": 1}}


def test_part_faults(emulator: Emulator) -> None:
    """A throttled part was not carried out and says when to come back; 500 after commit was."""
    path = emulator.make_list("Invoices")
    url = f"{emulator.site}/_api/{path}/items"
    faults = emulator.app.state.faults
    for name, status in (("part-429", 429), ("part-503", 503)):
        faults.once(name)
        found = parts(send(emulator, pnp_body([("POST", url, {}), ("POST", url, {})])))
        assert [part[0] for part in found] == [status, 201]
        assert found[0][1]["Retry-After"] == "1"
    assert emulator.get(path)["ItemCount"] == 2
    faults.once("500-after-commit")
    found = parts(send(emulator, pnp_body([("GET", url, None), ("POST", url, {}), ("POST", url, {})])))
    assert [part[0] for part in found] == [200, 500, 201]
    assert emulator.get(path)["ItemCount"] == 4


def test_truncated_batch(emulator: Emulator) -> None:
    """The fault answers fewer parts than requests, all of which were carried out."""
    path = emulator.make_list("Invoices")
    url = f"{emulator.site}/_api/{path}/items"
    emulator.app.state.faults.once("truncated-batch")
    assert len(parts(send(emulator, pnp_body([("POST", url, {})] * 4)))) == 2
    assert emulator.get(path)["ItemCount"] == 4


@pytest.mark.parametrize(
    ("fault", "status"), [("429", 429), ("503", 503), ("503-no-retry-after", 503), ("expired-token", 401)]
)
def test_whole_batch_faults_commit_nothing(emulator: Emulator, fault: str, status: int) -> None:
    """A batch refused as a whole has changed nothing."""
    path = emulator.make_list("Invoices")
    body = pnp_body([("POST", f"{emulator.site}/_api/{path}/items", {})])
    emulator.app.state.faults.once(fault)
    answer = send(emulator, body)
    assert answer.status_code == status
    assert ("Retry-After" in answer.headers) == (fault in ("429", "503"))
    assert emulator.get(path)["ItemCount"] == 0
    assert send(emulator, body).status_code == 200
