"""Serving an emulator over real HTTP on the loopback interface, in a thread or as the process's main work."""

import asyncio
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self

import uvicorn

HOST = "127.0.0.1"


class _UnfinishedAnswers(logging.Filter):
    """Keeps quiet about answers left unfinished: the fault that cuts a connection does it on purpose."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "without completing response" not in record.getMessage()


logging.getLogger("uvicorn.error").addFilter(_UnfinishedAnswers())


class _Server(uvicorn.Server):
    """A server that says when it accepts connections and leaves signals to its owner."""

    def __init__(self, app: Any, bound: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            log_level="warning",
            access_log=False,
            # A request held by a test must not keep the server from stopping.
            timeout_graceful_shutdown=1,
        )
        super().__init__(config)
        self.bound = bound
        self.accepting = threading.Event()
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.url = f"http://{HOST}:{bound.getsockname()[1]}"

    def request_stop(self) -> None:
        """Ask the server to stop; from any thread or signal handler."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)

    async def main_loop(self) -> None:
        """Wait for the stop instead of polling for it; the tick renews the Date header."""
        while not self.should_exit:
            await self.on_tick(0)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), timeout=1)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)
        self.accepting.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _bind(port: int) -> socket.socket:
    # The protocol is named because asyncio switches Nagle's algorithm off only where it is; otherwise each answer
    # waits 40 ms for the reader's delayed acknowledgement.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
    except OSError:
        bound.close()
        raise
    return bound


class EmulatorServer:
    """One app in a background thread; OSError from the constructor when the port is taken."""

    def __init__(self, app: Any, port: int = 0) -> None:
        self._server = _Server(app, _bind(port))
        self._thread = threading.Thread(target=self._serve, name=f"emulator {self.url}", daemon=True)

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, known before the server starts."""
        return self._server.url

    def start(self) -> None:
        """Return when connections are accepted."""
        self._thread.start()
        self._server.accepting.wait()

    def stop(self) -> None:
        """Stop accepting, let what is in hand end, free the port."""
        self._server.request_stop()
        if self._thread.is_alive():
            self._thread.join()
        self._server.bound.close()

    def _serve(self) -> None:
        try:
            asyncio.run(self._server.serve(sockets=[self._server.bound]))
        finally:
            self._server.accepting.set()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def run_forever(apps: Sequence[tuple[Any, int]], on_ready: Callable[[list[str]], None] = lambda _urls: None) -> None:
    """Serve every (app, port) until SIGTERM or SIGINT; `on_ready` gets the addresses once all accept.

    Call it from the main thread. Raises OSError when a port is taken.
    """
    servers = [_Server(app, _bind(port)) for app, port in apps]

    def stop(*_: object) -> None:
        for server in servers:
            server.request_stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        asyncio.run(_serve_all(servers, on_ready))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for server in servers:
            server.bound.close()


async def _serve_all(servers: list[_Server], on_ready: Callable[[list[str]], None]) -> None:
    async def announce() -> None:
        for server in servers:
            await asyncio.to_thread(server.accepting.wait)
        on_ready([server.url for server in servers])

    await asyncio.gather(*(server.serve(sockets=[server.bound]) for server in servers), announce())
