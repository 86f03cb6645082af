"""The app as it is deployed, from the folder and from the built zip: Microsoft's worker runs it, storage is emulated,
and e-conomic and SharePoint are the emulators over HTTP."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.azure.conftest import Deployed
from tests.azure.test_app_files import requirements
from tests.support.hosting import make_host
from tests.support.mini_host import MiniHost
from tests.support.mini_host.install import ROOT, RUNTIME
from tests.support.world import World
from worker.domain.report import RunStatus, Trigger
from worker.engine.jobs import Job, JobState
from worker.engine.names import data_prefix
from worker.engine.packing import pack
from worker.engine.terms import StartRequest
from worker.ports import ANY_VERSION
from worker.stores.azure import AzureStorage, open_stores
from worker.wiring.app import SystemClock
from worker.wiring.engine import Host

pytestmark = pytest.mark.slow

Start = Callable[..., MiniHost]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path / "world") as made:
        made.set_up()
        yield made


@pytest.fixture
def expected(tmp_path: Path) -> dict[str, list[dict[str, object]]]:
    """What one plain run makes of the same data."""
    with World(tmp_path / "plain") as plain:
        plain.set_up()
        plain.run()
        return plain.truth()


@pytest.fixture
def office(world: World, storage: str, queue_name: str) -> Host:
    """Another process with the same store: how a test asks for runs, and sees what became of them."""
    stores = open_stores(AzureStorage(connection=storage, queue=queue_name, container=queue_name))
    return make_host({"default": world}, stores, SystemClock())


def settings_for(world: World, storage: str, name: str) -> dict[str, str]:
    """The app's settings: slices are short, so that a run takes several messages."""
    return {
        **world.environment(),
        "ENGINE_STORE": "azure",
        "ENGINE_STORAGE_CONNECTION": storage,
        "ENGINE_QUEUE": name,
        "ENGINE_CONTAINER": name,
        "ENGINE_BUDGET": "0.5",
        "ENGINE_PROFILES_REFRESH": "0",
    }


@pytest.fixture
def start(hosted: Start, deployed: Deployed, world: World, storage: str, queue_name: str) -> Callable[..., MiniHost]:
    """Starts the app; arguments are further settings."""

    def started(**more: str) -> MiniHost:
        settings = settings_for(world, storage, queue_name) | more
        return hosted(deployed.folder, settings, deployed.command, more_path=deployed.more_path)

    return started


def job_of(host: MiniHost, office: Host, job_id: str) -> Job:
    """Once it is over."""

    def over() -> Job | None:
        job = office.engine.job("default", job_id)
        return job if job and job.state.is_over else None

    return host.until(over, what=f"the end of {job_id}")


def test_the_worker_finds_four_functions_with_their_bindings(start, deployed, queue_name):
    host = start()
    triggers = {one.name: dict(one.trigger) for one in host.functions}
    assert triggers.keys() == {"web", "tick", "work", "poison"}
    assert triggers["work"]["queueName"] == queue_name
    assert triggers["poison"]["queueName"] == f"{queue_name}-poison"
    assert triggers["web"]["route"] == "/{*route}"
    assert str(triggers["web"]["authLevel"]).lower() == "anonymous"
    assert not triggers["tick"].get("runOnStartup")
    wanted = requirements(".".join(host.versions["python"].split(".")[:2]))
    assert host.versions["runtime"] in RUNTIME
    assert host.versions["sdk"] in str(wanted["azure-functions"].specifier)
    if deployed.more_path == () and host.versions["python"].startswith("3.13"):
        assert str(deployed.folder) in host.versions["runtime_file"], "the zip brings the worker it was tested with"


def test_the_zip_holds_all_that_is_shipped_and_no_emulator(built_zip):
    with zipfile.ZipFile(built_zip) as source:
        names = set(source.namelist())
    packages = ".python_packages/lib/site-packages"
    shipped = {path.relative_to(ROOT).as_posix() for path in (ROOT / "config").rglob("*.json")}
    assert {f"{packages}/{name}" for name in shipped} <= names
    assert {"function_app.py", "vault.py", "host.json", "requirements.txt"} <= names
    code = {path.relative_to(ROOT).as_posix() for path in (ROOT / "worker").rglob("*") if path.is_file()}
    wanted = {name for name in code if "__pycache__" not in name and not name.startswith("worker/emulators/")}
    assert {f"{packages}/{name}" for name in wanted} <= names
    top = {name.removeprefix(packages).split("/")[1] for name in names if name.startswith(packages)}
    assert top & {"lark", "faker", "tests", "pytest"} == set()
    assert not [name for name in names if name.startswith(f"{packages}/worker/emulators/") or "local.settings" in name]


def test_a_whole_night_from_the_timer_to_the_last_row(start, world, office, expected):
    office.engine.tick(datetime.now(UTC) - timedelta(days=1))  # the profiles were seen yesterday
    host = start()
    fired = host.fire("tick", past_due=True)
    assert fired.ok, fired.error
    (job,) = office.engine.jobs()
    done = job_of(host, office, job.job_id)
    assert done.state is JobState.DONE, done.message
    assert done.trigger is Trigger.TIMER
    assert {run.status for run in done.runs} == {RunStatus.SUCCEEDED}
    assert done.slices > 1, "its rest went on as new messages"
    host.until(lambda: host.depth("work") == 0, what="an empty queue")
    assert all(one.ok for one in host.invocations), host.log_text()
    assert world.truth() == expected
    assert host.fire("tick").ok
    assert len(office.engine.jobs()) == 1, "the same night is not begun twice"


@pytest.mark.parametrize("deployed", ["zip"], indirect=True)  # it takes as long as a lease
@pytest.mark.long
def test_a_worker_killed_in_a_run_loses_nothing(start, world, office, expected):
    host = start()
    before = len(world.rows("Companies"))
    job, _ = office.engine.start(StartRequest("default"))
    while len(world.rows("Companies")) == before:
        # From one held request to the next, each arming releases the one before: it is killed in mid-request.
        world.control("sharepoint", "hold", {"at": 1, "when": "after"})
        assert world.control("sharepoint", "hold/wait")["holding"]
    host.kill_worker()
    world.release("sharepoint")
    assert not office.engine.job("default", job.job_id).state.is_over
    done = job_of(host, office, job.job_id)
    assert done.state is JobState.DONE, done.message
    assert world.truth() == expected
    assert any("WorkerDiedError" in one.error for one in host.of("work"))
    assert host.of("poison") == []


def test_a_message_that_fails_five_times_ends_its_run_as_failed(start, office):
    """What the job keeps of e-conomic reads well and means nothing: no error with a name, so the tries count."""
    job, _ = office.engine.start(StartRequest("default"))
    name = f"{data_prefix('default', job.job_id)}source-agreement"
    office.stores.records.write(name, pack([["of", "another", "kind"]]), ANY_VERSION)
    host = start()
    done = job_of(host, office, job.job_id)
    assert done.state is JobState.FAILED
    assert "several times" in done.message
    failures = [one for one in host.of("work") if not one.ok]
    assert len(failures) == 5, [one.error[:200] for one in host.of("work")]
    (buried,) = host.until(lambda: host.of("poison"), what="poison")
    assert buried.ok, buried.error
    assert json.loads(buried.body)["job"] == job.job_id


def test_a_message_of_somebody_else_is_dropped(start, office):
    host = start()
    office.stores.queue.send("what is this")
    host.until(lambda: host.of("work"), what="the message")
    host.until(lambda: host.depth("work") == 0, what="an empty queue")
    assert [one.ok for one in host.of("work")] == [True]
