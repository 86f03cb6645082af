"""The two error shapes: classic `application/json` and OpenAPI `application/problem+json`."""

import itertools
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from worker.emulators.economic.wire import dumps, members

_LOG_IDS = itertools.count(1)
_OPEN_PATH = re.compile(r"/[A-Za-z0-9]+/v\d")
NOT_FOUND = "The requested resource was not found."


class ClassicError(Exception):
    """An error answer of the classic API; `extra` holds errors, errorCount, allowedFilteringFields and the like."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, hint: str | None = None, **extra: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.hint = hint
        self.extra = extra


class OpenError(Exception):
    """An error answer of an OpenAPI service; `errors` are (code, message, property)."""

    def __init__(self, status: int, code: str, message: str, prop: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.prop = prop


def not_found() -> ClassicError:
    """The classic answer for anything that does not exist."""
    return ClassicError(404, NOT_FOUND, code="E06000", hint="Check the resource number or the URL.")


def invalid(problems: Mapping[str, list[dict[str, Any]]]) -> ClassicError:
    """The classic 400 for values that do not pass validation, by property."""
    count = sum(len(found) for found in problems.values())
    return ClassicError(
        400,
        f"Validation failed. {count} error{'s' if count > 1 else ''} found.",
        code="E04300",
        hint="Inspect validation errors and correct your request.",
        errorCount=count,
        errors={prop: {"errors": found} for prop, found in problems.items()},
    )


def problem(prop: str, message: str, code: str, value: Any = None) -> dict[str, Any]:
    """One validation error of one property."""
    return members(
        [
            ("propertyName", prop),
            ("errorMessage", message),
            ("errorCode", code),
            ("inputValue", value),
            ("developerHint", "Look up the property in the schema of this endpoint."),
        ]
    )


def classic_response(error: ClassicError) -> Response:
    """The error as sent."""
    body = members(
        [
            ("message", error.message),
            ("errorCode", error.code),
            ("developerHint", error.hint or "See the documentation of this endpoint."),
            ("logId", _log_id()),
            ("httpStatusCode", error.status),
            *error.extra.items(),
            ("logTime", _time()),
        ]
    )
    return Response(dumps(body), error.status, media_type="application/json")


def open_response(error: OpenError, instance: str) -> Response:
    """The error as sent; `instance` is the request's path."""
    detail = members([("message", error.message), ("errorCode", error.code), ("property", error.prop)])
    body = {
        "type": f"https://httpstatuses.io/{error.status}",
        "title": error.message,
        "status": error.status,
        "detail": error.message,
        "instance": instance,
        "errors": [detail],
        "traceId": _log_id(),
        "errorCode": error.code,
        "traceTimeUtc": _time(),
    }
    return Response(dumps(body), error.status, media_type="application/problem+json")


def is_open_path(path: str) -> bool:
    """Whether a path belongs to an OpenAPI service."""
    return _OPEN_PATH.match(path) is not None


def error_response(path: str, status: int, message: str, code: str) -> Response:
    """An error as sent, in the shape that fits the path."""
    if is_open_path(path):
        return open_response(OpenError(status, code, message), path)
    return classic_response(ClassicError(status, message))


def _log_id() -> str:
    return f"{next(_LOG_IDS):032x}"


def _time() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
