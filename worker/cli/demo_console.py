"""The demo's last part: the console over the demo's own data, for a visitor to click through."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from worker.alerts import NoAlerts
from worker.cli.serve import listen, serving
from worker.engine.pool import Pool, PoolOptions
from worker.ports import Clock
from worker.settings import EngineSettings, Installation, Settings
from worker.web.app import access_for, create_app
from worker.wiring.engine import Host, open_journal, open_stores

_WAIT = 60.0  # seconds that a run in hand may take at the end
_HOST = "127.0.0.1"
_LOOKS = 5.0  # seconds between looks at what is asked for in the lists: a visitor does not wait a minute


@dataclass(frozen=True, slots=True)
class Console:
    """`link` signs in once; `address` is for who is signed in."""

    address: str
    link: str

    def card(self, number: str) -> str:
        """A company's economy card."""
        return f"{self.address}/economy/{number}"


@contextlib.contextmanager
def demo_console(home: Path, settings: Settings, clock: Clock) -> Iterator[Console]:
    """Serves on loopback until it is left, with a worker that does what is started there or asked for in the lists. The
    lists' customer numbers lead to the cards from now on."""
    listening = listen(_HOST, 0)
    port = listening.getsockname()[1]
    engine = EngineSettings(host=_HOST, port=port, public_url=f"http://{_HOST}:{port}", profiles_refresh=_LOOKS)
    installation = Installation(engine, {settings.name: settings}, folder=home)
    host = Host(
        installation, open_stores(installation), clock=clock, alerts=NoAlerts(), journal=open_journal(installation)
    )
    access = access_for(host)
    with host, serving(create_app(host, access=access), listening) as address:
        with host.open(settings.name) as app:
            app.provision(app.provision_plan(economy_url=installation.economy_address(settings.name)))
        pool = Pool(host.engine, host.stop, PoolOptions(workers=1, tick=_LOOKS))
        pool.start()
        try:
            yield Console(address, f"{address}/manage/login?token={access.new_link_token()}")
        finally:
            host.stop.set()
            pool.join(_WAIT)
