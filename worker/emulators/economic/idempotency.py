"""Remembered answers to requests with an Idempotency-Key. Source: idempotency tokens in e-conomic APIs (1 hour)."""

import hashlib
import json
from dataclasses import dataclass

from worker.emulators.economic.store import EconomicStore

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Answer:
    """A whole HTTP answer."""

    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True)
class Ask:
    """A request with a key."""

    key: str
    request: str  # method and path
    body: bytes

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.body).digest()


class AnswerCache:
    """Kept in the store, so that a restarted emulator still knows them; `seconds` is how long."""

    def __init__(self, store: EconomicStore, seconds: float) -> None:
        self._store = store
        self._seconds = seconds

    def find(self, ask: Ask, now: float) -> tuple[Answer, bool] | None:
        """The remembered answer and whether it was given to the same body; None when there is none."""
        sql = "SELECT * FROM idempotency WHERE key = ? AND request = ? AND made > ?"
        row = self._store.first(sql, (ask.key, ask.request, now - self._seconds))
        if row is None:
            return None
        headers = [(name.encode(), value.encode()) for name, value in json.loads(row["headers"])]
        return Answer(row["status"], headers, row["answer"]), row["body"] == ask.digest

    def keep(self, ask: Ask, answer: Answer, now: float) -> None:
        """Remember an answer."""
        headers = json.dumps([(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers])
        row = (ask.key, now, ask.request, ask.digest, answer.status, headers, answer.body)
        with self._store.transaction() as db:
            db.execute("INSERT OR REPLACE INTO idempotency VALUES (?, ?, ?, ?, ?, ?, ?)", row)
