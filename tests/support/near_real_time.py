"""A host that both services' webhooks reach over HTTP, and what happens in e-conomic that they tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import requests

from tests.fakes.fake_work import make_fake_stores
from tests.support.hosting import make_host
from tests.support.world import World
from worker.cli.serve import listen, serving
from worker.engine.hints import HintBook, Pending
from worker.settings import CreateSettings
from worker.web.app import create_app
from worker.web.links import Links
from worker.wiring.engine import Host
from worker.wiring.hooks import economic_address, economic_hooks


@dataclass
class Live:
    """A host that listens, and the emulators that call it."""

    world: World
    host: Host
    address: str

    @property
    def hook(self) -> str:
        return economic_address(self.address, self.host.hook_secrets.make("default"))

    def set_up(self) -> int:
        with self.host.open("default") as app:
            return economic_hooks(app, self.hook).set_up()

    def arrive(self) -> None:
        """Every call of the emulators has been tried."""
        self.world.control("economic", "webhooks/drain", {})

    @property
    def pending(self) -> Pending:
        return HintBook(self.host.stores.records, "default").read()

    def call(self, body: Any, address: str | None = None) -> requests.Response:
        return requests.post(address or self.hook, json=body, timeout=30)


@contextmanager
def listening(world: World, create: CreateSettings | None = None) -> Iterator[Live]:
    """Until the end; then the emulator's switches are as they were."""
    socket = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{socket.getsockname()[1]}"
    stores = make_fake_stores(world.clock)
    host = make_host({"default": world}, stores, world.clock, create=create, public_url=address)
    with host, serving(create_app(host), socket) as served:
        yield Live(world, host, served)
        world.economic_app.state.switches.reset()


def book(world: World, number: int = 999_001, customer: int | None = None) -> int:
    """Books an invoice in e-conomic; the number of its customer."""
    like = deepcopy(max(world.data.invoices, key=lambda one: one["date"]))
    chosen = customer or like["customer"]["customerNumber"]
    today = world.clock.now().date().isoformat()
    like.update({"bookedInvoiceNumber": number, "date": today, "dueDate": today})
    like["customer"]["customerNumber"] = chosen
    like.update(dict.fromkeys(("netAmount", "netAmountInBaseCurrency", "remainder", "remainderInBaseCurrency"), 1000))
    like.update({"vatAmount": 250, "grossAmount": 1250, "grossAmountInBaseCurrency": 1250, "currency": "DKK"})
    world.control("economic", "mutate", {"invoices": [like]})
    return int(chosen)


def browser(live: Live) -> requests.Session:
    """Signed in by a link."""
    session = requests.Session()
    token = Links(live.host.stores.records).issue()
    session.get(f"{live.address}/manage/login?token={token}", timeout=30)
    session.headers["X-CSRF-Token"] = session.get(f"{live.address}/manage/api/session", timeout=30).json()["csrf"]
    return session
