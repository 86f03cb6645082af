"""`/customers`: list, single, create, replace or create, delete, and the links below a customer."""

from collections.abc import Mapping
from functools import partial
from sqlite3 import Row
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from worker.emulators.economic import changes, fields
from worker.emulators.economic.classic.validation import checked_customer
from worker.emulators.economic.context import Context
from worker.emulators.economic.documents import plain
from worker.emulators.economic.errors import ClassicError, invalid, not_found, problem
from worker.emulators.economic.filters import Condition
from worker.emulators.economic.paging import Listing, page
from worker.emulators.economic.routing import SINGLE_COST, base_url, get, rendered, write
from worker.emulators.economic.wire import amount, dumps, link

LISTING = Listing(
    "customers c",
    "c.number",
    "c.number, c.cut, c.doc, c.balance, c.due",
    fields.CUSTOMERS,
    create="Create a new customer",
)


def routes(ctx: Context) -> list[Route]:
    """All routes of this module."""
    single = "/customers/{customer:int}"
    return [
        get("/customers", partial(_list, ctx)),
        write("/customers", "POST", partial(_create, ctx)),
        get(single, partial(_single, ctx), SINGLE_COST),
        write(single, "PUT", partial(_replace, ctx)),
        write(single, "DELETE", partial(_delete, ctx)),
        get(f"{single}/invoices", partial(_invoice_links, ctx), SINGLE_COST),
        get(f"{single}/totals", partial(_total_links, ctx), SINGLE_COST),
        get(f"{single}/templates", partial(_template_links, ctx), SINGLE_COST),
        get("/customer-groups/{group:int}/customers", partial(_of_group, ctx)),
        get("/employees/{employee:int}/customers", partial(_of_employee, ctx)),
    ]


def customer_of(ctx: Context, request: Request) -> Row:
    """The customer named in the path; 404 when there is none."""
    row = ctx.store.first("SELECT * FROM customers WHERE number = ?", (request.path_params["customer"],))
    if row is None:
        raise not_found()
    return row


def customer_json(row: Row) -> str:
    """A customer as it stands in lists: its stored text with balance and amount due put in."""
    doc, cut, balance = row["doc"], row["cut"], row["balance"]
    # Recorded: a zero balance is written 0.0, every other amount with two decimals.
    shown = f"{amount(balance):f}" if balance else "0.0"
    return f'{doc[:cut]}"balance":{shown},"dueAmount":{amount(row["due"]):f},{doc[cut:]}'


def _list(ctx: Context, request: Request) -> Response:
    return _page(ctx, request)


def _of_group(ctx: Context, request: Request) -> Response:
    return _page(ctx, request, Condition("c.customer_group = ?", (request.path_params["group"],)))


def _of_employee(ctx: Context, request: Request) -> Response:
    employee = "json_extract(c.doc, '$.salesPerson.employeeNumber') = ?"
    return _page(ctx, request, Condition(employee, (request.path_params["employee"],)))


def _page(ctx: Context, request: Request, scope: Condition | None = None) -> Response:
    ctx.store.settle_due(ctx.today())
    if scope is None:
        return page(ctx, request, LISTING, customer_json)
    return page(ctx, request, LISTING, customer_json, scope)


def _single(ctx: Context, request: Request) -> Response:
    ctx.store.settle_due(ctx.today())
    return _answer(request, customer_of(ctx, request), 200)


def _answer(request: Request, row: Row, status: int) -> Response:
    own = link(f"/customers/{row['number']}")
    actions = {
        name: {"description": f"{name.capitalize()} this customer.", "href": own, "httpMethod": method}
        for name, method in (("delete", "delete"), ("replace", "put"))
    }
    text = f'{customer_json(row)[:-1]},"metaData":{dumps(actions)}}}'
    return rendered(request, text, status)


def _create(ctx: Context, request: Request, body: Any) -> Response:
    wanted = checked_customer(ctx, body)
    number = wanted.get("customerNumber")
    if number is None:
        number = changes.free_customer_number(ctx)
    elif ctx.store.first("SELECT 1 FROM customers WHERE number = ?", (number,)) is not None:
        raise _number_taken(ctx, number)
    return _store(ctx, request, {**wanted, "customerNumber": number})


def _number_taken(ctx: Context, number: int) -> ClassicError:
    error = invalid({"customerNumber": [problem("customerNumber", "The customer number is in use.", "E04200", number)]})
    error.status = int(ctx.switches.get("duplicate_number_status"))
    return error


def _replace(ctx: Context, request: Request, body: Any) -> Response:
    number = request.path_params["customer"]
    wanted = checked_customer(ctx, body, for_customer=number)
    return _store(ctx, request, {**wanted, "customerNumber": number})


def _store(ctx: Context, request: Request, wanted: Mapping[str, Any]) -> Response:
    """Create or replace; what is not in `wanted` is cleared."""
    was_there = changes.put_customer(ctx, plain(wanted))
    ctx.store.settle_due(ctx.today())
    number = wanted["customerNumber"]
    row = ctx.store.first("SELECT * FROM customers WHERE number = ?", (number,))
    if row is None:
        raise not_found()
    answer = _answer(request, row, 200 if was_there else 201)
    if not was_there:
        answer.headers["Location"] = f"{base_url(request)}/customers/{number}"
    return answer


def _delete(ctx: Context, request: Request, _: Any) -> Response:
    number = customer_of(ctx, request)["number"]
    if changes.is_customer_used(ctx, number):
        status = int(ctx.switches.get("delete_used_customer_status"))
        raise ClassicError(status, "The customer is used by an invoice and cannot be deleted.", code="E04100")
    changes.delete_customer(ctx, number)
    return Response(status_code=204)


# -- links below a customer ----------------------------------------------------------------------------------------


def _invoice_links(ctx: Context, request: Request) -> Response:
    own = f"/customers/{customer_of(ctx, request)['number']}/invoices"
    return rendered(
        request, dumps({"drafts": link(f"{own}/drafts"), "booked": link(f"{own}/booked"), "self": link(own)})
    )


def _total_links(ctx: Context, request: Request) -> Response:
    number = customer_of(ctx, request)["number"]
    body = {each: link(f"/invoices/totals/{each}/customers/{number}") for each in ("drafts", "booked")}
    return rendered(request, dumps({**body, "self": link(f"/customers/{number}/totals")}))


def _template_links(ctx: Context, request: Request) -> Response:
    own = f"/customers/{customer_of(ctx, request)['number']}/templates"
    body = {"invoice": link(f"{own}/invoice"), "invoiceLine": link(f"{own}/invoiceline"), "self": link(own)}
    return rendered(request, dumps(body))
