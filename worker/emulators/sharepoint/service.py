"""Answering one call: route, role, handler, format; and the same for the parts of a batch, each billed by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from worker.emulators.sharepoint import errors, routes
from worker.emulators.sharepoint.batch import Part, PartAnswer
from worker.emulators.sharepoint.calls import Call, Site, make_call
from worker.emulators.sharepoint.formats import Format, Result, Writer, content_type, format_of
from worker.emulators.sharepoint.options import Role


@dataclass
class Answer:
    """What goes onto the wire, and what the meter wants to know."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cost: float = 0.0
    writes: bool = False
    route: str = ""
    target: str = "web"
    touched: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Request:
    """One request as it came: `url` follows the host, header names are in lower case."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Service:
    """The site behind the wire; `base` is its address as the caller wrote it."""

    site: Site
    base: str

    def look(self, request: Request, role: Role) -> Call | errors.ODataError:
        """The call a request means, or the error of a path that cannot be read."""
        try:
            call = make_call(self.site, request.method, request.url, request.headers, request.body, self.base)
        except errors.ODataError as error:
            return error
        call.role = role
        return call

    def answer(self, call: Call | errors.ODataError, format_: Format) -> Answer:
        """Run a call to its answer; every ODataError becomes its error body."""
        writer = Writer(format_, self.base)
        if isinstance(call, errors.ODataError):
            return _failed(call, writer, Answer(0, cost=self.site.options.ru_read, route="unknown"))
        answer = Answer(0, route=call.address.route, target=routes.target(call))
        answer.cost = routes.cost(call, None)
        try:
            endpoint = routes.find_endpoint(call)
            answer.cost, answer.writes = routes.cost(call, endpoint), endpoint.writes
            result = routes.run(call, endpoint)
        except errors.ODataError as error:
            return _failed(error, writer, answer)
        answer.touched = call.touched
        return _written(result, writer, answer)

    def price(self, call: Call | errors.ODataError) -> float:
        """What a call will cost, before it runs."""
        if isinstance(call, errors.ODataError):
            return self.site.options.ru_read
        try:
            return routes.cost(call, routes.find_endpoint(call))
        except errors.ODataError:
            return routes.cost(call, None)

    def run_part(
        self, part: Part, outer: dict[str, str], role: Role, refuse: Callable[[float], PartAnswer | None]
    ) -> tuple[PartAnswer, Answer]:
        """One part of a batch; `refuse` may throttle it for its price before it runs."""
        headers = {**part.headers, "x-emulator-user": outer.get("x-emulator-user", "")}
        headers.setdefault("accept", outer.get("accept", ""))
        request = Request(part.method, self.local(part.url), headers, part.body)
        call = self.look(request, role)
        refused = refuse(self.price(call))
        if refused is not None:
            route = "" if isinstance(call, errors.ODataError) else call.address.route
            target = "web" if isinstance(call, errors.ODataError) else routes.target(call)
            return refused, Answer(refused.status, cost=self.price(call), route=route, target=target)
        answer = self.answer(call, format_of(headers["accept"]))
        shown = {name.upper(): value for name, value in answer.headers.items()}
        return PartAnswer(answer.status, shown, answer.body), answer

    def local(self, url: str) -> str:
        """A part's address without its host; a relative one is below the site."""
        if "://" in url:
            parts = urlsplit(url)
            return f"{parts.path}?{parts.query}" if parts.query else parts.path
        if url.startswith("/"):
            return url
        return f"{self.site.options.site_path}/{url}"


def _failed(error: errors.ODataError, writer: Writer, answer: Answer) -> Answer:
    answer.status = error.status
    answer.headers = {"Content-Type": content_type(writer.format), **error.headers}
    answer.body = writer.error(error)
    return answer


def _written(result: Result, writer: Writer, answer: Answer) -> Answer:
    answer.status = result.status
    answer.headers = {"Content-Type": content_type(writer.format), **result.headers}
    answer.body = writer.write(result.payload)
    return answer
