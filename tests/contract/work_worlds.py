"""The engine's stores four times, each with hands on its time: in memory, in a SQLite file, and in Azurite by account
key and by token."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Protocol, TypeVar

from azure.storage.blob import BlobLeaseClient, BlobServiceClient

from tests.fakes.fake_work import make_fake_stores
from tests.fakes.quiet import StillClock
from tests.support.azurite import UnsignedToken, shared
from worker.ports import Hold, Stores
from worker.stores import azure, sqlite

KINDS = ("fake", "sqlite", "azurite-key", "azurite-token")
SHORTEST_LEASE = 15.0
_PATIENCE = 20.0  # seconds beyond the expected time before a test gives up on a server
_T = TypeVar("_T")


class WorkWorld(Protocol):
    """`stores` and `other` see the same data, as two processes would."""

    stores: Stores
    other: Stores

    def wait_for(self, ask: Callable[[], _T | None], seconds: float) -> _T:
        """The first answer that isn't None; it has to come within `seconds`."""
        ...

    def cut_short(self, hold: Hold) -> None:
        """The lease is over before its time, as when its holder slept through it."""
        ...


def make_world(kind: str, folder: Path) -> WorkWorld:
    """A fresh one."""
    if kind == "fake":
        clock = StillClock()
        stores = make_fake_stores(clock)
        return MovableWorld(clock, stores, stores)
    if kind == "sqlite":
        clock = StillClock()

        def connect() -> Stores:
            return sqlite.open_stores(folder / "work.sqlite", now=lambda: clock.now().timestamp())

        return MovableWorld(clock, connect(), connect())
    return AzuriteWorld(token=kind == "azurite-token")


class MovableWorld:
    """Time moves when a test waits, and by exactly so much."""

    def __init__(self, clock: StillClock, stores: Stores, other: Stores) -> None:
        self._clock = clock
        self.stores = stores
        self.other = other

    def wait_for(self, ask: Callable[[], _T | None], seconds: float) -> _T:
        self._clock.moment += timedelta(seconds=seconds - 0.001)
        assert ask() is None, "came too early"
        self._clock.moment += timedelta(seconds=0.001)
        answer = ask()
        assert answer is not None, f"did not come within {seconds:g} s"
        return answer

    def cut_short(self, hold: Hold) -> None:
        self._clock.moment += timedelta(seconds=60)


class AzuriteWorld:
    """Time is the server's; a wait asks again until the answer comes."""

    def __init__(self, *, token: bool) -> None:
        server = shared(secure=token)
        own = f"test-{uuid.uuid4().hex[:12]}"
        places = {"queue": own, "container": own}
        if token:
            self.storage = azure.AzureStorage(
                blob_url=server.url("blob"),
                queue_url=server.url("queue"),
                credential=UnsignedToken(),
                api_version="2025-11-05",
                ca_file=server.ca_file,
                **places,
            )
        else:
            self.storage = azure.AzureStorage(connection=server.connection(), **places)
        self.stores = azure.open_stores(self.storage)
        self.other = azure.open_stores(self.storage)

    def wait_for(self, ask: Callable[[], _T | None], seconds: float) -> _T:
        deadline = time.monotonic() + seconds + _PATIENCE
        while time.monotonic() < deadline:
            answer = ask()
            if answer is not None:
                return answer
            time.sleep(0.1)
        raise AssertionError(f"did not come within {seconds:g} s")

    def cut_short(self, hold: Hold) -> None:
        if self.storage.connection:
            service = BlobServiceClient.from_connection_string(self.storage.connection)
        else:
            options = {"connection_verify": self.storage.ca_file, "api_version": self.storage.api_version}
            service = BlobServiceClient(self.storage.blob_url, credential=self.storage.credential, **options)
        with service:
            blob = service.get_blob_client(self.storage.container, hold.name)
            BlobLeaseClient(blob, hold.token).break_lease(lease_break_period=0)
