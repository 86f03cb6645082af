"""customersapi: Contacts and DeliveryLocations. The bulk read of every contact, and the only sign of deleted ones."""

from collections.abc import Mapping
from functools import partial
from sqlite3 import Row
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from worker.emulators.economic import changes
from worker.emulators.economic.context import Context
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
    timestamp,
    written,
)
from worker.emulators.economic.routing import SINGLE_COST, get, write
from worker.emulators.economic.wire import loads, members

_LIMITS = {"name": 255, "email": 255, "phone": 50, "notes": 2000, "eInvoiceId": 50}
# Flag on the OpenAPI contact -> the kind of document in the classic emailNotifications.
_FLAGS = {
    "receiveQuotes": "quotations",
    "receiveOrders": "orders",
    "receiveInvoices": "invoices",
    "receiveReminders": "reminders",
}
_FIELDS = {
    "number": op.number("c.number", sortable=True),
    "customerNumber": op.number("c.customer", sortable=True),
    "userInterfaceNumber": op.number("c.sort_key"),
    "name": op.text("c.name"),
    "email": op.text("c.email"),
    "eInvoiceId": op.text("c.e_invoice_id"),
    "lastUpdated": op.moment("c.last_updated"),
    "isDeleted": op.exact("c.deleted", "bool"),
    "active": op.exact("NOT c.deleted", "bool"),
}
_LOCATION_FIELDS = {
    "number": op.number("c.number", sortable=True),
    "customerNumber": op.number("c.customer", sortable=True),
    "userInterfaceNumber": op.number("c.sort_key"),
    "lastUpdated": op.moment("c.last_updated"),
    "isBarred": op.exact("c.barred", "bool"),
}


def routes(ctx: Context) -> list[Route]:
    """All routes of this module."""
    contacts, locations = "/customersapi/contacts", "/customersapi/deliverylocations"
    return [
        *list_routes(ctx, "/customersapi", _contact_list(ctx)),
        write(contacts, "POST", partial(_create, ctx)),
        write(contacts, "PUT", partial(_replace, ctx)),
        get(f"{contacts}/{{number:int}}", partial(_single, ctx), SINGLE_COST),
        write(f"{contacts}/{{number:int}}", "PUT", partial(_replace_by_path, ctx)),
        write(f"{contacts}/{{number:int}}", "DELETE", partial(_delete, ctx)),
        *list_routes(ctx, "/customersapi", _location_list(ctx)),
        get(f"{locations}/{{number:int}}", partial(_location, ctx), SINGLE_COST),
    ]


def _contact_list(ctx: Context) -> OpenList:
    return OpenList("contacts", "contacts c", "c.number", "c.*", _FIELDS, partial(_item, ctx))


def _item(ctx: Context, row: Row) -> dict[str, Any]:
    kinds = loads(row["notifications"]) if row["notifications"] else []
    return members(
        [
            (ctx.switches.get("contact_key_name"), row["number"]),
            ("customerNumber", row["customer"]),
            ("userInterfaceNumber", row["sort_key"]),
            ("name", row["name"]),
            ("email", row["email"]),
            ("phone", row["phone"]),
            ("notes", row["notes"]),
            ("eInvoiceId", row["e_invoice_id"]),
            ("lastUpdated", timestamp(ctx, row["last_updated"])),
            *((flag, True) for flag, kind in _FLAGS.items() if kind in kinds),
            ("isDeleted" if row["deleted"] else "active", True),
            ("objectVersion", object_version(row["version"])),
        ]
    )


def _row(ctx: Context, number: Any) -> Row:
    row = ctx.store.first("SELECT * FROM contacts WHERE number = ?", (number,))
    if row is None:
        raise not_found("contact")
    return row


def _single(ctx: Context, request: Request) -> Response:
    return answer(_item(ctx, _row(ctx, path_number(request))))


def _create(ctx: Context, request: Request, body: Any) -> Response:
    wanted = _checked(ctx, body_object(body), own_number=None)
    number = changes.put_contact(ctx, wanted)
    return created(request, number, {ctx.switches.get("contact_key_name"): number})


