"""What goes on behind a page and must not: errors nobody sees, requests to elsewhere, answers that failed.

watch.allow_status(503)       this test makes a service fail on purpose
watch.allow_origin(url)       this test leaves the console, such as for e-conomic's page and back
watch.take()                  the faults so far, for a test that expects some; they are forgotten
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

# Chromium says this of every answer from 400 on; answers are judged by `_answered`, which knows what was asked for.
_STATUS_TOLD = re.compile(r"Failed to load resource: the server responded with a status of \d+")
_NOT_SENT = ("data:", "blob:", "about:")


@dataclass(frozen=True)
class Document:
    """One page as it came over the wire."""

    url: str
    status: int
    size: int  # bytes of its body
    server_ms: float | None  # as the header Server-Timing has it


@dataclass
class Watch:
    """Hears what happens in a context's pages. Its fixture fails the test when `faults` is not empty at its end."""

    origins: set[str]
    faults: list[str] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    _statuses: set[int] = field(default_factory=set)

    def hear(self, context: BrowserContext) -> None:
        """Everything in this context from now on."""
        context.on("weberror", self._threw)
        context.on("console", self._said)
        context.on("request", self._asked)
        context.on("response", self._answered)

    def allow_status(self, *statuses: int) -> None:
        """Answers with these are no faults."""
        self._statuses.update(statuses)

    def allow_origin(self, url: str) -> None:
        """Requests to where this address is are no faults."""
        self.origins.add(_origin(url))

    def take(self) -> list[str]:
        """The faults so far, which count no more."""
        taken, self.faults = self.faults, []
        return taken

    def _threw(self, thrown: WebError) -> None:
        where = thrown.page.url if thrown.page else "?"
        self.faults.append(f"uncaught error on {where}: {thrown.error}")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not _STATUS_TOLD.match(message.text):
            where = message.page.url if message.page else "?"
            self.faults.append(f"console error on {where}: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(_NOT_SENT) and _origin(request.url) not in self.origins:
            self.faults.append(f"request to elsewhere: {request.method} {request.url}")

    def _answered(self, response: Response) -> None:
        kind, status = response.request.resource_type, response.status
        if kind == "document":
            self.documents.append(_document(response))
        # A page may be a refusal, and tests look at those; what a page needs must be there.
        worst = 500 if kind == "document" else 400
        if status >= worst and status not in self._statuses:
            self.faults.append(f"answer {status} to {response.request.method} {response.url}")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _document(response: Response) -> Document:
    headers = response.headers
    timing = re.search(r"\bapp;dur=([\d.]+)", headers.get("server-timing", ""))
    size = int(headers.get("content-length", 0))
    return Document(response.url, response.status, size, float(timing[1]) if timing else None)


class Sizes:
    """How large the pages were that a test has seen."""

    LIMIT = 100_000

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    @property
    def documents(self) -> list[Document]:
        """In the order they came, without redirects."""
        return [one for one in self._watch.documents if not 300 <= one.status < 400]

    def assert_small(self, limit: int = LIMIT) -> None:
        """No page is larger than `limit` bytes, compressed or not as it was sent."""
        assert self.documents, "no page was seen"
        large = [f"{one.url}: {one.size} bytes" for one in self.documents if one.size > limit]
        assert not large, f"over {limit} bytes: {'; '.join(large)}"
        unknown = [one.url for one in self.documents if not one.size]
        assert not unknown, f"of unknown size: {unknown}"
