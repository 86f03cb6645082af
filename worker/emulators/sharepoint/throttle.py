"""Resource units: what a request costs, the app's minute budget, the headers that warn (reference, section 3)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from worker.emulators.common.switches import Switches
from worker.emulators.sharepoint.formats import dump

WINDOW_SECONDS = 60
WARN_FROM = 0.8


class Budget:
    """Units used in the running minute; `limit` 0 means no limit and may be changed while serving."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self._clock = clock
        self._began = clock()
        self._used = 0.0

    def _roll(self) -> None:
        if self._clock() - self._began >= WINDOW_SECONDS:
            self._began = self._clock()
            self._used = 0.0

    def reset(self) -> None:
        """Begin a new minute."""
        self._began, self._used = self._clock(), 0.0

    def spend(self, cost: float) -> bool:
        """Take `cost` from the budget; False when it was used up. A refused request counts too."""
        self._roll()
        spent = self.limit > 0 and self._used >= self.limit
        self._used += cost
        return not spent

    def seconds_left(self) -> int:
        """Whole seconds until the minute ends, at least 1."""
        return max(1, round(WINDOW_SECONDS - (self._clock() - self._began)))

    def headers(self) -> dict[str, str]:
        """The RateLimit headers, from 80 % of the budget on."""
        if self.limit <= 0 or self._used < WARN_FROM * self.limit:
            return {}
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, int(self.limit - self._used))),
            "RateLimit-Reset": str(self.seconds_left()),
        }


@dataclass(frozen=True)
class Refusal:
    """A throttled answer."""

    status: int
    headers: dict[str, str]
    body: bytes


def refuse(status: int, seconds: int, switches: Switches, *, with_retry_after: bool = True) -> Refusal:
    """A 429 or 503 in the form the switches choose."""
    headers: dict[str, str] = {}
    form = switches.get("retry_after")
    if with_retry_after and form == "seconds":
        headers["Retry-After"] = str(seconds)
    elif with_retry_after and form == "date":
        # Whole seconds only: rounded up, so that the date is never already past.
        moment = datetime.now(UTC) + timedelta(seconds=seconds + 1)
        headers["Retry-After"] = format_datetime(moment, usegmt=True)
    if switches.get("throttle_body") == "html":
        title = "429 TOO MANY REQUESTS" if status == 429 else "503 SERVICE UNAVAILABLE"
        body = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>".encode()
        return Refusal(status, {**headers, "Content-Type": "text/html; charset=utf-8"}, body)
    code = "activityLimitReached" if status == 429 else "serviceNotAvailable"
    inner = {"code": "throttledRequest"}
    error = {"code": code, "innererror": inner, "message": "The request has been throttled"}
    return Refusal(status, {**headers, "Content-Type": "application/json"}, dump({"error": error}))
