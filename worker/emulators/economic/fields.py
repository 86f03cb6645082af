"""Which properties of each collection can be filtered and sorted.

Source: the live lists where known (collections, section on filterable and sortable properties); the vendor's schemas
promise more than the service accepts.
"""

from collections.abc import Iterable

from worker.emulators.economic.filters import Field, Kind

Fields = dict[str, Field]


def _in_doc(prefix: str, names: Iterable[str], kind: Kind = "text", *, sortable: bool = True) -> Fields:
    """Fields read out of the rendered text; good for rarely used ones."""
    return {name: Field(f"json_extract({prefix}, '$.{name}')", kind, sortable=sortable) for name in names}


CUSTOMERS: Fields = {
    "customerNumber": Field("c.number", "int"),
    "name": Field("c.name", "text"),
    "lastUpdated": Field("c.last_updated", "time"),
    "balance": Field("c.balance / 100.0", "number"),
    "barred": Field("c.barred", "bool", sortable=False),
    "customerGroup.customerGroupNumber": Field("c.customer_group", "int", sortable=False),
    **_in_doc(
        "c.doc",
        [
            "address",
            "city",
            "corporateIdentificationNumber",
            "country",
            "currency",
            "ean",
            "email",
            "mobilePhone",
            "publicEntryNumber",
            "telephoneAndFaxNumber",
            "vatNumber",
            "website",
            "zip",
        ],
    ),
    **_in_doc("c.doc", ["creditLimit"], "number"),
    **_in_doc("c.doc", ["pNumber"], sortable=False),
}

CONTACTS: Fields = {
    "customerContactNumber": Field("c.number", "int"),
    "name": Field("c.name", "text"),
    "email": Field("c.email", "text"),
    "eInvoiceId": Field("c.e_invoice_id", "text"),
    "phone": Field("c.phone", "text"),
    "comments": Field("c.notes", "text", sortable=False),
    "sortKey": Field("c.sort_key", "int"),
}

DELIVERY_LOCATIONS: Fields = {
    "deliveryLocationNumber": Field("c.number", "int"),
    "address": Field("c.address", "text"),
    "city": Field("c.city", "text"),
    "country": Field("c.country", "text"),
    "postalCode": Field("c.postal_code", "text"),
    "sortKey": Field("c.sort_key", "int"),
    "barred": Field("c.barred", "bool", sortable=False),
}


def _invoice_fields(table: str) -> Fields:
    doc = f"(SELECT d.doc FROM {table}_docs d WHERE d.number = i.number)"  # noqa: S608
    return {
        "date": Field("i.date", "date"),
        "currency": Field("i.currency", "text"),
        "customer.customerNumber": Field("i.customer", "int"),
        "paymentTerms.paymentTermsNumber": Field("i.terms", "int"),
        "references.salesPerson.employeeNumber": Field("i.employee", "int"),
        **_in_doc(
            doc,
            (f"recipient.{each}" for each in ["name", "address", "zip", "city", "country", "ean", "publicEntryNumber"]),
        ),
        **_in_doc(doc, ["recipient.vatZone.vatZoneNumber", "deliveryLocation.deliveryLocationNumber"], "int"),
        **_in_doc(
            doc, (f"delivery.{each}" for each in ["address", "zip", "city", "country", "deliveryTerms", "deliveryDate"])
        ),
        **_in_doc(doc, (f"notes.{each}" for each in ["heading", "textLine1", "textLine2"])),
        **_in_doc(doc, ["references.other"]),
        **_in_doc(doc, ["references.vendorReference.employeeNumber"], "int"),
    }


_RATE = {"exchangeRate": Field("i.rate", "number")}
BOOKED_BY_STATE: Fields = {"bookedInvoiceNumber": Field("i.number", "int"), **_invoice_fields("invoices")}
BOOKED: Fields = {**BOOKED_BY_STATE, **_RATE}
DRAFTS: Fields = {
    "draftInvoiceNumber": Field("i.number", "int"),
    "lastUpdated": Field("i.last_updated", "time", sortable=False),
    **_RATE,
    **_invoice_fields("drafts"),
}

_NAME = Field("r.name", "text")
REFERENCES: dict[str, Fields] = {
    "customer-groups": {"customerGroupNumber": Field("r.number", "int"), "name": _NAME},
    "employees": {
        "employeeNumber": Field("r.number", "int"),
        "name": _NAME,
        "barred": Field("r.barred", "bool", sortable=False),
    },
    "payment-terms": {},
    "vat-zones": {},
    "currencies": {},
    "layouts": {"layoutNumber": Field("r.number", "int"), "name": _NAME},
}
VAT_ZONES_FILTERABLE: Fields = {"vatZoneNumber": Field("r.number", "int"), "name": _NAME}

YEARS: Fields = {
    "fromDate": Field("y.from_date", "date"),
    "toDate": Field("y.to_date", "date"),
    "year": Field("y.year", "text"),
}
PERIODS: Fields = {
    "periodNumber": Field("p.number", "int"),
    "fromDate": Field("p.from_date", "date"),
    "toDate": Field("p.to_date", "date"),
}

ENTRY_TYPES = {1: "customerInvoice", 2: "customerPayment", 8: "transferredOpeningEntry"}
_TYPE_NAMES = " ".join(f"WHEN {number} THEN '{name}'" for number, name in ENTRY_TYPES.items())
ENTRIES: Fields = {
    "entryNumber": Field("e.number", "int"),
    "amount": Field("e.amount_base / e.rate", "number"),
    "amountInBaseCurrency": Field("e.amount_base / 100.0", "number"),
    "currency": Field("e.currency", "text"),
    "customer.customerNumber": Field("e.customer", "int"),
    "date": Field("e.date", "date"),
    "dueDate": Field("e.due", "date"),
    "entryType": Field(f"CASE e.type {_TYPE_NAMES} END", "text"),
    "remainder": Field("e.remainder / 100.0", "number"),
    "remainderInBaseCurrency": Field("e.remainder_base / 100.0", "number"),
    "voucherNumber": Field("e.voucher", "int"),
}
