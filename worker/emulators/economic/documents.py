"""Classic documents: from plain fields to rendered text with links, and back.

"Plain" is a document without anything the service derives: no links, no balance, reference objects holding their
number only. It is what data sets hold, what a POST brings and what recorded answers are reduced to.
"""

from collections.abc import Mapping
from sqlite3 import Row
from typing import Any

from worker.emulators.economic.wire import dumps, encode_key, get, link, loads, members

Plain = Mapping[str, Any]

_DERIVED = frozenset(
    [
        "self",
        "metaData",
        "contacts",
        "templates",
        "totals",
        "deliveryLocations",
        "invoices",
        "customers",
        "periods",
        "entries",
        "vouchers",
        "accountingYears",
        "products",
        "pdf",
        "sent",
        "attachment",
        "draftInvoices",
        "bookedInvoices",
        "soap",
    ]
)
_REFERENCES = {
    "customerGroup": ("customerGroupNumber", "/customer-groups/"),
    "paymentTerms": ("paymentTermsNumber", "/payment-terms/"),
    "vatZone": ("vatZoneNumber", "/vat-zones/"),
    "layout": ("layoutNumber", "/layouts/"),
    "salesPerson": ("employeeNumber", "/employees/"),
    "vendorReference": ("employeeNumber", "/employees/"),
    "employeeGroup": ("employeeGroupNumber", "/employee-groups/"),
    "customer": ("customerNumber", "/customers/"),
    "project": ("projectNumber", "/projects/"),
    "product": ("productNumber", "/products/"),
    "unit": ("unitNumber", "/units/"),
    "account": ("accountNumber", "/accounts/"),
    "language": ("languageNumber", "/languages/"),
}
_CONTACTS = ("attention", "customerContact")


def plain(document: Any) -> Any:
    """`document` without links and other derived members, all the way down."""
    if isinstance(document, dict):
        return {name: plain(value) for name, value in document.items() if name not in _DERIVED}
    if isinstance(document, list):
        return [plain(value) for value in document]
    return document


def parse_plain(text: str) -> dict[str, Any]:
    """The plain document behind a rendered text."""
    result: dict[str, Any] = plain(loads(text))
    return result


def customer_text(document: Plain) -> tuple[str, int]:
    """A customer's text without balance and dueAmount, and the place where those two belong."""
    number = document["customerNumber"]
    linked = _linked(_without(document, "customerNumber", "balance", "dueAmount"), number)
    first = ("currency", "paymentTerms", "customerGroup")
    head = {"customerNumber": number, **{name: linked[name] for name in first if name in linked}}
    rest = {name: value for name, value in linked.items() if name not in first and value is not False}
    if document.get("eInvoicingDisabledByDefault") is False:
        rest["eInvoicingDisabledByDefault"] = False
    head_text = dumps(head)[:-1] + ","
    return head_text + dumps({**rest, **_customer_links(number)})[1:], len(head_text)


def _customer_links(number: int) -> dict[str, Any]:
    own = f"/customers/{number}"
    return {
        "contacts": link(f"{own}/contacts"),
        "templates": {
            "invoice": link(f"{own}/templates/invoice"),
            "invoiceLine": link(f"{own}/templates/invoiceline"),
            "self": link(f"{own}/templates"),
        },
        "totals": {
            "drafts": link(f"/invoices/totals/drafts/customers/{number}"),
            "booked": link(f"/invoices/totals/booked/customers/{number}"),
            "self": link(f"{own}/totals"),
        },
        "deliveryLocations": link(f"{own}/delivery-locations"),
        "invoices": {
            "drafts": link(f"{own}/invoices/drafts"),
            "booked": link(f"{own}/invoices/booked"),
            "self": link(f"{own}/invoices"),
        },
        "self": link(own),
    }


def invoice_text(document: Plain) -> str:
    """A booked invoice's text as it stands in lists: without lines."""
    number = document["bookedInvoiceNumber"]
    own = f"/invoices/booked/{number}"
    linked = _linked(_without(document, "lines"), get(document, "customer.customerNumber"))
    derived = {"pdf": {"download": link(f"{own}/pdf")}, "sent": link(f"{own}/sent"), "self": link(own)}
    return dumps({**linked, **derived})


def draft_text(document: Plain) -> str:
    """A draft invoice's text as it stands in lists: without lines."""
    number = document["draftInvoiceNumber"]
    own = f"/invoices/drafts/{number}"
    linked = _linked(_without(document, "lines", "draftInvoiceNumber"), get(document, "customer.customerNumber"))
    head = {
        "draftInvoiceNumber": number,
        "soap": {"currentInvoiceHandle": {"id": number}},
        "templates": {
            "bookingInstructions": link(f"{own}/templates/booking-instructions"),
            "self": link(f"{own}/templates"),
        },
        "attachment": link(f"{own}/attachment"),
    }
    return dumps({**head, **linked, "pdf": {"download": link(f"{own}/pdf")}, "self": link(own)})


