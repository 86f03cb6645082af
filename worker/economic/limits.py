"""e-conomic's rate headers: what a call cost and how full the bucket is (per agreement, over both hosts)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from threading import Lock

from worker.transport import Waits

_BUCKET = re.compile(r"token-limit-(\d+)-per-(\d+)-seconds:\s*(\d+)(?:\.\d+)?\s*/\s*(\d+)")
_SLOW_DOWN_AT = 0.9
_PAUSE = 0.1  # share of the window that each call waits while the bucket is nearly full


class RateWatch:
    """Reads the headers of every answer and slows down before the bucket is empty."""

    def __init__(self, waits: Waits) -> None:
        self._waits = waits
        self._lock = Lock()
        self._gate = Lock()
        self.cost = 0.0
        self._pause = 0.0

    def seen(self, headers: Mapping[str, str]) -> None:
        """Notes one answer. Unreadable headers count as nothing: one observer saw a letter as a cost."""
        with self._lock:
            self.cost += _number(headers.get("X-CallCost"))
            self._pause = _pause(headers.get("X-RateLimiting", ""))

    def before_call(self) -> None:
        """Waits a little when the last answer said that the bucket is nearly full; calls side by side queue up."""
        with self._gate:
            with self._lock:
                pause, self._pause = self._pause, 0.0
            self._waits.wait(pause)


def _number(text: str | None) -> float:
    try:
        number = float(text or 0)
    except ValueError:
        return 0.0
    return number if math.isfinite(number) else 0.0


def _pause(text: str) -> float:
    match = _BUCKET.search(text)
    if match is None:
        return 0.0
    window, used, limit = int(match[2]), int(match[3]), int(match[4])
    return window * _PAUSE if limit and used / limit >= _SLOW_DOWN_AT else 0.0
