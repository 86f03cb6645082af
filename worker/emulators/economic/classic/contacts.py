"""`/customers/{n}/contacts` and `/customers/{n}/delivery-locations`."""

from functools import partial
from sqlite3 import Row
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from worker.emulators.economic import changes, fields
from worker.emulators.economic.classic.customers import customer_of
from worker.emulators.economic.classic.validation import CONTACT_TEXTS, checked_texts
from worker.emulators.economic.context import Context
from worker.emulators.economic.documents import contact_document, delivery_location_document
from worker.emulators.economic.errors import not_found
from worker.emulators.economic.filters import Condition, both
from worker.emulators.economic.paging import Listing, page
from worker.emulators.economic.routing import SINGLE_COST, base_url, get, rendered, write
from worker.emulators.economic.wire import dumps

_CONTACTS = Listing("contacts c", "c.number", "c.*", fields.CONTACTS, create="Create a new customer contact")
_LOCATIONS = Listing("delivery_locations c", "c.number", "c.*", fields.DELIVERY_LOCATIONS)


def routes(ctx: Context) -> list[Route]:
    """All routes of this module."""
    contacts, locations = "/customers/{customer:int}/contacts", "/customers/{customer:int}/delivery-locations"
    single = f"{contacts}/{{contact:int}}"
    return [
        get(contacts, partial(_list, ctx)),
        write(contacts, "POST", partial(_create, ctx)),
        get(single, partial(_single, ctx), SINGLE_COST),
        write(single, "PUT", partial(_replace, ctx)),
        write(single, "DELETE", partial(_delete, ctx)),
        get(locations, partial(_locations, ctx)),
        get(f"{locations}/{{location:int}}", partial(_location, ctx), SINGLE_COST),
    ]


def _list(ctx: Context, request: Request) -> Response:
    scope = Condition("c.customer = ?", (customer_of(ctx, request)["number"],))
    if not ctx.is_on("deleted_contacts_in_classic_list"):
        scope = both(scope, Condition("NOT c.deleted"))
    return page(ctx, request, _CONTACTS, lambda row: dumps(contact_document(row)), scope)


def _contact_of(ctx: Context, request: Request) -> Row:
    customer = customer_of(ctx, request)["number"]
    sql = "SELECT * FROM contacts WHERE number = ? AND customer = ?"
    row = ctx.store.first(sql, (request.path_params["contact"], customer))
    if row is None or row["deleted"]:
        raise not_found()
    return row


def _single(ctx: Context, request: Request) -> Response:
    return rendered(request, dumps(contact_document(_contact_of(ctx, request))))


def _create(ctx: Context, request: Request, body: Any) -> Response:
    customer = customer_of(ctx, request)["number"]
    wanted = checked_texts(ctx, body, CONTACT_TEXTS, ("name",))
    number = changes.put_contact(ctx, {**wanted, **_notifications(body), "customerNumber": customer})
    answer = _answer(ctx, request, number, 201)
    answer.headers["Location"] = f"{base_url(request)}/customers/{customer}/contacts/{number}"
    return answer


def _replace(ctx: Context, request: Request, body: Any) -> Response:
    row = _contact_of(ctx, request)
    wanted = checked_texts(ctx, body, CONTACT_TEXTS, ("customerContactNumber", "name"))
    key = {"customerContactNumber": row["number"], "customerNumber": row["customer"]}
    changes.put_contact(ctx, {**wanted, **_notifications(body), **key})
    return _answer(ctx, request, row["number"], 200)


def _notifications(body: Any) -> dict[str, Any]:
    kinds = body.get("emailNotifications")
    return {"emailNotifications": kinds} if isinstance(kinds, list) and kinds else {}


def _answer(ctx: Context, request: Request, number: int, status: int) -> Response:
    row = ctx.store.query("SELECT * FROM contacts WHERE number = ?", (number,))[0]
    return rendered(request, dumps(contact_document(row)), status)


def _delete(ctx: Context, request: Request, _: Any) -> Response:
    changes.delete_contact(ctx, _contact_of(ctx, request)["number"])
    return Response(status_code=204)


def _locations(ctx: Context, request: Request) -> Response:
    scope = Condition("c.customer = ?", (customer_of(ctx, request)["number"],))
    return page(ctx, request, _LOCATIONS, lambda row: dumps(delivery_location_document(row)), scope)


def _location(ctx: Context, request: Request) -> Response:
    customer = customer_of(ctx, request)["number"]
    sql = "SELECT * FROM delivery_locations WHERE number = ? AND customer = ?"
    row = ctx.store.first(sql, (request.path_params["location"], customer))
    if row is None:
        raise not_found()
    return rendered(request, dumps(delivery_location_document(row)))