def lines_text(lines: list[Plain]) -> str:
    """Stored lines: plain, numbered from 1 where the source has no numbers."""
    return dumps([{"lineNumber": index, "sortKey": index, **line} for index, line in enumerate(lines, 1)])


def linked_lines(text: str) -> str:
    """Lines as a single invoice shows them: with links to product and unit."""
    return dumps([_linked(line, None) for line in loads(text)])


def contact_document(row: Row) -> dict[str, Any]:
    """A classic contact from its table row."""
    own = f"/customers/{row['customer']}"
    return members(
        [
            ("customerContactNumber", row["number"]),
            ("email", row["email"]),
            ("name", row["name"]),
            ("phone", row["phone"]),
            ("notes", row["notes"]),
            ("eInvoiceId", row["e_invoice_id"]),
            ("emailNotifications", loads(row["notifications"]) if row["notifications"] else None),
            ("deleted", True if row["deleted"] else None),
            ("customer", {"customerNumber": row["customer"], "self": link(own)}),
            ("sortKey", row["sort_key"]),
            ("self", link(f"{own}/contacts/{row['number']}")),
        ]
    )


def delivery_location_document(row: Row) -> dict[str, Any]:
    """A classic delivery location from its table row."""
    own = f"/customers/{row['customer']}"
    return members(
        [
            ("deliveryLocationNumber", row["number"]),
            ("address", row["address"]),
            ("city", row["city"]),
            ("country", row["country"]),
            ("postalCode", row["postal_code"]),
            ("termsOfDelivery", row["terms"]),
            ("barred", True if row["barred"] else None),
            ("sortKey", row["sort_key"]),
            ("customer", {"customerNumber": row["customer"], "self": link(own)}),
            ("self", link(f"{own}/delivery-locations/{row['number']}")),
        ]
    )


def reference_text(kind: str, key: object, document: Plain) -> str:
    """A member of a small collection (`kind` is its path, such as customer-groups)."""
    own = f"/{kind}/{encode_key(str(key))}"
    extra = {}
    if kind in ("customer-groups", "employees"):
        extra["customers"] = link(f"{own}/customers")
    if kind == "employees":
        extra["draftInvoices"] = link(f"{own}/invoices/drafts")
        extra["bookedInvoices"] = link(f"{own}/invoices/booked")
    return dumps({**_linked(plain(document), None), **extra, "self": link(own)})


def year_document(row: Row) -> dict[str, Any]:
    """An accounting year from its table row; `closed` only when it is."""
    own = f"/accounting-years/{encode_key(row['year'])}"
    return members(
        [
            ("fromDate", row["from_date"]),
            ("toDate", row["to_date"]),
            ("year", row["year"]),
            ("closed", True if row["closed"] else None),
            *((name, link(f"{own}/{name}")) for name in ("periods", "entries", "totals", "vouchers")),
            ("self", link(own)),
        ]
    )


def period_document(row: Row) -> dict[str, Any]:
    """An accounting period from its table row."""
    year = f"/accounting-years/{encode_key(row['year'])}"
    own = f"{year}/periods/{row['number']}"
    return members(
        [
            ("periodNumber", row["number"]),
            ("accountingYear", {"year": row["year"], "self": link(year)}),
            ("fromDate", row["from_date"]),
            ("toDate", row["to_date"]),
            ("closed", True if row["closed"] else None),
            ("entries", link(f"{own}/entries")),
            ("totals", link(f"{own}/totals")),
            ("self", link(own)),
        ]
    )


def _linked(document: Plain, customer: int | None) -> dict[str, Any]:
    """`document` with `self` in every reference object; contacts need the number of their customer."""
    result: dict[str, Any] = {}
    for name, value in document.items():
        if isinstance(value, dict):
            result[name] = _linked_member(name, value, customer)
        elif value is not None:
            result[name] = value
    return result


def _linked_member(name: str, value: Plain, customer: int | None) -> dict[str, Any]:
    inner = _linked(value, customer)
    if name in _CONTACTS and customer is not None:
        own = f"/customers/{customer}"
        inner.setdefault("customer", {"customerNumber": customer, "self": link(own)})
        inner["self"] = link(f"{own}/contacts/{value['customerContactNumber']}")
    elif name in ("defaultDeliveryLocation", "deliveryLocation") and customer is not None:
        inner["self"] = link(f"/customers/{customer}/delivery-locations/{value['deliveryLocationNumber']}")
    elif name in _REFERENCES and _REFERENCES[name][0] in value:
        key, path = _REFERENCES[name]
        inner["self"] = link(path + encode_key(str(value[key])))
    return inner


def _without(document: Plain, *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}
