"""One value kept as JSON in a record, changed by compare-and-swap."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from worker.errors import ConflictError
from worker.ports import Records

log = logging.getLogger(__name__)
_TRIES = 20
_FIRST_PAUSE = 0.01  # seconds, at most, after the first conflict; doubles
_LONGEST_PAUSE = 0.5
T = TypeVar("T")


class JsonRecord(Generic[T]):
    """Thread- and process-safe, as the store is. `load` makes the value of what JSON said and raises a ValueError,
    TypeError, KeyError or AttributeError for what is none; `dump` the other way. A record that is missing or damaged
    counts as `empty`: this is for what can be made good, not for data. `pause` waits after a conflict; tests give one
    that does not."""

    def __init__(
        self,
        records: Records,
        name: str,
        empty: T,
        load: Callable[[Any], T],
        dump: Callable[[T], object],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._records = records
        self._name = name
        self._empty = empty
        self._load = load
        self._dump = dump
        self._pause = pause

    def read(self) -> T:
        """The value now."""
        return self._read()[0]

    def change(self, change: Callable[[T], T]) -> T:
        """Changes it and returns what stands there then; writes nothing when it is the same. `change` is called again
        when somebody else was faster, after a pause by chance, so that those who met do not meet again. Raises
        ConflictError when somebody always is."""
        for attempt in range(_TRIES):
            before, version = self._read()
            after = change(before)
            if after == before:
                return after
            try:
                self._records.write(self._name, json.dumps(self._dump(after)).encode(), version)
            except ConflictError:
                self._pause(random.uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)))
                continue
            return after
        raise ConflictError("The record is written faster than it can be read.", hint="Try again.")

    def _read(self) -> tuple[T, str | None]:
        record = self._records.read(self._name)
        if record is None:
            return self._empty, None
        try:
            return self._load(json.loads(record.content)), record.version
        except (ValueError, TypeError, KeyError, AttributeError):
            log.warning("a record is damaged and starts anew name=%s", self._name)
            return self._empty, record.version
