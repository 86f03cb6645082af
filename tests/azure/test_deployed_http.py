"""The deployed app over HTTP: who gets in, with a key, with the platform's sign-in, and with neither."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import requests
from azure.storage.queue import QueueClient

from tests.azure.app_folder import load
from tests.azure.conftest import Deployed
from tests.azure.test_deployed import settings_for
from tests.support.mini_host import MiniHost, SignIn, principal_headers
from tests.support.world import World

pytestmark = pytest.mark.slow

KEY = "a key for programs 0123456789"
RUNS = "/manage/api/runs"
ADMIN, READER = ("Sync.Admin",), ("Sync.Reader",)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Plans only are made in it, so all tests share it."""
    with World(tmp_path_factory.mktemp("world")) as made:
        made.set_up()
        yield made


@pytest.fixture
def start(
    hosted: Callable[..., MiniHost], deployed: Deployed, world: World, storage: str, queue_name: str
) -> Callable[..., MiniHost]:
    def started(sign_in: SignIn | None = None, **more: str) -> MiniHost:
        settings = settings_for(world, storage, queue_name) | {"ENGINE_API_KEY": KEY} | more
        return hosted(
            deployed.folder, settings, deployed.command, more_path=deployed.more_path, sign_in=sign_in, listen=True
        )

    return started


def status(host: MiniHost, path: str = RUNS, headers: dict[str, str] | None = None, **more: Any) -> int:
    method = "POST" if more else "GET"
    return requests.request(
        method, host.url + path, headers=headers, timeout=60, allow_redirects=False, **more
    ).status_code


def test_a_key_opens_and_nothing_else_does_where_sign_in_is_off(start):
    host = start()
    assert status(host, "/healthz") == status(host, "/readyz") == 200
    assert status(host) == 401
    assert status(host, headers={"x-functions-key": "wrong"}) == 401
    assert status(host, f"{RUNS}?code={KEY}") == 401, "a key in an address would end up in logs"
    assert status(host, headers={"x-functions-key": KEY}) == 200
    for forged in (principal_headers(ADMIN), {**principal_headers(ADMIN), "x-ms-auth-internal": "true"}):
        assert status(host, headers=forged) == 401, "without the platform's sign-in anybody can send this header"
    assert status(host, headers=principal_headers(ADMIN), json={"mode": "plan"}) == 401


def test_roles_decide_where_the_platform_signs_people_in(start):
    host = start(WEBSITE_AUTH_ENABLED="True")
    assert status(host) == 401
    assert status(host, headers=principal_headers(())) == 403
    assert status(host, headers=principal_headers(("Sync.Nothing", "sync.admin"))) == 403
    assert status(host, headers=principal_headers(READER)) == 200
    assert status(host, headers=principal_headers(READER), json={"mode": "plan"}) == 403
    assert status(host, headers=principal_headers(ADMIN)) == 200
    assert status(host, headers={"x-ms-client-principal": "not base64"}) == 401
    started = requests.post(host.url + RUNS, headers=principal_headers(ADMIN), json={"mode": "plan"}, timeout=60)
    assert started.status_code == 202
    where = started.headers["Location"]

    def done() -> bool:
        job = requests.get(host.url + where, headers=principal_headers(READER), timeout=60).json()
        assert job["state"] not in ("Failed", "Cancelled"), job
        return bool(job["state"] == "Done")

    host.until(done, what="the end of the plan")


def test_no_route_is_one_that_the_host_keeps_for_itself(start):
    host = start()
    document = requests.get(host.url + "/manage/api/openapi.json", headers={"x-functions-key": KEY}, timeout=60).json()
    assert RUNS in document["paths"]
    assert [path for path in document["paths"] if path.strip("/").split("/")[0].lower() in ("admin", "runtime")] == []


class FakeCli:
    """The Azure CLI as far as the smoke script uses it; what it changes, it changes at the running host."""

    def __init__(self, host: MiniHost, storage: str, queue: str) -> None:
        self._host, self._storage, self._queue = host, storage, queue

    def __call__(self, arguments: Sequence[str]) -> Any:
        words = " ".join(arguments)
        if words.startswith("functionapp function list"):
            return [{"name": f"app/{one.name}"} for one in self._host.functions]
        if words.startswith("account get-access-token"):
            return {"accessToken": "admin"}
        if words.startswith("functionapp restart"):
            return self._restart()
        if words.startswith("functionapp config appsettings list"):
            return [{"name": "ENGINE_QUEUE", "value": self._queue}, {"name": "ENGINE_STORAGE_ACCOUNT", "value": "a"}]
        if words.startswith("functionapp config appsettings set"):
            return self._host.disable("work", words.endswith("AzureWebJobs.work.Disabled=true"))
        return self._put(words, arguments)

    def _restart(self) -> None:
        """The platform lets what is under way end; a worker that is killed has a test of its own."""
        self._host.until(lambda: self._host.depth("work") == 0, what="an idle moment")
        self._host.kill_worker()

    def _put(self, words: str, arguments: Sequence[str]) -> None:
        assert words.startswith("storage message put"), words
        queue = arguments[arguments.index("--queue-name") + 1]
        with QueueClient.from_connection_string(self._storage, queue) as client:
            client.send_message(arguments[-1])


@pytest.mark.parametrize("deployed", ["zip"], indirect=True)
def test_the_smoke_script_passes_on_an_app_that_works(start, storage, queue_name, capsys):
    """Every check of it, with sign-in before the app as the platform has it."""
    sign_in = SignIn({"admin": ADMIN, "nobody": ()}, frozenset({"/healthz", "/hooks/economic/x"}))
    host = start(sign_in, WEBSITE_AUTH_ENABLED="True")
    cli = FakeCli(host, storage, queue_name)
    smoke = load("infra/smoke").Smoke(host.url, "g", "app", "id", "default", cli, 0.1, 120.0, other_token="nobody")
    assert smoke.run(rough=True), capsys.readouterr().out
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 10
    assert all(line.startswith("ok: ") for line in said), said


def test_the_smoke_script_finds_a_sign_in_before_the_webhooks(start, storage, queue_name):
    host = start(SignIn({"admin": ADMIN}), WEBSITE_AUTH_ENABLED="True")
    smoke = load("infra/smoke")
    checks = smoke.Smoke(host.url, "g", "app", "id", "default", FakeCli(host, storage, queue_name))
    with pytest.raises(smoke.SmokeError, match="no webhook would come in"):
        checks.called()


def test_the_smoke_script_says_what_is_wrong(start, storage, queue_name, capsys, tmp_path):
    """Sign-in is not deployed, and the app believes that it is: the worst of all mistakes."""
    host = start(None, WEBSITE_AUTH_ENABLED="True")
    cli = FakeCli(host, storage, queue_name)
    smoke = load("infra/smoke").Smoke(host.url, "g", "app", "id", "default", cli, 0.1, 1.0)
    assert not smoke.run(rough=False)
    said = capsys.readouterr().out
    assert "FAILED: a made-up sign-in header opens nothing" in said
    assert "Switch the app off" in said
    assert "FAILED: nothing else is shown without sign-in" in said
    assert "ok: the app's four functions are there" in said
