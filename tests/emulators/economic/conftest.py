"""One served agreement for all tests here, put back before each."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from emu_economic_support import NOON, OPTIONS, TODAY, Agreement, Served

from worker.emulators.common.server import EmulatorServer
from worker.emulators.economic.app import create_app
from worker.emulators.economic.options import EconomicOptions
from worker.emulators.economic.store import EconomicStore


@pytest.fixture(scope="session")
def _served() -> Iterator[Served]:
    store = EconomicStore()
    store.load(Agreement())
    store.snapshot()
    app = create_app(store, options=OPTIONS)
    with EmulatorServer(app) as server:
        served = Served(app, server.url)
        yield served
        served.session.close()
    store.close()


@pytest.fixture
def emu(_served: Served) -> Served:
    """The served agreement as it was at the start, every switch at its default."""
    _served.store.restore()
    state = _served.app.state
    state.switches.reset()
    state.faults.clear()
    state.gate.revoked = False
    state.gate.bucket.used = 0.0
    state.meter.reset()
    state.webhooks.log.clear()
    return _served


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Serve the agreement with other options; stopped when the test ends."""
    with ExitStack() as stack:

        def start(**options: Any) -> Served:
            store = EconomicStore()
            store.load(Agreement())
            stack.callback(store.close)
            app = create_app(store, options=EconomicOptions(**{"today": lambda: TODAY, "now": lambda: NOON, **options}))
            server = stack.enter_context(EmulatorServer(app))
            served = Served(app, server.url)
            stack.callback(served.session.close)
            return served

        yield start
