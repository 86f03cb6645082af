"""How the tests start an app: which interpreter, with which packages and settings."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.support import azurite
from tests.support.mini_host import MiniHost
from tests.support.mini_host.install import APP, ROOT, environment, target_python


@pytest.fixture(scope="session")
def storage() -> str:
    """The storage emulator's connection string."""
    return azurite.shared().connection()


@pytest.fixture
def queue_name() -> str:
    """Nobody else's."""
    return f"q-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def hosted(tmp_path: Path, storage: str, queue_name: str) -> Iterator[Callable[..., MiniHost]]:
    """Starts an app's folder with the worker's own environment; `settings` add to the usual ones."""
    numbers = itertools.count(1)
    with ExitStack() as stack:

        def start(
            folder: Path, settings: dict[str, str] | None = None, command: Sequence[str] = (), **more: Any
        ) -> MiniHost:
            usual = {
                "AzureWebJobsStorage": storage,
                "ENGINE_QUEUE": queue_name,
                "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:00",
            }
            log = tmp_path / f"worker-{next(numbers)}.log"
            host = MiniHost(folder, usual | (settings or {}), command or [str(environment())], log=log, **more)
            return stack.enter_context(host)

        yield start


@dataclass(frozen=True)
class Deployed:
    """An app as it is started: its folder, the interpreter, and where packages are that the folder does not bring."""

    folder: Path
    command: tuple[str, ...]
    more_path: tuple[Path, ...]


@pytest.fixture(scope="session")
def built_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip for Azure, built once for all test processes of a session."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    out = shared / "functions.zip"
    with FileLock(shared / "functions.lock"):
        if not out.exists():
            unfinished = shared / "unfinished.zip"
            python = target_python()
            runtime = "3.13" if python else f"{sys.version_info[0]}.{sys.version_info[1]}"
            command = [sys.executable, str(APP / "build.py"), "--python", str(python or sys.executable)]
            options = ["--runtime", runtime, "--out", str(unfinished)]
            done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            (shared / "functions.txt").write_text(done.stdout)
            unfinished.rename(out)
    return out


@pytest.fixture(scope="session", params=["folder", "zip"])
def deployed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """The real folder with the checkout's worker; and the built zip, unpacked elsewhere, with nothing beside it."""
    if request.param == "folder":
        return Deployed(APP, (str(environment()),), (ROOT,))
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(request.getfixturevalue("built_zip")) as source:
        source.extractall(folder)
    python = target_python()
    # From 3.13 on the zip brings the worker too, so the bare interpreter does; before, the platform has its own.
    command = (str(python), "-I", "-S") if python else (str(environment()), "-I")
    return Deployed(folder, command, ())
