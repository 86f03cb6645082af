"""Items of one list: read whole, found by key, written in batches. What Target and the run list are made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from worker.domain.values import Column, ColumnKind, Item, Value
from worker.errors import IncompleteReadError, NotFoundError, WorkerError
from worker.ports import Create, Update, Write, WriteOutcome
from worker.sharepoint.batch import Part, PartAnswer
from worker.sharepoint.client import BATCH_SIZE, MINIMAL, PAGE_SIZE, SharePointClient
from worker.sharepoint.columns import decoder, entity_property, object_text, property_name, to_json_text
from worker.sharepoint.faults import answer_error
from worker.sharepoint.outcomes import judge, long_etag, other_spelling, version_number
from worker.sharepoint.versions import maker, newest_first, number

# SharePoint's query string ends at 2,048 characters; and an OR of more than twenty is slow to answer.
_QUERY_LIMIT = 1900
_VALUES = 20
# Compared without quotes; a look-up or person by the id it points to.
_NUMERIC = frozenset({ColumnKind.NUMBER, ColumnKind.CURRENCY, ColumnKind.LOOKUP, ColumnKind.PERSON})
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_PERSON = "|membership|"  # in the login name of a person, never of an app


@dataclass(frozen=True, slots=True)
class Shape:
    """A column, the property that carries it in item JSON, and how that is read."""

    column: Column
    rest: str
    decode: Callable[[Any], Value]


def shape(column: Column, zone: ZoneInfo, rest: str | None = None) -> Shape:
    """How a column travels; `rest` is its EntityPropertyName where the list was asked."""
    name = property_name(rest or entity_property(column.internal), column.kind)
    return Shape(column, name, decoder(column.kind, zone))


class ListItems:
    """Items of the list at `path` (below `_api/`), by logical column. Raises the errors of SharePointClient."""

    def __init__(
        self,
        client: SharePointClient,
        path: str,
        shapes: Mapping[str, Shape],
        zone: ZoneInfo,
        *,
        title: str = "",
        concurrency: int = 2,
    ) -> None:
        self._client = client
        self._path = path
        self._shapes = shapes
        self._zone = zone
        self._title = title
        self._concurrency = concurrency
        self.columns: Mapping[str, Column] = {name: one.column for name, one in shapes.items()}

    def items(self, columns: Sequence[str]) -> Iterator[Item]:
        """Every item, in id order. Raises IncompleteReadError when fewer come than the list says it holds."""
        promised = self._count()
        got = 0
        for page in self._client.pages(f"{self._path}/items", self._query(columns), accept=MINIMAL):
            got += len(page)
            yield from self._decoded(page, columns)
        # Somebody may have deleted items while we read; fewer than the list holds now as well is a loss.
        if got < promised and got < self._count():
            raise IncompleteReadError(
                f"The list {self._title} says it holds {promised} items, but only {got} could be read.",
                hint="Check that the app may read every item (broken permission inheritance hides some).",
            )

    def find(self, column: str, values: Sequence[str], columns: Sequence[str]) -> list[Item]:
        """Items whose `column` equals one of `values`, as SharePoint compares texts: letter case ignored."""
        found: dict[int, Item] = {}
        for terms in self._terms(column, values, columns):
            params = {**self._query(columns), "$filter": " or ".join(terms)}
            for page in self._client.pages(f"{self._path}/items", params, accept=MINIMAL):
                found |= {item.item_id: item for item in self._decoded(page, columns)}
        return [found[item_id] for item_id in sorted(found)]

    def item(self, item_id: int, columns: Sequence[str]) -> Item | None:
        """One item as it stands now; None when there is none."""
        query = {"$select": self._query(columns)["$select"]}
        try:
            row = self._client.get_json(f"{self._path}/items({item_id})", query, accept=MINIMAL)
        except NotFoundError:
            return None
        return next(self._decoded([row], columns))

    def never_touched(self, item_id: int) -> bool:
        """By maker, editors, versions and files. Each save must have left a version, and each version must be ours: one
        that was trimmed or deleted, or a save that left none (versions switched off, a quiet update), may be somebody
        else's. Of a list that keeps no versions only an item that was saved once is known. Two requests."""
        path = f"{self._path}/items({item_id})"
        params = {"$select": "VersionLabel,Editor", "$top": str(PAGE_SIZE)}
        try:
            # Every column, as a list that takes no files may lack the one that tells of them.
            item = self._client.get_json(path, accept=MINIMAL)
            rows = [row for page in self._client.pages(f"{path}/versions", params) for row in page]
        except NotFoundError:
            return False
        # The etag counts each save; times of day are of whole seconds, and tell nothing.
        saves = version_number(str(item.get("odata.etag")))
        if saves != str(max(len(rows), 1)) or item.get("Attachments") or self._own_id is None:
            return False
        labels = {str(row.get("VersionLabel")) for row in rows}
        editors = {item.get("AuthorId"), item.get("EditorId")}
        editors |= {(row.get("Editor") or {}).get("LookupId") for row in rows}
        return labels == {f"{number}.0" for number in range(1, len(rows) + 1)} and editors == {self._own_id}

    def given_by_worker(self, item_id: int, columns: Sequence[str]) -> frozenset[str]:
        """By the item's versions, of which the newest must be what stands there now. Of an item that has only one, or a
        list that keeps none, who saved it last tells. Two requests."""
        path = f"{self._path}/items({item_id})"
        try:
            item = self._client.get_json(path, {"$select": "Id,EditorId"}, accept=MINIMAL)
            versions = newest_first(self._client, path)
        except NotFoundError:
            return frozenset()
        if self._own_id is None:
            return frozenset()
        if len(versions) <= 1:
            return frozenset(columns) if item.get("EditorId") == self._own_id else frozenset()
        if version_number(str(item.get("odata.etag"))) != str(number(versions[0])):
            return frozenset()
        made = {name: maker(versions, self._shapes[name].rest) for name in columns}
        editors = {name: (version.get("Editor") or {}).get("LookupId") for name, version in made.items() if version}
        return frozenset(name for name, editor in editors.items() if editor == self._own_id)

    @cached_property
    def _own_id(self) -> int | None:
        """The site's user that this worker's writes are saved as; None where that is a person, whose own saves could
        not be told from ours."""
        user = self._client.get_json("web/currentuser", {"$select": "Id,LoginName"})
        return None if _PERSON in str(user.get("LoginName")) else int(user["Id"])

    def recycle(self, item_id: int, version: str) -> bool:
        """SharePoint's recycling takes no version, so the item is read once more right before."""
        item = self.item(item_id, [])
        if item is None or item.version != version:
            return False
        try:
            self._client.post(f"{self._path}/items({item_id})/recycle()", {})
        except NotFoundError:
            return False
        return True

    def newest(self, columns: Sequence[str], limit: int, where: str | None = None) -> Iterator[Item]:
        """Up to `limit` items, newest first. `where` is an OData filter on an indexed column."""
        params = {**self._query(columns), "$top": str(min(limit, PAGE_SIZE)), "$orderby": "ID desc"}
        if where:
            params["$filter"] = where
        pages = self._client.pages(f"{self._path}/items", params, accept=MINIMAL)
        return islice((item for page in pages for item in self._decoded(page, columns)), limit)

    def write(self, writes: Iterable[Write]) -> Iterator[WriteOutcome]:
        """Batches of 100, up to `concurrency` at a time; takes from `writes` only what is sent next. When a batch
        fails as a whole, the outcomes of the others still come before the error."""
        source = iter(writes)
        failed: list[WorkerError] = []
        with ThreadPoolExecutor(self._concurrency, thread_name_prefix="sharepoint") as pool:
            running: set[Future[list[WriteOutcome]]] = set()
            while True:
                while not failed and len(running) < self._concurrency and (chunk := list(islice(source, BATCH_SIZE))):
                    running.add(pool.submit(self._write_batch, chunk))
                if not running:
                    break
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    error = future.exception()
                    if isinstance(error, WorkerError):
                        failed.append(error)
                    else:
                        yield from future.result()
        if failed:
            raise failed[0]

    def part(self, write: Write) -> Part:
        """One write as a part of a batch, for callers that mix lists in one batch."""
        texts = {
            self._shapes[name].rest: to_json_text(value, self._shapes[name].column.kind, self._zone)
            for name, value in write.values.items()
        }
        items = self._client.url(f"{self._path}/items")
        if isinstance(write, Create):
            return Part(items, object_text(texts))
        return Part(f"{items}({write.item_id})", object_text(texts), write.version)

    def _write_batch(self, writes: Sequence[Write]) -> list[WriteOutcome]:
        parts = [self.part(write) for write in writes]
        answers = self._client.batch(parts)
        if all(answer is not None and answer.status in (401, 403) for answer in answers):
            # One row may be locked; when all are refused, it is the app that may not write.
            raise answer_error(403, {}, answers[0].body if answers[0] else b"", f"writing to the list {self._title}")
        answers = self._respelled(writes, parts, answers)
        return [judge(write, answer) for write, answer in zip(writes, answers, strict=True)]

    def _respelled(
        self, writes: Sequence[Write], parts: Sequence[Part], answers: list[PartAnswer | None]
    ) -> list[PartAnswer | None]:
        """Sends again what was refused only because SharePoint spells the same version in its other way."""
        spelled = {
            index: other
            for index, (write, answer) in enumerate(zip(writes, answers, strict=True))
            if isinstance(write, Update) and answer is not None and (other := other_spelling(write.version, answer))
        }
        if not spelled:
            return answers
        again = [Part(parts[index].url, parts[index].body, other) for index, other in spelled.items()]
        for index, answer in zip(spelled, self._client.batch(again), strict=True):
            answers[index] = answer
        return answers

    def _count(self) -> int:
        return int(self._client.get_json(self._path, {"$select": "ItemCount"})["ItemCount"])

    def _query(self, columns: Sequence[str]) -> dict[str, str]:
        names = dict.fromkeys(["Id", "GUID", *(self._shapes[name].rest for name in columns)])
        return {"$select": ",".join(names), "$top": str(PAGE_SIZE)}

    def _decoded(self, page: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[Item]:
        shapes = [(name, self._shapes[name].rest, self._shapes[name].decode) for name in columns]
        for row in page:
            version = long_etag(row.get("GUID"), str(row.get("odata.etag") or ""))
            yield Item(row["Id"], version, {name: decode(row.get(rest)) for name, rest, decode in shapes})

    def _terms(self, column: str, values: Sequence[str], columns: Sequence[str]) -> Iterator[list[str]]:
        """Conditions for `values`, in groups that a query string can hold."""
        room = _QUERY_LIMIT - len(quote(self._query(columns)["$select"], safe=",")) - 60
        group: list[str] = []
        used = 0
        for value in dict.fromkeys(values):
            term = self._term(column, value)
            if term is None:
                continue
            length = len(quote(term)) + len("%20or%20")
            if group and (len(group) == _VALUES or used + length > room):
                yield group
                group, used = [], 0
            group.append(term)
            used += length
        if group:
            yield group

    def _term(self, column: str, value: str) -> str | None:
        """None for a value the column can't hold, which therefore stands nowhere."""
        one = self._shapes[column]
        if one.column.kind in _NUMERIC:
            return f"{one.rest} eq {value}" if _NUMBER.fullmatch(value) else None
        return f"{one.rest} eq {literal(value)}" if value else None


def literal(text: str) -> str:
    """A text in an OData filter, or in an address."""
    return "'" + text.replace("'", "''") + "'"
