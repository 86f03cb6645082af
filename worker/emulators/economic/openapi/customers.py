"""customersapi: Customers in their flat form, and Setup. No balance, no lastUpdated: those are classic only."""

from collections.abc import Mapping
from functools import partial
from sqlite3 import Row
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from worker.emulators.economic import changes
from worker.emulators.economic.classic.validation import MAX_NUMBER
from worker.emulators.economic.context import Context
from worker.emulators.economic.documents import parse_plain
from worker.emulators.economic.errors import OpenError
from worker.emulators.economic.openapi import operators as op
from worker.emulators.economic.openapi.collection import OpenList, answer, list_routes
from worker.emulators.economic.openapi.service import (
    body_object,
    check_version,
    checked_texts,
    created,
    not_found,
    object_version,
    path_number,
    written,
)
from worker.emulators.economic.routing import SINGLE_COST, get, write
from worker.emulators.economic.wire import get as value_at
from worker.emulators.economic.wire import members

# Flat name -> classic path. Source: the name map of classic and OpenAPI customers.
_TEXTS = {
    "currency": ("currency", 3),
    "name": ("name", 255),
    "address1": ("address", 255),
    "postCode": ("zip", 30),
    "city": ("city", 50),
    "country": ("country", 50),
    "phone": ("telephoneAndFaxNumber", 255),
    "mobilePhone": ("mobilePhone", 50),
    "email": ("email", 255),
    "homepage": ("website", 255),
    "cvrNo": ("corporateIdentificationNumber", 40),
    "vatNo": ("vatNumber", 50),
    "pnr": ("pNumber", 40),
    "eanLocationNumber": ("ean", 13),
    "voucherNumber": ("publicEntryNumber", 30),
}
_NUMBERS = {
    "customerGroupNumber": ("customerGroup", "customerGroupNumber"),
    "zone": ("vatZone", "vatZoneNumber"),
    "paymentTermId": ("paymentTerms", "paymentTermsNumber"),
    "ourRef": ("salesPerson", "employeeNumber"),
    "defaultTheirRef": ("customerContact", "customerContactNumber"),
    "defaultAttention": ("attention", "customerContactNumber"),
    "layoutGroup": ("layout", "layoutNumber"),
    "defaultDeliveryLocation": ("defaultDeliveryLocation", "deliveryLocationNumber"),
}
_REQUIRED_REFERENCES = (
    ("customerGroupNumber", "customer-groups", "CustomerInvalidGroupId"),
    ("zone", "vat-zones", "CustomerInvalidVatZone"),
    ("paymentTermId", "payment-terms", "CustomerInvalidPaymentTerm"),
)
_PATH = "/customersapi/customers"


def routes(ctx: Context) -> list[Route]:
    """All routes of this module."""
    single = f"{_PATH}/{{number:int}}"
    return [
        *list_routes(ctx, "/customersapi", _LIST),
        write(_PATH, "POST", partial(_create, ctx)),
        get(single, partial(_single, ctx), SINGLE_COST),
        write(single, "PUT", partial(_replace, ctx)),
        write(single, "DELETE", partial(_delete, ctx)),
        get("/customersapi/setup", partial(_setup, ctx), SINGLE_COST),
    ]


def _item(row: Row) -> dict[str, Any]:
    document = parse_plain(row["doc"])
    return members(
        [
            ("customerNumber", row["number"]),
            *((flat, document.get(name)) for flat, (name, _) in _TEXTS.items()),
            *((flat, value_at(document, ".".join(path))) for flat, path in _NUMBERS.items()),
            ("creditMaximum", document.get("creditLimit")),
            ("access", None if row["barred"] else True),
            ("defaultDisableEInvoicing", document.get("eInvoicingDisabledByDefault") or None),
            ("objectVersion", object_version(row["version"])),
        ]
    )


_LIST = OpenList(
    "customers",
    "customers c",
    "c.number",
    "c.number, c.doc, c.barred, c.version",
    {"customerNumber": op.number("c.number", sortable=True)},
    _item,
)


def _row(ctx: Context, number: int) -> Row:
    row = ctx.store.first("SELECT * FROM customers WHERE number = ?", (number,))
    if row is None:
        raise not_found("customer")
    return row


def _single(ctx: Context, request: Request) -> Response:
    return answer(_item(_row(ctx, path_number(request))))


def _create(ctx: Context, request: Request, body: Any) -> Response:
    given = body_object(body)
    number = given.get("customerNumber")
    if not isinstance(number, int) or not 1 <= number <= MAX_NUMBER:
        raise OpenError(400, "CustomerInvalidCustomerNumber", "The number must be supplied.", "customerNumber")
    if ctx.store.first("SELECT 1 FROM customers WHERE number = ?", (number,)) is not None:
        raise OpenError(400, "CustomerAlreadyExists", "The customer number is in use.", "customerNumber")
    changes.put_customer(ctx, {"customerNumber": number, **_classic(ctx, given)})
    return created(request, number, {"customerNumber": number})


def _replace(ctx: Context, request: Request, body: Any) -> Response:
    row = _row(ctx, path_number(request))
    given = body_object(body)
    check_version(given, row["version"])
    changes.put_customer(ctx, {"customerNumber": row["number"], **_classic(ctx, given)})
    return written(ctx)


def _delete(ctx: Context, request: Request, _: Any) -> Response:
    number = _row(ctx, path_number(request))["number"]
    if changes.is_customer_used(ctx, number):
        raise OpenError(400, "CustomerIsInUse", "An invoice refers to the customer.")
    changes.delete_customer(ctx, number)
    return written(ctx)


def _classic(ctx: Context, body: Mapping[str, Any]) -> dict[str, Any]:
    """The classic document of a flat body; the first problem found is the answer."""
    limits = {flat: limit for flat, (_, limit) in _TEXTS.items()}
    texts = checked_texts(body, limits, "CustomerInvalidValue")
    if not texts.get("name"):
        raise OpenError(400, "CustomerMissingName", "A customer needs a name.", "name")
    ean = texts.get("eanLocationNumber")
    if ean and not (len(ean) == 13 and ean.isdecimal()):
        raise OpenError(400, "CustomerInvalidEANThirteenDigits", "An EAN has 13 digits.", "eanLocationNumber")
    for flat, kind, code in _REQUIRED_REFERENCES:
        known = ctx.store.first("SELECT 1 FROM refs WHERE kind = ? AND key = ?", (kind, str(body.get(flat))))
        if known is None:
            raise OpenError(400, code, f"{flat} does not exist.", flat)
    result: dict[str, Any] = {_TEXTS[flat][0]: value for flat, value in texts.items()}
    result.setdefault("currency", value_at(ctx.store.meta("self") or {}, "settings.baseCurrency") or "DKK")
    result.update({outer: {inner: body[flat]} for flat, (outer, inner) in _NUMBERS.items() if body.get(flat)})
    if body.get("creditMaximum") is not None:
        result["creditLimit"] = body["creditMaximum"]
    if not body.get("access", True):
        result["barred"] = True
    return result


def _setup(ctx: Context, _: Request) -> Response:
    group = ctx.store.value("SELECT MIN(number) FROM refs WHERE kind = 'customer-groups'")
    layout = ctx.store.value("SELECT MIN(number) FROM refs WHERE kind = 'layouts'")
    pairs = [("defaultCustomerGroupNumber", group), ("defaultLayoutNumber", layout)]
    return answer(members([*pairs, ("objectVersion", object_version(1))]))