def _replace(ctx: Context, _: Request, body: Any) -> Response:
    given = body_object(body)
    return _store(ctx, given, given.get("number", given.get("customerContactNumber")))


def _replace_by_path(ctx: Context, request: Request, body: Any) -> Response:
    if ctx.switches.get("open_contact_put_path") != "both":
        raise OpenError(405, "MethodNotAllowed", "PUT is on the collection.")
    return _store(ctx, body_object(body), path_number(request))


def _store(ctx: Context, body: Mapping[str, Any], number: Any) -> Response:
    row = _row(ctx, number)
    check_version(body, row["version"])
    if body.get("customerNumber", row["customer"]) != row["customer"]:
        raise OpenError(400, "CustomerNumberMismatch", "A contact stays with its customer.", "customerNumber")
    wanted = _checked(ctx, {"customerNumber": row["customer"], **body}, own_number=row["number"])
    changes.put_contact(ctx, {**wanted, "customerContactNumber": row["number"]})
    return written(ctx)


def _checked(ctx: Context, body: Mapping[str, Any], own_number: int | None) -> dict[str, Any]:
    texts = checked_texts(body, _LIMITS, "CustomerContactInvalidValue")
    customer, name = body.get("customerNumber"), texts.get("name")
    if not name:
        raise OpenError(400, "CustomerContactNameNullOrEmpty", "A contact needs a name.", "name")
    if ctx.store.first("SELECT 1 FROM customers WHERE number = ?", (customer,)) is None:
        raise OpenError(400, "CustomerDoesNotExist", "The customer does not exist.", "customerNumber")
    taken = "SELECT 1 FROM contacts WHERE customer = ? AND name = ? AND number IS NOT ? AND NOT deleted"
    if ctx.store.first(taken, (customer, name, own_number)) is not None:
        raise OpenError(400, "CustomerContactNameAlreadyExists", "The customer has a contact of that name.", "name")
    kinds = [kind for flag, kind in _FLAGS.items() if body.get(flag) is True]
    return {**texts, "customerNumber": customer, **({"emailNotifications": kinds} if kinds else {})}


def _delete(ctx: Context, request: Request, _: Any) -> Response:
    number = _row(ctx, path_number(request))["number"]
    in_use = (
        "SELECT 1 FROM customers WHERE json_extract(doc, '$.attention.customerContactNumber') = ? "
        "OR json_extract(doc, '$.customerContact.customerContactNumber') = ?"
    )
    if ctx.store.first(in_use, (number, number)) is not None:
        raise OpenError(400, "CustomerContactIsInUse", "The customer refers to this contact.")
    changes.delete_contact(ctx, number)
    return written(ctx)


# -- delivery locations --------------------------------------------------------------------------------------------


def _location_list(ctx: Context) -> OpenList:
    return OpenList(
        "deliverylocations",
        "delivery_locations c",
        "c.number",
        "c.*",
        _LOCATION_FIELDS,
        partial(_location_item, ctx),
    )


def _location_item(ctx: Context, row: Row) -> dict[str, Any]:
    return members(
        [
            ("number", row["number"]),
            ("customerNumber", row["customer"]),
            ("userInterfaceNumber", row["sort_key"]),
            ("address", row["address"]),
            ("city", row["city"]),
            ("country", row["country"]),
            ("postalCode", row["postal_code"]),
            ("termsOfDelivery", row["terms"]),
            ("isBarred", True if row["barred"] else None),
            ("lastUpdated", timestamp(ctx, row["last_updated"])),
            ("objectVersion", object_version(row["version"])),
        ]
    )


def _location(ctx: Context, request: Request) -> Response:
    sql = "SELECT * FROM delivery_locations WHERE number = ?"
    row = ctx.store.first(sql, (path_number(request),))
    if row is None:
        raise not_found("delivery location")
    return answer(_location_item(ctx, row))
