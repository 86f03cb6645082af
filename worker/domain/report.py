"""What a run did: one outcome per source row, the ledger and the control sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class RunStatus(StrEnum):
    """As in the run list."""

    QUEUED = "Queued"
    RUNNING = "Running"
    PAUSED = "Paused"
    SUCCEEDED = "Succeeded"
    WITH_ERRORS = "Succeeded with errors"
    FAILED = "Failed"
    BRAKED = "Stopped by brake"


class RunMode(StrEnum):
    """Plan writes nothing to the CRM's lists."""

    PLAN = "Plan"
    APPLY = "Apply"


class Trigger(StrEnum):
    """Who started it."""

    TIMER = "Timer"
    MANUAL = "Manual"
    RESUME = "Resume"
    WEBHOOK = "Webhook"


@dataclass(frozen=True, slots=True)
class LastRun:
    """What the brake needs of an earlier good run."""

    run_id: str
    source_rows: int
    finished: datetime


@dataclass(frozen=True, slots=True)
class Ledger:
    """Rows by outcome. `flagged` counts items, not source rows, and stands outside the identity."""

    source_rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0
    flagged: int = 0

    @property
    def balances(self) -> bool:
        """Source rows = created + updated + unchanged + skipped + failed."""
        return self.source_rows == self.created + self.updated + self.unchanged + self.skipped + self.failed


@dataclass(frozen=True, slots=True)
class ControlLine:
    """One control sum: e-conomic's rows in scope against what was read back from the list (base currency).

    `rows_off` names the keys whose value differs. `own_total` is what e-conomic's
    own totals say, where they can be compared.
    """

    column: str
    source: Decimal
    target: Decimal
    rows_off: tuple[str, ...] = ()
    own_total: Decimal | None = None
    left_out: Decimal = Decimal(0)  # the same sum over rows that failed or have no item; not part of `source`

    @property
    def agrees(self) -> bool:
        """Nothing differs."""
        return self.source == self.target and not self.rows_off and self.own_total in (None, self.source)


@dataclass(frozen=True, slots=True)
class RowResult:
    """A row that needs a person. `code` is a key of `domain.reasons`; `facts` fill its sentences."""

    key: str
    outcome: str  # Failed, Skipped or Flagged
    code: str
    facts: Mapping[str, object] = field(default_factory=dict)
    item_id: int | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class RunReport:
    """One profile, once."""

    run_id: str
    profile: str
    mode: RunMode
    trigger: Trigger
    status: RunStatus
    started: datetime
    finished: datetime | None = None
    ledger: Ledger = field(default_factory=Ledger)
    controls: tuple[ControlLine, ...] = ()
    rows: tuple[RowResult, ...] = ()
    profile_digest: str = ""
    plan_digest: str = ""
    message: str = ""
    source_requests: int = 0
    target_requests: int = 0
    units: float = 0.0
    waited_seconds: float = 0.0
    judged: frozenset[str] | None = None  # keys of the rows that were looked at; None = every row
