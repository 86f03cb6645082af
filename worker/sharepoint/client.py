"""SharePointClient: requests to one site, in and out as plain JSON. One context of the client library per run.

Bulk reads and batches go through the library's own pipeline (`execute_request_direct`), so that its sign-in and
digest stay in use; the objects of the library are for lists, columns and views only, since they cost forty times the
CPU for rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from office365.runtime.http.http_method import HttpMethod
from office365.runtime.http.request_options import RequestOptions
from office365.sharepoint.client_context import ClientContext

from worker.errors import ProtocolError, ThrottledError, UnavailableError
from worker.ports import Budget, Usage
from worker.sharepoint.auth import Tokens
from worker.sharepoint.batch import Part, PartAnswer, compose, parse
from worker.sharepoint.pacing import Pacer
from worker.sharepoint.transport import SharePointTransport
from worker.telemetry import span
from worker.transport import RetryPolicy, Waits, parse_retry_after, retrying

NO_METADATA = "application/json;odata=nometadata"
# The only light format whose rows carry their etag.
MINIMAL = "application/json;odata=minimalmetadata"
PAGE_SIZE = 5000
_PATH_SAFE = "/()'=,$-_.~@!*:"
BATCH_SIZE = 100
_REFUSED = frozenset({429, 503})
_READ_ATTEMPTS = 3


class SharePointClient:
    """Requests below `{site}/_api/`. Raises the errors of `SharePointTransport.execute`. Thread-safe for reads and
    batches; the library's objects (`context`) are for one thread."""

    def __init__(
        self,
        site_url: str,
        tokens: Tokens,
        *,
        units_per_minute: float = 1250,
        units_share: float = 0.7,
        waits: Waits | None = None,
        policy: RetryPolicy | None = None,
        budget: Budget | None = None,
    ) -> None:
        """`budget`: the tenant's units when other workers draw from them too. A pause longer than all retries of
        `policy` may take is raised as ThrottledError."""
        self.site_url = site_url.rstrip("/")
        waits = waits or Waits()
        patience = policy.total_seconds if policy else float("inf")
        pacer = Pacer(units_per_minute, units_share, waits, budget=budget, patience=patience)
        self._transport = SharePointTransport(self.site_url, tokens, pacer, waits, policy=policy)
        self.context = ClientContext(self.site_url).with_access_token(tokens.answer)
        self.context.pending_request().transport = self._transport

    def __repr__(self) -> str:
        return f"SharePointClient({self.site_url!r})"

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def usage(self) -> Usage:
        """What was asked so far."""
        return self._transport.usage()

    def url(self, path: str) -> str:
        """The absolute address of a path below `_api/`."""
        return f"{self.site_url}/_api/{quote(path, safe=_PATH_SAFE)}"

    def get_json(self, path: str, params: Mapping[str, str] | None = None, *, accept: str = NO_METADATA) -> Any:
        """Reads JSON; numbers with a decimal sign as Decimal."""
        query = f"?{urlencode(params, quote_via=quote, safe='$,/')}" if params else ""
        return self._read(f"{self.url(path)}{query}", accept)

    def pages(
        self, path: str, params: Mapping[str, str] | None = None, *, accept: str = NO_METADATA
    ) -> Iterator[list[Mapping[str, Any]]]:
        """The pages of a collection, one after the other; the service's own links lead from page to page."""
        answer = self.get_json(path, params, accept=accept)
        seen: set[str] = set()
        while True:
            rows = answer.get("value") if isinstance(answer, dict) else None
            if not isinstance(rows, list):
                raise ProtocolError(
                    f"SharePoint's answer to {path} is no collection.", hint="Check SHAREPOINT_SITE_URL."
                )
            yield rows
            link = answer.get("odata.nextLink")
            if not link:
                return
            if link in seen:
                raise ProtocolError(f"SharePoint's pages of {path} lead in a circle.")
            seen.add(link)
            answer = self._read(str(link), accept)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """One write; the answer's JSON, None when it has none. An UnavailableError leaves the outcome open."""
        return self._send(HttpMethod.Post, path, body)

    def patch(self, path: str, body: Mapping[str, Any]) -> None:
        """One change, as `post`."""
        self._send(HttpMethod.Patch, path, body)

    def _send(self, method: HttpMethod, path: str, body: Mapping[str, Any]) -> Any:
        request = RequestOptions(self.url(path), method=method)
        request.headers = {"Accept": NO_METADATA, "Content-Type": NO_METADATA}
        request.data = json.dumps(body).encode()
        answer = self.context.pending_request().execute_request_direct(request)
        return json.loads(answer.content) if answer.content else None

    def batch(self, parts: Sequence[Part]) -> list[PartAnswer | None]:
        """Performs up to 100 writes and gives each one's own answer; None where no answer tells what became of it.

        Parts that were refused for throttling are sent again after the wait; they had not been carried out.
        """
        answers: list[PartAnswer | None] = [None] * len(parts)
        waiting = list(range(len(parts)))

        def attempt() -> ThrottledError | None:
            try:
                got = self._post([parts[index] for index in waiting])
            except ThrottledError as error:
                return error  # refused as a whole, and the transport has already tried again
            for index, answer in zip(waiting, got, strict=True):
                answers[index] = answer
            waiting[:] = [index for index in waiting if _is_refused(answers[index])]
            if waiting:
                raise self._throttled([answers[index] for index in waiting])
            return None

        try:
            with span("sync.batch", parts=len(parts)):
                refused = retrying(self._transport.policy, self._transport.waits, "parts of a batch", attempt)
        except ThrottledError as error:
            refused = error
        if refused is not None and len(waiting) == len(parts):
            raise refused
        for index in waiting:
            answers[index] = None
        return answers

    def _post(self, parts: Sequence[Part]) -> Sequence[PartAnswer | None]:
        kind, body = compose(parts)
        request = RequestOptions(f"{self.site_url}/_api/$batch", method=HttpMethod.Post, data=body)
        request.headers = {"Content-Type": kind, "Accept": NO_METADATA}
        try:
            answer = self.context.pending_request().execute_request_direct(request)
        except UnavailableError:
            return [None] * len(parts)
        found = parse(answer.headers.get("Content-Type", ""), answer.content)
        # A short answer does not say which parts it leaves out, so none of it is believed.
        return found if len(found) == len(parts) else [None] * len(parts)

    def _throttled(self, refused: Sequence[PartAnswer | None]) -> ThrottledError:
        waits = [_retry_after(answer) for answer in refused if answer is not None]
        longest = max((seconds for seconds in waits if seconds is not None), default=None)
        self._transport.hold(longest or 0.0)
        return ThrottledError(
            f"SharePoint asks us to wait: {len(refused)} rows of a batch were refused.",
            retry_after=longest,
            hint="Try again later; nothing is lost.",
        )

    def _read(self, url: str, accept: str) -> Any:
        request = RequestOptions(url, headers={"Accept": accept})

        for _ in range(_READ_ATTEMPTS):
            answer = self.context.pending_request().execute_request_direct(request)
            try:
                return json.loads(answer.content, parse_float=Decimal)
            except ValueError:
                continue  # a body that ends early is a broken connection by another name: read again
        raise UnavailableError("SharePoint sends answers that are cut short.", hint="Try again later.")


def _is_refused(answer: PartAnswer | None) -> bool:
    return answer is not None and answer.status in _REFUSED


def _retry_after(answer: PartAnswer) -> float | None:
    return parse_retry_after(answer.headers.get("retry-after"), datetime.now(UTC))
