"""The site's data in SQLite: lists as JSON documents, items by (list, id), one index table for indexed columns.

Items keep their values as one JSON text, because most reads want a page of whole rows by id, which then needs no
join; the index table serves unique columns and filters on indexed columns of long lists.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from worker.emulators.sharepoint.models import Item, SPField, SPList, new_guid

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS lists (number INTEGER PRIMARY KEY, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS items (
    list INTEGER NOT NULL, id INTEGER NOT NULL, guid TEXT NOT NULL, version INTEGER NOT NULL,
    ui_version INTEGER NOT NULL, created TEXT NOT NULL, modified TEXT NOT NULL, author INTEGER NOT NULL,
    editor INTEGER NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (list, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS idx (
    list INTEGER NOT NULL, field TEXT NOT NULL, value NOT NULL, id INTEGER NOT NULL,
    PRIMARY KEY (list, field, value, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (
    list INTEGER PRIMARY KEY, next_id INTEGER NOT NULL, item_count INTEGER NOT NULL, version INTEGER NOT NULL,
    modified TEXT NOT NULL, deleted TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS versions (
    list INTEGER NOT NULL, id INTEGER NOT NULL, ui_version INTEGER NOT NULL, modified TEXT NOT NULL,
    editor INTEGER NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (list, id, ui_version)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bin (
    id TEXT PRIMARY KEY, list INTEGER NOT NULL, item TEXT NOT NULL, title TEXT, deleted TEXT NOT NULL,
    deleter INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, list INTEGER NOT NULL, item INTEGER NOT NULL, guid TEXT NOT NULL,
    kind INTEGER NOT NULL, time TEXT NOT NULL, editor INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS changes_by_list ON changes (list, seq);
"""
COLUMNS = "id, guid, version, ui_version, created, modified, author, editor, doc"
# What a blank sorts and compares as in the index table: below every number and every text.
BLANK = -9e99
# Columns that are not in an item's document but in a column of the table.
ITEM_COLUMNS = {"ID": "id", "Created": "created", "Modified": "modified", "Author": "author", "Editor": "editor"}
ADDED, UPDATED, DELETED, RESTORED = 1, 2, 3, 7


def fold(value: Any) -> Any:
    """How two values compare: text without letter case, blanks below everything."""
    if value is None:
        return BLANK
    if isinstance(value, str):
        return value.lower()
    if isinstance(value, list | dict):
        return json.dumps(value)
    return value


