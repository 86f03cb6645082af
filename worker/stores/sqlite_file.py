"""One SQLite file: made, opened, one connection a thread, transactions, and SQLite's errors as ours."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from worker.errors import AccessDeniedError, FatalError, UnavailableError, WorkerError

BUSY_SECONDS = 30.0
_APPLICATION = 0x49475345  # marks the file as ours in its header
_LAYOUT = 1
_TABLES = (
    """CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, body TEXT NOT NULL, visible REAL NOT NULL,
        stamped REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0, receipt TEXT)""",
    "CREATE INDEX messages_visible ON messages (queue, visible, id)",
    """CREATE TABLE leases (
        name TEXT PRIMARY KEY, token TEXT NOT NULL DEFAULT '', epoch INTEGER NOT NULL, expires REAL NOT NULL,
        stamped REAL NOT NULL) WITHOUT ROWID""",
    "CREATE TABLE records (name TEXT PRIMARY KEY, version INTEGER NOT NULL, content BLOB NOT NULL)",
    "CREATE TABLE counter (value INTEGER NOT NULL)",
    "INSERT INTO counter VALUES (0)",
    f"PRAGMA application_id = {_APPLICATION}",
    f"PRAGMA user_version = {_LAYOUT}",
)


class SqliteFile:
    """Hands each thread a connection of its own, in each process that was forked a new one."""

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self._own = threading.local()
        with self._errors():
            _make_private(path)
            self._prepare(self._connection())

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One statement that sees one state."""
        with self._errors():
            yield self._connection()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that alone may write; an error undoes all of it."""
        with self._errors():
            db = self._connection()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                # A full disk may have rolled back already; what counts is the first error.
                with suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                raise

    def _connection(self) -> sqlite3.Connection:
        held: _Held | None = getattr(self._own, "held", None)
        if held is None or held.process != os.getpid():
            if held is not None:
                _INHERITED.append(held)
            held = self._own.held = _Held(self.path, self._busy_seconds)
        return held.connection

    def _prepare(self, db: sqlite3.Connection) -> None:
        mark, layout, tables = _state(db)
        if mark != _APPLICATION and tables:
            raise FatalError(f"{self.path} is the database of another program.", hint="Name another file.")
        if layout > _LAYOUT:
            raise FatalError(
                f"{self.path} was written by a newer version of this program.",
                hint="Install that version again, or name another file.",
            )
        self._use_wal(db)
        with self.writing():
            # Looked up again: another process may have made the tables while we waited for our turn.
            if not _state(db)[2]:
                for statement in _TABLES:
                    db.execute(statement)

    def _use_wal(self, db: sqlite3.Connection) -> None:
        """The one statement for which SQLite does not wait its turn."""
        deadline = time.monotonic() + self._busy_seconds
        while True:
            try:
                db.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if not _is(error, sqlite3.SQLITE_BUSY) or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _translated(error, self.path) from None
        except OSError as error:
            raise FatalError(
                f"The store {self.path} can't be opened ({error.strerror or type(error).__name__}).",
                hint="Check that its directory exists and that this user may write there.",
            ) from None


class _Held:
    """A thread's connection; closed when the thread ends or the stores are let go."""

    def __init__(self, path: Path, busy_seconds: float) -> None:
        self.process = os.getpid()
        # Only its thread uses it, but whichever thread collects the garbage may close it.
        self.connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
        self.connection.execute("PRAGMA synchronous = FULL")

    def __del__(self) -> None:
        if hasattr(self, "connection"):
            self.connection.close()


_INHERITED: list[_Held] = []  # a forked child neither uses nor closes its parent's connection, so it must keep it


def _make_private(path: Path) -> None:
    """The file with its owner's rights only, before SQLite would make it with more; an existing one is left alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _state(db: sqlite3.Connection) -> tuple[int, int, int]:
    """Whose file it is, its layout's number, and how many tables it has."""
    found = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    mark, layout = found
    return mark, layout, db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


def _is(error: sqlite3.Error, code: int) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == code


def _translated(error: sqlite3.Error, path: Path) -> WorkerError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return UnavailableError(f"The disk is full: {path} can't grow.", hint="Make room on it; work then goes on.")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return UnavailableError(
            f"{path} stayed locked by another program.",
            hint="End what holds it (a backup, a database browser, a virus scanner) and try again.",
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return AccessDeniedError(
            f"{path} may only be read.", hint="Let this user write the file and its directory, or name another file."
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        what = "is damaged" if code == sqlite3.SQLITE_CORRUPT else "is no SQLite database"
        return FatalError(
            f"{path} {what}.",
            hint="Stop the program, move the file and those beside it that begin with its name elsewhere, and start "
            "again: a new one is made. The CRM keeps what was synced; jobs under way are lost.",
        )
    if code == sqlite3.SQLITE_CANTOPEN:
        return FatalError(
            f"{path} can't be opened.", hint="Check that it is a file and that this user may write its directory."
        )
    if code == sqlite3.SQLITE_IOERR:
        return UnavailableError(f"{path} could not be read or written.", hint="Check the disk and try again.")
    return FatalError(f"The store {path} refused a statement ({error}).")
