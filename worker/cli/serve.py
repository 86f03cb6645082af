"""serve: the worker by itself on one machine. The tick, workers for the queue, and the HTTP server in one process."""

from __future__ import annotations

import contextlib
import io
import logging
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI

from worker.cli.context import OPTIONS, guarded, stop_on_interrupt, wait_for, write_file
from worker.cli.output import say, tell
from worker.engine.pool import Pool, PoolOptions
from worker.errors import BusyError
from worker.exporters import Telemetry, set_up_telemetry
from worker.logs import set_up_logs
from worker.settings import load_installation
from worker.web.access import Access
from worker.web.app import access_for, create_app
from worker.web.links import Links
from worker.wiring.engine import Host, open_journal, open_stores

log = logging.getLogger(__name__)
_WAIT = 120.0  # seconds that what is in hand may take when it is asked to stop
LINK_FILE = "login-link"
_STOPPING = "Stopping after the batch in hand. Press Ctrl-C again to end at once."


def serve(
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    http: Annotated[bool, typer.Option(help="With the HTTP server; --no-http only works for the others.")] = True,
    workers: Annotated[int | None, typer.Option(min=1, max=16, help="Messages worked at the same time.")] = None,
    store: Annotated[
        str | None, typer.Option(help="sqlite or azure; where work is kept.", metavar="sqlite|azure")
    ] = None,
) -> None:
    """Run by itself: nightly by the profiles' schedules, and on request over HTTP."""
    with guarded():
        _flush_each_line()
        if store not in (None, "sqlite", "azure"):
            raise typer.BadParameter("choose sqlite or azure", param_hint="--store")
        host = _host(port, workers, store)
        if not http and not host.installation.connections:
            raise next(iter(host.installation.broken.values()))
        with host, _telemetry(host), stop_on_interrupt(_STOPPING) as stop:
            _run(host, stop, http=http)


def _flush_each_line() -> None:
    """A supervisor or a pipe gets the login link at once, not when a buffer is full."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)


def login_link() -> None:
    """Print a new link that signs in once to the server with the same store."""
    with guarded():
        installation = load_installation(OPTIONS.config)
        engine = installation.engine
        base = engine.public_url or f"http://{engine.host}:{engine.port}"
        token = Links(open_stores(installation).records).issue()
        say(f"{base}/manage/login?token={token}")
        tell("It is good once, within 15 minutes.")


def _host(port: int | None, workers: int | None, store: str | None) -> Host:
    chosen = {"port": port, "workers": workers, "store": store}
    installation = load_installation(OPTIONS.config, **{k: v for k, v in chosen.items() if v is not None})
    engine = installation.engine
    secrets = installation.secrets()
    set_up_logs(engine.log_format, logging.INFO, secrets)
    for name, error in installation.broken.items():
        tell(f"Connection '{name}' can't be used yet: {error.message}", "yellow")
    return Host(installation, open_stores(installation), journal=open_journal(installation))


@contextlib.contextmanager
def _telemetry(host: Host) -> Iterator[None]:
    settings, insights = host.settings, host.installation.insights
    end = set_up_telemetry(
        Telemetry(settings.otlp_url or "", insights.get_secret_value() if insights else "", settings.trace_share)
    )
    try:
        yield
    finally:
        end()


def _run(host: Host, stop: threading.Event, *, http: bool) -> None:
    settings = host.settings
    host.engine.ready()
    with contextlib.ExitStack() as stack:
        if http:
            access = access_for(host)
            listening = listen(settings.host, settings.port)
            address = stack.enter_context(serving(create_app(host, access=access), listening))
            _print_link(host, access, address)
        pool = Pool(host.engine, host.stop, PoolOptions(workers=settings.workers, tick=settings.tick))
        pool.start()
        say(f"Working for {', '.join(host.engine.connections)} with {settings.workers} workers. Ctrl-C stops.")
        wait_for(stop)
        host.stop.set()
        if not pool.join(_WAIT):
            tell("Something in hand did not end in time; the next start goes on with it.", "yellow")
    say("Stopped. What was under way goes on at the next start.")


def _print_link(host: Host, access: Access, address: str) -> None:
    """The link signs in once. It also stands in a file of the data directory, for a server without a screen."""
    base = host.settings.public_url or address
    link = f"{base}/manage/login?token={access.new_link_token()}"
    write_file(host.installation.folder / LINK_FILE, f"{link}\n")
    say(f"Listening on {address}")
    if access.has_login:
        say(f"Sign in once, within 15 minutes: {link}")


@contextlib.contextmanager
def serving(app: FastAPI, listening: socket.socket) -> Iterator[str]:
    """Serves from a thread; gives the address."""
    host, port = listening.getsockname()[:2]
    config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False, date_header=True)
    server = _Server(config)
    thread = threading.Thread(target=server.run, args=([listening],), name="http", daemon=True)
    thread.start()
    try:
        name = f"[{host}]" if ":" in host else host
        yield f"http://{name}:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the command's business."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """Port 0 takes a free one. Raises BusyError when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        reason = error.strerror or type(error).__name__
        raise BusyError(
            f"Port {port} can't be listened on ({reason}): another serve may be running.",
            hint="It may share the work: economic-sync serve --no-http, or with a port of its own: --port 0",
        ) from None
    listening.listen(128)
    return listening
