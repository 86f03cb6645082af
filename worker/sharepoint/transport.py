"""The one way to SharePoint: the transport under the client library's request pipeline.

The library alone has no read timeout, follows redirects with the token, retries by guessing, takes an HTML page for an
empty list, and never asks for a new token. So every request of the library and of ours passes here: it goes to the
configured site's host only, is paced and counted, and its answer is either good or one of our errors. Reads and refused
requests are repeated; a write whose answer was lost is not: what became of it is for the caller to find out.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from office365.runtime.http.request_options import RequestOptions
from office365.runtime.transport.base import BaseTransport
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError

from worker.errors import (
    FatalError,
    PageError,
    ProtocolError,
    ThrottledError,
    UnavailableError,
    WorkerError,
)
from worker.ports import Usage
from worker.sharepoint.auth import Tokens
from worker.sharepoint.faults import SERVICE, answer_error
from worker.sharepoint.pacing import Pacer, estimate
from worker.telemetry import answered, count_requests, count_throttled, count_units, request_span
from worker.transport import TIMEOUT, RetryPolicy, Waits, is_loopback, origin, retrying, user_agent

# One new token is enough when the old one had ended; front ends that disagree for a moment take a few more.
_NEW_TOKENS = 7
_PAGE_HINT = "Check SHAREPOINT_SITE_URL, and whether a proxy or sign-in page stands in between."


class _NotSentError(UnavailableError):
    """No connection came about, so nothing was sent."""


@dataclass(frozen=True, slots=True)
class _Lost:
    """A write without a usable answer; carried out of the retries, which must not repeat it."""

    error: UnavailableError


class SharePointTransport(BaseTransport):
    """Sends what the client library composes. One session for all threads; thread-safe."""

    def __init__(
        self, site_url: str, tokens: Tokens, pacer: Pacer, waits: Waits, *, policy: RetryPolicy | None = None
    ) -> None:
        self._origin = origin(site_url)
        self._tokens = tokens
        self._pacer = pacer
        self._waits = waits
        self._policy = policy or RetryPolicy()
        self._lock = threading.Lock()
        self._requests = 0
        self._writes = 0
        self._units = 0.0
        self._session = requests.Session()
        self._session.headers.update({"User-Agent": user_agent()})
        # A proxy named in the environment can't reach this machine's own loopback addresses.
        self._session.trust_env = not is_loopback(site_url)
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=4)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    @property
    def auth(self) -> None:
        """The library asks; signing in is not this session's business."""
        return

    @property
    def policy(self) -> RetryPolicy:
        """Limits of each request's retries."""
        return self._policy

    @property
    def waits(self) -> Waits:
        """Where waiting is counted."""
        return self._waits

    def usage(self) -> Usage:
        """Requests so far, of them writes, resource units by our estimate, and seconds waited."""
        with self._lock:
            return Usage(self._requests, self._writes, self._units, self._waits.seconds)

    def reset_connections(self) -> None:
        """Drops idle connections."""
        self._session.close()

    def close(self) -> None:
        """Closes all connections."""
        self._session.close()

    def hold(self, seconds: float) -> None:
        """Nothing is sent for `seconds`."""
        self._pacer.hold(seconds)

    def execute(self, request: RequestOptions) -> requests.Response:
        """Sends and returns a good answer. Raises the errors of `worker.errors`; UnavailableError after a write means
        that its outcome is not known."""
        if origin(request.url) != self._origin:
            raise ProtocolError(
                f"{SERVICE} gave a link to another host ({urlsplit(request.url).hostname}); it was not followed.",
                hint="Check SHAREPOINT_SITE_URL.",
            )
        what = _what(request)
        result = retrying(self._policy, self._waits, what, lambda: self._attempt(request, what))
        if isinstance(result, _Lost):
            raise result.error
        return result

    def _attempt(self, request: RequestOptions, what: str) -> requests.Response | _Lost:
        try:
            return self._checked(request, self._signed_in(request), what)
        except _NotSentError:
            raise
        except UnavailableError as error:
            if _changes_data(request):
                return _Lost(error)
            raise

    def _signed_in(self, request: RequestOptions) -> requests.Response:
        """A refused token is replaced. A refusal came before anything was done, so any request may be sent again."""
        answer = self._sent(request)
        for _ in range(_NEW_TOKENS):
            if answer.status_code != 401:
                break
            request.set_header("Authorization", f"Bearer {self._tokens.refused(_bearer(request))}")
            answer = self._sent(request)
        return answer

    def _sent(self, request: RequestOptions) -> requests.Response:
        method, body = request.method.value.upper(), request.data
        cost = estimate(method, request.url, body)
        self._pacer.take(cost)
        with self._lock:
            self._requests += 1
            self._writes += _changes_data(request)
            self._units += cost
        count_requests(SERVICE)
        count_units(SERVICE, cost)
        payload: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {"json": body}
        try:
            with request_span(SERVICE, method, request.url) as current:
                answer = self._session.request(
                    method,
                    request.url,
                    headers=request.headers,
                    timeout=TIMEOUT,
                    allow_redirects=False,
                    **(payload if method != "GET" else {}),
                )
                answered(current, answer.status_code)
                return answer
        except requests.RequestException as error:
            raise _no_answer(error) from None

    def _checked(self, request: RequestOptions, answer: requests.Response, what: str) -> requests.Response:
        reset = self._pacer.seen(answer.headers)
        if 300 <= answer.status_code < 400:
            raise ProtocolError(
                f"{SERVICE} redirects to another address; the token is not sent there.",
                hint="Check SHAREPOINT_SITE_URL.",
            )
        if answer.status_code >= 400:
            # A service may echo what it was sent; the token must not reach a log that way.
            body = answer.content.replace(_bearer(request).encode() or b"\0", b"***")
            raise self._held(answer_error(answer.status_code, answer.headers, body, what), reset)
        if not _fits(request, answer):
            raise PageError(f"{SERVICE} sent a page instead of data for {what}.", hint=_PAGE_HINT)
        return answer

    def _held(self, error: WorkerError, reset: float) -> WorkerError:
        """A throttled answer stops the other threads too, for as long as the longer of its two times says."""
        if isinstance(error, ThrottledError):
            error.retry_after = max(error.retry_after or 0.0, reset) or error.retry_after
            self._pacer.hold(error.retry_after or 0.0)
            count_throttled(SERVICE, error.retry_after or 0.0)
        return error


