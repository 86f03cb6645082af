"""Keeps the worker's requests within its share of the tenant's resource units.

A bucket that may run into debt: a request is always let through after the wait that pays for it. What SharePoint says
about its own budget (the RateLimit headers, a Retry-After) slows all threads down at once. SharePoint publishes no
prices for its REST service; ours are those of the throttling guide for Graph: one item 1, any other read 2, a write 2,
and each part of a batch by itself.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping

from worker.errors import ThrottledError
from worker.ports import Budget
from worker.transport import Waits

_ONE_ITEM = re.compile(r"/(items\(\d+\)|contextinfo)$", re.IGNORECASE)
_PART = b" HTTP/1.1\r\n"


def estimate(method: str, url: str, body: object) -> float:
    """Resource units of a request, by our price list."""
    path = url.partition("?")[0]
    if path.endswith("/$batch") and isinstance(body, bytes):
        return 2.0 * body.count(_PART)
    return 1.0 if _ONE_ITEM.search(path) and not (method == "POST" and "/items(" in path) else 2.0


class Pacer:
    """`share` of `units_per_minute` flows in evenly; the rest of the minute's budget may be used in one burst.

    `budget` is shared with other workers of the tenant; a wait longer than `patience` seconds is not begun, but raised
    as ThrottledError before anything is sent.
    """

    def __init__(
        self,
        units_per_minute: float,
        share: float,
        waits: Waits,
        clock: Callable[[], float] = time.monotonic,
        *,
        budget: Budget | None = None,
        patience: float = float("inf"),
    ) -> None:
        self._rate = units_per_minute * share / 60
        self._full = units_per_minute * (1 - share)
        self._waits = waits
        self._clock = clock
        self._budget = budget
        self._patience = patience
        self._lock = threading.Lock()
        self._held = self._full
        self._seen = clock()
        self._not_before = 0.0
        self._remaining = 0.0
        self._reset_at = 0.0

    def take(self, cost: float) -> None:
        """Waits until `cost` units may be spent. Raises ThrottledError when that is longer than the patience."""
        shared = self._budget.take(cost) if self._budget else 0.0
        with self._lock:
            now = self._clock()
            self._held = min(self._full, self._held + (now - self._seen) * self._rate) - cost
            self._seen = now
            own = max(0.0, -self._held / self._rate, self._not_before - now, self._warned(cost, now))
        pause = max(own, shared)
        if pause > self._patience:
            raise ThrottledError(
                "The worker has used its share of the tenant's resource units.",
                retry_after=pause,
                hint="It goes on by itself.",
            )
        self._waits.wait(pause)

    def _warned(self, cost: float, now: float) -> float:
        """Seconds to wait so that what SharePoint says is left lasts until its minute ends."""
        left = self._reset_at - now
        if left <= 0:
            return 0.0
        before, self._remaining = self._remaining, self._remaining - cost
        return left if before <= cost else left * cost / before

    def hold(self, seconds: float) -> None:
        """Nothing is sent for `seconds`, by any thread."""
        with self._lock:
            self._not_before = max(self._not_before, self._clock() + seconds)
        if self._budget:
            self._budget.hold(seconds)

    def seen(self, headers: Mapping[str, str]) -> float:
        """Takes note of the RateLimit headers; returns the seconds until their reset, 0 without them."""
        try:
            remaining, reset = float(headers["RateLimit-Remaining"]), float(headers["RateLimit-Reset"])
        except (KeyError, ValueError):
            return 0.0
        with self._lock:
            self._remaining, self._reset_at = remaining, self._clock() + reset
        return reset
