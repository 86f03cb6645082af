"""Reading e-conomic over HTTP: single answers, paged collections, cursors. There is no method that writes or deletes.

Classic collections: the first page tells how many rows there are; the others are read side by side, a few at a time,
in the order of an immutable key. Windows shift while rows come and go: a row deleted meanwhile lets another slip
between two windows. So rows are de-duplicated by key, and when fewer keys arrived than were promised everything is read
once more by key range, which can't lose a row. Cost in the usual case: ceil(n / 1000) requests.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from worker.economic.limits import RateWatch
from worker.errors import ProtocolError
from worker.transport import Http

PAGE_SIZE = 1000  # the largest that e-conomic allows
_PAGES_ADDED = 1000  # cursor pages after which a cursor that never ends is a fault


class EconomicClient:
    """`base_url` is the classic API, `openapi_url` the newer services. Raises the errors of `worker.transport`."""

    def __init__(
        self, base_url: str, openapi_url: str, http: Http, *, contacts_version: str, parallel: int = 4
    ) -> None:
        self._base = base_url.rstrip("/")
        self._openapi = openapi_url.rstrip("/")
        self._contacts = f"{self._openapi}/customersapi/{contacts_version}"
        self._http = http
        self._parallel = parallel
        self.rate = RateWatch(http.waits)

    @property
    def http(self) -> Http:
        """The session, for its counters."""
        return self._http

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """One classic resource."""
        return self._read(f"{self._base}{path}", params)

    def rows(self, path: str, key: str, filter_: str | None = None) -> Iterator[Mapping[str, Any]]:
        """All rows of a classic collection, each once, in ascending order of `key`; holds a few pages at a time.

        Rows that slipped through shifting windows come at the end, out of order.
        """
        first = self._page(path, key, filter_, 0)
        promised = int(first["pagination"]["results"])
        seen: set[int] = set()
        for page in self._windows(path, key, filter_, first, promised):
            yield from _unseen(page, key, seen)
        if len(seen) < promised:
            for page in self._ranges(path, key, filter_):
                yield from _unseen(page, key, seen)

    def contacts(self) -> Iterator[Mapping[str, Any]]:
        """All contacts of the agreement by cursor, soft-deleted ones included; de-duplicated by number."""
        seen: set[int] = set()
        cursor: str | None = None
        for _ in range(_PAGES_ADDED):
            page = self._read(f"{self._contacts}/Contacts", {"cursor": cursor} if cursor else None)
            for item in page.get("items") or ():
                number = item.get("number", item.get("customerContactNumber"))
                if number not in seen:
                    seen.add(number)
                    yield item
            cursor = page.get("cursor")
            if not cursor:  # absent on the last page
                return
        raise ProtocolError("e-conomic's list of contacts never ends.", hint="Report this with the time of the run.")

    def groups(self, path: str, name: str) -> Iterator[Mapping[str, Any]]:
        """The groups of an invoice totals answer: an array called `name`, or a paged collection (unconfirmed)."""
        answer = self.get(path)
        while True:
            yield from answer.get(name) or answer.get("collection") or ()
            link = (answer.get("pagination") or {}).get("nextPage")
            if not link:
                return
            answer = self._read(self._checked(str(link)), None)

    def _checked(self, link: str) -> str:
        if urlsplit(link)[:2] != urlsplit(self._base)[:2]:
            raise ProtocolError(
                f"e-conomic gave a link to another host ({urlsplit(link).hostname}); it was not followed.",
                hint="Check ECONOMIC_BASE_URL.",
            )
        return link

    def _read(self, url: str, params: Mapping[str, str] | None) -> Any:
        self.rate.before_call()
        return self._http.get_json(url, params, self.rate.seen)

    def _page(self, path: str, key: str, filter_: str | None, number: int) -> Mapping[str, Any]:
        params = {"pagesize": str(PAGE_SIZE), "skippages": str(number), "sort": key}
        if filter_:
            params["filter"] = filter_
        page = self.get(path, params)
        if not isinstance(page, dict) or "collection" not in page or "pagination" not in page:
            raise ProtocolError(f"e-conomic's answer to {path} is no collection.", hint="Check ECONOMIC_BASE_URL.")
        return page

    def _windows(
        self, path: str, key: str, filter_: str | None, first: Mapping[str, Any], promised: int
    ) -> Iterator[list[Mapping[str, Any]]]:
        yield first["collection"]
        numbers = iter(range(1, -(-promised // PAGE_SIZE)))
        with ThreadPoolExecutor(self._parallel, thread_name_prefix="economic") as pool:
            waiting: deque[Future[Mapping[str, Any]]] = deque()

            def ask() -> None:
                number = next(numbers, None)
                if number is not None:
                    waiting.append(pool.submit(self._page, path, key, filter_, number))

            yield from _in_order(waiting, ask, self._parallel)

    def _ranges(self, path: str, key: str, filter_: str | None) -> Iterator[list[Mapping[str, Any]]]:
        """The whole collection one page after the other, each from the last key on: nothing can slip through."""
        last: int | None = None
        while True:
            beyond = None if last is None else f"{key}$gt:{last}"
            page = self._page(path, key, "$and:".join(part for part in (filter_, beyond) if part) or None, 0)
            yield page["collection"]
            if len(page["collection"]) < PAGE_SIZE:
                return
            last = page["collection"][-1][key]


def _unseen(page: list[Mapping[str, Any]], key: str, seen: set[int]) -> Iterator[Mapping[str, Any]]:
    for row in page:
        if row[key] not in seen:
            seen.add(row[key])
            yield row


def _in_order(
    waiting: deque[Future[Mapping[str, Any]]], ask: Callable[[], None], parallel: int
) -> Iterator[list[Mapping[str, Any]]]:
    """Pages in the order they were asked for, never more than `parallel` in hand."""
    try:
        for _ in range(parallel):
            ask()
        while waiting:
            page = waiting.popleft().result()
            ask()
            yield page["collection"]
    finally:
        for future in waiting:
            future.cancel()
