"""The worker process and its pipe. It may die at any time; whoever waits then hears so."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

_CHILD = Path(__file__).with_name("child")


class WorkerDiedError(Exception):
    """The worker process ended while somebody waited for it."""


class WorkerProcess:
    """One process. `command`: the interpreter and its options; `environment` is the whole of it."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        more_path: Sequence[str],
        log: Path,
    ) -> None:
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            [*command, str(_CHILD), str(folder), *more_path],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
        )
        self._ids = itertools.count(1)
        self._waiting: dict[str, Future[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, name="mini-host-reader", daemon=True)
        self._reader.start()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, kind: str, seconds: float, **more: Any) -> dict[str, Any]:
        """The answer. Raises WorkerDiedError, TimeoutError."""
        future: Future[dict[str, Any]] = Future()
        number = str(next(self._ids))
        with self._lock:
            self._waiting[number] = future
            try:
                assert self._process.stdin
                self._process.stdin.write(json.dumps({"id": number, "kind": kind, **more}) + "\n")
                self._process.stdin.flush()
            except (OSError, ValueError):
                self._waiting.pop(number, None)
                raise WorkerDiedError("The worker process is not there.") from None
        return future.result(seconds)

    def kill(self) -> None:
        """At once, as the platform does it."""
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def close(self) -> None:
        """Nothing is left over."""
        self.kill()
        assert self._process.stdin
        assert self._process.stdout
        with contextlib.suppress(OSError):  # something was still to be written
            self._process.stdin.close()
        self._process.stdout.close()
        self._log.close()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            answer = json.loads(line)
            with self._lock:
                future = self._waiting.pop(answer["id"])
            future.set_result(answer)
        with self._lock:
            lost, self._waiting = list(self._waiting.values()), {}
        for future in lost:
            future.set_exception(WorkerDiedError("The worker process ended during the invocation."))
