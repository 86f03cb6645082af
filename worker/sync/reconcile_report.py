"""What a comparison of both systems found, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from worker.domain.values import Value


@dataclass(frozen=True, slots=True)
class Missing:
    """A row that only one side has. `item_id` is set when the CRM has it."""

    kind: str  # customer, contact, invoice or statistics row
    side: str  # e-conomic or CRM: the one that has it
    key: str
    name: str
    item_id: int | None = None


@dataclass(frozen=True, slots=True)
class Double:
    """Several items that carry one key."""

    kind: str
    key: str
    items: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Twin:
    """A company without a customer number that has the CVR number of a customer which other companies (`linked`) stand
    for already: two companies for one customer, or a branch. Told, and no difference: only a person can say which."""

    item_id: int
    name: str
    cvr: str
    key: str  # the customer's number
    linked: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Saved:
    """Who saved in the CRM, and when. `column`: it gave the column its value; else it was the item's last save, which
    may have been about another column."""

    moment: datetime
    by: str
    column: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that both have and that differs. `saved` is None where it was not asked, or nobody knows. `updated`: when
    e-conomic's row was changed last, None where it does not say; balances and invoices do not count as a change."""

    kind: str
    key: str
    item_id: int
    column: str
    economic: Value
    crm: Value
    saved: Saved | None = None
    updated: datetime | None = None


class Amount(StrEnum):
    """What a sum adds up."""

    BALANCE = "Balance"
    OVERDUE = "Overdue"
    NET_SALES = "Net sales"  # of the list of invoices, by accounting year
    STATISTICS = "Sales statistics"  # of the list of sales statistics, by accounting year


@dataclass(frozen=True, slots=True)
class Sum:
    """One amount as both sides have it; `own`: as e-conomic's totals have it, None where they have none. `since`: the
    first day that is counted, where the CRM does not hold the whole year.

    `counted`: what was counted from e-conomic's invoices and `own` is held against, in each way that e-conomic may sum
    them: whether its totals hold credit notes is unconfirmed. `outside`: what customers owe beyond `own`. Totals of
    invoices have no payments that were not matched and no opening entries, and count what is due in full also where
    e-conomic calls nothing due, because the balance is negative.
    """

    what: Amount
    economic: Decimal
    crm: Decimal
    own: Decimal | None = None
    year: str = ""
    since: date | None = None
    counted: tuple[Decimal, ...] = ()
    outside: Decimal = Decimal(0)

    @property
    def name(self) -> str:
        """In words."""
        since = f" from {self.since.isoformat()}" if self.since else ""
        return f"{self.what} {self.year}".rstrip() + since

    @property
    def agrees(self) -> bool:
        """To the last hundredth."""
        return self.economic == self.crm and (self.own is None or self.own in self.counted)


class Why(StrEnum):
    """Why something is not compared; `detail` beside it names what."""

    CONVERTER = "converter"  # detail: the converter
    FIELD = "field"  # detail: e-conomic's field
    MOVES = "moves"  # detail: the field, which has another value at each run
    TREND = "trend"  # detail: the field, worked out by thresholds of the settings
    YEARS = "years"  # no accounting year holds the day
    SUMS = "sums"  # sums per year only: the app may not read the accounting years
    ROLE = "role"  # detail: what of e-conomic the app may not read
    COLUMN = "column"  # the list has no such column
    KEY = "key"  # no column holds the key
    PROFILE = "profile"  # no enabled profile fills the list
    BROKEN = "broken"  # detail: a profile that can't be read; kind is "profile"
    LIST = "list"  # the site has no such list
    ROWS = "rows"  # only which rows there are and what is owed: no enabled profile fills the list
    OWNED = "owned"  # people own the column once it is filled
    OWN = "own"  # only against e-conomic's own total; detail: what of e-conomic the app may not read
    DAY = "day"  # detail: how many rows; their figures are of an earlier day, and e-conomic tells none of that day
    CREATES = "creates"  # detail: a profile that only creates; people own what it made


@dataclass(frozen=True, slots=True)
class NotCompared:
    """A column, or with "" a whole list, that is left out of the comparison; or all that a profile fills."""

    kind: str
    column: str
    why: Why
    detail: str = ""

    def __str__(self) -> str:
        if self.why is Why.BROKEN:
            return f"not compared: what the profile {self.detail} fills ({_WORDS[self.why]})"
        what = f"column {self.column}" if self.column else "the list"
        return f"not compared: {self.kind}, {what} ({_WORDS[self.why].format(self.detail)})"


_ROLE = "the app's role in e-conomic may not read its {}"
_WORDS: Mapping[Why, str] = {
    Why.CONVERTER: "converter {}",
    Why.FIELD: "the comparison does not know the field {}",
    Why.MOVES: "{} moves with every run",
    Why.TREND: "{} rests on thresholds of the settings",
    Why.YEARS: "no accounting year of e-conomic holds the day",
    Why.SUMS: f"only its sums per year; {_ROLE.format('accounting years')}",
    Why.ROLE: _ROLE,
    Why.COLUMN: "the list has no such column",
    Why.KEY: "no mapped column holds the key",
    Why.PROFILE: "no enabled profile fills it",
    Why.BROKEN: "it can't be read; correct it in the list of profiles",
    Why.LIST: "the site has none",
    Why.ROWS: "only its rows and what is owed; no enabled profile fills it",
    Why.OWNED: "people own it once it is filled",
    Why.OWN: f"only against e-conomic's own total; {_ROLE}",
    Why.DAY: "{} of its rows: figures of an earlier day, and what was due then can't be told",
    Why.CREATES: "what the profile {} writes; people own it from then on",
}


@dataclass(frozen=True, slots=True)
class Totals:
    """How many there are of each, also where a report names only the first of them."""

    missing: int = 0
    doubles: int = 0
    differences: int = 0
    twins: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """The whole comparison. Lists name at most 200 of a kind; `totals` counts all, and `counts` what was looked at:
    name -> number."""

    made: datetime
    agreement: int
    counts: Mapping[str, int]
    totals: Totals = Totals()
    missing: tuple[Missing, ...] = ()
    doubles: tuple[Double, ...] = ()
    differences: tuple[Difference, ...] = ()
    twins: tuple[Twin, ...] = ()
    sums: tuple[Sum, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()

    @property
    def agrees(self) -> bool:
        """Nothing differs."""
        found = self.totals
        return not (found.missing or found.doubles or found.differences) and all(one.agrees for one in self.sums)
