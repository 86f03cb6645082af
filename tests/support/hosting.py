"""A host (engine, stores, connections) over the emulators of one or more worlds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.world import World
from worker.engine.terms import EngineOptions, Verdict
from worker.ports import Alert, Clock, Delivery, Stores
from worker.settings import EngineSettings, Installation
from worker.wiring.engine import Host

# No delays: a test's queue is worked until it is empty.
QUICK = EngineOptions(busy_delay=(0.0, 0.0), first_delay=0.0, longest_delay=0.0, profiles_refresh=0.0)


@dataclass
class HeardAlerts:
    """Implements ports.Alerts; remembers them."""

    heard: list[Alert] = field(default_factory=list)

    def send(self, alert: Alert) -> None:
        self.heard.append(alert)


def make_host(
    worlds: Mapping[str, World],
    stores: Stores,
    clock: Clock,
    options: EngineOptions = QUICK,
    **engine: Any,
) -> Host:
    connections = {name: world.settings() for name, world in worlds.items()}
    installation = Installation(EngineSettings(**engine), connections)
    return Host(installation, stores, clock=clock, alerts=HeardAlerts(), options=options, patient=False)


def work_one(host: Host) -> Verdict | None:
    """Takes and works one message as a host does; None when there is none."""
    queue = host.stores.queue
    delivery: Delivery | None = queue.receive(600)
    if delivery is None:
        return None
    verdict = host.engine.handle(delivery.body, delivery.tries)
    queue.done(delivery)
    return verdict


def work_all(host: Host, limit: int = 500) -> list[Verdict]:
    """Until no message is left."""
    verdicts: list[Verdict] = []
    while (verdict := work_one(host)) is not None:
        verdicts.append(verdict)
        assert len(verdicts) < limit, f"no end after {limit} messages: {verdicts[-5:]}"
    return verdicts
