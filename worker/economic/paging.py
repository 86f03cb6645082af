"""A whole classic collection: each row once, in ascending order of its key, a few pages at a time.

The first page tells how many rows there are; the others are read side by side by their number. Windows shift while
rows come and go: a row deleted meanwhile lets another slip between two windows. So every page must show the same total
and the rows it owes; at the first that does not, reading goes on from the last good key by key range, one page after
the other, where nothing can slip through. Key ranges alone were refused: they can't be read side by side. Cost in the
usual case: ceil(n / 1000) requests; in hand: at most `parallel` pages, and no memory of the keys seen.

A row that comes while we read is read when it shows in time, and otherwise by the next run; so is one that slips
through because exactly as many rows came as went.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from worker.errors import IncompleteReadError, ProtocolError

PAGE_SIZE = 1000  # the largest that e-conomic allows
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one answer, and how many rows the collection has in all."""

    rows: list[Row]
    results: int


@dataclass(frozen=True, slots=True)
class Collection:
    """`ask(filter, number)` reads page `number`, sorted by `key`, a whole number that never changes."""

    path: str
    key: str
    ask: Callable[[str | None, int], Page]
    filter_: str | None = None

    def rows(self, parallel: int) -> Iterator[Row]:
        """All rows. Raises IncompleteReadError when the service gives fewer than it says it has."""
        last = 0
        for page in _windows(self._page, parallel):
            if page is None:
                yield from self._from(last)
                return
            for row in page.rows:
                last = row[self.key]
                yield row

    def _page(self, number: int) -> Page:
        return self.ask(self.filter_, number)

    def _from(self, last: int) -> Iterator[Row]:
        """Everything beyond the key `last`; 0 is below all keys."""
        while True:
            beyond = f"{self.key}$gt:{last}"
            page = self.ask(f"{self.filter_}$and:{beyond}" if self.filter_ else beyond, 0)
            if len(page.rows) != min(page.results, PAGE_SIZE):
                raise IncompleteReadError(
                    f"e-conomic sent {len(page.rows)} rows of {self.path} where it has {page.results}.",
                    hint="Nothing was taken over. Try again later.",
                )
            yield from page.rows
            if page.results <= PAGE_SIZE:
                return
            last = page.rows[-1][self.key]


def keys_of(rows: list[Row], key: str, path: str) -> list[int]:
    """The keys of a page's rows. Raises ProtocolError when one is missing or they do not ascend."""
    keys = [row.get(key) for row in rows]
    good = [number for number in keys if isinstance(number, int)]
    if len(good) < len(keys):
        raise ProtocolError(f"e-conomic sent a row of {path} without a usable {key}.")
    if any(after <= before for before, after in zip(good, good[1:], strict=False)):
        raise ProtocolError(f"e-conomic's rows of {path} are not in the order that was asked for.")
    return good


def _windows(read: Callable[[int], Page], parallel: int) -> Iterator[Page | None]:
    """Pages in their order, never more than `parallel` in hand; None in place of the first that does not fit."""
    first = read(0)
    numbers = iter(range(1, -(-first.results // PAGE_SIZE)))
    with ThreadPoolExecutor(parallel, thread_name_prefix="economic") as pool:
        waiting: deque[Future[Page]] = deque()

        def fill() -> None:
            while len(waiting) < parallel - 1 and (number := next(numbers, None)) is not None:
                waiting.append(pool.submit(read, number))
