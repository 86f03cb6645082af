"""Queue, leases and records in memory, in a time that a test moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from threading import RLock

from worker.errors import ConflictError, LeaseLostError
from worker.ports import ANY_VERSION, Clock, Delivery, Hold, Record, Stores
from worker.stores.names import (
    checked_body,
    checked_delay,
    checked_lease,
    checked_name,
    checked_prefix,
    checked_queue,
)


def make_fake_stores(clock: Clock, queue: str = "sync") -> Stores:
    """Stores that share one lock and one clock; safe to use from several threads."""
    world = _World(clock)
    leases = FakeLeases(world)
    return Stores(FakeQueue(world, checked_queue(queue)), leases, FakeRecords(world, leases))


class _World:
    """What the three share: the lock, the time in seconds, and numbers that never come twice."""

    def __init__(self, clock: Clock) -> None:
        self.lock = RLock()
        self._clock = clock
        self._numbers = count(1)

    def time(self) -> float:
        return self._clock.now().timestamp()

    def number(self) -> str:
        return str(next(self._numbers))


@dataclass
class FakeMessage:
    """`receipt` is "" until it was taken."""

    message_id: str
    body: str
    visible: float
    tries: int = 0
    receipt: str = ""


class FakeQueue:
    """Implements ports.WorkQueue. `messages` is open, in the order they were sent."""

    def __init__(self, world: _World, name: str) -> None:
        self.name = name
        self.messages: list[FakeMessage] = []
        self._world = world
        self._poison: FakeQueue | None = None

    def send(self, body: str, delay: float = 0.0) -> None:
        with self._world.lock:
            visible = self._world.time() + checked_delay(delay)
            self.messages.append(FakeMessage(self._world.number(), checked_body(body), visible))

    def receive(self, hide_seconds: float) -> Delivery | None:
        with self._world.lock:
            now = self._world.time()
            found = min((one for one in self.messages if one.visible <= now), key=lambda one: one.visible, default=None)
            if found is None:
                return None
            found.tries += 1
            return self._hidden(found, hide_seconds)

    def extend(self, delivery: Delivery, hide_seconds: float) -> Delivery:
        with self._world.lock:
            found = self._mine(delivery)
            if found is None:
                raise LeaseLostError("The message was taken by somebody else meanwhile.")
            return self._hidden(found, hide_seconds)

    def done(self, delivery: Delivery) -> None:
        with self._world.lock:
            found = self._mine(delivery)
            if found is not None:
                self.messages.remove(found)

    def give_back(self, delivery: Delivery, delay: float) -> None:
        with self._world.lock:
            found = self._mine(delivery)
            if found is not None:
                self._hidden(found, delay)

    def bury(self, delivery: Delivery) -> None:
        with self._world.lock:
            if self._mine(delivery) is not None:
                self.poison().send(delivery.body)
                self.done(delivery)

    def waiting(self) -> int:
        with self._world.lock:
            return len(self.messages)

    def poison(self) -> FakeQueue:
        with self._world.lock:
            if self._poison is None:
                self._poison = FakeQueue(self._world, f"{self.name}-poison")
            return self._poison

    def _mine(self, delivery: Delivery) -> FakeMessage | None:
        wanted = (delivery.message_id, delivery.receipt)
        return next((one for one in self.messages if (one.message_id, one.receipt) == wanted), None)

    def _hidden(self, message: FakeMessage, seconds: float) -> Delivery:
        message.visible = self._world.time() + checked_delay(seconds)
        message.receipt = self._world.number()
        return Delivery(message.message_id, message.body, message.tries, message.receipt)


@dataclass
class FakeLease:
    """A lease that was given; it stays when it has run out, until somebody takes the name or writes its record."""

    token: str
    expires: float


@dataclass
class FakeLeases:
    """Implements ports.Leases. `held` is open, by name."""

    _world: _World
    held: dict[str, FakeLease] = field(default_factory=dict)

    def acquire(self, name: str, seconds: float) -> Hold | None:
        with self._world.lock:
            expires = self._world.time() + checked_lease(seconds)
            if self.holder(checked_name(name)):
                return None
            self.held[name] = FakeLease(self._world.number(), expires)
            return Hold(name, self.held[name].token)

    def renew(self, hold: Hold, seconds: float) -> None:
        with self._world.lock:
            lease = self.held.get(hold.name)
            if lease is None or lease.token != hold.token:
                raise LeaseLostError(f"The lease on {hold.name} is not ours any more.")
            lease.expires = self._world.time() + checked_lease(seconds)

    def release(self, hold: Hold) -> None:
        with self._world.lock:
            lease = self.held.get(hold.name)
            if lease is not None and lease.token == hold.token:
                del self.held[hold.name]

    def holder(self, name: str) -> str:
        """The token of a lease that is in force, or ""."""
        lease = self.held.get(name)
        return lease.token if lease is not None and lease.expires > self._world.time() else ""


@dataclass
class FakeRecords:
    """Implements ports.Records. `documents` is open, by name; `writes` counts those that were done."""

    _world: _World
    _leases: FakeLeases
    documents: dict[str, Record] = field(default_factory=dict)
    writes: int = 0

    def read(self, name: str) -> Record | None:
        with self._world.lock:
            return self.documents.get(checked_name(name))

    def write(self, name: str, content: bytes, version: str | None, hold: Hold | None = None) -> str:
        with self._world.lock:
            self._check_lease(checked_name(name), hold)
            standing = self.documents.get(name)
            if version != ANY_VERSION and (standing.version if standing else None) != version:
                raise ConflictError(f"The record {name} was written by somebody else meanwhile.")
            if hold is None:
                self._leases.held.pop(name, None)
            self.documents[name] = Record(bytes(content), self._world.number())
            self.writes += 1
            return self.documents[name].version

    def names(self, prefix: str) -> Sequence[str]:
        with self._world.lock:
            return sorted(name for name in self.documents if name.startswith(checked_prefix(prefix)))

    def remove(self, name: str) -> None:
        with self._world.lock:
            if checked_name(name) not in self.documents:
                return
            self._check_lease(name, None)
            del self.documents[name]
            self._leases.held.pop(name, None)

    def _check_lease(self, name: str, hold: Hold | None) -> None:
        holder = self._leases.holder(name)
        if hold is not None and (hold.name, hold.token) != (name, holder):
            raise LeaseLostError(f"The lease on {name} is not ours any more.")
        if hold is None and holder:
            raise ConflictError(f"The record {name} is leased by somebody else.")
