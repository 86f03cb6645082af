"""A mapping profile: one saved import, as a checked value."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from worker.domain.values import TargetKind


class SourceKind(StrEnum):
    """What a profile reads. Debtor is the old name of Customer; both are accepted, Customer is kept."""

    CUSTOMER = "Customer"
    CONTACT = "Customer Contact"
    INVOICE = "Booked invoice"
    SALES = "Sales"


class ImportType(StrEnum):
    """Which kinds of change a profile may make."""

    IMPORT = "Import"
    IMPORT_AND_UPDATE = "Import & Update"
    UPDATE = "Update"


class WriteRule(StrEnum):
    """When a mapped column is written."""

    ERP_OWNS = "ERP owns"
    FILL_IF_BLANK = "Fill if blank"
    ON_CREATE_ONLY = "On create only"


class OnBlank(StrEnum):
    """What a blank source value does to a filled ERP-owned column."""

    KEEP = "Keep CRM value"
    CLEAR = "Clear"


class OnMissing(StrEnum):
    """What happens to an item whose key is gone from e-conomic. There is no Delete."""

    KEEP = "Keep"
    FLAG = "Flag"


class RunRequest(StrEnum):
    """What a person asks for in the list of profiles; the worker sets it back to None when it takes it up."""

    NONE = "None"
    PLAN = "Plan"
    APPLY = "Apply"


class PeriodType(StrEnum):
    """Periods of the sales statistics list."""

    FINANCIAL_YEAR = "Financial year"
    QUARTER = "Quarter"
    MONTH = "Month"
    ROLLING_12 = "Rolling 12 months"


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One mapped column. `source` is a canonical catalogue name, or None for a constant (`default`)."""

    target: str
    source: str | None = None
    write: WriteRule = WriteRule.ERP_OWNS
    converter: str | None = None
    default: str | None = None
    shorten: bool = False


@dataclass(frozen=True, slots=True)
class SourceFilter:
    """Which source rows a profile takes; rows left out by it are counted as skipped, never as missing."""

    customer_groups: frozenset[int] = frozenset()  # empty = all
    include_barred: bool = True
    months: int | None = None  # invoices and statistics: how far back, counted in whole months from today
    periods: tuple[PeriodType, ...] = (PeriodType.FINANCIAL_YEAR, PeriodType.QUARTER)  # SALES only


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile that passed every check. Columns and fields are named logically, never by internal name."""

    title: str
    source: SourceKind
    target: TargetKind
    import_type: ImportType
    key_target: str
    key_source: str
    rules: tuple[FieldRule, ...]
    enabled: bool = True
    order: int = 100
    source_filter: SourceFilter = field(default_factory=SourceFilter)
    on_blank: OnBlank = OnBlank.KEEP
    on_missing: OnMissing = OnMissing.KEEP
    max_change_pct: Decimal = Decimal(30)
    schedule: str | None = None  # five-field cron, None = only on request
    time_zone: str = "Europe/Copenhagen"

    @property
    def columns(self) -> tuple[str, ...]:
        """Logical names of the target columns this profile reads or writes, key first, each once."""
        return tuple(dict.fromkeys([self.key_target, *(rule.target for rule in self.rules)]))
