"""Errors as RFC 9457 problem details: one plain sentence, the next step, nothing of the inside."""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from worker.errors import (
    AccessDeniedError,
    AuthenticationError,
    BusyError,
    ConfigError,
    ConflictError,
    FatalError,
    NotFoundError,
    NotKeptError,
    StalePlanError,
    ThrottledError,
    UnavailableError,
    WorkerError,
)
from worker.web.access import TooManyTriesError

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
AsPage = Callable[[Request, JSONResponse], Response]


class ServiceRefusedError(FatalError):
    """e-conomic or SharePoint refused us: not the caller's sign-in, but ours."""


@contextmanager
def asking_services() -> Iterator[None]:
    """What e-conomic or SharePoint refuse inside is no fault of the caller's sign-in or address."""
    try:
        yield
    except NotKeptError:
        raise
    except (AuthenticationError, AccessDeniedError, NotFoundError) as error:
        raise ServiceRefusedError(error.message, hint=error.hint) from None


_STATUS: tuple[tuple[type[WorkerError], int, str], ...] = (
    (TooManyTriesError, 429, "Too many tries"),
    (ServiceRefusedError, 502, "A service refused us"),
    (AuthenticationError, 401, "Not signed in"),
    (AccessDeniedError, 403, "Not allowed"),
    (NotFoundError, 404, "Not found"),
    (BusyError, 409, "Already running"),
    (ConflictError, 409, "Changed meanwhile"),
    (StalePlanError, 409, "The plan is stale"),
    (ConfigError, 422, "Something must be corrected"),
    (ThrottledError, 503, "Asked to wait"),
    (UnavailableError, 503, "Not reachable"),
    (FatalError, 502, "It can't go on"),
)


def problem(status: int, title: str, detail: str, **more: Any) -> JSONResponse:
    """The answer. Empty members are left out."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return JSONResponse(
        {name: value for name, value in body.items() if value not in ("", None, [])}, status, media_type=MEDIA_TYPE
    )


def worker_problem(error: WorkerError) -> JSONResponse:
    """A worker error as an answer."""
    status, title = _found(error)
    more: dict[str, Any] = {"hint": error.hint}
    if isinstance(error, ConfigError):
        more["problems"] = [
            {"where": one.where, "message": one.message, "allowed": list(one.allowed)} for one in error.problems
        ]
    if isinstance(error, BusyError) and error.running:
        more["running"] = f"/manage/api/runs/{error.running}"
    answer = problem(status, title, error.message, **more)
    if isinstance(error, ThrottledError) and error.retry_after is not None:
        answer.headers["Retry-After"] = str(math.ceil(error.retry_after))
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Key"
    return answer


def title_of(error: WorkerError) -> str:
    """A few words for a heading."""
    return _found(error)[1]


def status_of(error: WorkerError) -> int:
    """The HTTP status."""
    return _found(error)[0]


def _found(error: WorkerError) -> tuple[int, str]:
    return next(((code, words) for kind, code, words in _STATUS if isinstance(error, kind)), (500, "It can't go on"))


def install(app: FastAPI, as_page: AsPage) -> None:
    """Every error of the app is answered here: as problem details, or by `as_page` where a person looks."""

    async def from_worker(request: Request, error: Exception) -> Response:
        assert isinstance(error, WorkerError)  # noqa: S101  # registered for it
        return as_page(request, worker_problem(error))

    async def from_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        problems = [
            {"where": ".".join(map(str, one["loc"])), "message": str(one["msg"]), "allowed": []}
            for one in error.errors()
        ]
        answer = problem(422, "Something must be corrected", "The request is not as documented.", problems=problems)
        return as_page(request, answer)

    async def from_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        answer = problem(error.status_code, "Not possible", str(error.detail))
        answer.headers.update(error.headers or {})
        return as_page(request, answer)

    app.add_exception_handler(WorkerError, from_worker)
    app.add_exception_handler(RequestValidationError, from_validation)
    app.add_exception_handler(HTTPException, from_http)

    @app.middleware("http")
    async def unexpected(request: Request, call_next: Callable[[Request], Awaitable[Any]]) -> Any:
        """A fault of ours: a reference to look for in the log, and no details."""
        try:
            return await call_next(request)
        except Exception:
            reference = secrets.token_hex(6)
            log.exception("request failed reference=%s route=%s", reference, request.method)
            answer = problem(500, "Unexpected", "Something unexpected happened.", reference=reference)
            return as_page(request, answer)
