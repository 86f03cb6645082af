"""Login links: good once, for a quarter of an hour. Only their hashes are kept, in the store, so that any process with
the same store can make one."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable

from worker.errors import ConflictError
from worker.ports import Records

SECONDS = 900.0
_USED = b"used"


class Links:
    """`now` is the wall clock in seconds, since processes share it."""

    def __init__(self, records: Records, now: Callable[[], float] = time.time) -> None:
        self._records = records
        self._now = now

    def issue(self) -> str:
        """A new token. Links that have ended are cleared away."""
        for name in self._records.names("links/"):
            record = self._records.read(name)
            if record is not None and _until(record.content) <= self._now():
                self._records.remove(name)
        token = secrets.token_urlsafe(32)
        self._records.write(_name(token), str(self._now() + SECONDS).encode(), None)
        return token

    def use(self, token: str) -> bool:
        """Whether the token is good; it is not any more afterwards."""
        record = self._records.read(_name(token))
        if record is None or _until(record.content) <= self._now():
            return False
        try:
            self._records.write(_name(token), _USED, record.version)  # of two who come at once, one is too late
        except ConflictError:
            return False
        return True


def _name(token: str) -> str:
    return f"links/{hashlib.sha256(token.encode()).hexdigest()}"


def _until(content: bytes) -> float:
    try:
        return float(content)
    except ValueError:
        return 0.0
