"""The queue in Azure Queue Storage. Bodies are base64, as the Functions host reads and writes them."""

from __future__ import annotations

import base64
import binascii
import math

from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.storage.queue import QueueClient

from worker.errors import LeaseLostError
from worker.ports import Delivery
from worker.stores.azure import AzureStorage
from worker.stores.azure_sdk import client_options, code_of, connecting, may_be_missing_right, sdk_errors
from worker.stores.names import checked_body, checked_delay

_TAKEN_CODES = frozenset({"MessageNotFound", "PopReceiptMismatch"})
_MOVE_SECONDS = 60.0  # for the two requests of a burial
_FOR_EVER = -1  # else a message that nobody takes for a week is gone


def open_queue(storage: AzureStorage) -> AzureQueue:
    """With its queue of poison messages; both are made when they are missing and we may."""
    queue = AzureQueue(storage, storage.queue)
    queue.make()
    queue.poison().make()
    return queue


class AzureQueue:
    """Implements ports.WorkQueue."""

    def __init__(self, storage: AzureStorage, name: str) -> None:
        self._storage = storage
        self._name = name
        self._poison: AzureQueue | None = None
        with connecting():
            self._client = _client(storage, name)
        self._what = f"Queue storage at {self._client.primary_hostname}"

    def make(self) -> None:
        """Nothing when it is there, or we may not: then the first use says so."""
        with sdk_errors(self._what):
            try:
                self._client.create_queue()
            except ResourceExistsError:
                pass
            except HttpResponseError as error:
                if not may_be_missing_right(error):
                    raise

    def send(self, body: str, delay: float = 0.0) -> None:
        content = base64.b64encode(checked_body(body).encode()).decode()
        with sdk_errors(self._what):
            self._client.send_message(
                content, visibility_timeout=math.ceil(checked_delay(delay)), time_to_live=_FOR_EVER
            )

    def receive(self, hide_seconds: float) -> Delivery | None:
        with sdk_errors(self._what):
            found = self._client.receive_message(visibility_timeout=max(1, math.ceil(checked_delay(hide_seconds))))
        if found is None:
            return None
        return Delivery(found.id, _decoded(found.content), found.dequeue_count or 1, found.pop_receipt or "")

    def extend(self, delivery: Delivery, hide_seconds: float) -> Delivery:
        receipt = self._hidden(delivery, hide_seconds)
        if receipt is None:
            raise LeaseLostError("The message was taken by somebody else meanwhile.")
        return Delivery(delivery.message_id, delivery.body, delivery.tries, receipt)

    def done(self, delivery: Delivery) -> None:
        with sdk_errors(self._what):
            try:
                self._client.delete_message(delivery.message_id, delivery.receipt)
            except HttpResponseError as error:
                if code_of(error) not in _TAKEN_CODES:
                    raise

    def give_back(self, delivery: Delivery, delay: float) -> None:
        self._hidden(delivery, delay)

    def bury(self, delivery: Delivery) -> None:
        # Taken anew first: the move is two requests, and only who holds the message may make them. Sent before it is
        # removed: a crash in between makes a second poison message, never none.
        receipt = self._hidden(delivery, _MOVE_SECONDS)
        if receipt is not None:
            self.poison().send(delivery.body)
            self.done(Delivery(delivery.message_id, delivery.body, delivery.tries, receipt))

    def waiting(self) -> int:
        with sdk_errors(self._what):
            return self._client.get_queue_properties().approximate_message_count or 0

    def poison(self) -> AzureQueue:
        if self._poison is None:
            self._poison = AzureQueue(self._storage, f"{self._name}-poison")
        return self._poison

    def _hidden(self, delivery: Delivery, seconds: float) -> str | None:
        """The new receipt, or None when the message isn't ours any more."""
        with sdk_errors(self._what):
            try:
                changed = self._client.update_message(
                    delivery.message_id, delivery.receipt, visibility_timeout=math.ceil(checked_delay(seconds))
                )
            except HttpResponseError as error:
                if code_of(error) in _TAKEN_CODES:
                    return None
                raise
        return changed.pop_receipt


def _client(storage: AzureStorage, name: str) -> QueueClient:
    options = client_options(storage)
    if storage.connection:
        return QueueClient.from_connection_string(storage.connection, name, **options)
    return QueueClient(storage.address("queue"), name, credential=storage.credential, **options)


def _decoded(content: str) -> str:
    """A message somebody wrote by hand may not be base64: its text is handed on, for the handler to refuse. An error
    here would come back with the message for ever, as nobody could bury it."""
    try:
        return base64.b64decode(content, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return content
