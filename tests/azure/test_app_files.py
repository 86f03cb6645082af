"""The app's own files keep to what the host wants and no worker can check."""

from __future__ import annotations

import ast
import fnmatch
import re
import tomllib
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from cronsim import CronSim, CronSimError
from packaging.requirements import Requirement
from packaging.version import Version

from tests.azure.app_folder import APP, load, read_json
from tests.azure.test_infra import known_names
from tests.support.mini_host.install import ROOT, RUNTIME

SOURCE = (APP / "function_app.py").read_text(encoding="utf-8")
TREE = ast.parse(SOURCE)
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def decorators(name: str) -> list[dict[str, object]]:
    """Arguments of each decorator of this name, the first ones as they stand."""
    found = []
    for function in (node for node in TREE.body if isinstance(node, ast.FunctionDef)):
        for call in (one for one in function.decorator_list if isinstance(one, ast.Call)):
            if isinstance(call.func, ast.Attribute) and call.func.attr == name:
                named = {one.arg: ast.literal_eval(one.value) for one in call.keywords if one.arg}
                found.append({**named, "": [ast.literal_eval(one) for one in call.args]})
    return found


def next_fires(schedule: str, count: int) -> list[datetime]:
    """By the host's rules: six fields, seconds first. Raises ValueError."""
    if len(schedule.split()) != 6:
        raise ValueError("six fields are needed, seconds first")
    try:
        fires = CronSim(schedule, datetime(2026, 11, 25, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(str(error)) from None
    return [next(fires) for _ in range(count)]


def test_the_app_is_short_and_has_one_top_level_object():
    assert len(SOURCE.splitlines()) < 100
    assigned = [
        node.targets[0].id
        for node in TREE.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and "func." in ast.unparse(node.value)
    ]
    assert assigned == ["app"]


def test_the_timer_fires_every_minute_and_catches_up():
    (timer,) = decorators("timer_trigger")
    fires = next_fires(str(timer["schedule"]), 300)
    assert {later - earlier for earlier, later in pairwise(fires)} == {timedelta(minutes=1)}
    assert timer["use_monitor"] is True
    assert not timer.get("run_on_startup"), "each new instance would fire it"


@pytest.mark.parametrize("schedule", ["*/5 * * * *", "0 */5 * * * * *", "0 61 * * * *", "0 x * * * *", ""])
def test_a_schedule_the_host_refuses_would_be_found(schedule):
    with pytest.raises(ValueError):
        next_fires(schedule, 1)


def test_each_function_has_a_name_of_its_own_and_its_queue_by_setting():
    names = [one[""][0] for one in decorators("function_name")]
    assert names == ["tick", "work", "poison"]
    queues = decorators("queue_trigger")
    assert [one["queue_name"] for one in queues] == ["%ENGINE_QUEUE%", "%ENGINE_QUEUE%-poison"]
    assert {one["connection"] for one in queues} == {"AzureWebJobsStorage"}


def test_host_json_says_what_the_engine_counts_on():
    host = read_json("host.json")
    assert host["version"] == "2.0"
    assert host["extensionBundle"] == {
        "id": "Microsoft.Azure.Functions.ExtensionBundle",
        "version": "[4.*, 5.0.0)",
    }
    assert host["telemetryMode"] == "OpenTelemetry"
    assert host["extensions"]["http"]["routePrefix"] == ""
    queues = host["extensions"]["queues"]
    assert queues["messageEncoding"] == "base64", "the engine's own client sends it so; a mismatch is poison"
    assert (queues["batchSize"], queues["newBatchThreshold"], queues["maxDequeueCount"]) == (4, 0, 5)
    for name in ("visibilityTimeout", "maxPollingInterval"):
        assert re.fullmatch(r"00:00:\d\d", queues[name]), name
    assert re.fullmatch(r"\d\d:[0-5]\d:[0-5]\d", host["functionTimeout"])


@pytest.mark.parametrize(
    "category",
    [
        "Microsoft.Azure.WebJobs.Script.WebHost.Middleware.SystemTraceMiddleware",
        "Microsoft.AspNetCore.Hosting.Diagnostics",
        "Host.Results",
    ],
)
def test_the_host_logs_no_addresses(category):
    """That of a webhook holds a secret. The longest category that this one begins with decides."""
    levels = read_json("host.json")["logging"]["logLevel"]
    known = [name for name in levels if f"{category}.".startswith(f"{name}.")]
    assert known, f"{category} is logged as default says"
    assert levels[max(known, key=len)] == "Warning"


def requirements(version: str) -> dict[str, Requirement]:
    """Those that hold for this Python."""
    lines = (APP / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    environment = {"python_version": version}
    return {one.name: one for one in wanted if one.marker is None or one.marker.evaluate(environment)}


@pytest.mark.parametrize("version", PYTHONS)
def test_every_python_gets_the_sdk_line_that_supports_it(version):
    wanted = requirements(version)
    new = Version(version) >= Version("3.13")
    (pin,) = wanted["azure-functions"].specifier
    assert pin.operator == "=="
    assert Version(pin.version).major == (2 if new else 1)
    assert ("azure-functions-runtime" in wanted) is new, "older ones have the worker built in"


def test_the_tests_run_the_worker_that_is_deployed():
    assert str(requirements("3.13")["azure-functions-runtime"].specifier) == str(Requirement(RUNTIME).specifier)


def test_what_is_packed_exists_and_nothing_else_is_of_the_app():
    build = load("build")
    assert all((APP / name).is_file() for name in build.FILES)
    local = {f"{node.module}.py" for node in ast.walk(TREE) if isinstance(node, ast.ImportFrom)}
    assert {name for name in local if (APP / name).is_file()} <= set(build.FILES)


def test_publishing_the_folder_by_hand_leaves_out_what_is_not_the_app():
    patterns = (APP / ".funcignore").read_text(encoding="utf-8").split()
    for name in ("local.settings.json", "build.py", "infra", "tests", ".venv", "dist"):
        assert any(fnmatch.fnmatch(name, one) for one in patterns), name
    for name in load("build").FILES:
        assert not any(fnmatch.fnmatch(name, one) for one in patterns), name


def test_the_example_of_local_settings_holds_no_secret_and_only_known_names():
    values = read_json("local.settings.example.json")["Values"]
    assert values.keys() - known_names() == {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"}
    for name in ("ECONOMIC_APP_SECRET", "ECONOMIC_GRANT_TOKEN", "ENGINE_STORAGE_CONNECTION"):
        assert values[name].startswith("<"), name


def test_the_storage_sdk_comes_with_the_extra_that_is_packed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = {Requirement(one).name for one in project["optional-dependencies"]["azure"]}
    assert {"azure-storage-queue", "azure-storage-blob", "azure-identity"} <= extra
