"""The stand-in for the Functions host does what the host does, and refuses what it refuses."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from tests.support.mini_host import HostError, MiniHost

pytestmark = pytest.mark.slow

HOST = {
    "version": "2.0",
    "extensions": {"http": {"routePrefix": ""}, "queues": {"batchSize": 2, "newBatchThreshold": 0}},
}

TRIGGERS = """
import os
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.timer_trigger("timer", schedule="0 */5 * * * *", use_monitor=True)
def tick(timer: func.TimerRequest, context: func.Context) -> None:
    assert timer.past_due, "not past due"
    assert context.trace_context.trace_parent.startswith("00-")


@app.queue_trigger("message", "%ENGINE_QUEUE%", "AzureWebJobsStorage")
def work(message: func.QueueMessage) -> None:
    if message.get_body() == b"bad":
        raise ValueError(f"try {message.dequeue_count}")
    if message.get_body() == b"last words" and message.dequeue_count == 1:
        os._exit(3)


@app.queue_trigger("message", "%ENGINE_QUEUE%-poison", "AzureWebJobsStorage")
def poison(message: func.QueueMessage) -> None:
    pass


@app.route("things/{name}", methods=["POST"])
def things(req: func.HttpRequest) -> func.HttpResponse:
    if req.route_params["name"] == "broken":
        raise ValueError("broken")
    return func.HttpResponse(req.get_body() + req.params["x"].encode(), status_code=202, headers={"Location": "/a"})


@app.route("open", auth_level=func.AuthLevel.ANONYMOUS)
async def open_to_all(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("hello", headers={"Set-Cookie": "a=b; Path=/; HttpOnly; SameSite=lax"})


@app.route("keeper", auth_level=func.AuthLevel.ADMIN)
def keeper(req: func.HttpRequest) -> str:
    return "hello"
"""

Start = Callable[..., MiniHost]


def write_app(folder: Path, code: str) -> Path:
    folder.mkdir()
    (folder / "function_app.py").write_text(code)
    (folder / "host.json").write_text(json.dumps(HOST))
    return folder


@pytest.fixture
def host(tmp_path: Path, hosted: Start) -> MiniHost:
    return hosted(write_app(tmp_path / "app", TRIGGERS))


def send(storage: str, queue: str, *bodies: str) -> None:
    with QueueClient.from_connection_string(storage, queue) as client:
        client.create_queue()
        for body in bodies:
            client.send_message(base64.b64encode(body.encode()).decode())


def test_the_real_worker_reports_every_function(host, queue_name):
    assert [one.name for one in host.functions] == ["tick", "work", "poison", "things", "open_to_all", "keeper"]
    assert host.function("poison").trigger["queueName"] == f"{queue_name}-poison"
    assert host.versions["runtime"] == "1.3.0"


def test_a_timer_fires(host):
    assert host.fire("tick", past_due=True).ok
    assert "not past due" in host.fire("tick").error


def test_keys_methods_and_errors_of_http(host):
    def post(path: str, **more: object) -> requests.Response:
        return requests.post(f"{host.url}/{path}", timeout=60, **more)

    assert post("things/a?x=1").status_code == 401
    assert post("things/a?x=1", headers={"x-functions-key": "wrong"}).status_code == 401
    for key in ({"headers": {"x-functions-key": "test-function-key"}}, {"params": {"code": "test-admin-key"}}):
        answer = post("things/a?x=1", data=b"body", **key)
        assert (answer.status_code, answer.text, answer.headers["Location"]) == (202, "body1", "/a")
    assert post("things/broken", params={"code": "test-function-key"}).status_code == 500
    assert requests.get(f"{host.url}/things/a", timeout=60).status_code == 405
    assert post("keeper", params={"code": "test-function-key"}).status_code == 401
    assert post("keeper", params={"code": "test-admin-key"}).text == "hello"
    assert post("admin/host/status").status_code == post("elsewhere").status_code == 404
    assert post("open").headers["Set-Cookie"] == "a=b; Path=/; HttpOnly; SameSite=Lax"


def test_a_message_that_fails_five_times_is_poison_and_the_others_are_worked(host, storage, queue_name):
    send(storage, queue_name, "one", "bad", "two")
    host.until(lambda: host.of("poison"), what="poison")
    tries = [one.error.splitlines()[0] for one in host.of("work") if one.body == "bad"]
    assert tries == [f"ValueError: try {number}" for number in range(1, 6)]
    assert {one.body for one in host.of("work") if one.ok} == {"one", "two"}
    assert host.of("poison")[0].body == "bad"
    host.until(lambda: host.depth("work") == host.depth("poison") == 0, what="both queues empty")


def test_what_is_not_base64_is_poison_without_a_call(host, storage, queue_name):
    """The host can't read it, so the function never sees it; in the end the poison function can't either."""
    with QueueClient.from_connection_string(storage, queue_name) as client:
        client.create_queue()
        client.send_message("{plain}")
    with QueueClient.from_connection_string(storage, f"{queue_name}-poison-poison") as client:
        host.until(lambda: client_depth(client) == 1, what="poison of poison")
    assert host.of("work") == host.of("poison") == []


def client_depth(client: QueueClient) -> int:
    try:
        return client.get_queue_properties().approximate_message_count or 0
    except ResourceNotFoundError:
        return 0


def test_a_worker_that_dies_gets_a_successor_and_the_message_another_try(host, storage, queue_name):
    send(storage, queue_name, "last words")
    host.until(lambda: any(one.ok for one in host.of("work")), what="the second try")
    assert ["WorkerDiedError" in one.error for one in host.of("work")] == [True, False]


WRONG = {
    "two app objects": ("other = func.FunctionApp()", "More than one"),
    "a name that differs from its decorator's": (
        '@app.timer_trigger("clock", schedule="0 0 * * * *")\ndef again(timer: func.TimerRequest) -> None: ...',
        "parameters are declared in Python but not",
    ),
    "the same name twice": ('@app.route("two")\ndef tick(req: func.HttpRequest) -> str: ...', "tick"),
    "a module that is not packed": ("import not_packed", "not_packed"),
    "a wrong annotation": ('@app.route("wrong")\ndef wrong(req: func.QueueMessage) -> str: ...', "do not match"),
    "a setting that is not there": (
        '@app.queue_trigger("m", "%NO_SUCH%", "AzureWebJobsStorage")\ndef lost(m: func.QueueMessage) -> None: ...',
        "'%NO_SUCH%' does not resolve",
    ),
    "a connection that is not there": (
        '@app.queue_trigger("m", "queue", "NoStorage")\ndef lost(m: func.QueueMessage) -> None: ...',
        "'NoStorage' is not set",
    ),
    "a route of the host's own": ('@app.route("admin/page")\ndef page(req: func.HttpRequest) -> str: ...', "conflicts"),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_app_is_refused_for(case, tmp_path, hosted):
    more, said = WRONG[case]
    with pytest.raises(HostError, match=said):
        hosted(write_app(tmp_path / "app", f"{TRIGGERS}\n\n{more}\n"), listen=False)


def test_an_app_without_functions_is_refused(tmp_path, hosted):
    with pytest.raises(HostError, match="No job functions found"):
        hosted(write_app(tmp_path / "app", "import azure.functions as func\napp = func.FunctionApp()\n"))
