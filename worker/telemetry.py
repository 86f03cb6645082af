"""Spans and figures by the OpenTelemetry API, and the names of a run on every log line.

The API alone: without an exporter (see `exporters`) all of it costs next to nothing and goes nowhere. Attributes hold
methods, hosts, statuses and counts; never a query, a token, or a person's data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from urllib.parse import urlsplit

from opentelemetry import context, metrics, propagate, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

_NAME = "iglobe-economic-sync"
_tracer = trace.get_tracer(_NAME)
_meter = metrics.get_meter(_NAME)
_rows = _meter.create_counter("sync.rows", "{row}", "Source rows by outcome")
_requests = _meter.create_counter("sync.requests", "{request}", "Requests sent, by service")
_units = _meter.create_counter("sync.resource_units", "{unit}", "Units billed, by service")
_throttled = _meter.create_counter("sync.throttled", "s", "Seconds a service asked us to wait")
_slices = _meter.create_counter("sync.slices", "{message}", "Messages worked, by verdict")
_lag = _meter.create_gauge("sync.lag", "s", "Seconds since the last good run of a profile")
_fields: ContextVar[Mapping[str, str]] = ContextVar("log_fields", default=MappingProxyType({}))
# Keys, numbers and quoted values in a path are data; what is left says which kind of request it was.
_DATA_IN_PATH = re.compile(r"\([^)]*\)|(?<=/)[^/()]*\d[^/()]*(?=/|$)|'[^']*'")

Attribute = str | int | float | bool


@contextmanager
def span(name: str, **attributes: Attribute) -> Iterator[Span]:
    """A span around the block; an error that leaves it marks it with its class's name only."""
    with _tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except BaseException as error:
            current.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


@contextmanager
def request_span(service: str, method: str, url: str) -> Iterator[Span]:
    """A span around one HTTP request, by the semantic conventions; `answered` notes the status."""
    parts = urlsplit(url)
    attributes: dict[str, Attribute] = {
        "http.request.method": method,
        "server.address": parts.hostname or "",
        "url.path": shape_of_path(parts.path),
        "sync.service": service,
    }
    if parts.port:
        attributes["server.port"] = parts.port
    with _tracer.start_as_current_span(
        method, kind=SpanKind.CLIENT, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except BaseException as error:
            current.set_attribute("error.type", type(error).__name__)
            current.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def answered(current: Span, status: int) -> None:
    """Notes an HTTP status on a request's span."""
    current.set_attribute("http.response.status_code", status)
    if status >= 400:
        current.set_status(Status(StatusCode.ERROR, str(status)))


def shape_of_path(path: str) -> str:
    """A path without the data in it: customers, items and titles are left out."""
    return _DATA_IN_PATH.sub(lambda found: "(*)" if found[0].startswith("(") else "*", path)


def count_rows(outcome: str, count: int, *, connection: str, profile: str) -> None:
    """Rows of a run by outcome."""
    if count:
        _rows.add(count, {"outcome": outcome, "connection": connection, "profile": profile})


def count_requests(service: str, count: int = 1) -> None:
    """Requests sent."""
    _requests.add(count, {"service": service})


def count_units(service: str, units: float) -> None:
    """Units billed: call cost at e-conomic, resource units at SharePoint."""
    _units.add(units, {"service": service})


def count_throttled(service: str, seconds: float) -> None:
    """A wait that the service asked for."""
    _throttled.add(seconds, {"service": service})


def count_slices(verdict: str) -> None:
    """A message was worked."""
    _slices.add(1, {"verdict": verdict})


def report_lag(connection: str, profile: str, seconds: float) -> None:
    """How long ago the last good run of a profile was."""
    _lag.set(seconds, {"connection": connection, "profile": profile})


@contextmanager
def attach_parent(traceparent: str, tracestate: str = "") -> Iterator[None]:
    """Makes a caller's trace the current one, for hosts that hand it over as text."""
    carrier = {"traceparent": traceparent, "tracestate": tracestate}
    token = context.attach(propagate.extract(carrier))
    try:
        yield
    finally:
        context.detach(token)


@contextmanager
def log_context(**fields: str) -> Iterator[None]:
    """Puts fields (run, job, connection, profile) on every log line inside. A thread sees them when it is started with
    a copy of the context."""
    token = _fields.set({**_fields.get(), **fields})
    try:
        yield
    finally:
        _fields.reset(token)


def log_fields() -> dict[str, str]:
    """The fields in force here, with the ids of the trace when there is one."""
    current = trace.get_current_span().get_span_context()
    ids = {"trace": f"{current.trace_id:032x}", "span": f"{current.span_id:016x}"} if current.is_valid else {}
    return {**_fields.get(), **ids}
