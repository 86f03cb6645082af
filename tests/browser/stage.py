"""What a browser test runs against: the product over both emulators, each test from the same start."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import FastAPI

from tests.fakes.fake_work import FakeLeases, FakeQueue, FakeRecords, make_fake_stores
from tests.support.hosting import QUICK, HeardAlerts, KeptSecrets
from tests.support.world import World
from worker.emulators.common.server import EmulatorServer
from worker.engine.jobs import Job
from worker.engine.pool import Pool, PoolOptions
from worker.engine.terms import EngineOptions
from worker.ports import Record, Stores
from worker.settings import Installation
from worker.web.access import Access
from worker.web.app import access_for, create_app
from worker.wiring.engine import Host

_JOB_SECONDS = 60.0
# No ticks: time stands still in a world, and schedules would start runs that no test asked for. No wait after a fault
# either, for its end would never come.
_POOL = PoolOptions(workers=2, tick=None, idle=0.02, retry=0.0)


@dataclass
class Live:
    """The product while it serves: pages under `url`, and workers that do what was asked for."""

    url: str
    world: World
    host: Host
    app: FastAPI
    access: Access

    def login_url(self) -> str:
        """A new link, good once."""
        return f"{self.url}/manage/login?token={self.access.new_link_token()}"

    def address(self, path: str) -> str:
        """Of a page."""
        return f"{self.url}{path}"

    def finished(self, job: Job) -> Job:
        """The job once the workers are through with it."""
        for _ in range(int(_JOB_SECONDS / _POOL.idle)):
            found = self.host.engine.job(job.connection, job.job_id)
            if found is not None and found.state.is_over:
                return found
            self.host.stop.wait(_POOL.idle)
        raise AssertionError(f"the job did not end: {found}")


class Stage:
    """A world and stores that go back to the moment of `snapshot`. The host, its workers and the server are made anew
    each time: nothing a process remembers crosses from one test to the next."""

    def __init__(self, world: World, installation: Installation, options: EngineOptions = QUICK) -> None:
        self.world = world
        self._installation = installation
        self._options = options
        self._stores: Stores = make_fake_stores(world.clock)
        self._secrets = KeptSecrets()
        self._kept: tuple[dict[str, Record], dict[str, str]] = ({}, {})

    def snapshot(self) -> None:
        """From now on this is where tests start. Only while nothing is being worked."""
        self.world.snapshot()
        self._kept = (dict(self._records.documents), dict(self._secrets.values))

    def restore(self) -> None:
        """Back there. Only while nothing is being worked."""
        self.world.restore()
        queue, leases = self._stores.queue, self._stores.leases
        assert isinstance(queue, FakeQueue)
        assert isinstance(leases, FakeLeases)
        queue.messages.clear()
        queue.poison().messages.clear()
        leases.held.clear()
        documents, values = self._kept
        self._records.documents = dict(documents)
        self._secrets.values = dict(values)

    @contextlib.contextmanager
    def serving(self) -> Iterator[Live]:
        """The product, until the test is over."""
        host = Host(
            self._installation,
            self._stores,
            clock=self.world.clock,
            alerts=HeardAlerts(),
            options=self._options,
            secrets=self._secrets,
            patient=False,
        )
        access = access_for(host)
        app = create_app(host, access=access)
        with host, EmulatorServer(app) as server, _working(host):
            yield Live(server.url, self.world, host, app, access)

    @property
    def _records(self) -> FakeRecords:
        records = self._stores.records
        assert isinstance(records, FakeRecords)
        return records


@contextlib.contextmanager
def _working(host: Host) -> Iterator[None]:
    pool = Pool(host.engine, host.stop, _POOL)
    pool.start()
    try:
        yield
    finally:
        host.stop.set()
        assert pool.join(_JOB_SECONDS), "a worker did not end"
