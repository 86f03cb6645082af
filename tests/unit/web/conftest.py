"""The app over a real host: both emulators, stores in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.fakes.fake_work import make_fake_stores
from tests.support.hosting import QUICK, HeardAlerts, KeptSecrets, work_all
from tests.support.world import World
from worker.settings import CreateSettings, EngineSettings, Installation
from worker.web.access import Access
from worker.web.app import access_for, create_app
from worker.wiring.engine import Host

KEY = "a-key-for-programs"


@dataclass
class Console:
    """A host, its app, and clients of every kind."""

    world: World
    host: Host
    app: FastAPI
    access: Access

    def client(self, **headers: str) -> TestClient:
        return TestClient(self.app, base_url="http://127.0.0.1:8642", headers=headers, raise_server_exceptions=False)

    @property
    def program(self) -> TestClient:
        return self.client(**{"x-functions-key": KEY})

    def browser(self) -> TestClient:
        """Signed in by the link, with the page's token."""
        client = self.client()
        client.get(f"/manage/login?token={self.access.new_link_token()}")
        client.headers["X-CSRF-Token"] = client.get("/manage/api/session").json()["csrf"]
        return client

    def work(self) -> None:
        work_all(self.host)


def make_console(world: World, *, platform: bool = False, create: CreateSettings | None = None, **sync: Any) -> Console:
    """`create`, `sync`: settings of these groups."""
    installation = Installation(
        EngineSettings(api_key=KEY),  # type: ignore[arg-type]
        {"default": world.settings(create, **sync)},
        platform_sign_in=platform,
    )
    stores = make_fake_stores(world.clock)
    heard, kept = HeardAlerts(), KeptSecrets()
    host = Host(installation, stores, clock=world.clock, alerts=heard, options=QUICK, secrets=kept, patient=False)
    access = access_for(host)
    return Console(world, host, create_app(host, access=access), access)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("web"), patient=False) as made:
        made.set_up()
        made.snapshot()
        yield made


@pytest.fixture
def console(world: World) -> Console:
    world.restore()
    return make_console(world)


@pytest.fixture
def on_azure(world: World) -> Console:
    """As the platform runs it, with its sign-in switched on."""
    world.restore()
    return make_console(world, platform=True)
