"""Spans and figures arrive where the settings send them, with shapes instead of data. Each in a process of its own,
since OpenTelemetry's providers are set once."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.world import World
from worker.telemetry import shape_of_path

PROGRAM = """
import os, sys
from worker.exporters import Telemetry, set_up_telemetry
chosen = Telemetry(os.environ.get("OTLP", ""), os.environ.get("INSIGHTS", ""), float(os.environ["SHARE"]))
end = set_up_telemetry(chosen)
from worker.settings import load_settings
from worker.wiring import build_app
with build_app(load_settings()) as app:
    profiles = [row.profile for row in app.profiles.profiles() if row.title == "Customers"]
    with app.session(profiles, app.run_options()) as session:
        result = session.run()
assert result.error is None, result.error
end()
"""


@dataclass
class Collector:
    """A fake endpoint that keeps what it is sent."""

    server: ThreadingHTTPServer
    got: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def spans(self) -> list[tuple[str, dict[str, str]]]:
        found = []
        for path, body in self.got:
            if path == "/v1/traces":
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    for scope in resource.scope_spans:
                        for one in scope.spans:
                            values = {a.key: a.value.string_value or str(a.value.int_value) for a in one.attributes}
                            found.append((one.name, values))
        return found

    def metrics(self) -> set[str]:
        return {
            metric.name
            for path, body in self.got
            if path == "/v1/metrics"
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture
def collector() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            made.got.append((self.path, body))
            answer = b'{"itemsReceived": 1, "itemsAccepted": 1, "errors": []}' if "track" in self.path else b""
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    made = Collector(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        made.set_up()
        yield made


def run(world: World, **variables: str) -> None:
    environment = {
        **os.environ,
        **world.environment(),
        "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_collector_gets_runs_batches_and_requests_without_any_data(world, collector):
    run(world, OTLP=collector.url, SHARE="1")
    spans = collector.spans()
    names = {name for name, _ in spans}
    assert {"sync.run", "sync.batch", "GET", "POST"} <= names
    request = next(values for name, values in spans if name == "GET")
    assert request["http.response.status_code"] == "200"
    assert request["server.address"] == "127.0.0.1"
    assert {"sync.requests", "sync.resource_units"} <= collector.metrics()
    sent = b"".join(body for _, body in collector.got)
    for secret in (b"test-app-secret", world.environment()["SHAREPOINT_TOKEN"].encode() + b"\\0", b"$filter", b"%24"):
        assert secret not in sent
    for customer in world.data.customers[:20]:
        assert customer["name"].encode() not in sent


@pytest.mark.slow
def test_a_share_of_zero_sends_no_span_but_the_figures(world, collector):
    run(world, OTLP=collector.url, SHARE="0")
    assert collector.spans() == []
    assert "sync.requests" in collector.metrics()


@pytest.mark.slow
@pytest.mark.parametrize(("share", "is_sent"), [("1", True), ("0", False)])
def test_azure_monitor_gets_spans_by_the_share(world, collector, share, is_sent):
    key = "00000000-0000-0000-0000-000000000001"
    run(world, INSIGHTS=f"InstrumentationKey={key};IngestionEndpoint={collector.url}/", SHARE=share)
    sent = b"".join(body for path, body in collector.got if path.endswith("/track"))
    assert (b"sync.run" in sent) is is_sent
    assert b"test-app-secret" not in sent


def test_paths_lose_what_is_data_and_keep_their_shape():
    assert shape_of_path("/sites/crm/_api/web/lists(guid'aa-1')/items(7)") == "/sites/crm/_api/web/lists(*)/items(*)"
    assert shape_of_path("/customers/1001/contacts") == "/customers/*/contacts"
    assert shape_of_path("/_api/web/lists/getbytitle('Kunder æ')/items") == "/_api/web/lists/getbytitle(*)/items"
