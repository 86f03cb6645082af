"""Storage queues as the host feeds them to a function: batches, tries, poison."""

from __future__ import annotations

import base64
import binascii
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

_LOCK_SECONDS = 600  # the host's lock on a message under way; it is also extended there, which no test lasts for
_IDLE_SECONDS = 0.05


@dataclass(frozen=True)
class QueueRules:
    """Of host.json. `retry_seconds`: before a failed message is seen again."""

    batch: int
    threshold: int
    tries: int
    retry_seconds: int


class QueueListener:
    """Feeds one function. `work(body, metadata)` says whether the invocation succeeded."""

    def __init__(
        self, connection: str, queue: str, rules: QueueRules, work: Callable[[str, dict[str, str]], bool]
    ) -> None:
        self._client = QueueClient.from_connection_string(connection, queue)
        self._poison = QueueClient.from_connection_string(connection, f"{queue}-poison")
        self._rules = rules
        self._work = work
        self._stop = threading.Event()
        self.disabled = False  # by the app setting AzureWebJobs.<function>.Disabled
        self._pool = ThreadPoolExecutor(rules.batch + rules.threshold, f"queue-{queue}")
        self._running: set[Future[None]] = set()
        self._thread = threading.Thread(target=self._listen, name=f"listen-{queue}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self._pool.shutdown()
        self._client.close()
        self._poison.close()

    def depth(self) -> int:
        """Messages that are there, those under way and hidden ones included."""
        try:
            return self._client.get_queue_properties().approximate_message_count or 0
        except ResourceNotFoundError:
            return 0

    def _listen(self) -> None:
        while not self._stop.is_set():
            self._running = {one for one in self._running if not one.done()}
            if len(self._running) > self._rules.threshold:
                wait(self._running, timeout=_IDLE_SECONDS)
                continue
            batch = [] if self.disabled else self._batch()
            if not batch:
                self._stop.wait(_IDLE_SECONDS)
            self._running |= {self._pool.submit(self._one, message) for message in batch}

    def _batch(self) -> list[QueueMessage]:
        try:
            found = self._client.receive_messages(max_messages=self._rules.batch, visibility_timeout=_LOCK_SECONDS)
            return list(found)
        except ResourceNotFoundError:
            return []  # the app makes it when it is ready

    def _one(self, message: QueueMessage) -> None:
        if self._work_on(message):
            self._client.delete_message(message)
        elif (message.dequeue_count or 0) >= self._rules.tries:
            self._bury(message)
        else:
            self._client.update_message(message, visibility_timeout=self._rules.retry_seconds)

    def _work_on(self, message: QueueMessage) -> bool:
        try:
            body = base64.b64decode(message.content, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        return self._work(body, _metadata(message))

    def _bury(self, message: QueueMessage) -> None:
        with contextlib.suppress(ResourceExistsError):
            self._poison.create_queue()
        self._poison.send_message(message.content)
        self._client.delete_message(message)


def _metadata(message: Any) -> dict[str, str]:
    moments = {
        "ExpirationTime": message.expires_on,
        "InsertionTime": message.inserted_on,
        "NextVisibleTime": message.next_visible_on,
    }
    return {
        "Id": message.id,
        "DequeueCount": str(message.dequeue_count),
        "PopReceipt": message.pop_receipt,
        **{name: moment.isoformat() for name, moment in moments.items() if moment},
    }
