"""Queue, leases and records in an Azure storage account.

Leases are blob leases on the record's own blob, so the service itself refuses what a worker writes whose lease is gone;
a lease kept apart from the record could only be checked before the write. The SDK comes with the extra `[azure]` and is
imported by `open_stores` only: an installation that keeps its work in SQLite does not need it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from worker.errors import ConfigError, Problem
from worker.ports import Stores
from worker.stores.names import checked_container, checked_queue

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


@dataclass(frozen=True, slots=True)
class AzureStorage:
    """Which storage account, and as whom.

    One of `connection` (a connection string), `account` (its name, in the public cloud) or both `blob_url` and
    `queue_url`. Without a connection string the worker signs in with `credential`, or else with the managed identity of
    the machine: the one whose client id is `identity`, or the system's own. A wider search for credentials is refused,
    because it would find a developer's sign-in where none was meant.

    `retries` of a request that failed by the network or the service's fault; with the waits between them (1, 3, 5 s)
    and `connect_seconds`, a dead account fails after half a minute. `answer_seconds`: the longest silence of the
    service. `ca_file`: PEM certificates to trust instead of the public ones.
    """

    account: str = ""
    connection: str = field(default="", repr=False)
    blob_url: str = ""
    queue_url: str = ""
    identity: str = ""
    credential: TokenCredential | None = field(default=None, repr=False)
    queue: str = "sync"
    container: str = "sync"
    api_version: str | None = None
    retries: int = 3
    connect_seconds: float = 5.0
    answer_seconds: float = 30.0
    ca_file: str = ""

    def address(self, service: str) -> str:
        """The URL of "blob" or "queue"; "" when the connection string names it. Raises ConfigError."""
        if self.connection:
            return ""
        given = {"blob": self.blob_url, "queue": self.queue_url}[service]
        url = given or (f"https://{self.account}.{service}.core.windows.net" if self.account else "")
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            what = "has to begin with https://." if url else "is not known."
            hint = "Give the storage account's name, both addresses, or a connection string."
            raise ConfigError([Problem(f"storage account, {service} address", what)], hint=hint)
        return url


def open_stores(storage: AzureStorage) -> Stores:
    """Connects, and makes the queues and the container when they are missing and we may.

    Raises ConfigError (settings, or the SDK is not installed), AuthenticationError, AccessDeniedError and
    UnavailableError.
    """
    checked_queue(storage.queue)
    checked_container(storage.container)
    if storage.ca_file and not Path(storage.ca_file).is_file():
        raise ConfigError([Problem("certificates of the storage account", f"{storage.ca_file} is no file.")])
    try:
        from worker.stores.azure_blobs import open_blobs
        from worker.stores.azure_queue import open_queue
        from worker.stores.azure_sdk import signed_in
    except ImportError as error:
        problem = Problem("storage in Azure", f"needs packages that are not installed ({error.name}).")
        raise ConfigError([problem], hint='Next: pip install "iglobe-economic-sync[azure]"') from None
    _quiet_sdk(storage)
    storage = signed_in(storage)
    leases, records = open_blobs(storage)
    return Stores(open_queue(storage), leases, records)


def _quiet_sdk(storage: AzureStorage) -> None:
    """The SDK logs each request with its headers at INFO; and urllib3 logs addresses, which hold the signature when
    that is how we sign in. A level that somebody set is left alone."""
    names = ["azure", "urllib3"] if "sharedaccesssignature" in storage.connection.lower() else ["azure"]
    for logger in map(logging.getLogger, names):
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)
