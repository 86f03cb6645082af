"""What is below `_api/`: sign-in, faults, the unit budget, `$batch`, and single requests handed to the service."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from functools import cached_property

from starlette.requests import Request
from starlette.responses import Response

from worker.emulators.common.faults import Faults
from worker.emulators.common.hold import Hold
from worker.emulators.common.meter import Meter, Note
from worker.emulators.common.middleware import Latency, Message, Receive, Scope, Send, note_of
from worker.emulators.common.switches import Switches
from worker.emulators.sharepoint import errors, hooks
from worker.emulators.sharepoint.batch import PartAnswer, compose_batch, parse_batch
from worker.emulators.sharepoint.calls import Call, Site
from worker.emulators.sharepoint.formats import Writer, format_of
from worker.emulators.sharepoint.models import new_guid
from worker.emulators.sharepoint.options import Role, SharePointOptions
from worker.emulators.sharepoint.service import Answer, Service
from worker.emulators.sharepoint.service import Request as SiteRequest
from worker.emulators.sharepoint.store import SharePointStore
from worker.emulators.sharepoint.throttle import Budget, Refusal, refuse

RETRY_SECONDS = 1
_HTML = b"<html><head><title>Working on it...</title></head><body><h1>Working on it...</h1></body></html>"


@dataclass
class State:
    """What tests and the command line reach through `app.state`."""

    store: SharePointStore
    options: SharePointOptions
    faults: Faults
    switches: Switches
    meter: Meter = field(default_factory=Meter)
    hold: Hold = field(default_factory=Hold)
    latency: Latency = field(default_factory=Latency)
    budget: Budget = field(default_factory=lambda: Budget(0))
    roles: dict[str, Role] = field(default_factory=dict)

    @cached_property
    def site(self) -> Site:
        return Site(self.store, self.options, self.switches)


class Api:
    """Handles what is below `_api/`."""

    def __init__(self, state: State, notifier: hooks.Notifier) -> None:
        self._state = state
        self._notifier = notifier

    async def handle(self, request: Request) -> Response:
        started = time.perf_counter()
        note = note_of(request.scope)
        note.cost = 0.0
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.body()
        if self._state.faults.hit("slow"):
            await asyncio.sleep(self._state.options.slow_ms / 1000)
        response = self._early(headers, note) or await self._run(request, headers, body, note)
        return self._dressed(response, started)

    # --- before anything runs

    def _early(self, headers: dict[str, str], note: Note) -> Response | None:
        """Answers that come before the request is looked at: faults, sign-in, a used-up budget."""
        faults, writer = self._state.faults, Writer(format_of(headers.get("accept", "")), "")
        note.route, note.is_write = "refused", False
        if faults.hit("429"):
            return _refused(refuse(429, RETRY_SECONDS, self._state.switches))
        if faults.hit("503"):
            return _refused(refuse(503, RETRY_SECONDS, self._state.switches))
        if faults.hit("503-no-retry-after"):
            return _refused(refuse(503, 0, self._state.switches, with_retry_after=False))
        if faults.hit("expired-token") or self._role(headers) is None:
            error = errors.unauthorized()
            return Response(writer.error(error), 401, {**error.headers, "Content-Type": "application/json"})
        return None

    def _role(self, headers: dict[str, str]) -> Role | None:
        kind, _, token = headers.get("authorization", "").partition(" ")
        return self._state.roles.get(token.strip()) if kind.lower() == "bearer" else None

    # --- running

    async def _run(self, request: Request, headers: dict[str, str], body: bytes, note: Note) -> Response:
        host = f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"
        service = Service(self._state.site, f"{host}{self._state.options.site_path}")
        raw = request.scope["raw_path"].decode("ascii").split("?")[0]
        query = request.scope["query_string"].decode("latin-1")
        url = f"{raw}?{query}" if query else raw
        role = self._role(headers) or "none"
        if raw.lower().rstrip("/").endswith(("/_api/$batch", "/_api/%24batch")):
            response = self._batch(service, headers, body, role, note)
        else:
            response = await self._single(service, SiteRequest(request.method, url, headers, body), role, note)
        return self._after(response, headers, note)

    async def _single(self, service: Service, request: SiteRequest, role: Role, note: Note) -> Response:
        call = service.look(request, role)
        if not self._state.budget.spend(service.price(call)):
            note.cost = service.price(call)
            return self._over_budget()
        format_ = format_of(request.headers.get("accept", ""))
        problem = await self._hook_problem(call)
        with self._state.store.transaction():
            answer = service.answer(problem or call, format_)
        note.route, note.is_write, note.target, note.cost = answer.route, answer.writes, answer.target, answer.cost
        self._notifier.notify(answer.touched, service.base)
        return Response(answer.body, answer.status, answer.headers)

    async def _hook_problem(self, call: Call | errors.ODataError) -> errors.ODataError | None:
        """Validate a new webhook off the event loop: its receiver may well ask this server something."""
        if isinstance(call, errors.ODataError):
            return None
        try:
            url = hooks.validation_address(call)
        except errors.ODataError as error:
            return error
        if url is None or await asyncio.to_thread(hooks.validate, url):
            return None
        return hooks.validation_failed(url)

    def _batch(self, service: Service, headers: dict[str, str], body: bytes, role: Role, note: Note) -> Response:
        note.route, note.is_write = "$batch", False
        if self._state.budget.limit and not self._state.budget.spend(0):
            return self._over_budget()
        try:
            if role == "none":
                raise errors.access_denied()
            parts = parse_batch(headers.get("content-type", ""), body)
            if len(parts) > self._state.options.max_batch_parts:
                raise errors.bad_query("The batch has too many operations.")
        except errors.ODataError as error:
            return Response(Writer("verbose", service.base).error(error), error.status)
        answers: list[PartAnswer] = []
        touched: set[int] = set()
        with self._state.store.transaction():
            for part in parts:
                shown, answer = service.run_part(part, headers, role, self._refuse_part)
                answers.append(self._part_fault(shown, answer))
                note.parts.append((answer.target, answer.writes))
                note.cost += answer.cost
                note.is_write = note.is_write or answer.writes
                touched |= answer.touched
        self._notifier.notify(touched, service.base)
        if self._state.faults.hit("truncated-batch"):
            answers = answers[: len(answers) // 2]
        kind, content = compose_batch(answers)
        return Response(content, 200, {"Content-Type": kind})

    def _refuse_part(self, price: float) -> PartAnswer | None:
        """Throttle one part: by fault, or because the budget is used up."""
        state = self._state
        status = 429 if state.faults.hit("part-429") else 503 if state.faults.hit("part-503") else 0
        within = state.budget.spend(price)
        if status == 0 and within:
            return None
        seconds = RETRY_SECONDS if status else state.budget.seconds_left()
        refusal = refuse(status or 429, seconds, state.switches)
        return PartAnswer(refusal.status, refusal.headers, refusal.body)

    def _part_fault(self, shown: PartAnswer, answer: Answer) -> PartAnswer:
        """A part that committed and still answers 500."""
        if answer.writes and answer.status < 400 and self._state.faults.hit("500-after-commit"):
            kind = answer.headers["Content-Type"]
            return PartAnswer(500, {"CONTENT-TYPE": kind}, Writer(format_of(kind), "").error(_unexpected()))
        return shown

    # --- after it ran

    def _after(self, response: Response, headers: dict[str, str], note: Note) -> Response:
        """Faults that spoil the answer of a request that was carried out."""
        faults = self._state.faults
        single_write = note.is_write and not note.parts and response.status_code < 400
        if single_write and faults.hit("500-after-commit"):
            writer = Writer(format_of(headers.get("accept", "")), "")
            return Response(writer.error(_unexpected()), 500, {"Content-Type": "application/json"})
        if faults.hit("html"):
            return Response(_HTML, 200, {"Content-Type": "text/html; charset=utf-8"})
        if faults.hit("cut"):
            # An answer without a body would be whole already when it breaks off, so it announces one.
            body, status = bytes(response.body) or b" ", response.status_code if response.body else 200
            return CutResponse(body, status, {"Content-Type": "application/json"})
        return response

    def _over_budget(self) -> Response:
        return _refused(refuse(429, self._state.budget.seconds_left(), self._state.switches))

    def _dressed(self, response: Response, started: float) -> Response:
        """The headers every answer of SharePoint has, and the warning ones near the budget's end."""
        request_id = new_guid()
        response.headers["SPRequestGuid"] = request_id
        response.headers["request-id"] = request_id
        response.headers["X-SharePointHealthScore"] = "0"
        milliseconds = round((time.perf_counter() - started) * 1000)
        response.headers["SPClientServiceRequestDuration"] = str(milliseconds)
        response.headers["X-SP-SERVERSTATE"] = "ReadOnly=0"
        for name, value in self._state.budget.headers().items():
            response.headers[name] = value
        return response


def _refused(refusal: Refusal) -> Response:
    return Response(refusal.body, refusal.status, refusal.headers)


def _unexpected() -> errors.ODataError:
    return errors.ODataError(500, "-2147467259, System.Runtime.InteropServices.COMException", "Unexpected error.")


class CutResponse(Response):
    """Announces the whole body, sends half of it, and lets the connection drop."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        start: Message = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
