"""Reading e-conomic over HTTP: single answers, classic collections, cursors. Nothing here can write or delete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from worker.economic.limits import RateWatch
from worker.economic.paging import PAGE_SIZE, Collection, Page
from worker.errors import AccessDeniedError, AuthenticationError, IncompleteReadError, NotFoundError, ProtocolError
from worker.transport import STATUS_TABLE, FileKind, Http, StatusRule

_STARTS = 4  # times the reading of contacts may begin: a cursor may be refused when the list has changed
_ADDRESS_HINT = "Check ECONOMIC_BASE_URL and ECONOMIC_OPENAPI_URL."
RULES: Mapping[int, StatusRule] = {
    **STATUS_TABLE,
    401: StatusRule(
        AuthenticationError,
        "refused the tokens",
        "Check that the app is still granted on the agreement (e-conomic: All settings > Extensions > Apps) and that "
        "ECONOMIC_APP_SECRET and ECONOMIC_GRANT_TOKEN belong together; else paste a new grant token.",
    ),
    403: StatusRule(
        AccessDeniedError,
        "denied access",
        "The app's role may not read this. Give the app the role SuperUser, and grant it on the agreement again.",
    ),
}


class _CursorRefusedError(ProtocolError):
    """The service no longer takes a cursor that it gave."""


_CONTACT_RULES: Mapping[int, StatusRule] = {
    **RULES,
    404: StatusRule(
        NotFoundError,
        "does not know this address",
        "Versions of the contacts API are withdrawn with notice: check ECONOMIC_CUSTOMERSAPI_VERSION.",
    ),
}
_CURSOR_RULES = {**_CONTACT_RULES, 400: StatusRule(_CursorRefusedError, "refused its own cursor")}

PDF = FileKind("PDF", "application/pdf", b"%PDF", 10_000_000)
_PDF_RULES: Mapping[int, StatusRule] = {
    **RULES,
    403: StatusRule(
        AccessDeniedError,
        "does not give the app this PDF",
        "The app's role may not fetch PDFs. Give the app the role SuperUser, and grant it on the agreement again.",
    ),
    404: StatusRule(NotFoundError, "has no such PDF", "Check the number in e-conomic."),
}


class EconomicClient:
    """`base_url` is the classic API, `openapi_url` the newer services. Raises the errors of `worker.transport`."""

    def __init__(
        self,
        base_url: str,
        openapi_url: str,
        http: Http,
        *,
        contacts_version: str,
        entries_version: str = "v4.0.0",
        parallel: int = 4,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._contacts = f"{openapi_url.rstrip('/')}/customersapi/{contacts_version}/Contacts"
        self._entries = f"{openapi_url.rstrip('/')}/bookedentriesapi/{entries_version}/booked-entries"
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

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        """One classic resource."""
        return self._read(f"{self._base}{path}", params)

    def pdf(self, path: str) -> bytes:
        """One document, at most 10 MB, from the classic API's own address: links in data are never followed to it."""
        self.rate.before_call()
        return self._http.get_bytes(f"{self._base}{path}", PDF, self.rate.seen, _PDF_RULES)

    def rows(self, path: str, key: str, filter_: str | None = None) -> Iterator[Mapping[str, Any]]:
        """All rows of a classic collection, each once, in ascending order of `key`; see `worker.economic.paging`."""
        return Collection(path, key, partial(self._page, path, key), filter_).rows(self._parallel)

    def short(self, path: str, sort: str | None = None) -> list[Mapping[str, Any]]:
        """The rows of a classic collection that fits one page, such as the accounting years; some can't be sorted.

        Raises IncompleteReadError when it does not fit.
        """
        params = {"pagesize": str(PAGE_SIZE)}
        page = _page_of(self.get(path, {**params, "sort": sort} if sort else params), path)
        if len(page.rows) < page.results:
            raise IncompleteReadError(
                f"e-conomic has {page.results} rows of {path}, more than the {len(page.rows)} that were read.",
                hint="Incomplete data is never taken over. Report this with the time of the run.",
            )
        return page.rows

    def first(self, path: str, key: str, filter_: str | None, most: int) -> list[Mapping[str, Any]]:
        """The first rows of a classic collection that match, by `key` (with a minus: the last ones); at most `most` (1
        to 1000), by one request."""
        params = {"pagesize": str(most), "sort": key, **({"filter": filter_} if filter_ else {})}
        return _page_of(self.get(path, params), path).rows[:most]

    def count(self, path: str) -> int:
        """How many rows a classic collection has."""
        return _page_of(self.get(path, {"pagesize": "1"}), path).results

    def contacts(self, filter_: str | None = None) -> Iterator[Mapping[str, Any]]:
        """All contacts of the agreement (or those of a filter) by cursor, soft-deleted ones included; each number once.

        Whether a cursor outlives a change of the list is unconfirmed: when one is refused, reading starts anew.
        """
        seen: set[object] = set()
        for starts_left in reversed(range(_STARTS)):
            try:
                for item in self._by_cursor(filter_):
                    number = item.get("number") or item.get("customerContactNumber")
                    if number not in seen:
                        seen.add(number)
                        yield item
            except _CursorRefusedError:
                if not starts_left:
                    raise
            else:
                return

    def entries(self, filter_: str) -> Iterator[Mapping[str, Any]]:
        """Entries of the ledger that a filter lets through. Raises AccessDeniedError where the role may not read them,
        NotFoundError when the version of the API was withdrawn."""
        return self._by_cursor(filter_, self._entries)

    def groups(self, path: str, name: str) -> Iterator[Mapping[str, Any]]:
        """The groups of an invoice totals answer: an array called `name`, or a paged collection (unconfirmed)."""
        answer = self.get(path)
        if _next_page(answer):
            answer = self.get(path, {"pagesize": str(PAGE_SIZE)})
        while True:
            yield from answer.get(name) or answer.get("collection") or ()
            link = _next_page(answer)
            if link is None:
                return
            answer = self._read(link, None)

    def _by_cursor(self, filter_: str | None, url: str | None = None) -> Iterator[Mapping[str, Any]]:
        url = url or self._contacts
        cursor: str | None = None
        asked = {"filter": filter_} if filter_ else {}
        while True:
            if cursor is None:
                page = self._read(url, asked, _CONTACT_RULES)
            else:
                page = self._read(url, {**asked, "cursor": cursor}, _CURSOR_RULES)
            yield from page.get("items") or ()
            before, cursor = cursor, page.get("cursor")
            if not cursor:  # absent on the last page
                return
            if cursor == before:
                raise ProtocolError("e-conomic's list does not end.", hint="Try again later.")

    def _page(self, path: str, key: str, filter_: str | None, number: int) -> Page:
        params = {"pagesize": str(PAGE_SIZE), "skippages": str(number), "sort": key}
        return _page_of(self.get(path, {**params, "filter": filter_} if filter_ else params), path)

    def _read(
        self, url: str, params: Mapping[str, str] | None, rules: Mapping[int, StatusRule] = RULES
    ) -> Mapping[str, Any]:
        self.rate.before_call()
        answer = self._http.get_json(url, params, self.rate.seen, rules)
        if not isinstance(answer, dict):
            raise ProtocolError("e-conomic's answer is not an object.", hint=_ADDRESS_HINT)
        return answer


def _next_page(answer: Mapping[str, Any]) -> str | None:
    pagination = answer.get("pagination")
    link = pagination.get("nextPage") if isinstance(pagination, dict) else None
    return str(link) if link else None


def _page_of(answer: Mapping[str, Any], path: str) -> Page:
    pagination = answer.get("pagination")
    rows, results = answer.get("collection"), pagination.get("results") if isinstance(pagination, dict) else None
    if not isinstance(rows, list) or not isinstance(results, int):
        raise ProtocolError(f"e-conomic's answer to {path} is no collection.", hint=_ADDRESS_HINT)
    return Page(rows, results)
