"""What an e-conomic emulator can be told at the start."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from time import monotonic
from types import MappingProxyType

# Lower-case service name -> versions served. Source: the vendor's OpenAPI documents, August 2026.
VERSIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "customersapi": ("3.1.0",),
        "q2capi": ("5.3.0",),
        "bookedentriesapi": ("4.0.0",),
        "webhooksapi": ("1.0.0",),
    }
)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class EconomicOptions:
    """Tokens, calendar and limits.

    `today` gives the agreement's day until the control route sets one; `now` gives the time of day for
    `lastUpdated`. `token_limit` call costs are allowed per `token_window` seconds of `clock`.
    """

    app_secret: str = "test-app-secret"  # noqa: S105  (the emulator's well-known value, good on loopback only)
    grant_token: str = "test-token"  # noqa: S105
    app_public_token: str | None = None  # None: the one of the loaded agreement's application
    today: Callable[[], date] | None = None
    now: Callable[[], datetime] = _utc_now
    clock: Callable[[], float] = monotonic
    latency_ms: float = 0.0
    token_limit: int = 10_000
    token_window: float = 60.0
    slow_ms: float = 2_000.0
    timeout_s: float = 60.0
    idempotency_s: float = 3600.0
    versions: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: VERSIONS)
