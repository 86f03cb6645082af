"""Handling ASGI messages by hand: answers cut short on purpose, kept instead of sent, bodies read and given again."""

import asyncio

from worker.emulators.common.middleware import Message, Receive, Send
from worker.emulators.economic.idempotency import Answer


class CutAnswer:
    """Sends half a body: with the promised length kept the connection breaks, without it the JSON does."""

    def __init__(self, send: Send, *, keep_length: bool) -> None:
        self._send = send
        self._keep_length = keep_length
        self._start: Message = {}
        self._done = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if self._done:
            return
        self._done = True
        half = message["body"][: len(message["body"]) // 2]
        if not self._keep_length:
            others = [(name, value) for name, value in self._start["headers"] if name != b"content-length"]
            self._start["headers"] = [*others, (b"content-length", str(len(half)).encode())]
        await self._send(self._start)
        # With more_body the server waits for the rest, and breaks the connection when the app returns without it.
        await self._send({"type": "http.response.body", "body": half, "more_body": self._keep_length})


class CollectedAnswer:
    """Keeps an answer instead of sending it."""

    def __init__(self) -> None:
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], list(message["headers"])
        else:
            self._body += message.get("body", b"")

    def answer(self) -> Answer:
        return Answer(self._status, self._headers, self._body)


async def send_answer(answer: Answer, send: Send) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})


async def read_body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


def replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def until_gone(receive: Receive, seconds: float) -> None:
    """Wait until the client gives up, at most `seconds`."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    try:
        await asyncio.wait_for(gone(), seconds)
    except TimeoutError:
        return
