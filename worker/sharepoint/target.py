"""The Target port over one SharePoint list: streaming reads, look-ups by key, batches with an answer per row."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from worker.domain.values import Column, Item, TargetKind
from worker.errors import IncompleteReadError
from worker.ports import Create, Update, Write, WriteOutcome, WriteStatus
from worker.sharepoint.batch import SIZE, Part, PartAnswer
from worker.sharepoint.client import PAGE_SIZE, WITH_ETAG, SharePointClient, list_path, text_literal
from worker.sharepoint.columns import from_json, json_name, to_json
from worker.sharepoint.pacing import told_wait
from worker.sharepoint.problems import DUPLICATE, ITEM_GONE, SAVE_CONFLICT, VALIDATION, read_problem
from worker.transport import parse_retry_after

_LOOKED_UP = 20  # keys in one look-up: keeps the address short
# Part of a list may be deleted by people while it is read; much less than the list says it holds is a failed read.
_SHORTFALL = 0.9
_REFUSALS = 8  # times a throttled part is sent again
_REFUSED_PAUSE = 10.0


@dataclass(frozen=True, slots=True)
class _Sent:
    """A batch in hand."""

    writes: tuple[Write, ...]
    answers: Future[list[PartAnswer | None]]


@dataclass(frozen=True, slots=True)
class ListInfo:
    """A list of the site. `item_count` is what SharePoint said when it was looked up."""

    list_id: str
    title: str
    item_count: int
    entity_type: str


class SharePointTarget:
    """One bound list. Versions are etags in the header's spelling, `"<guid>,<n>"`."""

    def __init__(
        self,
        client: SharePointClient,
        kind: TargetKind,
        info: ListInfo,
        columns: Mapping[str, Column],
        zone: ZoneInfo,
        concurrency: int = 2,
    ) -> None:
        self._client = client
        self._kind = kind
        self._info = info
        self._path = list_path(info.list_id)
        self._columns = columns
        self._zone = zone
        self._concurrency = concurrency

    @property
    def kind(self) -> TargetKind:
        """Which CRM list this is."""
        return self._kind

    @property
    def columns(self) -> Mapping[str, Column]:
        """Bound columns by logical name."""
        return self._columns

    def items(self, columns: Sequence[str]) -> Iterator[Item]:
        """Every item; no filter and no order, so a list of any size stays under the view threshold."""
        wanted = {name: self._columns[name] for name in columns}
        count = 0
        for page in self._client.pages(f"{self._items_path(wanted)}&$top={PAGE_SIZE}", accept=WITH_ETAG):
            for row in page:
                count += 1
                yield self._item(row, wanted)
        if count < self._info.item_count * _SHORTFALL:
            raise IncompleteReadError(
                f"List '{self._info.title}' says it holds {self._info.item_count} items, but only {count} came.",
                hint="Run it again; nothing was written.",
            )

    def find(self, column: str, values: Sequence[str], columns: Sequence[str]) -> list[Item]:
        """Items by key, a few keys per request. The column must be indexed in a list of more than 5,000 items."""
        wanted = {name: self._columns[name] for name in columns}
        internal = self._columns[column].internal
        found: list[Item] = []
        for some in _chunks(dict.fromkeys(values), _LOOKED_UP):
            filter_ = " or ".join(f"{internal} eq {text_literal(value)}" for value in some).replace(" ", "%20")
            path = f"{self._items_path(wanted)}&$filter={filter_}&$top={PAGE_SIZE}"
            for page in self._client.pages(path, accept=WITH_ETAG):
                found += [self._item(row, wanted) for row in page]
        return found

    def write(self, writes: Iterable[Write]) -> Iterator[WriteOutcome]:
        """Batches of 100, a few in hand at a time; outcomes come batch by batch."""
        source = iter(writes)
        self._client.warm_up()
        waiting: deque[_Sent] = deque()
        with ThreadPoolExecutor(self._concurrency, thread_name_prefix="sharepoint") as pool:
            while True:
                while len(waiting) < self._concurrency and (some := tuple(islice(source, SIZE))):
                    waiting.append(_Sent(some, pool.submit(self._send, some)))
                if not waiting:
                    return
                sent = waiting.popleft()
                for write, answer in zip(sent.writes, sent.answers.result(), strict=True):
                    yield self._outcome(write, answer)

    def _items_path(self, wanted: Mapping[str, Column]) -> str:
        names = dict.fromkeys(["Id", "GUID", *(json_name(column) for column in wanted.values())])
        return f"{self._path}/items?$select={','.join(names)}"

    def _item(self, row: Mapping[str, Any], wanted: Mapping[str, Column]) -> Item:
        return Item(int(row["Id"]), _version(row), from_json(row, wanted, self._zone))

    def _send(self, writes: Sequence[Write]) -> list[PartAnswer | None]:
        """One batch; parts that were refused before anything was done are sent again after the wait asked for."""
        answers = self._client.batch([self._part(write) for write in writes])
        for _ in range(_REFUSALS):
            refused = [at for at, answer in enumerate(answers) if answer is not None and answer.status in (429, 503)]
            if not refused:
                break
            self._client.waits.wait(max(_pause(answers[at]) for at in refused))
            again = self._client.batch([self._part(writes[at]) for at in refused])
            for at, answer in zip(refused, again, strict=True):
                answers[at] = answer
        return answers

    def _part(self, write: Write) -> Part:
        url = f"{self._client.site_url}/_api/{self._path}/items"
        body = to_json(write.values, self._columns, self._zone)
        if isinstance(write, Create):
            return Part("POST", url, body)
        return Part("MERGE", f"{url}({write.item_id})", body, write.version or "*")

    def _outcome(self, write: Write, answer: PartAnswer | None) -> WriteOutcome:
        if answer is None:
            return WriteOutcome(write, WriteStatus.UNKNOWN)
        etag = answer.headers.get("etag", "")
        if answer.status == 201 and isinstance(write, Create):
            item_id = _created_id(answer)
            status = WriteStatus.DONE if item_id is not None else WriteStatus.UNKNOWN
            return WriteOutcome(write, status, item_id, etag)
        if answer.status in (200, 204) and isinstance(write, Update):
            return WriteOutcome(write, WriteStatus.DONE, write.item_id, etag)
        return _failure(write, answer)


