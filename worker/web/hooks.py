"""What e-conomic and SharePoint call: answered at once, believed in nothing.

The address holds the connection's secret; a stranger's gets the same answer as any address that is not there. A call is
a hint of at most a few numbers; what it is about is read from the services afterwards.

Whatever may wait for a store is done in threads that only hooks use: a slow vault or a burst of calls takes none from
the pages.
"""

from __future__ import annotations

import hmac
import json
import logging
import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import PlainTextResponse, Response

from worker.economic.hooks import CUSTOMER, INVOICE
from worker.engine.hints import Heard
from worker.errors import ConflictError, NotFoundError, ThrottledError
from worker.web.problems import problem
from worker.wiring.engine import Host
from worker.wiring.hooks import client_state

router = APIRouter(prefix="/hooks", include_in_schema=False)
log = logging.getLogger(__name__)
Secret = Annotated[str, Path(max_length=100)]
R = TypeVar("R")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_TOKEN = re.compile(r"[\x20-\x7e]{1,500}")
_LONGEST = 4000  # bytes of a call; the vendor's template holds no more
_LONGEST_NOTICE = 40_000  # SharePoint may put many notices of some 350 bytes into one call
_TOGETHER = 40  # calls worked side by side in a process
_AGAIN = 5.0  # seconds after which a call that could not be stored may come again
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_threads: RunVar[CapacityLimiter] = RunVar("threads of hooks")


@router.post("/economic/{secret}")
async def economic(request: Request, secret: Secret) -> Response:
    """A webhook of e-conomic: JSON as the worker sets it up, or a form or an address by hand with the same names."""
    host, connection = await _of(request, secret)
    heard = _heard(await _values(request))
    if heard is None:
        await _in_thread(lambda: host.engine.refuse(connection))
        return problem(400, "Not readable", "This is no webhook call that the worker knows.")
    await _in_thread(lambda: host.engine.hear(connection, heard))
    return Response(status_code=204)


@router.post("/sharepoint/{secret}")
async def sharepoint(
    request: Request, secret: Secret, validationtoken: Annotated[str | None, Query(max_length=500)] = None
) -> Response:
    """A notice of SharePoint that the companies' list changed, or its question whether we are there."""
    host, connection = await _of(request, secret)
    if validationtoken is not None:
        if not _TOKEN.fullmatch(validationtoken):
            return problem(400, "Not readable", "This is no validation token.")
        return PlainTextResponse(validationtoken)
    if not _is_ours(await _body(request, _LONGEST_NOTICE), client_state(secret)):
        return problem(400, "Not readable", "This is no notice that the worker knows.")
    await _in_thread(lambda: host.notice(connection))
    return Response(status_code=200)


@router.api_route("/{_rest:path}", methods=_METHODS)
async def nowhere(_rest: str) -> Response:
    """Any other address below: with a slash too many it would be led to the right one by an answer that holds it."""
    raise NotFoundError("There is no such address.", hint="")


async def _of(request: Request, secret: str) -> tuple[Host, str]:
    host: Host = request.app.state.host
    connection = await _in_thread(lambda: host.hook_secrets.connection(secret))
    if connection is None:
        raise NotFoundError("There is no such address.", hint="")
    return host, connection


async def _in_thread(work: Callable[[], R]) -> R:
    """What could not be stored is to come again, as both services do after a 503."""
    try:
        threads = _threads.get()
    except LookupError:
        threads = CapacityLimiter(_TOGETHER)
        _threads.set(threads)
    try:
        return await to_thread.run_sync(work, limiter=threads)
    except ConflictError as error:
        raise ThrottledError(error.message, retry_after=_AGAIN, hint=error.hint) from None


async def _body(request: Request, most: int) -> bytes | None:
    """Read as it comes, since a call may not say its length before; None when it is too long."""
    found = b""
    async for part in request.stream():
        found += part
        if len(found) > most:
            return None
    return found


async def _values(request: Request) -> dict[str, Any]:
    """Names and values, wherever they stand; nothing of what can't be read."""
    found: dict[str, Any] = dict(request.query_params)
    if (body := await _body(request, _LONGEST)) is None:
        return {}
    text = body.decode("utf-8-sig", errors="replace").strip()
    if text.startswith("{"):
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return {}
        return {**found, **data} if isinstance(data, dict) else {}
    return {**found, **dict(parse_qsl(text))}


def _heard(values: dict[str, Any]) -> Heard | None:
    """What a call names. An empty number is written as nothing or 0 (unconfirmed which)."""
    event = values.get("event")
    if event == INVOICE:
        invoice = _number(values.get("invoice"))
        return None if invoice is None else Heard(INVOICE, invoice=invoice)
    if event != CUSTOMER:
        return None
    old, new = _number(values.get("old")), _number(values.get("new"))
    named = tuple(number for number in dict.fromkeys((old, new)) if number is not None)
    moved = (old, new) if old is not None and new is not None and old != new else None
    return Heard(CUSTOMER, named, renumbered=moved) if named else None


def _number(value: object) -> int | None:
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return int(text) if _NUMBER.fullmatch(text) else None


def _is_ours(body: bytes | None, state: str) -> bool:
    try:
        notices = json.loads(body or b"")["value"]
        states = [str(one.get("clientState") or "").encode() for one in notices]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False
    return any(hmac.compare_digest(one, state.encode()) for one in states)
