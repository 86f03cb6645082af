"""From plain documents to table rows. The column order here is the order of the INSERT statements beside it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from worker.emulators.economic.documents import (
    Plain,
    customer_text,
    draft_text,
    invoice_text,
    lines_text,
)
from worker.emulators.economic.wire import cents, dumps, get

INSERT_CUSTOMER = """
    INSERT INTO customers (number, name, last_updated, barred, customer_group, cut, doc)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (number) DO UPDATE SET name = excluded.name, last_updated = excluded.last_updated,
        barred = excluded.barred, customer_group = excluded.customer_group, cut = excluded.cut,
        doc = excluded.doc, version = version + 1
"""
INSERT_CONTACT = """
    INSERT INTO contacts (number, customer, sort_key, name, email, phone, notes, e_invoice_id, notifications,
                          last_updated, deleted)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (number) DO UPDATE SET customer = excluded.customer, sort_key = excluded.sort_key,
        name = excluded.name, email = excluded.email, phone = excluded.phone, notes = excluded.notes,
        e_invoice_id = excluded.e_invoice_id, notifications = excluded.notifications,
        last_updated = excluded.last_updated, deleted = excluded.deleted, version = version + 1
"""
INSERT_HEADER = """
    INSERT OR REPLACE INTO {table} (number, customer, date, due, currency, rate, terms, employee, net, gross,
                                    remainder, remainder_base, last_updated)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
INSERT_DOC = "INSERT OR REPLACE INTO {table}_docs (number, doc, lines) VALUES (?, ?, ?)"

Row = tuple[Any, ...]
InvoiceRows = tuple[Row, Row]  # the narrow header, and the texts beside it
_CUSTOMER_ORDER = ("country", "email", "barred", "address", "city", "name", "zip")


def customer_row(document: Plain) -> Row:
    """A row of `customers` from a plain customer, which has a lastUpdated."""
    ordered = {name: document[name] for name in ("customerNumber", *_CUSTOMER_ORDER) if name in document}
    text, cut = customer_text({**ordered, **document})
    return (
        document["customerNumber"],
        document["name"],
        document["lastUpdated"],
        int(bool(document.get("barred"))),
        get(document, "customerGroup.customerGroupNumber"),
        cut,
        text,
    )


def contact_row(document: Plain) -> Row:
    """A row of `contacts` from a data set's contact: flat `customerNumber`, or a `customer` object."""
    notifications = document.get("emailNotifications")
    customer = document.get("customerNumber") or get(document, "customer.customerNumber")
    return (
        document["customerContactNumber"],
        customer,
        document.get("sortKey", 1),
        document["name"],
        document.get("email"),
        document.get("phone"),
        document.get("notes"),
        document.get("eInvoiceId"),
        dumps(notifications) if notifications else None,
        document["lastUpdated"],
        int(bool(document.get("isDeleted") or document.get("deleted"))),
    )


def booked_rows(document: Plain) -> InvoiceRows:
    """Rows of `invoices` and `invoices_docs` from a plain booked invoice."""
    number = document["bookedInvoiceNumber"]
    lines = lines_text(list(document.get("lines", ())))
    return _header(number, document), (number, invoice_text(document), lines)


def draft_rows(document: Plain) -> InvoiceRows:
    """Rows of `drafts` and `drafts_docs` from a plain draft."""
    number = document["draftInvoiceNumber"]
    lines = lines_text(list(document.get("lines", ())))
    return _header(number, document), (number, draft_text(document), lines)


def _header(number: int, document: Plain) -> Row:
    rate = float(document.get("exchangeRate", 100))
    gross = document.get("grossAmountInBaseCurrency")
    if gross is None:  # the paid, unpaid, overdue and not-due lists leave it out
        gross = float(document.get("grossAmount", 0)) * rate / 100
    return (
        number,
        get(document, "customer.customerNumber"),
        document["date"],
        document.get("dueDate"),
        document["currency"],
        rate,
        get(document, "paymentTerms.paymentTermsNumber"),
        get(document, "references.salesPerson.employeeNumber"),
        cents(document.get("netAmountInBaseCurrency", 0)),
        cents(gross),
        cents(document.get("remainder", 0)),
        cents(document.get("remainderInBaseCurrency", 0)),
        document.get("lastUpdated"),
    )


def reference_key(kind: str, document: Mapping[str, Any]) -> tuple[str, int | None]:
    """The key of a member of a small collection, as text and, where it is one, as number."""
    names = {
        "customer-groups": "customerGroupNumber",
        "payment-terms": "paymentTermsNumber",
        "vat-zones": "vatZoneNumber",
        "employees": "employeeNumber",
        "layouts": "layoutNumber",
        "currencies": "code",
    }
    key = document[names[kind]]
    return str(key), key if isinstance(key, int) else None


def months(first: date, last: date) -> list[tuple[date, date]]:
    """The calendar months from `first` to `last`, cut at both ends."""
    result = []
    start = first
    while start <= last:
        following = date(start.year + start.month // 12, start.month % 12 + 1, 1)
        end = min(last, date.fromordinal(following.toordinal() - 1))
        result.append((start, end))
        start = following
    return result
