"""Classic collections: envelope, paging, sort, filter. Source: e-conomic REST docs, pagination and filtering."""

from collections.abc import Callable
from dataclasses import dataclass
from sqlite3 import Row
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from worker.emulators.economic.context import Context
from worker.emulators.economic.errors import ClassicError
from worker.emulators.economic.filters import (
    EVERYTHING,
    Condition,
    Fields,
    FilterError,
    both,
    compile_filter,
    compile_sort,
)
from worker.emulators.economic.routing import base_url, rendered
from worker.emulators.economic.wire import dumps

MAX_PAGE = 1000
DEFAULT_PAGE = 20


@dataclass(frozen=True)
class Listing:
    """A table that can be paged through.

    `table` (with its alias) is what is counted, filtered and sorted; `join` brings in the texts for the rows of one
    page only. `order` is the order without a sort; `create` describes the POST in metaData, where there is one.
    """

    table: str
    key: str
    columns: str
    fields: Fields
    join: str = ""
    order: str = ""
    create: str | None = None
    default_size: int = DEFAULT_PAGE


@dataclass(frozen=True)
class Window:
    """Which page is asked for."""

    skip: int
    size: int


def window(request: Request, default: int = DEFAULT_PAGE) -> Window:
    """Read `pagesize` and `skippages`; 400 E04810 outside 1..1000."""
    size = _integer(request, "pagesize", default)
    if not 1 <= size <= MAX_PAGE:
        raise ClassicError(400, f"The page size must be between 1 and {MAX_PAGE}.", code="E04810")
    return Window(_integer(request, "skippages", 0), size)


def _integer(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isdecimal():
        raise ClassicError(400, f"The query parameter {name} must be a whole number.", code="E04810")
    return int(text)


def page(
    ctx: Context,
    request: Request,
    listing: Listing,
    render: Callable[[Row], str],
    scope: Condition = EVERYTHING,
) -> Response:
    """One page of `listing` within `scope`, each row rendered to JSON text."""
    wanted = window(request, listing.default_size)
    asked = filter_of(ctx, request, listing.fields)
    where = both(scope, asked)
    found = ctx.store.query(
        *_page_sql(listing, where, _order(request, listing), wanted),
    )
    total = _count(ctx, listing, scope)
    matching = total if asked is EVERYTHING else _count(ctx, listing, where)
    items = ",".join(map(render, found))
    return rendered(request, _envelope(request, items, wanted, (matching, total), listing.create))


def filter_of(ctx: Context, request: Request, fields: Fields) -> Condition:
    """The condition of the request's filter; 400 with allowedFilteringFields when it is no good."""
    text = request.query_params.get("filter")
    if not text:
        return EVERYTHING
    fractions = ctx.switches.get("timestamp_filter_fractions") == "accepted"
    try:
        return compile_filter(text, fields, fractions=fractions)
    except FilterError as error:
        allowed = sorted(name for name, field in fields.items() if field.filterable)
        raise ClassicError(
            400, "Could not parse query string filter.", errors=[str(error)], allowedFilteringFields=allowed
        ) from None


def _order(request: Request, listing: Listing) -> str:
    text = request.query_params.get("sort")
    if not text:
        return listing.order or listing.key
    try:
        return compile_sort(text, listing.fields, listing.key)
    except FilterError as error:
        message = f"Could not parse query string sort parameter. {error}"
        raise ClassicError(400, message) from None


def _page_sql(listing: Listing, where: Condition, order: str, wanted: Window) -> tuple[str, tuple[object, ...]]:
    # The rows of a page are chosen over the narrow table first, so that skipping reads no texts.
    chosen = f"SELECT {listing.key} FROM {listing.table} WHERE {where.sql} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608
    sql = (
        f"SELECT {listing.columns} FROM {listing.table} {listing.join} "  # noqa: S608
        f"WHERE {listing.key} IN ({chosen}) ORDER BY {order}"
    )
    return sql, (*where.params, wanted.size, wanted.skip * wanted.size)


def _count(ctx: Context, listing: Listing, where: Condition) -> int:
    sql = f"SELECT COUNT(*) FROM {listing.table} WHERE {where.sql}"  # noqa: S608
    return int(ctx.store.value(sql, where.params))


def _envelope(request: Request, items: str, wanted: Window, counts: tuple[int, int], create: str | None) -> str:
    here = base_url(request) + request.url.path + (f"?{request.url.query}" if request.url.query else "")
    parts = [f'"collection":[{items}]', f'"pagination":{dumps(pagination(request, wanted, *counts))}']
    if create is not None:
        entry = {"create": {"description": create, "href": here, "httpMethod": "post"}}
        parts.append(f'"metaData":{dumps(entry)}')
    return "{" + ",".join(parts) + f',"self":{dumps(here)}' + "}"


def pagination(request: Request, wanted: Window, matching: int, total: int) -> dict[str, object]:
    """The pagination object; previousPage and nextPage only where there is one."""
    last = max(0, -(-matching // wanted.size) - 1)
    links = {"firstPage": 0, "previousPage": wanted.skip - 1, "nextPage": wanted.skip + 1, "lastPage": last}
    present = {
        name: _page_link(request, skip, wanted.size)
        for name, skip in links.items()
        if 0 <= skip <= last or name == "lastPage"
    }
    return {
        "maxPageSizeAllowed": MAX_PAGE,
        "skipPages": wanted.skip,
        "pageSize": wanted.size,
        "results": matching,
        "resultsWithoutFilter": total,
        **present,
    }


def _page_link(request: Request, skip: int, size: int) -> str:
    """The request's own address with another page: what it says stays, in its order and encoding."""
    wanted = {"skippages": str(skip), "pagesize": str(size)}
    parts = [part for part in request.url.query.split("&") if part]
    replaced = []
    for part in parts:
        name = unquote(part.partition("=")[0]).lower()
        replaced.append(f"{name}={wanted.pop(name)}" if name in wanted else part)
    added = [f"{name}={value}" for name, value in wanted.items()]
    return f"{base_url(request)}{request.url.path}?{'&'.join(replaced + added)}"
