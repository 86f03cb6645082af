"""What provisioning is made of: steps, a list as it is found, and the changes that are sent together."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.errors import Problem, UnavailableError
from worker.sharepoint.batch import Part
from worker.sharepoint.binding import ColumnNames, find_field
from worker.sharepoint.client import BATCH_SIZE, SharePointClient
from worker.sharepoint.definitions import ColumnDefinition, ListDefinition
from worker.sharepoint.faults import answer_error
from worker.sharepoint.site_lists import FieldInfo, ListInfo
from worker.sharepoint.views import ViewInfo

_CONFLICT = 409
_AGAIN = "Run economic-sync provision again: what is done is not done twice."


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, in words, and how."""

    text: str
    act: Callable[[], None]

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class ProvisionPlan:
    """What is missing, in the order it is made; `problems` are things only a person can put right, `kept` what people
    changed or took away and provisioning leaves like that."""

    steps: tuple[Step, ...]
    problems: tuple[Problem, ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing is missing."""
        return not self.steps


@dataclass(frozen=True, slots=True)
class Dress:
    """How a column looks on the site; "" for nothing."""

    description: str = ""
    formatter: str = ""


@dataclass
class Found:
    """One list as it is found; `info` is filled in when the list is made. `dress` by internal name; `form` is the form
    formatter's text by content type."""

    definition: ListDefinition
    names: ColumnNames
    info: ListInfo | None = None
    fields: list[FieldInfo] = field(default_factory=list)
    dress: Mapping[str, Dress] = field(default_factory=dict)
    views: tuple[ViewInfo, ...] = ()
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Its path below `_api/`."""
        return self.made.path

    @property
    def made(self) -> ListInfo:
        """The list, which is there by now."""
        if self.info is None:
            raise RuntimeError("a list is made before anything in it")
        return self.info

    def there(self, column: ColumnDefinition) -> FieldInfo | None:
        """The real column, under any name binding would find where people own the list."""
        own = [one for one in self.fields if one.internal == column.name]
        if own or self.definition.owner == "worker":
            return own[0] if own else None
        return next(iter(find_field(column.name, column, self.fields, self.names)), None)

    def internal(self) -> dict[str, str]:
        """Logical name -> real internal name, for every column."""
        real = ((column.name, self.there(column)) for column in self.definition.columns)
        return {name: one.internal if one else name for name, one in real}


@dataclass
class Changes:
    """Changes of properties, put together per object and sent in as few batches as possible.

    SharePoint answers 409 to column changes made side by side. The parts of one batch it works off in turn, as far as
    is known; should one conflict all the same, it is sent again by itself.
    """

    client: SharePointClient
    _merges: dict[str, dict[str, Any]] = field(default_factory=dict)
    _posts: list[str] = field(default_factory=list)

    def merge(self, path: str, properties: Mapping[str, Any]) -> None:
        """Sets properties of the object at `path` below `_api/`."""
        self._merges.setdefault(path, {}).update(properties)

    def post(self, path: str) -> None:
        """Calls a method without a body; after the merges, in the order of the calls."""
        self._posts.append(path)

    def send(self) -> None:
        """Sends what has gathered. Raises the first refusal, after everything was tried."""
        work = [(path, json.dumps(body), "*") for path, body in self._merges.items()]
        calls = [*work, *((path, "{}", None) for path in self._posts)]
        self._merges, self._posts = {}, []
        failed: list[Exception] = []
        for start in range(0, len(calls), BATCH_SIZE):
            failed += self._send(calls[start : start + BATCH_SIZE])
        if failed:
            raise failed[0]

    def _send(self, calls: list[tuple[str, str, str | None]]) -> list[Exception]:
        parts = [Part(self.client.url(path), body, if_match) for path, body, if_match in calls]
        failed: list[Exception] = []
        for (path, _, _), part, first in zip(calls, parts, self.client.batch(parts), strict=True):
            answer = self.client.batch([part])[0] if first is not None and first.status == _CONFLICT else first
            if answer is None:
                failed.append(UnavailableError(f"SharePoint gave no answer for {path}.", hint=_AGAIN))
            elif answer.status >= 300:
                failed.append(answer_error(answer.status, answer.headers, answer.body, path))
        return failed
