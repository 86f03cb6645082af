"""The emulator's data in SQLite: loading, changing, balances, snapshot.

Every method runs on the server's event loop or in the test that owns the store, never in two threads at once for the
same request; a lock covers tests that look into a store while it is being served.
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from worker.emulators.economic import balances, rows
from worker.emulators.economic.documents import Plain, plain, reference_text
from worker.emulators.economic.filters import fold, like_match
from worker.emulators.economic.master import CURRENCIES
from worker.emulators.economic.recordings import read_recordings
from worker.emulators.economic.schema import SCHEMA
from worker.emulators.economic.source import Changes, SourceData
from worker.emulators.economic.wire import dumps, loads

_CHUNK = 2000


class EconomicStore:
    """One agreement's data; `path` None keeps it in memory only."""

    def __init__(self, path: Path | None = None) -> None:
        self.lock = threading.RLock()
        self._db = _connect(path)
        self._kept: sqlite3.Connection | None = None
        self._balances_as_of: date | None = None
        self.writes = 0  # counts changes of data; cursors may depend on it

    def close(self) -> None:
        """Close the database, and the copy kept aside."""
        self._db.close()
        if self._kept is not None:
            self._kept.close()

    # -- reading and writing -------------------------------------------------------------------------------------

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self.lock:
            return self._db.execute(sql, params).fetchall()

    def stream(self, sql: str, params: Sequence[Any] = ()) -> Iterator[sqlite3.Row]:
        """The rows of a query one by one."""
        yield from self._db.execute(sql, params)

    def first(self, sql: str, params: Sequence[Any] = ()) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        with self.lock:
            row: sqlite3.Row | None = self._db.execute(sql, params).fetchone()
            return row

    def value(self, sql: str, params: Sequence[Any] = ()) -> Any:
        """The first column of the first row, or None."""
        row = self.first(sql, params)
        return row[0] if row is not None else None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all or nothing."""
        with self.lock, self._db:
            self.writes += 1
            yield self._db

    def is_empty(self) -> bool:
        """Whether nothing was ever loaded or written."""
        return self.first("SELECT 1 FROM meta") is None and self.first("SELECT 1 FROM customers") is None

    # -- single values -------------------------------------------------------------------------------------------

    def meta(self, name: str) -> Any:
        """A stored JSON value, or None."""
        text = self.value("SELECT value FROM meta WHERE name = ?", (name,))
        return loads(text) if text is not None else None

    def set_meta(self, name: str, value: Any) -> None:
        """Store a JSON value under `name`."""
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, dumps(value)))

    @property
    def today(self) -> date | None:
        """The day set by the control routes, or None where the clock's own day holds."""
        text = self.meta("today")
        return date.fromisoformat(text) if text else None

    # -- loading -------------------------------------------------------------------------------------------------

    def load(self, data: SourceData) -> None:
        """Replace everything by a data set."""
        self.clear()
        self.set_meta("self", data.agreement)
        self.set_meta("prospects", list(data.prospects))
        for kind, documents in (
            ("customer-groups", data.customer_groups),
            ("payment-terms", data.payment_terms),
            ("vat-zones", data.vat_zones),
            ("employees", data.employees),
        ):
            self.put_references(kind, documents)
        self.put_years(data.accounting_years)
        self.put_customers(data.customers)
        self.put_contacts(data.contacts)
        self._load_booked(data.invoices)

    def load_recordings(self, directory: Path) -> None:
        """Replace everything by recorded collection pages; what is not recorded stays empty.

        Balances are what was recorded: the part that the recorded invoices do not explain is kept as an opening
        amount per customer.
        """
        found = read_recordings(directory)
        self.clear()
        self.set_meta("self", found.agreement)
        for kind, documents in found.references.items():
            self.put_references(kind, documents)
        self.put_years(found.years)
        self.put_customers(found.customers)
        self.put_contacts(found.contacts)
        self._load_booked(found.booked)
        self.put_drafts(found.drafts)
        with self.transaction() as db:
            balances.keep_recorded(db, found.customers)

    def apply(self, changes: Changes) -> None:
        """Insert or replace the documents of a day's changes; balances follow."""
        self.put_customers(changes.customers)
        self.put_contacts(changes.contacts)
        with self.transaction() as db:
            db.executemany(
                "UPDATE contacts SET deleted = 1, version = version + 1, last_updated = ? WHERE number = ?",
                [(f"{changes.today}T12:00:00Z", number) for number in changes.removed_contacts],
            )
        self.put_booked(changes.invoices)

    def clear(self) -> None:
        """Forget everything, including the day that was set and remembered answers."""
        tables = "meta customers contacts delivery_locations invoices invoices_docs drafts drafts_docs refs years"
        with self.transaction() as db:
            for table in [*tables.split(), "periods", "idempotency", "webhooks"]:
                db.execute(f"DELETE FROM {table}")  # noqa: S608  (names from the line above)
        self.put_references("currencies", CURRENCIES)
        self._balances_as_of = None

    def put_references(self, kind: str, documents: Iterable[Plain]) -> None:
        """Insert or replace members of a small collection (`kind` is its path)."""
        with self.transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO refs (kind, key, number, name, barred, doc) VALUES (?, ?, ?, ?, ?, ?)",
                [_reference_row(kind, document) for document in documents],
            )

    def put_years(self, documents: Iterable[Plain]) -> None:
        """Insert or replace accounting years, and number all periods anew: they run on from the first year."""
        years = [(each["year"], each["fromDate"], each["toDate"], int(bool(each.get("closed")))) for each in documents]
        with self.transaction() as db:
            db.executemany("INSERT OR REPLACE INTO years VALUES (?, ?, ?, ?)", years)
            db.execute("DELETE FROM periods")
            number = 0
            for year in db.execute("SELECT * FROM years ORDER BY from_date").fetchall():
                for first, last in _months_of(year):
                    number += 1
                    row = (number, year["year"], first.isoformat(), last.isoformat(), year["closed"])
                    db.execute("INSERT INTO periods VALUES (?, ?, ?, ?, ?)", row)

    def put_customers(self, documents: Iterable[Plain]) -> None:
        """Insert or replace customers."""
        with self.transaction() as db:
            db.executemany(rows.INSERT_CUSTOMER, (rows.customer_row(each) for each in documents))

    def put_contacts(self, documents: Iterable[Plain]) -> None:
        """Insert or replace contacts."""
        with self.transaction() as db:
            db.executemany(rows.INSERT_CONTACT, (rows.contact_row(each) for each in documents))

    def put_booked(self, documents: Iterable[Plain]) -> None:
        """Insert or replace booked invoices; the balances of their customers follow."""
        for chunk in _chunks(documents):
            self._put_invoices("invoices", chunk)
            self.update_balances({header[1] for header, _ in chunk})

    def _load_booked(self, documents: Iterable[Plain]) -> None:
        for chunk in _chunks(documents):
            self._put_invoices("invoices", chunk)
        with self.transaction() as db:
            balances.rebuild(db)

    def put_drafts(self, documents: Iterable[Plain]) -> None:
        """Insert or replace drafts; they touch no balance."""
        self._put_invoices("drafts", [rows.draft_rows(plain(each)) for each in documents])

    def _put_invoices(self, table: str, found: list[rows.InvoiceRows]) -> None:
        with self.transaction() as db:
            db.executemany(rows.INSERT_HEADER.format(table=table), [header for header, _ in found])
            db.executemany(rows.INSERT_DOC.format(table=table), [doc for _, doc in found])

    # -- balances ------------------------------------------------------------------------------------------------

    def update_balances(self, customers: Iterable[int]) -> None:
        """Derive balance of these customers from their invoices; what is due is derived when next asked for."""
        with self.transaction() as db:
            balances.update(db, customers)
        self._balances_as_of = None

    def settle_due(self, today: date) -> None:
        """Bring the amount due of every customer to `today`."""
        if self._balances_as_of == today:
            return
        with self.lock, self._db as db:
            balances.settle_due(db, today)
        self._balances_as_of = today

    # -- snapshot ------------------------------------------------------------------------------------------------

    def snapshot(self) -> None:
        """Keep a full copy aside, replacing an earlier one."""
        with self.lock:
            if self._kept is not None:
                self._kept.close()
            self._kept = sqlite3.connect(":memory:", check_same_thread=False)
            self._db.backup(self._kept)

    def restore(self) -> None:
        """Put the copy back; LookupError when there is none."""
        if self._kept is None:
            raise LookupError("there is no snapshot to restore; take one first")
        with self.lock:
            self._kept.backup(self._db)
        self._balances_as_of = None
        self.writes += 1


def _connect(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path or ":memory:", check_same_thread=False)
    db.row_factory = sqlite3.Row
    db.executescript("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + SCHEMA)
    db.create_function("fold", 1, fold, deterministic=True)
    db.create_function("like_match", 2, like_match, deterministic=True)
    return db


def _chunks(documents: Iterable[Plain]) -> Iterator[list[rows.InvoiceRows]]:
    everyone = iter(documents)
    while chunk := [rows.booked_rows(each) for each in islice(everyone, _CHUNK)]:
        yield chunk


def _reference_row(kind: str, document: Plain) -> tuple[Any, ...]:
    key, number = rows.reference_key(kind, document)
    barred = int(bool(document.get("barred")))
    return kind, key, number, document.get("name"), barred, reference_text(kind, key, document)


def _months_of(year: sqlite3.Row) -> list[tuple[date, date]]:
    return rows.months(date.fromisoformat(year["from_date"]), date.fromisoformat(year["to_date"]))
