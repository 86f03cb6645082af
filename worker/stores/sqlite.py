"""Queue, leases and records in one SQLite file: what an installation without Azure keeps its work in.

Any number of threads and processes of ONE machine may have the file open; on a network drive SQLite's locks can't be
relied on. Every write is one `BEGIN IMMEDIATE` transaction, on disk when the call returns (WAL, synchronous FULL), so a
kill at any moment leaves either all of it or nothing. A second writer waits up to 30 s for the first.

Time is the wall clock, because processes and restarts must agree on it and a monotonic clock starts anew with each
boot. So it can jump, and no promise may hang on it alone: who may write is decided by tokens, receipts and versions,
which never come twice. A jump forward ends leases and waiting early: work is done twice, as at-least-once delivery
allows, and the slower worker's writes are refused. A jump back would make them last longer by as much; each row
therefore carries when it was set, and one that was set more than a minute in the future counts as over.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from worker.errors import ConflictError, LeaseLostError
from worker.ports import ANY_VERSION, Delivery, Hold, Record, Stores
from worker.stores.names import (
    checked_body,
    checked_delay,
    checked_lease,
    checked_name,
    checked_prefix,
    checked_queue,
)
from worker.stores.sqlite_file import SqliteFile

STEP_BACK_SECONDS = 60.0  # more than any clock is corrected by in daily life


def open_stores(path: Path, queue: str = "sync", *, now: Callable[[], float] = time.time) -> Stores:
    """Opens the file, making it (readable by its owner only) and its directory when missing. `now` is in seconds since
    1970.

    Connections close when the stores are no longer referred to. Raises UnavailableError when the disk is full or the
    file stays locked, FatalError with the next step when it is damaged, no database or not ours.
    """
    file = SqliteFile(path)
    leases = SqliteLeases(file, now)
    return Stores(SqliteQueue(file, checked_queue(queue), now), leases, SqliteRecords(file, now))


class SqliteQueue:
    """Implements ports.WorkQueue on the table `messages`."""

    def __init__(self, file: SqliteFile, name: str, now: Callable[[], float]) -> None:
        self._file = file
        self._name = name
        self._now = now

    def send(self, body: str, delay: float = 0.0) -> None:
        checked_body(body)
        checked_delay(delay)
        with self._file.writing() as db:
            now = self._now()
            row = (self._name, body, now + delay, now)
            db.execute("INSERT INTO messages (queue, body, visible, stamped) VALUES (?, ?, ?, ?)", row)

    def receive(self, hide_seconds: float) -> Delivery | None:
        checked_delay(hide_seconds)
        # Idle workers ask again and again: only when there is something do they stand in the writers' line.
        with self._file.reading() as db:
            if self._visible(db) is None:
                return None
        with self._file.writing() as db:
            found = self._visible(db)
            if found is None:
                return None
            receipt = self._hide(db, found, hide_seconds)
            row = db.execute("UPDATE messages SET tries = tries + 1 WHERE id = ? RETURNING body, tries", (found,))
            body, tries = row.fetchone()
        return Delivery(str(found), body, tries, receipt)

    def extend(self, delivery: Delivery, hide_seconds: float) -> Delivery:
        checked_delay(hide_seconds)
        with self._file.writing() as db:
            found = self._mine(db, delivery)
            if found is None:
                raise LeaseLostError("The message was taken by somebody else meanwhile.")
            receipt = self._hide(db, found, hide_seconds)
        return Delivery(delivery.message_id, delivery.body, delivery.tries, receipt)

    def done(self, delivery: Delivery) -> None:
        with self._file.writing() as db:
            db.execute("DELETE FROM messages WHERE id = ?", (self._mine(db, delivery),))

    def give_back(self, delivery: Delivery, delay: float) -> None:
        checked_delay(delay)
        with self._file.writing() as db:
            self._hide(db, self._mine(db, delivery), delay)

    def bury(self, delivery: Delivery) -> None:
        with self._file.writing() as db:
            found = self._mine(db, delivery)
            self._hide(db, found, 0.0)
            db.execute("UPDATE messages SET queue = ?, tries = 0 WHERE id = ?", (f"{self._name}-poison", found))

    def waiting(self) -> int:
        with self._file.reading() as db:
            return int(db.execute("SELECT count(*) FROM messages WHERE queue = ?", (self._name,)).fetchone()[0])

    def poison(self) -> SqliteQueue:
        return SqliteQueue(self._file, f"{self._name}-poison", self._now)

    def _visible(self, db: sqlite3.Connection) -> int | None:
        """The id of the message that has been visible longest."""
        now = self._now()
        row = db.execute(
            "SELECT id FROM messages WHERE queue = ? AND (visible <= ? OR stamped > ?) ORDER BY visible, id LIMIT 1",
            (self._name, now, now + STEP_BACK_SECONDS),
        ).fetchone()
        return row[0] if row else None

    def _mine(self, db: sqlite3.Connection, delivery: Delivery) -> int | None:
        """The message's id, unless somebody else has taken it."""
        row = db.execute(
            "SELECT id FROM messages WHERE queue = ? AND id = CAST(? AS INTEGER) AND receipt = ?",
            (self._name, delivery.message_id, delivery.receipt),
        ).fetchone()
        return row[0] if row else None

    def _hide(self, db: sqlite3.Connection, message: int | None, seconds: float) -> str:
        """Under a new receipt, which makes all older ones worthless. None is no message, as in SQL: nothing happens."""
        now, receipt = self._now(), secrets.token_hex(8)
        db.execute(
            "UPDATE messages SET receipt = ?, visible = ?, stamped = ? WHERE id = ?",
            (receipt, now + seconds, now, message),
        )
        return receipt


