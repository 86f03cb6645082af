"""Something that happens at a chosen request of the worker: its death, a fault, another worker's work, a person's edit.

Counted where the worker's process sends (the library's adapter), so that a test need not know the worker's inside. What
the test itself sends, and what happens on behalf of the event, is not counted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote

import requests
from requests.adapters import HTTPAdapter

from tests.support.mortal import Killed
from worker.transport import user_agent


@dataclass
class AtRequest:
    """`url`: the side's address. `at`: which request, from 1. `before`: before it is sent, else when its answer is
    there and nobody has read it. `writes`: only those that write are counted. `saying`: only those whose body has this
    text; `asking`: whose address has it. `onward`: at all that come after it as well."""

    url: str
    at: int = 1
    before: bool = True
    writes: bool = False
    saying: str = ""
    asking: str = ""
    onward: bool = False
    seen: int = 0
    happened: bool = False
    dead: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _acting: bool = False

    @contextmanager
    def does(self, action: Callable[[], object]) -> Iterator[AtRequest]:
        """While inside, the worker's requests are counted, and `action` happens at the chosen one. After Killed no
        request of the worker gets through any more."""
        real = HTTPAdapter.send

        def send(adapter: HTTPAdapter, request: requests.PreparedRequest, **more: Any) -> requests.Response:
            if self.dead:
                raise Killed
            chosen = self._is_chosen(request)
            if chosen and self.before:
                self._act(action)
            answer: requests.Response = real(adapter, request, **more)
            if chosen and not self.before:
                _ = answer.content
                self._act(action)
            return answer

        with patch.object(HTTPAdapter, "send", send):
            yield self

    def _is_chosen(self, request: requests.PreparedRequest) -> bool:
        with self._lock:
            ours = request.headers.get("User-Agent") == user_agent() and (request.url or "").startswith(self.url)
            if self._acting or self.dead or not ours or not self._is_counted(request):
                return False
            self.seen += 1
            return self.seen == self.at or (self.onward and self.seen > self.at)

    def _is_counted(self, request: requests.PreparedRequest) -> bool:
        if self.asking not in unquote(request.url or ""):
            return False
        return (_writes(request) or not self.writes) and (not self.saying or self.saying in _body(request))

    def _act(self, action: Callable[[], object]) -> None:
        self._acting = self.happened = True
        try:
            action()
        except Killed:
            self.dead = True
            raise
        finally:
            self._acting = False


def _writes(request: requests.PreparedRequest) -> bool:
    """Asking for a form digest is a POST that writes nothing."""
    return request.method != "GET" and not (request.url or "").lower().endswith("/contextinfo")


def _body(request: requests.PreparedRequest) -> str:
    body = request.body or b""
    return body if isinstance(body, str) else bytes(body).decode()
