"""What a run needs from the world, and nothing about who gives it.

Implementers: `economic.source` (Source), `sharepoint.site` (Site, Target), `sharepoint.profiles` (ProfileStore),
`sharepoint.runs` (RunStore); in-memory fakes stand in tests/fakes. One contract suite per port runs on both.
All raise only errors of `worker.errors`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from worker.domain.profile import Profile, RunRequest
from worker.domain.records import AccountingYear, Agreement, Customer, CustomerContact, Invoice
from worker.domain.report import LastRun, RunReport
from worker.domain.values import Column, Item, TargetKind, Value
from worker.errors import Problem


class Clock(Protocol):
    """Time, passed in."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...


class Progress(Protocol):
    """Somebody who watches. Called from the run's own thread."""

    def started(self, label: str, total: int | None) -> None:
        """A step begins; `total` rows or changes when known."""
        ...

    def advanced(self, count: int) -> None: ...

    def finished(self) -> None: ...


class StopSignal(Protocol):
    """Somebody asked the run to stop after the batch in hand."""

    def is_set(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Usage:
    """What a side has been asked so far: HTTP requests sent, of them writes; units billed (e-conomic call cost, or
    our estimate of SharePoint resource units); seconds waited because the service or our budget said so."""

    requests: int = 0
    write_requests: int = 0
    units: float = 0.0
    waited_seconds: float = 0.0


class Source(Protocol):
    """e-conomic, read only. Iterators stream; every row comes once, in ascending key order."""

    def agreement(self) -> Agreement: ...

    def accounting_years(self) -> Sequence[AccountingYear]:
        """In ascending order of first day."""
        ...

    def customers(self) -> Iterator[Customer]: ...

    def contacts(self) -> Iterator[CustomerContact]:
        """Live and soft-deleted ones alike (`deleted` says which)."""
        ...

    def invoices(self, since: date | None = None) -> Iterator[Invoice]:
        """Booked invoices dated `since` or later (None = all), credit notes included."""
        ...

    def open_invoices(self) -> Iterator[Invoice]:
        """Booked invoices with a remainder, whatever their date."""
        ...

    def sales_totals(self, year: AccountingYear) -> Mapping[int, Decimal]:
        """e-conomic's own net sales per customer number in `year`, base currency; customers without sales absent."""
        ...

    def usage(self) -> Usage: ...


@dataclass(frozen=True, slots=True)
class Create:
    """A new item: logical column -> value. `key` is for the outcome and for finding it again."""

    key: str
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Update:
    """Changed columns of an item, guarded by the version that was read."""

    key: str
    item_id: int
    version: str
    values: Mapping[str, Value]


Write = Create | Update


class WriteStatus(StrEnum):
    """What the target's own answer to one write says."""

    DONE = "done"
    CHANGED_MEANWHILE = "changed meanwhile"  # 412: somebody saved the item after we read it
    DUPLICATE = "duplicate"  # a unique column already holds the key
    GONE = "gone"  # the item was deleted
    REJECTED = "rejected"  # validation or type: this row can't be written
    UNKNOWN = "unknown"  # no answer for this part: it may or may not have been done


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """One per write, in any order. `item_id` and `version` (as the answer gave it, else "") are set when DONE."""

    write: Write
    status: WriteStatus
    item_id: int | None = None
    version: str = ""
    detail: str = ""  # the service's own words, for the log and the row result; no secrets


class Target(Protocol):
    """One bound CRM list."""

    @property
    def kind(self) -> TargetKind: ...

    @property
    def columns(self) -> Mapping[str, Column]:
        """Bound columns by logical name."""
        ...

    def items(self, columns: Sequence[str]) -> Iterator[Item]:
        """Every item with these columns. Raises IncompleteReadError rather than ending early."""
        ...

    def find(self, column: str, values: Sequence[str], columns: Sequence[str]) -> list[Item]:
        """Items whose `column` equals one of `values`, by an indexed look-up."""
        ...

    def write(self, writes: Iterable[Write]) -> Iterator[WriteOutcome]:
        """Batches of 100. Takes from `writes` only what it is about to send, so a caller that stops feeding stops
        the writing after the batches in hand. Yields exactly one outcome for each write taken."""
        ...


class Site(Protocol):
    """The CRM's site: hands out bound targets."""

    def bind(self, wanted: Mapping[str, tuple[TargetKind, Sequence[str]]]) -> Mapping[TargetKind, Target]:
        """Binds, for each label (a profile's name), the list and the logical columns it needs; one Target per kind
        with the union of columns. Raises ConfigError with every missing, ambiguous or unfit column of all labels."""
        ...

    def usage(self) -> Usage: ...


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """A row of the profiles list: a checked profile, or what is wrong with it."""

    item_id: int
    title: str
    profile: Profile | None
    problems: tuple[Problem, ...] = ()
    request: RunRequest = RunRequest.NONE


class ProfileStore(Protocol):
    """The profiles list."""

    def profiles(self) -> Sequence[ProfileRow]:
        """In run order, then by title."""
        ...

    def save(self, profile: Profile) -> None:
        """Creates or overwrites the row with this title; leaves an equal row untouched."""
        ...

    def take_requests(self) -> Sequence[ProfileRow]:
        """The rows in which a person asked for a run, in run order; their requests are set back to None."""
        ...


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One row of the run list, for people."""

    run_id: str
    profile: str
    mode: str
    status: str
    started: datetime
    finished: datetime | None
    counts: Mapping[str, int] = field(default_factory=dict)
    message: str = ""


class RunStore(Protocol):
    """The run list and the row results."""

    def last_good(self, profiles: Sequence[str]) -> Mapping[str, LastRun]:
        """The latest apply run of each profile that succeeded, with or without row errors; absent = never."""
        ...

    def approved(self, profile: str, digest: str) -> bool:
        """A person approved a braked run of exactly this plan in the run list."""
        ...

    def opened(self, reports: Sequence[RunReport]) -> None:
        """Puts a Running row in the list, before the first write of a run."""
        ...

    def closed(self, reports: Sequence[RunReport]) -> None:
        """Writes the final rows, and the row results that are new, changed or healed, in as few requests as it can."""
        ...

    def recent(self, limit: int = 20) -> Sequence[RunSummary]: ...
