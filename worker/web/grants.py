"""Administrators on their way to e-conomic's grant page: who asked, for which connection, and until when.

e-conomic sends nothing of ours back but the address we gave, so a random value stands in that. Good once, for a quarter
of an hour, and only for whoever set out with it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import datetime, timedelta

from worker.errors import ConflictError
from worker.ports import Clock, Records

_GOOD = timedelta(minutes=15)
_PREFIX = "grants/"


class Grants:
    """Kept as hashes in the store, so that any process can take the way back."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def issue(self, connection: str, identity: str) -> str:
        """A new value. Old ones are cleared away."""
        now = self._clock.now()
        for name in self._records.names(_PREFIX):
            record = self._records.read(name)
            if record is not None and _read(record.content, now) is None:
                self._records.remove(name)
        state = secrets.token_urlsafe(32)
        data = {"connection": connection, "identity": identity, "until": (now + _GOOD).isoformat()}
        self._records.write(_name(state), json.dumps(data).encode(), None)
        return state

    def use(self, state: str, identity: str) -> str | None:
        """The connection it was for; None when it is unknown, used up, too old, or somebody else's."""
        record = self._records.read(_name(state))
        found = _read(record.content, self._clock.now()) if record is not None else None
        if record is None or found is None or not secrets.compare_digest(found[1], identity):
            return None
        try:
            self._records.write(_name(state), b"{}", record.version)  # of two who come at once, one is too late
        except ConflictError:
            return None
        return found[0]


def _name(state: str) -> str:
    return f"{_PREFIX}{hashlib.sha256(state.encode()).hexdigest()}"


def _read(content: bytes, now: datetime) -> tuple[str, str] | None:
    try:
        data = json.loads(content)
        good = datetime.fromisoformat(data["until"]) > now
        return (str(data["connection"]), str(data["identity"])) if good else None
    except (ValueError, KeyError, TypeError):
        return None
