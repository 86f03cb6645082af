"""The store's content as a data set again, so that the next day can be played on whatever the store holds now."""

import json
from collections.abc import Iterator
from datetime import date
from sqlite3 import Row

from worker.emulators.dataset import Dataset, Document
from worker.emulators.economic.documents import plain
from worker.emulators.economic.store import EconomicStore
from worker.emulators.economic.wire import members

_INVOICES = "SELECT doc, lines FROM invoices_docs ORDER BY number"


class StoredInvoices:
    """Booked invoices of a store in ascending number, read on each pass."""

    def __init__(self, store: EconomicStore) -> None:
        self._store = store

    def __iter__(self) -> Iterator[Document]:
        return self._read(_INVOICES)

    def __reversed__(self) -> Iterator[Document]:
        return self._read(f"{_INVOICES} DESC")

    def __len__(self) -> int:
        return int(self._store.value("SELECT COUNT(*) FROM invoices"))

    def _read(self, sql: str) -> Iterator[Document]:
        for row in self._store.stream(sql):
            yield {**_floats(row["doc"]), "lines": json.loads(row["lines"])}


def dataset_of(store: EconomicStore, today: date) -> Dataset:
    """Everything in `store` as of the morning of `today`."""
    return Dataset(
        agreement=store.meta("self") or {},
        customer_groups=_references(store, "customer-groups"),
        payment_terms=_references(store, "payment-terms"),
        vat_zones=_references(store, "vat-zones"),
        employees=_references(store, "employees"),
        accounting_years=_years(store),
        customers=[_floats(row["doc"]) for row in store.query("SELECT doc FROM customers ORDER BY number")],
        contacts=_contacts(store),
        invoices=StoredInvoices(store),
        prospects=store.meta("prospects") or [],
        today=today,
    )


def _floats(text: str) -> Document:
    """A plain document with floats, as data sets have them."""
    document: Document = plain(json.loads(text))
    return document


def _references(store: EconomicStore, kind: str) -> list[Document]:
    return [_floats(row["doc"]) for row in store.query("SELECT doc FROM refs WHERE kind = ? ORDER BY number", (kind,))]


def _years(store: EconomicStore) -> list[Document]:
    found = store.query("SELECT * FROM years ORDER BY from_date")
    return [_year(row) for row in found]


def _year(row: Row) -> Document:
    span = {"year": row["year"], "fromDate": row["from_date"], "toDate": row["to_date"]}
    return {**span, "closed": True} if row["closed"] else span


def _contacts(store: EconomicStore) -> list[Document]:
    return [_contact(row) for row in store.query("SELECT * FROM contacts ORDER BY number")]


def _contact(row: Row) -> Document:
    return members(
        [
            ("customerContactNumber", row["number"]),
            ("customerNumber", row["customer"]),
            ("name", row["name"]),
            ("email", row["email"]),
            ("phone", row["phone"]),
            ("notes", row["notes"]),
            ("eInvoiceId", row["e_invoice_id"]),
            ("emailNotifications", json.loads(row["notifications"]) if row["notifications"] else None),
            ("sortKey", row["sort_key"]),
            ("lastUpdated", row["last_updated"]),
            ("isDeleted", True if row["deleted"] else None),
        ]
    )
