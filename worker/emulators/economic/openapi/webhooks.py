"""webhooksapi: event types and the webhooks of the calling app."""

import json
from functools import partial
from sqlite3 import Row
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from worker.emulators.economic.context import Context
from worker.emulators.economic.errors import OpenError
from worker.emulators.economic.filters import Condition
from worker.emulators.economic.openapi.collection import OpenList, answer, list_routes
from worker.emulators.economic.openapi.service import (
    body_object,
    check_version,
    checked_texts,
    created,
    not_found,
    object_version,
    timestamp,
    written,
)
from worker.emulators.economic.routing import SINGLE_COST, get, write
from worker.emulators.economic.webhooks import EVENT_TYPES
from worker.emulators.economic.wire import dumps

_LIMITS = {"eventType": 100, "name": 100, "url": 1000, "contentType": 50, "postData": 4000}
_REQUIRED = ("contentType", "eventType", "name", "url")
_MOST_HEADERS = 5
_PATH = "/webhooksapi/webhooks"


def routes(ctx: Context) -> list[Route]:
    """All routes of this module."""
    single = f"{_PATH}/{{event_type}}"
    listing = OpenList(
        "webhooks", "webhooks w", "w.rowid", "w.doc, w.version", {}, _item, lambda r: Condition("w.app = ?", (_app(r),))
    )
    return [
        get("/webhooksapi/EventTypes", _event_types, SINGLE_COST),
        get("/webhooksapi/eventtypes", _event_types, SINGLE_COST),
        *list_routes(ctx, "/webhooksapi", listing),
        write(_PATH, "POST", partial(_create, ctx)),
        write(_PATH, "PUT", partial(_replace, ctx)),
        get(single, partial(_single, ctx), SINGLE_COST),
        write(single, "DELETE", partial(_delete, ctx)),
    ]


def _app(request: Request) -> str:
    """Webhooks belong to the app that made them; an app is known by its secret."""
    return request.headers["x-appsecrettoken"]


def _event_types(_: Request) -> Response:
    found = [
        {
            "name": name,
            "description": description,
            "mergeFields": [{"fieldName": field, "description": field.lower()} for field in fields],
        }
        for name, (description, fields) in EVENT_TYPES.items()
    ]
    return answer(found)


def _item(row: Row) -> dict[str, Any]:
    return {**json.loads(row["doc"]), "objectVersion": object_version(row["version"])}


def _find(ctx: Context, request: Request, event_type: Any) -> Row | None:
    sql = "SELECT * FROM webhooks WHERE app = ? AND event_type = ?"
    return ctx.store.first(sql, (_app(request), event_type))


def _existing(ctx: Context, request: Request, event_type: Any) -> Row:
    row = _find(ctx, request, event_type)
    if row is None:
        raise not_found("webhook")
    return row


def _single(ctx: Context, request: Request) -> Response:
    return answer(_item(_existing(ctx, request, request.path_params["event_type"])))


def _create(ctx: Context, request: Request, body: Any) -> Response:
    wanted = _checked(body_object(body))
    if _find(ctx, request, wanted["eventType"]) is not None:
        raise OpenError(400, "WebhookAlreadyExists", "There is a webhook for this event type.", "eventType")
    _store(ctx, request, wanted, 1)
    return created(request, wanted["eventType"], {"eventType": wanted["eventType"]})


def _replace(ctx: Context, request: Request, body: Any) -> Response:
    given = body_object(body)
    row = _existing(ctx, request, given.get("eventType"))
    check_version(given, row["version"])
    _store(ctx, request, _checked(given), row["version"] + 1)
    return written(ctx)


def _delete(ctx: Context, request: Request, _: Any) -> Response:
    row = _existing(ctx, request, request.path_params["event_type"])
    with ctx.store.transaction() as db:
        db.execute("DELETE FROM webhooks WHERE app = ? AND event_type = ?", (row["app"], row["event_type"]))
    return written(ctx)


def _store(ctx: Context, request: Request, wanted: dict[str, Any], version: int) -> None:
    document = {**wanted, "lastUpdated": timestamp(ctx, ctx.now_text())}
    row = (_app(request), wanted["eventType"], version, dumps(document))
    with ctx.store.transaction() as db:
        db.execute("INSERT OR REPLACE INTO webhooks (app, event_type, version, doc) VALUES (?, ?, ?, ?)", row)


def _checked(body: dict[str, Any]) -> dict[str, Any]:
    result = checked_texts(body, _LIMITS, "WebhookInvalidValue")
    for name in _REQUIRED:
        if not result.get(name):
            raise OpenError(400, "WebhookMissingValue", f"{name} is required.", name)
    if result["eventType"] not in EVENT_TYPES:
        raise OpenError(400, "WebhookUnknownEventType", "There is no such event type.", "eventType")
    # The service wants HTTPS; a loopback receiver of a test cannot have it.
    if not result["url"].startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise OpenError(400, "WebhookInvalidUrl", "The address must use HTTPS.", "url")
    headers = body.get("customHeaders", [])
    if len(headers) > _MOST_HEADERS:
        raise OpenError(400, "WebhookTooManyHeaders", "At most 5 custom headers.", "customHeaders")
    return {**result, **({"customHeaders": headers} if headers else {}), "isDisabled": bool(body.get("isDisabled"))}
