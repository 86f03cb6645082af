"""Nobody watches, and time stands still until it is moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Quiet:
    """Implements ports.Progress."""

    def started(self, label: str, total: int | None) -> None: ...

    def advanced(self, count: int) -> None: ...

    def finished(self) -> None: ...


class StillClock:
    """Implements ports.Clock."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 25, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def next_day(self) -> None:
        self.moment += timedelta(days=1)
