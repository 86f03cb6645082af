"""The host: reads the app, starts its worker, and invokes its functions."""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from tests.support.mini_host.bindings import Function, HostError, read_functions
from tests.support.mini_host.front import Front, SignIn
from tests.support.mini_host.process import WorkerDiedError, WorkerProcess
from tests.support.mini_host.queues import QueueListener, QueueRules

__all__ = ["HostError", "Invocation", "MiniHost"]

T = TypeVar("T")
_START_SECONDS = 120.0
_HTTP_SECONDS = 230.0  # the platform's front gives up then
_OVERRIDE = "AzureFunctionsJobHost__extensions__queues__"
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "TZ")


@dataclass(frozen=True)
class Invocation:
    """One that is over. `error` is the worker's text; "" when it succeeded."""

    function: str
    error: str = ""
    body: str = ""
    trace: str = ""  # the trace id that the host gave along

    @property
    def ok(self) -> bool:
        return not self.error


class MiniHost:
    """An app in a folder, running. A context manager.

    `settings` are its app settings, and all of its environment but for the few variables any process needs.
    `command`: the interpreter with its options. `more_path`: where packages are that the folder does not bring.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str],
        command: Sequence[str],
        *,
        more_path: Sequence[Path] = (),
        log: Path,
        listen: bool = True,
        sign_in: SignIn | None = None,
    ) -> None:
        self._folder = folder
        self._settings = dict(settings)
        self._command = list(command)
        self._more_path = [str(path) for path in more_path]
        self._log = log
        self._listen = listen
        self._sign_in = sign_in
        self._starting = threading.Lock()
        self._changed = threading.Condition()
        self.invocations: list[Invocation] = []
        self._process: WorkerProcess | None = None
        self._listeners: dict[str, QueueListener] = {}
        self._front: Front | None = None
        self.functions: list[Function] = []
        self.versions: dict[str, str] = {}

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.kill()  # first, so that whatever waits for an invocation gets an answer
        for listener in self._listeners.values():
            listener.stop()
        if self._front:
            self._front.stop()
        if self._process:
            self._process.close()

    # What tests do

    @property
    def url(self) -> str:
        assert self._front
        return self._front.url

    def function(self, name: str) -> Function:
        return next(one for one in self.functions if one.name == name)

    def fire(self, name: str, *, past_due: bool = False) -> Invocation:
        """A timer's moment has come."""
        timer = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": None, "IsPastDue": past_due}
        value = {"kind": "json", "value": json.dumps(timer)}
        return self._invoke(self.function(name), value, {}, _trace_parent())[1]

    def kill_worker(self) -> None:
        """The worker process is gone from one moment to the next; the next invocation starts another."""
        assert self._process
        self._process.kill()

    def disable(self, function: str, disabled: bool) -> None:
        """As the app setting does it: its queue is left alone."""
        self._listeners[function].disabled = disabled

    def until(self, check: Callable[[], T], seconds: float = 300.0, what: str = "it") -> T:
        """The first answer of `check` that counts as true; fails, with the worker's last words, when there is none."""
        deadline = time.monotonic() + seconds
        while not (answer := check()):
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} did not happen in {seconds:.0f} s.\n{self._facts()}")
            with self._changed:
                self._changed.wait(0.1)
        return answer

    def of(self, function: str) -> list[Invocation]:
        """Its invocations so far."""
        return [one for one in list(self.invocations) if one.function == function]

    def depth(self, function: str) -> int:
        """Messages in its queue, hidden ones included."""
        return self._listeners[function].depth()

    def log_text(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    # Inside

    def _start(self) -> None:
        host_file = self._folder / "host.json"
        if not host_file.is_file():
            raise HostError(f"{host_file} is missing.")
        config = json.loads(host_file.read_text(encoding="utf-8"))
        self._worker()
        self._check_routes()
        extensions = config.get("extensions", {})
        prefix = extensions.get("http", {}).get("routePrefix", "api")
        self._front = Front(self.functions, prefix, self._http, self._sign_in)
        self._front.start()
        if self._listen:
            self._start_listeners(_queue_rules(extensions.get("queues", {}), self._settings))

    def _check_routes(self) -> None:
        for one in self.functions:
            if one.kind == "http" and str(one.trigger.get("route") or "").split("/")[0].casefold() in (
                "admin",
                "runtime",
            ):
                raise HostError(f"The route of '{one.name}' conflicts with one of the host's own.")

    def _start_listeners(self, rules: QueueRules) -> None:
        for one in self.functions:
            if one.kind == "queue":
                connection = self._settings[str(one.trigger["connection"])]
                work = lambda body, metadata, one=one: self._message(one, body, metadata)  # noqa: E731
                self._listeners[one.name] = QueueListener(connection, str(one.trigger["queueName"]), rules, work)
                self._listeners[one.name].start()

    def _worker(self) -> WorkerProcess:
        """The running worker; a new one when it died."""
        with self._starting:
            if self._process and self._process.alive:
                return self._process
            if self._process:
                self._process.close()
            environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | self._settings
            self._process = WorkerProcess(self._command, self._folder, environment, self._more_path, self._log)
            try:
                answer = self._process.ask("index", _START_SECONDS)
            except WorkerDiedError:
                raise HostError(f"The worker process did not start.\n{self.log_text()[-3000:]}") from None
            if not answer["ok"]:
                raise HostError(f"{answer['error']}\n{answer['trace']}")
            self.functions = read_functions(answer["functions"], self._settings)
            self.versions = answer["versions"]
            return self._process

    def _http(self, function: Function, value: dict[str, Any], trace: str) -> dict[str, Any] | None:
        done, _ = self._invoke(function, value, {}, trace)
        return done

    def _message(self, function: Function, body: str, metadata: dict[str, str]) -> bool:
        described = {name: {"kind": "string", "value": value} for name, value in metadata.items()}
        _, invocation = self._invoke(function, {"kind": "string", "value": body}, described, _trace_parent(), body)
        return invocation.ok

    def _invoke(
        self, function: Function, value: dict[str, Any], metadata: dict[str, Any], trace: str, body: str = ""
    ) -> tuple[dict[str, Any] | None, Invocation]:
        call = {
            "function": function.function_id,
            "inputs": {function.trigger["name"]: value},
            "metadata": metadata,
            "trace_parent": trace,
        }
        try:
            answer = self._worker().ask("invoke", self._limit(function), **call)
            error = "" if answer["ok"] else f"{answer['error']}\n{answer['trace']}"
        except (WorkerDiedError, TimeoutError, HostError) as fault:
            answer, error = {}, f"{type(fault).__name__}: {fault}"
        invocation = Invocation(function.name, error, body, trace.split("-")[1])
        with self._changed:
            self.invocations.append(invocation)
            self._changed.notify_all()
        return (answer if invocation.ok else None), invocation

    @staticmethod
    def _limit(function: Function) -> float:
        return _HTTP_SECONDS if function.kind == "http" else 600.0

    def _facts(self) -> str:
        last = "\n".join(f"{one.function}: {one.error or 'ok'}" for one in self.invocations[-5:])
        return f"Last invocations:\n{last}\nThe worker's log ends:\n{self.log_text()[-4000:]}"


def _queue_rules(queues: Mapping[str, Any], settings: Mapping[str, str]) -> QueueRules:
    """host.json, and the app settings that override it."""
    found = dict(queues)
    found |= {name.removeprefix(_OVERRIDE): value for name, value in settings.items() if name.startswith(_OVERRIDE)}
    hours, minutes, seconds = (int(part) for part in str(found.get("visibilityTimeout", "00:00:00")).split(":"))
    batch = int(found.get("batchSize", 16))
    return QueueRules(
        batch=batch,
        threshold=int(found.get("newBatchThreshold", batch // 2)),
        tries=int(found.get("maxDequeueCount", 5)),
        retry_seconds=hours * 3600 + minutes * 60 + seconds,
    )


def _trace_parent() -> str:
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
