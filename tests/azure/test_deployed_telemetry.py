"""The deployed app's spans and log lines go to Application Insights, here a fake of its address on the loopback."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.azure.conftest import Deployed
from tests.azure.test_deployed import settings_for
from tests.support.mini_host import MiniHost
from tests.support.world import TOKEN, World
from worker.engine.handler import message

pytestmark = pytest.mark.slow


class Ingestion:
    """What was sent, as JSON items."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        found = self.items

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                text = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
                sent = json.loads(text) if self.path.endswith("/track") else []
                found.extend(sent)
                answer = json.dumps({"itemsReceived": len(sent), "itemsAccepted": len(sent), "errors": []}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Ingestion:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def connection(self) -> str:
        url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        return f"InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint={url};LiveEndpoint={url}"

    def of(self, kind: str, text: str) -> list[dict[str, Any]]:
        """Items of this kind that hold the text."""
        return [one for one in list(self.items) if one["data"]["baseType"] == kind and text in json.dumps(one)]


@pytest.fixture
def ingestion() -> Iterator[Ingestion]:
    with Ingestion() as made:
        yield made


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path / "world") as made:
        made.set_up()
        yield made


def test_spans_belong_to_the_hosts_trace_and_nothing_secret_is_sent(
    hosted: Callable[..., MiniHost],
    deployed: Deployed,
    world: World,
    ingestion: Ingestion,
    storage: str,
    queue_name: str,
) -> None:
    settings = settings_for(world, storage, queue_name) | {
        "ENGINE_BUDGET": "60",
        "APPLICATIONINSIGHTS_CONNECTION_STRING": ingestion.connection,
        "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
        "PYTHON_ENABLE_OPENTELEMETRY": "true",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_BLRP_SCHEDULE_DELAY": "200",
    }
    world.edit("Mapping profiles", "Title", "Customers", {"RunRequest": "Apply"})
    host = hosted(deployed.folder, settings, deployed.command, more_path=deployed.more_path)
    assert host.fire("tick").ok
    host.until(lambda: host.of("work"), what="the run")
    (work,) = host.of("work")
    assert work.ok, work.error
    (slice_,) = host.until(lambda: ingestion.of("RemoteDependencyData", "sync.slice"), what="the slice's span")
    assert slice_["tags"]["ai.operation.id"] == work.trace
    (run,) = host.until(lambda: ingestion.of("RemoteDependencyData", "sync.run"), what="the run's span")
    assert run["tags"]["ai.operation.id"] == work.trace
    host.until(lambda: ingestion.of("MessageData", "message worked"), what="the log line")
    job = json.loads(work.body)["job"]
    assert work.body == message("default", job)
    sent = json.dumps(ingestion.items)
    assert job in sent
    for secret in (TOKEN, "test-app-secret", settings["ENGINE_STORAGE_CONNECTION"].split("AccountKey=")[1][:40]):
        assert secret not in sent
        assert secret not in host.log_text()