class SqliteLeases:
    """Implements ports.Leases on the table `leases`.

    `epoch` counts the holders of a name and is part of the token, so that the order of two tokens can be seen. A lease
    that ran out stays as it is until somebody takes the name or writes its record; until then its holder may renew it.
    """

    def __init__(self, file: SqliteFile, now: Callable[[], float]) -> None:
        self._file = file
        self._now = now

    def acquire(self, name: str, seconds: float) -> Hold | None:
        checked_name(name)
        checked_lease(seconds)
        with self._file.writing() as db:
            now = self._now()
            if _holder(db, name, now):
                return None
            (epoch,) = db.execute(
                "INSERT INTO leases (name, expires, stamped, epoch) VALUES (?, ?, ?, 1) ON CONFLICT (name) DO UPDATE "
                "SET expires = excluded.expires, stamped = excluded.stamped, epoch = epoch + 1 RETURNING epoch",
                (name, now + seconds, now),
            ).fetchone()
            token = f"{epoch}.{secrets.token_hex(8)}"
            db.execute("UPDATE leases SET token = ? WHERE name = ?", (token, name))
        return Hold(name, token)

    def renew(self, hold: Hold, seconds: float) -> None:
        checked_lease(seconds)
        with self._file.writing() as db:
            now = self._now()
            changed = db.execute(
                "UPDATE leases SET expires = ?, stamped = ? WHERE name = ? AND token = ?",
                (now + seconds, now, hold.name, hold.token),
            ).rowcount
        if not changed:
            raise LeaseLostError(f"The lease on {hold.name} is not ours any more.")

    def release(self, hold: Hold) -> None:
        with self._file.writing() as db:
            db.execute("UPDATE leases SET token = '' WHERE name = ? AND token = ?", (hold.name, hold.token))


def _holder(db: sqlite3.Connection, name: str, now: float) -> str:
    """The token of a lease that is in force, or ""."""
    row = db.execute(
        "SELECT token FROM leases WHERE name = ? AND expires > ? AND stamped <= ?",
        (name, now, now + STEP_BACK_SECONDS),
    ).fetchone()
    return str(row[0]) if row else ""


class SqliteRecords:
    """Implements ports.Records on the table `records`. Versions count up over all records, so that one that was
    removed and made again never has an old version."""

    def __init__(self, file: SqliteFile, now: Callable[[], float]) -> None:
        self._file = file
        self._now = now

    def read(self, name: str) -> Record | None:
        with self._file.reading() as db:
            row = db.execute("SELECT content, version FROM records WHERE name = ?", (checked_name(name),)).fetchone()
        return Record(row[0], str(row[1])) if row else None

    def write(self, name: str, content: bytes, version: str | None, hold: Hold | None = None) -> str:
        checked_name(name)
        with self._file.writing() as db:
            self._check_lease(db, name, hold)
            row = db.execute("SELECT version FROM records WHERE name = ?", (name,)).fetchone()
            if version != ANY_VERSION and (str(row[0]) if row else None) != version:
                raise ConflictError(f"The record {name} was written by somebody else meanwhile.")
            if hold is None:
                db.execute("UPDATE leases SET token = '' WHERE name = ?", (name,))
            (new,) = db.execute("UPDATE counter SET value = value + 1 RETURNING value").fetchone()
            db.execute(
                "INSERT INTO records (name, version, content) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE "
                "SET version = excluded.version, content = excluded.content",
                (name, new, content),
            )
        return str(new)

    def names(self, prefix: str) -> Sequence[str]:
        # '~' is the last sign a name may hold, so this range is exactly the names that begin so; it uses the index.
        span = (checked_prefix(prefix), f"{prefix}\x7f")
        with self._file.reading() as db:
            rows = db.execute("SELECT name FROM records WHERE name >= ? AND name < ? ORDER BY name", span).fetchall()
        return [row[0] for row in rows]

    def remove(self, name: str) -> None:
        checked_name(name)
        with self._file.writing() as db:
            if db.execute("SELECT 1 FROM records WHERE name = ?", (name,)).fetchone() is None:
                return
            self._check_lease(db, name, None)
            db.execute("DELETE FROM records WHERE name = ?", (name,))
            db.execute("DELETE FROM leases WHERE name = ?", (name,))

    def _check_lease(self, db: sqlite3.Connection, name: str, hold: Hold | None) -> None:
        """Within the transaction of the write it guards."""
        holder = _holder(db, name, self._now())
        if hold is not None and (hold.name, hold.token) != (name, holder):
            raise LeaseLostError(f"The lease on {name} is not ours any more.")
        if hold is None and holder:
            raise ConflictError(f"The record {name} is leased by somebody else.")
