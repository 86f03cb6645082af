"""What a run needs from the world, and nothing about who gives it.

Implementers: `economic.source` (Source), `economic.desk` (CustomerDesk), `sharepoint.site` (Site, Target),
`sharepoint.profiles` (ProfileStore), `sharepoint.runs` (RunStore), `stores.sqlite` and `stores.azure` (WorkQueue,
Leases, Records), `stores.secret_files` (Secrets); in-memory fakes stand in
tests/fakes. One contract suite per port runs on all of them.
All raise only errors of `worker.errors`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from worker.domain.new_customer import Choices, NewCustomer
from worker.domain.plan import Change
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

    def since(self, before: Usage) -> Usage:
        """What was added after `before`."""
        return Usage(
            self.requests - before.requests,
            self.write_requests - before.write_requests,
            self.units - before.units,
            self.waited_seconds - before.waited_seconds,
        )


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


class LookedUpSource(Source, Protocol):
    """e-conomic, where a few customers are looked at again."""

    def customers_numbered(self, numbers: Sequence[int]) -> Sequence[Customer]:
        """Those that there are of these, by one request for each 100."""
        ...


class ComparedSource(Source, Protocol):
    """e-conomic as a comparison of both systems reads it. Reads raise AccessDeniedError for what the app's role may
    not read."""

    def open_totals(self, *, overdue: bool = False) -> Mapping[int, Decimal]:
        """e-conomic's own sums of what is open per customer number, or with `overdue` of what is past due today: base
        currency, customers without any absent."""
        ...


class CustomerDesk(Protocol):
    """e-conomic, as far as customers are made and changed there. Nothing here deletes.

    A `key` is an Idempotency-Key: e-conomic gives the first answer again to the same key for an hour, so a call whose
    answer was lost is repeated with the same key and the same content, and with no other.
    """

    def choices(self) -> Choices:
        """e-conomic's groups, payment terms, VAT zones and currencies."""
        ...

    def customer(self, number: int) -> Customer | None: ...

    def like(self, customer: NewCustomer) -> Sequence[tuple[Customer, str]]:
        """Customers with the same CVR number, e-mail or name, each once, with what is the same: cvr, email or name."""
        ...

    def customers(self) -> Iterator[Customer]:
        """All of them, by number."""
        ...

    def document(self, number: int) -> Mapping[str, object] | None:
        """The whole customer as e-conomic has it now, for replacing it; None when there is none."""
        ...

    def replace(self, number: int, document: Mapping[str, object], key: str) -> None:
        """Replaces all of a customer: what `document` leaves out is cleared. e-conomic checks no version, so the caller
        reads right before. Raises as `create`."""
        ...

    def free_numbers(self, first: int, last: int) -> Iterator[int]:
        """Customer numbers from `first` to `last` that are free: those above the highest in use, then the gaps below
        it from `first` on; a gap may be a number that was somebody's."""
        ...

    def create(self, customer: NewCustomer, key: str) -> int:
        """Makes it and gives its number. Raises RefusedError, AccessDeniedError; a RetriableError leaves it open."""
        ...

    def contacts(self, number: int) -> Sequence[CustomerContact]:
        """The customer's contacts as they are now; none of a customer that is not there."""
        ...

    def add_contact(self, number: int, body: Mapping[str, str], key: str) -> int:
        """Makes a contact of a customer and gives its number. Raises as `create`."""
        ...


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

    def item(self, item_id: int, columns: Sequence[str]) -> Item | None:
        """One item as it stands now; None when there is none."""
        ...

    def never_touched(self, item_id: int) -> bool:
        """Whether nobody but its maker ever saved the item; False when that can't be told."""
        ...

    def given_by_worker(self, item_id: int, columns: Sequence[str]) -> frozenset[str]:
        """Of these columns those whose value of now the worker gave, and nobody else; without those of which that can't
        be told."""
        ...

    def recycle(self, item_id: int, version: str) -> bool:
        """Moves an item to the recycle bin, where people can fetch it back; False when it is not of this version any
        more, or gone. The one way an item ever leaves a list."""
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

    def has_list(self, kind: TargetKind) -> bool:
        """Whether there is such a list at all. False only where the site itself says so: what can't be read, and what
        the settings name but nobody finds, raises."""
        ...

    def usage(self) -> Usage: ...


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """A row of the profiles list: a checked profile, or what is wrong with it.

    `cells` are those of a row that is wrong, as typed, for a person to correct; a cell that seems to hold a secret is
    left out.
    """

    item_id: int
    title: str
    profile: Profile | None
    problems: tuple[Problem, ...] = ()
    request: RunRequest = RunRequest.NONE
    cells: Mapping[str, Value] = field(default_factory=dict)


class ProfileStore(Protocol):
    """The profiles list."""

    def profiles(self) -> Sequence[ProfileRow]:
        """In run order, then by title."""
        ...

    def save(self, profile: Profile) -> None:
        """Creates or overwrites the row with this title; leaves an equal row untouched."""
        ...

    def clear_requests(self, rows: Sequence[ProfileRow]) -> None:
        """Sets back to None what people asked for in these rows."""
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
        """Puts a Running row in the list, before the first write of a run; one that stands there already is kept."""
        ...

    def resumed(self, run_ids: Sequence[str]) -> None:
        """Looks up the rows of runs that another process opened or closed, so that `closed` overwrites them."""
        ...

    def closed(self, reports: Sequence[RunReport]) -> None:
        """Writes the final rows, and the row results that are new, changed or healed, in as few requests as it can."""
        ...

    def recent(self, limit: int = 20) -> Sequence[RunSummary]: ...


