"""The token bucket shared by both hosts of an agreement: so many call costs per window that turns as a whole."""

from collections.abc import Callable


class Bucket:
    """`limit` costs per `window` seconds of `clock`."""

    def __init__(self, limit: int, window: float, clock: Callable[[], float]) -> None:
        self.limit = limit
        self.window = window
        self._clock = clock
        self._started = clock()
        self.used = 0.0

    def is_empty(self) -> bool:
        """Whether nothing is left until the window turns."""
        self._turn()
        return self.used >= self.limit

    def charge(self, cost: float) -> None:
        """Take `cost` out."""
        self._turn()
        self.used += cost

    def seconds_left(self) -> float:
        """Until the window turns."""
        return max(0.0, self._started + self.window - self._clock())

    def header(self) -> str:
        """The value of X-RateLimiting: used of limit."""
        return f"token-limit-{self.limit}-per-{self.window:g}-seconds: {self.used:g}/{self.limit}"

    def _turn(self) -> None:
        now = self._clock()
        if now - self._started >= self.window:
            self._started = now
            self.used = 0.0
