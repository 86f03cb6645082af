"""What every OpenAPI list has: cursor list, paged list, count. Source: conventions of the OpenAPI services."""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from sqlite3 import Row
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from worker.emulators.economic.context import Context
from worker.emulators.economic.errors import OpenError
from worker.emulators.economic.filters import (
    EVERYTHING,
    Condition,
    Fields,
    FilterError,
    both,
    compile_filter,
    compile_sort,
)
from worker.emulators.economic.routing import SINGLE_COST, get
from worker.emulators.economic.wire import dumps

CURSOR_PAGE = 1000
MAX_PAGE = 100
MAX_SKIP = 100
DEFAULT_PAGE = 20

Scope = Callable[[Request], Condition]


@dataclass(frozen=True)
class OpenList:
    """A list: `path` relative to the service (lower case), `table`, unique integer `key`, `columns`, and the item."""

    path: str
    table: str
    key: str
    columns: str
    fields: Fields
    item: Callable[[Row], dict[str, Any]]
    scope: Scope = lambda _: EVERYTHING
    order: str = ""
    seek: Callable[[int], Condition] | None = None  # a cheaper way to go on after a key than `key > ?`

    def after(self, key: int) -> Condition:
        """The rows after `key`."""
        return self.seek(key) if self.seek is not None else Condition(f"{self.key} > ?", (key,))


def list_routes(ctx: Context, prefix: str, listing: OpenList) -> list[Route]:
    """The three routes of a list below `prefix`."""
    path = f"{prefix}/{listing.path}"

    def by_cursor(request: Request) -> Response:
        return _by_cursor(ctx, request, listing)

    def paged(request: Request) -> Response:
        return _paged(ctx, request, listing)

    def count(request: Request) -> Response:
        where = both(listing.scope(request), _filter(ctx, request, listing.fields))
        sql = f"SELECT COUNT(*) FROM {listing.table} WHERE {where.sql}"  # noqa: S608
        return answer(ctx.store.value(sql, where.params))

    return [get(path, by_cursor), get(f"{path}/paged", paged), get(f"{path}/count", count, SINGLE_COST)]


def answer(body: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(dumps(body), status, media_type="application/json")


def _by_cursor(ctx: Context, request: Request, listing: OpenList) -> Response:
    """Up to 1000 items and, unless it was the last page, a cursor. `sort` is ignored here, as on the service."""
    where = both(listing.scope(request), _filter(ctx, request, listing.fields))
    position = _Position.read(ctx, request.query_params.get("cursor"))
    if not position.offset and position.key is not None:
        where = both(where, listing.after(position.key))
    found = _rows(ctx, listing, where, listing.order or listing.key, CURSOR_PAGE + 1, position.offset)
    body: dict[str, Any] = {"items": [listing.item(row) for row in found[:CURSOR_PAGE]]}
    if len(found) > CURSOR_PAGE:
        body["cursor"] = position.after(ctx, found[CURSOR_PAGE - 1]["cursor_key"])
    return answer(body)


@dataclass(frozen=True)
class _Position:
    """Where a cursor goes on: after a key, or from an offset, as the switch on its stability says."""

    key: int | None = None
    offset: int = 0

    @staticmethod
    def read(ctx: Context, cursor: str | None) -> "_Position":
        if cursor is None:
            return _Position()
        try:
            kind, value, writes = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        except (ValueError, binascii.Error):
            raise OpenError(400, "BadCursor", "The cursor is not valid.") from None
        if kind == "r" and writes != ctx.store.writes:
            raise OpenError(400, "BadCursor", "The cursor is no longer valid.")
        return _Position(offset=value) if kind == "o" else _Position(key=value)

    def after(self, ctx: Context, key: int) -> str:
        stability = ctx.switches.get("cursor_stability")
        if stability == "shifting":
            content: list[Any] = ["o", self.offset + CURSOR_PAGE, 0]
        else:
            content = ["k" if stability == "stable" else "r", key, ctx.store.writes]
        return base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode()).decode()


def _paged(ctx: Context, request: Request, listing: OpenList) -> Response:
    """A bare array of at most 100 items; only the first 100 pages can be reached."""
    size = _integer(request, "pageSize", DEFAULT_PAGE, MAX_PAGE)
    skip = _integer(request, "skipPages", 0, MAX_SKIP)
    if size == 0:
        raise OpenError(400, "BadRequest", "pageSize must be between 1 and 100.", "pageSize")
    where = both(listing.scope(request), _filter(ctx, request, listing.fields))
    order = _order(request, listing)
    return answer([listing.item(row) for row in _rows(ctx, listing, where, order, size, skip * size)])


def _integer(request: Request, name: str, default: int, maximum: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdecimal() or int(text) > maximum:
        raise OpenError(400, "BadRequest", f"{name} must be a number up to {maximum}.", name)
    return int(text)


def _order(request: Request, listing: OpenList) -> str:
    text = request.query_params.get("sort")
    if not text:
        return listing.order or listing.key
    try:
        return compile_sort(text, listing.fields, listing.key)
    except FilterError as error:
        raise OpenError(400, "BadSortRequest", str(error), "sort") from None


def _filter(ctx: Context, request: Request, fields: Fields) -> Condition:
    text = request.query_params.get("filter")
    if not text:
        return EVERYTHING
    fractions = ctx.switches.get("timestamp_filter_fractions") == "accepted"
    try:
        return compile_filter(text, fields, fractions=fractions)
    except FilterError as error:
        raise OpenError(400, "BadFilterRequest", str(error), "filter") from None


def _rows(ctx: Context, listing: OpenList, where: Condition, order: str, limit: int, offset: int) -> list[Row]:
    sql = (
        f"SELECT {listing.columns}, {listing.key} AS cursor_key FROM {listing.table} "  # noqa: S608
        f"WHERE {where.sql} ORDER BY {order} LIMIT ? OFFSET ?"
    )
    return ctx.store.query(sql, (*where.params, limit, offset))
