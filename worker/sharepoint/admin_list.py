"""The worker's own lists (profiles, runs, row results): rows in, rows out, by their provisioned internal names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from worker.errors import FatalError, NotFoundError
from worker.sharepoint.batch import SIZE, Part, PartAnswer
from worker.sharepoint.client import PAGE_SIZE, SharePointClient, list_path
from worker.sharepoint.problems import DUPLICATE, VALIDATION, read_problem
from worker.sharepoint.site import SharePointSite

_TRIES = 8


class AdminList:
    """One list that `provision` made, by title."""

    def __init__(self, site: SharePointSite, title: str) -> None:
        self._site = site
        self._title = title

    @property
    def client(self) -> SharePointClient:
        """The site's client."""
        return self._site.client

    @cached_property
    def path(self) -> str:
        """Below `_api/`. Raises NotFoundError with the next step."""
        try:
            return list_path(self._site.list_info(self._title).list_id)
        except NotFoundError as error:
            raise NotFoundError(
                f"The list '{self._title}' does not exist.", hint="Run: economic-sync provision"
            ) from error

    def rows(self, columns: Sequence[str], query: str = "") -> Iterator[dict[str, Any]]:
        """Rows with these columns; `query` is more OData, already encoded, starting with '&'."""
        select = ",".join(dict.fromkeys(["Id", *columns]))
        top = "" if "$top" in query else f"&$top={PAGE_SIZE}"
        for page in self.client.pages(f"{self.path}/items?$select={select}{query}{top}"):
            yield from page

    def create(self, values: Mapping[str, Any]) -> Part:
        """A batch part that adds a row."""
        return Part("POST", f"{self.client.site_url}/_api/{self.path}/items", plain(values))

    def update(self, item_id: int, values: Mapping[str, Any]) -> Part:
        """A batch part that changes a row, whatever its version: nobody else writes these columns."""
        return Part("MERGE", f"{self.client.site_url}/_api/{self.path}/items({item_id})", plain(values), "*")


def send(client: SharePointClient, parts: Sequence[Part]) -> list[PartAnswer]:
    """Sends parts that are harmless to repeat (unique keys, whole values) until each has its answer.

    A duplicate is an earlier try that did arrive. Raises FatalError for a refused part or when answers stay away.
    """
    answers: dict[int, PartAnswer] = {}
    for _ in range(_TRIES):
        left = [at for at in range(len(parts)) if at not in answers]
        if not left:
            break
        for start in range(0, len(left), SIZE):
            some = left[start : start + SIZE]
            got = zip(some, client.batch([parts[at] for at in some]), strict=True)
            answers |= {at: answer for at, answer in got if answer is not None and not _open(answer)}
    missing = len(parts) - len(answers)
    if missing:
        raise FatalError(f"SharePoint gave no answer for {missing} rows of the run list.", hint="Look at the list.")
    return [answers[at] for at in range(len(parts))]


def _open(answer: PartAnswer) -> bool:
    """Whether an answer leaves open if the write was done; a refusal for good raises."""
    if answer.status < 400 or answer.status in (429, 503):
        return answer.status >= 400
    problem = read_problem(answer.body)
    if problem.code == DUPLICATE:
        return False
    if answer.status >= 500 and problem.code not in VALIDATION:
        return True
    raise FatalError(
        f"SharePoint refused a row of the worker's own lists: {problem.words}", hint="Run: economic-sync provision"
    )


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """JSON-ready values."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, Decimal):
        return float(value)
    return value


def moment(value: Any) -> datetime | None:
    """A DateTime value of a row, in UTC."""
    return datetime.fromisoformat(str(value)).astimezone(UTC) if value else None
