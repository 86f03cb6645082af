"""One way to send a request: timeouts, retries, waiting when told to, statuses turned into our errors.

Knows HTTP and nothing of customers or lists. Retries are tenacity's: what is retried is named (throttling, a service
that is briefly away, a lost read), attempts and total time are both limited, and a wait the service asked for wins
over our own. A request that may have had an effect is repeated only when its caller says that repeating is harmless.
"""

from __future__ import annotations

import email.utils
import json
import logging
import math
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from importlib import metadata
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import requests
from opentelemetry.trace import Span
from requests.adapters import HTTPAdapter
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_before_delay

from worker.errors import (
    AccessDeniedError,
    AuthenticationError,
    ConfigError,
    FatalError,
    NotFoundError,
    PageError,
    Problem,
    ProtocolError,
    RetriableError,
    ThrottledError,
    UnavailableError,
    WorkerError,
)
from worker.telemetry import answered, count_requests, count_throttled, request_span

log = logging.getLogger(__name__)
Result = TypeVar("Result")

TIMEOUT = (10.0, 120.0)  # seconds to connect, seconds without a byte
_PIECE = 65_536  # bytes of a file read at once
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PORTS: Mapping[str, str] = {"https": ":443", "http": ":80"}
# A connection that failed or broke off; reading again is harmless.
_BROKEN = (
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
_REQUEST_IDS = ("X-RequestId", "SPRequestGuid", "request-id")


def user_agent() -> str:
    """Decorated as SharePoint's throttling guide asks of in-house tools: NONISV|Company|App/Version."""
    try:
        version = metadata.version("iglobe-economic-sync")
    except metadata.PackageNotFoundError:
        version = "0"
    return f"NONISV|iGlobe|EconomicSync/{version}"


class Waits:
    """Seconds waited so far, for the run's report. `sleep` does the waiting; tests give one that does not."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sleep = sleep
        self._lock = threading.Lock()
        self.seconds = 0.0

    def wait(self, seconds: float) -> None:
        """Waits and counts."""
        if seconds <= 0:
            return
        with self._lock:
            self.seconds += seconds
        self._sleep(seconds)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Limits of one call: attempts and total seconds; first own pause and its ceiling."""

    attempts: int = 8
    page_attempts: int = 4  # a page instead of data is more often a wrong address than a passing fault
    total_seconds: float = 600.0
    first_pause: float = 1.0
    longest_pause: float = 60.0
    throttle_pause: float = 10.0  # when told to wait but not how long


@dataclass(frozen=True, slots=True)
class StatusRule:
    """What one status means to us."""

    error: type[WorkerError]
    sentence: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file we ask for must be: a name for messages, media type, first bytes, and the most bytes we take."""

    name: str
    media_type: str
    begins: bytes
    most: int


_LATER = "Try again later; nothing is lost."
STATUS_TABLE: Mapping[int, StatusRule] = {
    400: StatusRule(ProtocolError, "refused the request as malformed"),
    401: StatusRule(AuthenticationError, "refused the sign-in", "Check the tokens or the certificate."),
    403: StatusRule(AccessDeniedError, "denied access", "Check the rights of the app."),
    404: StatusRule(NotFoundError, "does not know this address"),
    408: StatusRule(UnavailableError, "timed out", _LATER),
    429: StatusRule(ThrottledError, "asks us to wait", _LATER),
    500: StatusRule(UnavailableError, "reported a fault of its own", _LATER),
    502: StatusRule(UnavailableError, "is not reachable behind its gateway", _LATER),
    503: StatusRule(ThrottledError, "is busy", _LATER),
    504: StatusRule(UnavailableError, "timed out behind its gateway", _LATER),
}


def retrying(policy: RetryPolicy, waits: Waits, what: str, call: Callable[[], Result]) -> Result:
    """`call()` until it succeeds, raises something that is no RetriableError, or the policy's limits are reached.

    The error of the last attempt is raised then. `what` names the call in the log; it must hold no secret.
    """
    retry = Retrying(
        retry=retry_if_exception_type(RetriableError),
        stop=lambda state: _enough(state, policy),
        wait=lambda state: _pause(state, policy),
        sleep=waits.wait,
        before_sleep=lambda state: _tell(state, what),
        reraise=True,
    )
    return retry(call)


def _enough(state: RetryCallState, policy: RetryPolicy) -> bool:
    error = state.outcome.exception() if state.outcome else None
    attempts = policy.page_attempts if isinstance(error, PageError) else policy.attempts
    # "Before": a wait that would end beyond the limit is not begun, however politely the service asks for it.
    return state.attempt_number >= attempts or stop_before_delay(policy.total_seconds)(state)


def _pause(state: RetryCallState, policy: RetryPolicy) -> float:
    error = state.outcome.exception() if state.outcome else None
    jitter = random.uniform(0.0, 1.0)
    if isinstance(error, ThrottledError):
        told = error.retry_after
        return told + jitter if told is not None else policy.throttle_pause * state.attempt_number + jitter
    pause: float = min(policy.longest_pause, policy.first_pause * 2 ** (state.attempt_number - 1))
    return pause * (0.5 + jitter / 2)


def _tell(state: RetryCallState, what: str) -> None:
    error = state.outcome.exception() if state.outcome else None
    pause = state.next_action.sleep if state.next_action else 0.0
    log.info("retry call=%s attempt=%d pause=%.1f reason=%s", what, state.attempt_number, pause, error)


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait from a Retry-After header, which holds seconds or an HTTP date; None when it is neither."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        pass
    else:
        return max(0.0, seconds) if math.isfinite(seconds) else None
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment - now).total_seconds()) if moment.tzinfo else None


def status_error(
    service: str,
    status: int,
    headers: Mapping[str, str],
    detail: str = "",
    rules: Mapping[int, StatusRule] = STATUS_TABLE,
) -> WorkerError:
    """The error a status stands for. `detail` is the service's own text; it must hold no secret."""
    rule = rules.get(status)
    if rule is None:
        rule = StatusRule(UnavailableError, "failed", _LATER) if status >= 500 else StatusRule(FatalError, "refused")
    parts = [f"{service} {rule.sentence} (status {status}{_request_id(headers)})."]
    if detail:
        parts.append(detail)
    message = " ".join(parts)
    if rule.error is ThrottledError:
        after = parse_retry_after(headers.get("Retry-After"), datetime.now(UTC))
        return ThrottledError(message, retry_after=after, hint=rule.hint)
    return rule.error(message, hint=rule.hint)


def _request_id(headers: Mapping[str, str]) -> str:
    found = next((headers[name] for name in _REQUEST_IDS if headers.get(name)), None)
    return f", request {found}" if found else ""


class Http:
    """A session towards one service. Thread-safe for reads; counts requests and waits.

    `hosts` are the only origins (scheme://host[:port]) requests may go to: the secret `headers` never leave them, and
    plain http is for loopback only. ConfigError for an address or a secret that can't be right.
    """

    def __init__(
        self,
        service: str,
        hosts: frozenset[str],
        headers: Mapping[str, str],
        *,
        policy: RetryPolicy | None = None,
        waits: Waits | None = None,
        pool: int = 8,
    ) -> None:
        _check_encrypted(service, hosts)
        secrets = {name: value.strip() for name, value in headers.items()}  # pasted text often has a line end
        _check_printable(service, secrets)
        self.service = service
        self.waits = waits or Waits()
        self._hosts = frozenset(map(origin, hosts))
        self._secrets = tuple(secrets.values())
        self._policy = policy or RetryPolicy()
        self._lock = threading.Lock()
        self.requests = 0
        self.writes = 0  # of the requests
        self._session = requests.Session()
        # A proxy named in the environment can't reach this machine's own loopback addresses.
        self._session.trust_env = not all(map(is_loopback, hosts))
        self._session.headers.update({"User-Agent": user_agent(), "Accept": "application/json", **secrets})
        adapter = HTTPAdapter(pool_connections=pool, pool_maxsize=pool)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def __repr__(self) -> str:
        return f"Http({self.service!r}, hosts={sorted(self._hosts)!r})"

    def close(self) -> None:
        """Closes the connections."""
        self._session.close()

    def get_json(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        seen: Callable[[Mapping[str, str]], None] | None = None,
        rules: Mapping[int, StatusRule] = STATUS_TABLE,
    ) -> Any:
        """Reads JSON, numbers with a decimal sign as Decimal. `seen` gets the headers of every answer; `rules` are
        what the statuses mean for this service.

        Raises the errors of `rules`, PageError for an answer that is no JSON, ProtocolError for one that leads
        elsewhere, UnavailableError when there was no whole answer.
        """
        self._check_host(url)

        def once() -> Any:
            with self._asking(url) as current:
                answer = self._session.get(url, params=params, timeout=TIMEOUT, allow_redirects=False)
                answered(current, answer.status_code)
            if seen is not None:
                seen(answer.headers)
            return self._decoded(answer, rules)

        return retrying(self._policy, self.waits, f"GET {urlsplit(url).path}", once)

    def get_bytes(
        self,
        url: str,
        kind: FileKind,
        seen: Callable[[Mapping[str, str]], None] | None = None,
        rules: Mapping[int, StatusRule] = STATUS_TABLE,
    ) -> bytes:
        """Reads a file of `kind`, as patiently as `get_json` and with the same errors; no more of it than `kind.most`.

        Raises PageError for an answer of another media type, ProtocolError for one that is no such file or too large.
        """
        self._check_host(url)
        headers = {"Accept": f"{kind.media_type}, application/json;q=0.5"}  # an error may come as JSON

        def once() -> bytes:
            with self._asking(url) as current, self._session.get(
                url, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True
            ) as answer:  # fmt: skip
                answered(current, answer.status_code)
                if seen is not None:
                    seen(answer.headers)
                self._refuse(answer, rules)
                return self._file(answer, kind)

        return retrying(self._policy, self.waits, f"GET {urlsplit(url).path}", once)

    def send_json(
        self,
        method: Literal["POST", "PUT"],
        url: str,
        body: Mapping[str, Any],
        key: str,
        seen: Callable[[Mapping[str, str]], None] | None = None,
        rules: Mapping[int, StatusRule] = STATUS_TABLE,
        words: Callable[[Mapping[str, Any]], str] | None = None,
    ) -> Any:
        """Writes JSON and reads the answer's JSON; None when it has none. Repeating is harmless because every try
        carries the same Idempotency-Key; `key` must never be used for another body. Waits and errors as `get_json`;
        `words` picks what a person should read out of an error's body.
        """
        self._check_host(url)
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        data = json.dumps(body, ensure_ascii=False, default=_number_text).encode()

        def once() -> Any:
            with self._asking(url, method) as current:
                answer = self._session.request(
                    method, url, data=data, headers=headers, timeout=TIMEOUT, allow_redirects=False
                )
                answered(current, answer.status_code)
            if seen is not None:
                seen(answer.headers)
            if 200 <= answer.status_code < 300 and not answer.content:
                return None
            return self._decoded(answer, rules, words)

        return retrying(self._policy, self.waits, f"{method} {urlsplit(url).path}", once)

    def _check_host(self, url: str) -> None:
        if origin(url) not in self._hosts:
            raise ProtocolError(
                f"{self.service} gave a link to another host ({origin(url)}); it was not followed.",
                hint="Check the configured address of the service.",
            )

    @contextmanager
    def _asking(self, url: str, method: str = "GET") -> Iterator[Span]:
        """Counts one request, and turns what the HTTP library raises inside into our errors."""
        with self._lock:
            self.requests += 1
            self.writes += method != "GET"
        count_requests(self.service)
        try:
            with request_span(self.service, method, url) as current:
                yield current
        except requests.exceptions.SSLError:
            raise FatalError(
                f"The secure connection to {self.service} could not be made.", hint="Check certificates and proxy."
            ) from None
        except _BROKEN as error:
            raise UnavailableError(
                f"{self.service} could not be reached ({type(error).__name__}).", hint="Check the network; try later."
            ) from None
        except requests.RequestException as error:
            raise FatalError(
                f"{self.service} could not be asked ({type(error).__name__}).",
                hint="Check the configured address and the proxy.",
            ) from None

    def _refuse(
        self,
        answer: requests.Response,
        rules: Mapping[int, StatusRule],
        words: Callable[[Mapping[str, Any]], str] | None = None,
    ) -> None:
        """Raises unless the status is a success."""
        if 300 <= answer.status_code < 400:
            raise ProtocolError(
                f"{self.service} redirects to another address; the tokens are not sent there.",
                hint="Check the configured address of the service.",
            )
        if answer.status_code >= 400:
            detail = _detail(_masked(_words(answer, words or _message), self._secrets))
            error = status_error(self.service, answer.status_code, answer.headers, detail, rules)
            if isinstance(error, ThrottledError):
                count_throttled(self.service, error.retry_after or 0.0)
            raise error

    def _decoded(
        self,
        answer: requests.Response,
        rules: Mapping[int, StatusRule],
        words: Callable[[Mapping[str, Any]], str] | None = None,
    ) -> Any:
        self._refuse(answer, rules, words)
        if "json" not in answer.headers.get("Content-Type", ""):
            raise PageError(
                f"{self.service} sent a page instead of data{_request_id(answer.headers)}.",
                hint="Check the configured address, and whether a proxy or sign-in page stands in between.",
            )
        return _parsed(answer, self.service)

    def _file(self, answer: requests.Response, kind: FileKind) -> bytes:
        media_type = answer.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if media_type != kind.media_type:
            raise PageError(
                f"{self.service} sent a page instead of the {kind.name}{_request_id(answer.headers)}.",
                hint="Check the configured address, and whether a proxy or sign-in page stands in between.",
            )
        body = bytearray()
        for piece in answer.iter_content(_PIECE):
            body += piece
            if len(body) > kind.most:
                raise ProtocolError(
                    f"{self.service} sent a {kind.name} of more than {kind.most:,} bytes; it was not taken."
                )
        if not body.startswith(kind.begins):
            raise ProtocolError(f"What {self.service} sent as {kind.name} is none{_request_id(answer.headers)}.")
        return bytes(body)


def _parsed(answer: requests.Response, service: str) -> Any:
    try:
        return answer.json(parse_float=Decimal)
    except requests.exceptions.JSONDecodeError:
        # A body that ends early is a broken connection by another name: reading again is harmless.
        raise UnavailableError(f"{service} sent an answer that was cut short.", hint=_LATER) from None


def _words(answer: requests.Response, read: Callable[[Mapping[str, Any]], str]) -> str:
    """The service's own message from a JSON error body; nothing from other bodies."""
    try:
        body = answer.json()
    except requests.exceptions.JSONDecodeError:
        return ""
    return read(body) if isinstance(body, dict) else ""


def _message(body: Mapping[str, Any]) -> str:
    message = body.get("message") or body.get("detail") or body.get("title")
    return message if isinstance(message, str) else ""


def _number_text(value: object) -> float:
    """Amounts as JSON numbers; two decimals survive that."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _detail(words: str) -> str:
    return f"It says: {words[:200]}" if words else ""


def _masked(text: str, secrets: Sequence[str]) -> str:
    """A service may echo what it was sent; a token must not reach a log that way."""
    for secret in secrets:
        text = text.replace(secret, "***") if secret else text
    return text


def _check_encrypted(service: str, hosts: Iterable[str]) -> None:
    open_ones = [host for host in sorted(hosts) if urlsplit(host).scheme != "https" and not is_loopback(host)]
    if open_ones:
        problems = [Problem(f"address of {service}", f"{host} must start with https://.") for host in open_ones]
        raise ConfigError(problems, hint="Plain http would show the tokens to everybody on the way.")


def _check_printable(service: str, secrets: Mapping[str, str]) -> None:
    odd = [name for name, value in secrets.items() if not (value.isascii() and value.isprintable())]
    if odd:
        problems = [Problem(f"{name} for {service}", "holds characters that no token has.") for name in odd]
        raise ConfigError(problems, hint="Copy and paste it again.")


def is_loopback(url: str) -> bool:
    """Whether an address stays on this machine."""
    return urlsplit(url).hostname in LOOPBACK


def origin(url: str) -> str:
    """scheme://host[:port] of an address, lower case, without a port that goes without saying; "" for nonsense."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.removesuffix(_PORTS.get(parts.scheme, ''))}".lower()