class SharePointStore:
    """One site's data; `path` None keeps it in memory. Hold `lock` around whatever belongs together."""

    def __init__(self, path: Path | None = None) -> None:
        self.lock = threading.RLock()
        self._path = path
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._kept: sqlite3.Connection | None = None
        self._lists: dict[int, SPList] = {}
        self._dirty: set[int] = set()
        self._open()

    def _open(self) -> None:
        # A process that dies loses nothing the kernel has; only a power cut could, and this is an emulator.
        self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;" + SCHEMA)
        self._db.create_function("fold", 1, fold, deterministic=True)
        self._load()

    def _load(self) -> None:
        self._dirty.clear()
        rows = self._db.execute("SELECT number, doc FROM lists ORDER BY number").fetchall()
        self._lists = {number: SPList.from_json(json.loads(doc)) for number, doc in rows}
        for number, *counts in self._db.execute("SELECT * FROM counters").fetchall():
            one = self._lists[number]
            one.next_id, one.item_count, one.version, one.modified, one.deleted = counts

    # --- whole store

    def close(self) -> None:
        """Write what is open and let the file go."""
        with self.lock:
            self.commit()
            self._db.close()
            if self._kept is not None:
                self._kept.close()

    def commit(self) -> None:
        """End the transaction of the request in hand."""
        for number in self._dirty:
            one = self._lists[number]
            self._db.execute(
                "INSERT OR REPLACE INTO counters VALUES (?, ?, ?, ?, ?, ?)",
                (number, one.next_id, one.item_count, one.version, one.modified, one.deleted),
            )
        self._dirty.clear()
        if self._db.in_transaction:
            self._db.execute("COMMIT")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One request: held together by the lock, one commit, and nothing kept when it fails unexpectedly."""
        with self.lock:
            self._db.execute("BEGIN")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                self._load()
                raise
            self.commit()

    def snapshot(self) -> None:
        """Keep a copy of everything aside (beside the file, or in memory), replacing an earlier copy."""
        with self.lock:
            self.commit()
            if self._kept is None:
                self._kept = sqlite3.connect(self._kept_path(), check_same_thread=False)
            self._db.backup(self._kept)

    def restore(self) -> None:
        """Put the copy kept aside back, ids and etags included; ValueError when there is none."""
        with self.lock:
            self.commit()
            if self._kept is None:
                if self._path is None or not Path(self._kept_path()).exists():
                    raise ValueError("there is no snapshot to restore")
                self._kept = sqlite3.connect(self._kept_path(), check_same_thread=False)
            self._kept.backup(self._db)
            self._load()

    def _kept_path(self) -> str:
        return ":memory:" if self._path is None else f"{self._path}.snapshot"

    def identity(self, name: str) -> str:
        """A guid that stays with this store (site, web, tenant)."""
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        if row is not None:
            return str(row[0])
        value = new_guid()
        self._db.execute("INSERT INTO meta VALUES (?, ?)", (name, value))
        return value

    # --- lists

    def lists(self) -> list[SPList]:
        """Every list, ordered by title."""
        return sorted(self._lists.values(), key=lambda one: one.title.lower())

    def list_by_number(self, number: int) -> SPList | None:
        return self._lists.get(number)

    def list_by_title(self, title: str) -> SPList | None:
        lowered = title.lower()
        return next((one for one in self._lists.values() if one.title.lower() == lowered), None)

    def list_by_id(self, guid: str) -> SPList | None:
        lowered = guid.strip("{}").lower()
        return next((one for one in self._lists.values() if one.id == lowered), None)

    def list_by_url_name(self, name: str) -> SPList | None:
        lowered = name.lower()
        return next((one for one in self._lists.values() if one.url_name.lower() == lowered), None)

    def add_list(self, one: SPList) -> None:
        """Keep a new list; gives it its number."""
        one.number = max(self._lists, default=0) + 1
        self._lists[one.number] = one
        self.save_list(one)

    def save_list(self, one: SPList) -> None:
        """Keep what changed in a list's settings, columns, views, content types or webhooks."""
        one.derived.clear()
        self._db.execute("INSERT OR REPLACE INTO lists VALUES (?, ?)", (one.number, json.dumps(one.to_json())))
        self._dirty.add(one.number)

    def drop_list(self, one: SPList) -> None:
        """Forget a list and everything in it."""
        del self._lists[one.number]
        self._dirty.discard(one.number)
        self._db.execute("DELETE FROM lists WHERE number = ?", (one.number,))
        for table in ("items", "idx", "versions", "bin", "changes", "counters"):
            self._db.execute(f"DELETE FROM {table} WHERE list = ?", (one.number,))  # noqa: S608

    # --- items

    def get_item(self, one: SPList, item_id: int) -> Item | None:
        row = self._db.execute(
            f"SELECT {COLUMNS} FROM items WHERE list = ? AND id = ?",  # noqa: S608
            (one.number, item_id),
        ).fetchone()
        return None if row is None else _item(row)

    def insert_item(self, one: SPList, item: Item, kind: int = ADDED) -> None:
        """Keep a new (or restored) item, its index entries, its first version and the change."""
        self._db.execute("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (one.number, *_row(item)))
        self._add_index_rows(one, item, one.indexed_fields())
        self._keep_version(one, item)
        one.item_count += 1
        self._changed(one, item, kind)

    def update_item(self, one: SPList, before: Item, after: Item) -> None:
        """Replace an item's values, adjust its index entries, keep the version and the change."""
        self._db.execute(
            "UPDATE items SET version = ?, ui_version = ?, created = ?, modified = ?, author = ?, editor = ?, "
            "doc = ? WHERE list = ? AND id = ?",
            (*_row(after)[2:], one.number, after.id),
        )
        moved = [field for field in one.indexed_fields() if index_value(field, before) != index_value(field, after)]
        self._drop_index_rows(one, before, moved)
        self._add_index_rows(one, after, moved)
        self._keep_version(one, after)
        self._changed(one, after, UPDATED)

    def delete_item(self, one: SPList, item: Item, deleter: int, now: str, *, recycle: bool) -> str | None:
        """Take an item out; with `recycle` it goes to the bin and the bin's id comes back."""
        self._db.execute("DELETE FROM items WHERE list = ? AND id = ?", (one.number, item.id))
        self._drop_index_rows(one, item, one.indexed_fields())
        one.item_count -= 1
        one.deleted = now
        self._changed(one, Item(**{**vars(item), "modified": now, "editor": deleter}), DELETED)
        if not recycle:
            self._db.execute("DELETE FROM versions WHERE list = ? AND id = ?", (one.number, item.id))
            return None
        bin_id = new_guid()
        kept = json.dumps(vars(item))
        self._db.execute(
            "INSERT INTO bin VALUES (?, ?, ?, ?, ?, ?)",
            (bin_id, one.number, kept, item.doc.get("Title"), now, deleter),
        )
        return bin_id

    def _changed(self, one: SPList, item: Item, kind: int) -> None:
        if kind != DELETED:
            one.modified = item.modified
        self._dirty.add(one.number)
        self._db.execute(
            "INSERT INTO changes (list, item, guid, kind, time, editor) VALUES (?, ?, ?, ?, ?, ?)",
            (one.number, item.id, item.guid, kind, item.modified, item.editor),
        )

    def _keep_version(self, one: SPList, item: Item) -> None:
        if not one.versioning:
            return
        self._db.execute(
            "INSERT OR REPLACE INTO versions VALUES (?, ?, ?, ?, ?, ?)",
            (one.number, item.id, item.ui_version, item.modified, item.editor, json.dumps(item.doc)),
        )
        if one.version_limit and item.ui_version > one.version_limit:
            self._db.execute(
                "DELETE FROM versions WHERE list = ? AND id = ? AND ui_version <= ?",
                (one.number, item.id, item.ui_version - one.version_limit),
            )

    def versions(self, one: SPList, item_id: int) -> list[tuple[int, str, int, dict[str, Any]]]:
        """(ui version, modified, editor, values) of an item, newest first."""
        rows = self._db.execute(
            "SELECT ui_version, modified, editor, doc FROM versions WHERE list = ? AND id = ? ORDER BY ui_version DESC",
            (one.number, item_id),
        ).fetchall()
        return [(number, modified, editor, json.loads(doc)) for number, modified, editor, doc in rows]

    # --- index

    def _add_index_rows(self, one: SPList, item: Item, fields: Sequence[SPField]) -> None:
        self._db.executemany(
            "INSERT INTO idx VALUES (?, ?, ?, ?)",
            [(one.number, field.internal, index_value(field, item), item.id) for field in fields],
        )

    def _drop_index_rows(self, one: SPList, item: Item, fields: Sequence[SPField]) -> None:
        self._db.executemany(
            "DELETE FROM idx WHERE list = ? AND field = ? AND value = ? AND id = ?",
            [(one.number, field.internal, index_value(field, item), item.id) for field in fields],
        )

    def build_index(self, one: SPList, field: SPField) -> None:
        """Fill the index of one column from the items."""
        self.drop_index(one, field)
        self._db.executemany(
            "INSERT INTO idx VALUES (?, ?, ?, ?)",
            [(one.number, field.internal, index_value(field, item), item.id) for item in self.items(one)],
        )

    def drop_index(self, one: SPList, field: SPField) -> None:
        self._db.execute("DELETE FROM idx WHERE list = ? AND field = ?", (one.number, field.internal))

    def ids_with_value(self, one: SPList, field: SPField, value: Any) -> list[int]:
        """Ids of the items whose indexed column has `value` (as `fold` compares)."""
        rows = self._db.execute(
            "SELECT id FROM idx WHERE list = ? AND field = ? AND value = ? LIMIT 10",
            (one.number, field.internal, fold(value)),
        ).fetchall()
        return [row[0] for row in rows]

    def has_repeated_value(self, one: SPList, field: SPField) -> bool:
        """Whether two items share a value, blanks aside, in a column whose index is built."""
        row = self._db.execute(
            "SELECT 1 FROM idx WHERE list = ? AND field = ? AND value <> ? GROUP BY value HAVING count(*) > 1",
            (one.number, field.internal, BLANK),
        ).fetchone()
        return row is not None

    # --- queries

    def items(self, one: SPList, where: str = "1", args: Sequence[Any] = (), tail: str = "") -> Iterator[Item]:
        """Items by a WHERE and a tail (ORDER BY, LIMIT) that were composed from parsed queries."""
        rows = self._db.execute(
            f"SELECT {COLUMNS} FROM items WHERE list = ? AND ({where}) {tail or 'ORDER BY id'}",  # noqa: S608
            (one.number, *args),
        )
        return (_item(row) for row in rows)

    def count(self, table: str, one: SPList, where: str, args: Sequence[Any], limit: int) -> int:
        """How many rows match, counted up to `limit`."""
        row = self._db.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE list = ? AND ({where}) LIMIT ?)",  # noqa: S608
            (one.number, *args, limit),
        ).fetchone()
        return int(row[0])

    def rows(self, sql: str, args: Sequence[Any]) -> list[Item]:
        """Items of a composed SELECT of exactly the item columns."""
        return [_item(row) for row in self._db.execute(sql, args)]

    def titles(self, one: SPList, ids: Iterable[int], column: str) -> dict[int, Any]:
        """Values of one column by item id, for showing look-ups."""
        wanted = sorted(set(ids))
        found: dict[int, Any] = {}
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            marks = ",".join("?" * len(part))
            for item in self.items(one, f"id IN ({marks})", part):
                found[item.id] = item.id if column == "ID" else item.doc.get(column)
        return found

    # --- recycle bin and change log

    def bin_rows(self) -> list[tuple[str, int, dict[str, Any], str | None, str, int]]:
        """(bin id, list number, item, title, deleted at, deleted by) of everything recycled, newest first."""
        rows = self._db.execute("SELECT * FROM bin ORDER BY deleted DESC, rowid DESC").fetchall()
        return [(key, number, json.loads(item), *rest) for key, number, item, *rest in rows]

    def take_from_bin(self, bin_id: str) -> None:
        self._db.execute("DELETE FROM bin WHERE id = ?", (bin_id,))

    def last_change(self, one: SPList) -> tuple[int, str] | None:
        """(sequence, time) of the newest change of a list."""
        row = self._db.execute(
            "SELECT seq, time FROM changes WHERE list = ? ORDER BY seq DESC LIMIT 1", (one.number,)
        ).fetchone()
        return None if row is None else (row[0], row[1])

    def changes(self, one: SPList, after: int, since: str, limit: int) -> list[tuple[int, int, str, int, str, int]]:
        """(sequence, item id, guid, kind, time, editor) after a sequence number and not before a time."""
        return self._db.execute(
            "SELECT seq, item, guid, kind, time, editor FROM changes WHERE list = ? AND seq > ? AND time >= ? "
            "ORDER BY seq LIMIT ?",
            (one.number, after, since, limit),
        ).fetchall()


def index_value(field: SPField, item: Item) -> Any:
    """What the index table keeps for an item's column."""
    attribute = ITEM_COLUMNS.get(field.internal)
    return fold(getattr(item, attribute) if attribute else item.doc.get(field.internal))


def _item(row: Sequence[Any]) -> Item:
    item_id, guid, version, ui_version, created, modified, author, editor, doc = row
    return Item(item_id, guid, version, ui_version, created, modified, author, editor, json.loads(doc))


def _row(item: Item) -> tuple[Any, ...]:
    return (
        item.id,
        item.guid,
        item.version,
        item.ui_version,
        item.created,
        item.modified,
        item.author,
        item.editor,
        json.dumps(item.doc, ensure_ascii=False),
    )