def _chunks(values: Iterable[str], size: int) -> Iterator[list[str]]:
    source = iter(values)
    while some := list(islice(source, size)):
        yield some


def _failure(write: Write, answer: PartAnswer) -> WriteOutcome:
    problem = read_problem(answer.body)
    if answer.status in (409, 412) or problem.code == SAVE_CONFLICT:
        return WriteOutcome(write, WriteStatus.CHANGED_MEANWHILE, detail=problem.words)
    if problem.code == DUPLICATE:
        return WriteOutcome(write, WriteStatus.DUPLICATE, detail=problem.words)
    if problem.code == ITEM_GONE:
        return WriteOutcome(write, WriteStatus.GONE, detail=problem.words)
    if problem.code in VALIDATION or answer.status < 500:
        return WriteOutcome(write, WriteStatus.REJECTED, detail=problem.words or f"status {answer.status}")
    return WriteOutcome(write, WriteStatus.UNKNOWN, detail=problem.words)


def _version(row: Mapping[str, Any]) -> str:
    """The etag in the header's spelling. Bodies give only "<n>"; whether that is accepted back is unconfirmed."""
    etag = str(row.get("odata.etag") or "").strip('"')
    if not etag:
        return "*"
    return f'"{etag}"' if "," in etag else f'"{row.get("GUID")},{etag}"'


def _created_id(answer: PartAnswer) -> int | None:
    try:
        body = json.loads(answer.body)
    except ValueError:
        return None
    data = body.get("d", body)
    item_id = data.get("Id") or data.get("ID")
    return int(item_id) if item_id else None


def _pause(answer: PartAnswer | None) -> float:
    headers = answer.headers if answer else {}
    after = parse_retry_after(headers.get("retry-after"), datetime.now(UTC))
    told = told_wait({"RateLimit-Reset": headers["ratelimit-reset"]} if "ratelimit-reset" in headers else {}, after)
    return _REFUSED_PAUSE if told is None else told
