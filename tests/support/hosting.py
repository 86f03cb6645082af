"""A host (engine, stores, connections) over the emulators of one or more worlds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.world import World
from worker.engine.terms import EngineOptions, Verdict
from worker.ports import Alert, Clock, Delivery, Stores
from worker.settings import CreateSettings, EngineSettings, Installation
from worker.wiring.engine import Host

# No delays: a test's queue is worked until it is empty.
QUICK = EngineOptions(busy_delay=(0.0, 0.0), first_delay=0.0, longest_delay=0.0, profiles_refresh=0.0, fold_seconds=0.0)


@dataclass
class HeardAlerts:
    """Implements ports.Alerts; remembers them. `deaf` is a part of the titles that are not taken."""

    heard: list[Alert] = field(default_factory=list)
    deaf: str | None = None

    def send(self, alert: Alert) -> bool:
        taken = self.deaf is None or self.deaf not in alert.title
        if taken:
            self.heard.append(alert)
        return taken


@dataclass
class KeptSecrets:
    """Implements ports.Secrets, in memory."""

    values: dict[str, str] = field(default_factory=dict)

    def read(self, name: str) -> str | None:
        return self.values.get(name)

    def write(self, name: str, value: str) -> None:
        self.values[name] = value


def make_host(
    worlds: Mapping[str, World],
    stores: Stores,
    clock: Clock,
    options: EngineOptions = QUICK,
    create: CreateSettings | None = None,
    **engine: Any,
) -> Host:
    connections = {name: world.settings(create) for name, world in worlds.items()}
    installation = Installation(EngineSettings(**engine), connections)
    heard, kept = HeardAlerts(), KeptSecrets()
    return Host(installation, stores, clock=clock, alerts=heard, options=options, secrets=kept, patient=False)


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
