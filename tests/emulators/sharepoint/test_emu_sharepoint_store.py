"""What the store keeps: over restarts, snapshots and a clean index."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import requests
from emu_sharepoint_kit import BALANCE, KEY, STATE, Emulator, serve

from worker.emulators.sharepoint.store import SharePointStore


def control(emulator: Emulator, name: str) -> int:
    return requests.post(f"{emulator.url}/_emulator/{name}", timeout=20).status_code


def test_data_outlives_a_restart(tmp_path: Path) -> None:
    """Lists, items, ids, etags and tokens are the same after closing and opening the file."""
    first = SharePointStore(tmp_path / "deep" / "sharepoint.sqlite")
    for emulator in serve(store=first):
        path = emulator.make_list("Invoices", KEY)
        emulator.add(path, EcoKey="a")
        emulator.add(path, EcoKey="b")
        emulator.ask("DELETE", f"{path}/items(2)", IF_MATCH="*")
        before = emulator.get(path), emulator.get(f"{path}/items(1)"), emulator.get("web")["Id"]
    first.close()
    second = SharePointStore(tmp_path / "deep" / "sharepoint.sqlite")
    for emulator in serve(store=second):
        assert (emulator.get(path), emulator.get(f"{path}/items(1)"), emulator.get("web")["Id"]) == before
        assert emulator.add(path, EcoKey="b")["Id"] == 3
        assert emulator.ask("POST", f"{path}/items", {"EcoKey": "a"}).status_code == 500
    second.close()


@pytest.mark.parametrize("on_disk", [True, False])
def test_snapshot_and_restore(tmp_path: Path, on_disk: bool) -> None:
    """Restore puts lists, columns, items, ids and etags back; again and again."""
    store = SharePointStore(tmp_path / "s.sqlite" if on_disk else None)
    for emulator in serve(store=store):
        assert control(emulator, "restore") == 400
        path = emulator.make_list("Invoices", KEY)
        emulator.add(path, EcoKey="a")
        before = emulator.get(path), emulator.get(f"{path}/items")
        assert control(emulator, "snapshot") == 200
        for _ in range(3):
            emulator.merge(f"{path}/items(1)", {"EcoKey": "b"})
            emulator.add(path, EcoKey="a")
            emulator.make_list("Other")
            emulator.post(f"{path}/fields/createfieldasxml", {"parameters": {"SchemaXml": BALANCE, "Options": 8}})
            assert control(emulator, "restore") == 200
            assert (emulator.get(path), emulator.get(f"{path}/items")) == before
            assert [one["Title"] for one in emulator.get("web/lists")["value"]] == ["Invoices"]
            assert emulator.ask("POST", f"{path}/items", {"EcoKey": "a"}).status_code == 500
    store.close()


def test_snapshot_on_disk_outlives_a_restart(tmp_path: Path) -> None:
    """A snapshot taken by one process can be restored by the next."""
    store = SharePointStore(tmp_path / "s.sqlite")
    for emulator in serve(store=store):
        path = emulator.make_list("Invoices")
        store.snapshot()
        emulator.add(path)
    store.close()
    again = SharePointStore(tmp_path / "s.sqlite")
    again.restore()
    one = again.list_by_title("Invoices")
    assert one is not None
    assert one.item_count == 0
    again.close()


def test_index_follows_every_change(tmp_path: Path) -> None:
    """After creates, changes, deletes, restores and new indexes the index says what the items say."""
    store = SharePointStore(tmp_path / "s.sqlite")
    for emulator in serve(store=store):
        path = emulator.make_list("Invoices", KEY, STATE, BALANCE)
        for number in range(6):
            emulator.add(path, EcoKey=f"K{number}", EcoState="Created", Balance=number)
        emulator.merge(f"{path}/items(1)", {"EcoKey": "new", "EcoState": None})
        bin_id = emulator.post(f"{path}/items(2)/recycle()")["value"]
        emulator.ask("DELETE", f"{path}/items(3)", IF_MATCH="*")
        emulator.post(f"web/recyclebin('{bin_id}')/restore()")
        emulator.post(f"{path}/fields/getbytitle('Balance')/enableindex")
        emulator.merge(f"{path}/fields/getbytitle('State')", {"Indexed": False})
    store.close()
    database = sqlite3.connect(tmp_path / "s.sqlite")
    rows = database.execute("SELECT field, value, id FROM idx ORDER BY field, id").fetchall()
    database.close()
    keys = {1: "new", 2: "k1", 4: "k3", 5: "k4", 6: "k5"}
    assert rows == [("Balance", float(key - 1), key) for key in keys] + [
        ("EcoKey", value, key) for key, value in keys.items()
    ]
