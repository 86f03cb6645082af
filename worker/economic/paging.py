"""A whole classic collection: each row once, in ascending order of its key, a few pages at a time.

The first page tells how many rows there are; the others are read side by side by their number. Windows shift while
rows come and go: a row deleted meanwhile lets another slip between two windows. So every page must show the same total
and the rows it owes; at the first that does not, reading goes on from the last good key by key range, one page after
the other, where nothing can slip through. Key ranges alone were refused: they can't be read side by side. Cost in the
usual case: ceil(n / 1000) requests; read ahead: less than `parallel` pages, and no memory of the keys seen.

A row that comes while we read is read when it shows in time, and otherwise by the next run; so is one that slips
through because exactly as many rows came as went.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from worker.errors import IncompleteReadError, ProtocolError

PAGE_SIZE = 1000  # the largest that e-conomic allows
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one answer, and how many rows match in all."""

    rows: list[Row]
    results: int


@dataclass(frozen=True, slots=True)
class Collection:
    """`ask(filter, number)` reads page `number` of `size` rows, sorted by `key`, a whole number that never changes."""

    path: str
    key: str
    ask: Callable[[str | None, int], Page]
    filter_: str | None = None
    size: int = PAGE_SIZE

    def rows(self, parallel: int) -> Iterator[Row]:
        """All rows. Raises IncompleteReadError when the service gives fewer than it says it has."""
        first = self.ask(self.filter_, 0)
        last = 0  # below all keys
        pages = -(-first.results // self.size)
        for number, page in enumerate(_read_ahead(first, pages, lambda page: self.ask(self.filter_, page), parallel)):
            keys = self._keys(page)
            whole = len(keys) == self._owed(page, number)
            if page.results != first.results or not whole or (keys and keys[0] <= last):
                break
            yield from page.rows
            last = keys[-1] if keys else last
        else:
            return
        yield from self._beyond(last)

    def _beyond(self, last: int) -> Iterator[Row]:
        """Every row with a key above `last`."""
        more = True
        while more:
            range_ = f"{self.key}$gt:{last}"
            page = self.ask(f"{self.filter_}$and:{range_}" if self.filter_ else range_, 0)
            keys = self._keys(page)
            if len(keys) != self._owed(page, 0):
                raise IncompleteReadError(
                    f"e-conomic sent {len(keys)} rows of {self.path} where it owes {self._owed(page, 0)}.",
                    hint="Incomplete data is never taken over. Try again later.",
                )
            yield from page.rows
            more = page.results > self.size
            last = keys[-1] if keys else last

    def _owed(self, page: Page, number: int) -> int:
        """How many rows page `number` must have."""
        return max(0, min(self.size, page.results - number * self.size))

    def _keys(self, page: Page) -> list[int]:
        keys = [row.get(self.key) for row in page.rows]
        usable = [key for key in keys if isinstance(key, int)]
        if len(usable) < len(keys):
            raise ProtocolError(f"e-conomic sent a row of {self.path} without a usable {self.key}.")
        if any(after <= before for before, after in pairwise(usable)):
            raise ProtocolError(f"e-conomic's rows of {self.path} are not in the order that was asked for.")
        return usable


def _read_ahead(first: Page, pages: int, read: Callable[[int], Page], parallel: int) -> Iterator[Page]:
    """All `pages` in their order; beside the one in the caller's hand at most `parallel` - 1 are being read or wait."""
    waiting: deque[Future[Page]] = deque()
    numbers = iter(range(1, pages))
    with ThreadPoolExecutor(parallel, thread_name_prefix="economic") as pool:

        def fill(size: int) -> None:
            while len(waiting) < size and (number := next(numbers, None)) is not None:
                waiting.append(pool.submit(read, number))

        try:
            fill(parallel - 1)
            yield first
            fill(parallel)
            while waiting:
                yield waiting.popleft().result()
                fill(parallel)
        finally:
            for future in waiting:
                future.cancel()