class Journal(Protocol):
    """What runs overwrote, kept so that they can be undone."""

    def keep(self, run_id: str, profile: Profile, held: int, changes: Sequence[Change]) -> None:
        """Keeps changes with the values that stand there now, before they are sent. `held`: items that the list held
        when the run began.

        Told again of the same item (or the same key, of a new one): a column named again stood as it is said last, and
        one whose two values are equal was not written. A change without columns was answered: it is done. A create with
        an item's id is the item that it made.
        """
        ...


class NoJournal:
    """Implements Journal: nothing is kept."""

    def keep(self, run_id: str, profile: Profile, held: int, changes: Sequence[Change]) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message taken from a queue. Others do not see it until the hiding time is over."""

    message_id: str
    body: str
    tries: int  # how often it was taken, this time included
    receipt: str  # opaque; worthless once somebody else has taken the message


class WorkQueue(Protocol):
    """A queue that delivers at least once, in no promised order. Bodies hold ids only: no data, no secrets."""

    def send(self, body: str, delay: float = 0.0) -> None:
        """Adds a message; nobody sees it for `delay` seconds (at most 7 days)."""
        ...

    def receive(self, hide_seconds: float) -> Delivery | None:
        """Takes one visible message and hides it; None when there is none. Unless `done`, it comes back."""
        ...

    def extend(self, delivery: Delivery, hide_seconds: float) -> Delivery:
        """Hides it for `hide_seconds` from now; the answer's receipt replaces the old one.

        Raises LeaseLostError when it came back and somebody else took it, or it is gone.
        """
        ...

    def done(self, delivery: Delivery) -> None:
        """Removes it. Nothing happens when somebody else has taken it meanwhile."""
        ...

    def give_back(self, delivery: Delivery, delay: float) -> None:
        """A failed try: visible again after `delay` seconds; `tries` goes on counting. Nothing when taken by others."""
        ...

    def bury(self, delivery: Delivery) -> None:
        """Moves it to the queue of poison messages. Nothing when taken by others."""
        ...

    def waiting(self) -> int:
        """About how many messages there are, hidden ones included."""
        ...

    def poison(self) -> WorkQueue:
        """The queue of buried messages (`<name>-poison`)."""
        ...


@dataclass(frozen=True, slots=True)
class Hold:
    """A lease that was given."""

    name: str
    token: str


class Leases(Protocol):
    """Exclusive, expiring holds on names; a killed holder loses them by itself. `seconds` are 15 to 60."""

    def acquire(self, name: str, seconds: float) -> Hold | None:
        """None when somebody else holds it."""
        ...

    def renew(self, hold: Hold, seconds: float) -> None:
        """Holds it `seconds` from now. Raises LeaseLostError when it is not ours any more."""
        ...

    def release(self, hold: Hold) -> None:
        """Lets go. Nothing when it was lost."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """A stored document and the version to write it back with."""

    content: bytes
    version: str


ANY_VERSION = "*"


class Records(Protocol):
    """Small documents and larger blobs by name, changed by compare-and-swap.

    Names are path-like: parts of letters, digits, `-`, `_`, `.`, `:` and `~`, joined by `/`, at most 200 characters.
    """

    def read(self, name: str) -> Record | None: ...

    def write(self, name: str, content: bytes, version: str | None, hold: Hold | None = None) -> str:
        """Stores it and returns the new version. `version`: the one that was read; None = it must not exist yet;
        ANY_VERSION = whatever stands there. `hold`: a lease on the same name, without which the store refuses the
        write when it has been lost. A name that is leased can be written with its hold only.

        Raises ConflictError (version, or leased by others) and LeaseLostError.
        """
        ...

    def names(self, prefix: str) -> Sequence[str]:
        """In ascending order."""
        ...

    def remove(self, name: str) -> None:
        """Nothing when it is not there."""
        ...


@dataclass(frozen=True, slots=True)
class Stores:
    """What the engine keeps its work in."""

    queue: WorkQueue
    leases: Leases
    records: Records


@dataclass(frozen=True, slots=True)
class Alert:
    """Something a person should hear about. `severity` is error, warning or info; `facts` are what is to be shown;
    `mail` is all of it as lines, where it is meant to be sent on to a person; `language` is en or da."""

    title: str
    text: str
    severity: str
    connection: str
    facts: Mapping[str, str] = field(default_factory=dict)
    link: str = ""
    mail: str = ""
    language: str = "en"


class Alerts(Protocol):
    """Tells people. Never raises: an alert that can't be sent is logged."""

    def send(self, alert: Alert) -> bool:
        """Whether it was taken; True as well where nobody is to be told."""
        ...


class Secrets(Protocol):
    """Secrets that the worker itself stores: names of capitals, digits and `_`; texts."""

    def read(self, name: str) -> str | None:
        """None when there is none."""
        ...

    def write(self, name: str, value: str) -> None:
        """Stores or replaces it."""
        ...


class Budget(Protocol):
    """The tenant's resource units, shared by every worker of that tenant."""

    def take(self, units: float) -> float:
        """Spends `units` and returns the seconds to wait before the request that costs them is sent."""
        ...

    def hold(self, seconds: float) -> None:
        """The service asked for a pause: nobody sends for `seconds`."""
        ...
