"""The one middleware of both emulators: hold, latency, metering.

Pure ASGI rather than Starlette's BaseHTTPMiddleware: holding an answer back, dropping a dead client and
leaving a body unfinished on purpose are not possible through the latter.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from worker.emulators.common.hold import Hold
from worker.emulators.common.meter import Meter, Note, caller_of

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

NOTE = "emulator.note"
CONTROL_PREFIX = "/_emulator"
READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass
class Latency:
    """Injected time per request in milliseconds; may be changed while serving."""

    ms: float = 0.0


def note_of(scope: Scope) -> Note:
    """The meter's note of the request in hand, for a handler to fill in."""
    note: Note = scope[NOTE]
    return note


class EmulatorMiddleware:
    """Counts, delays and holds every request except the control routes."""

    def __init__(self, app: App, *, meter: Meter, hold: Hold, latency: Latency) -> None:
        self.app = app
        self.meter = meter
        self.hold = hold
        self.latency = latency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(CONTROL_PREFIX):
            await self.app(scope, receive, send)
            return
        scope[NOTE] = note = Note(route=scope["path"], is_write=scope["method"] not in READ_METHODS)
        held = self.hold.count()
        if self.latency.ms > 0:
            await asyncio.sleep(self.latency.ms / 1000)
        if held == "before":
            receiver = await self._hold_before(receive)
            if receiver is None:
                return
            receive = receiver

        def record(status: int) -> None:
            if note.counted:
                self.meter.record_note(_caller(scope), scope["method"], status, note)

        answer = _Answer(send, record, self.hold.pause if held == "after" else None)
        await self.app(scope, receive, answer.send)

    async def _hold_before(self, receive: Receive) -> Receive | None:
        """Hold a request that was read whole; None when its client went away, so it must not be handled."""
        body = await _read_body(receive)
        if body is None:
            return None
        paused = asyncio.ensure_future(self.hold.pause())
        gone = asyncio.ensure_future(receive())
        await asyncio.wait({paused, gone}, return_when=asyncio.FIRST_COMPLETED)
        if gone.done():
            paused.cancel()
            return None
        return _replay(body, gone)


class _Answer:
    """Counts the request when its answer begins, and lets that beginning wait for `pause`.

    Counted before it is sent: a caller that has its answer must find it in the statistics.
    """

    def __init__(self, send: Send, record: Callable[[int], None], pause: Callable[[], Awaitable[None]] | None) -> None:
        self._send = send
        self._record = record
        self._pause = pause

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._record(message["status"])
            if self._pause is not None:
                await self._pause()
        await self._send(message)


async def _read_body(receive: Receive) -> bytes | None:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


def _replay(body: bytes, after: "asyncio.Future[Message]") -> Receive:
    """A receive that gives the body once, then what the real one would have given."""
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            return await after
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _caller(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"user-agent":
            return caller_of(value.decode("latin-1"))
    return "unknown"