def _no_answer(error: requests.RequestException) -> WorkerError:
    """What a request without an answer means; only the kind of the fault is told, since addresses can hold keys."""
    if isinstance(error, requests.exceptions.SSLError):
        return FatalError(
            f"The secure connection to {SERVICE} could not be made.", hint="Check certificates and proxy."
        )
    reason = getattr(error.args[0], "reason", None) if error.args else None
    unsent = isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(reason, NewConnectionError)
    kind = _NotSentError if unsent else UnavailableError
    verb = "could not be reached" if unsent else "gave no whole answer"
    return kind(f"{SERVICE} {verb} ({type(error).__name__}).", hint="Check the network; try later.")


def _fits(request: RequestOptions, answer: requests.Response) -> bool:
    if not answer.content:
        return True
    kind = answer.headers.get("Content-Type", "").lower()
    return "multipart/mixed" in kind if request.url.endswith("/$batch") else "json" in kind


def _changes_data(request: RequestOptions) -> bool:
    return request.method.value.upper() != "GET" and not request.url.lower().endswith("/contextinfo")


def _bearer(request: RequestOptions) -> str:
    return str(request.headers.get("Authorization", "")).removeprefix("Bearer ")


def _what(request: RequestOptions) -> str:
    """The request in words for logs and messages: verb and path, without the query, which can hold keys."""
    path = urlsplit(request.url).path
    return f"{request.method.value.upper()} {path.partition('/_api')[2] or path}"
