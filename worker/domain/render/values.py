"""Values as people read them, and the numbers of a plan in words."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from math import ceil

from worker.domain.plan import Change, ChangeKind, Plan, RowOutcome
from worker.domain.values import Value

_BATCH = 100
_WRITE_UNITS = 2  # resource units a SharePoint write is planned with
_SHOWN = 80
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def shown(value: Value) -> str:
    """A value on one line and in full: blank as (blank), line breaks as a mark, control characters removed."""
    match value:
        case None:
            return "(blank)"
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return f"{value:,f}"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M} UTC"
        case date():
            return value.isoformat()
        case _:
            return plain(str(value))


def plain(text: str) -> str:
    """Text from outside, safe for a terminal or a table cell: one line, no control or direction marks."""
    single = " ⏎ ".join(text.splitlines()) if "\n" in text or "\r" in text else text
    return "".join(mark for mark in single if unicodedata.category(mark) not in _UNSEEN)


def one_line(text: str) -> str:
    """`plain`, shortened: for names and keys, never for the values that a plan is about."""
    kept = plain(text)
    return kept if len(kept) <= _SHOWN else f"{kept[: _SHOWN - 1]}…"


def some(number: int, noun: str) -> str:
    """A number with its noun: 1 row, 2 rows, 2 batches, 2 companies, 2 days."""
    if number == 1:
        return f"1 {noun}"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{number:,} {noun[:-1]}ies"
    return f"{number:,} {noun}{'es' if noun.endswith('ch') else 's'}"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What applying would cost: requests that write, SharePoint resource units, minutes at the budget."""

    write_requests: int
    units: int
    minutes: float

    def __str__(self) -> str:
        if not self.write_requests:
            return "nothing to write"
        cost = f"{some(self.write_requests, 'write request')}, {self.units:,} resource units"
        return f"{cost}, {duration(self.minutes)}"


def duration(minutes: float) -> str:
    """Minutes in words."""
    if minutes < 1:
        return "less than a minute"
    if minutes < 100:
        return f"about {some(round(minutes), 'minute')}"
    return f"about {minutes / 60:.1f} hours"


def forecast(plan: Plan, units_per_minute: float) -> Forecast:
    """The forecast of one plan at a budget of units per minute."""
    return forecast_all([plan], units_per_minute)


def forecast_all(plans: Iterable[Plan], units_per_minute: float) -> Forecast:
    """The forecast of plans that are applied one after the other."""
    return forecast_sizes([len(plan.changes) for plan in plans], units_per_minute)


def forecast_sizes(sizes: Sequence[int], units_per_minute: float) -> Forecast:
    """The same where only the numbers of changes are known."""
    units = sum(sizes) * _WRITE_UNITS
    return Forecast(sum(ceil(size / _BATCH) for size in sizes), units, units / units_per_minute)


def counts(plan: Plan) -> Iterator[tuple[str, int]]:
    """Names and numbers, in the order of the ledger."""
    yield "create", plan.count(ChangeKind.CREATE)
    yield "update", plan.count(ChangeKind.UPDATE)
    yield "flag", plan.count(ChangeKind.FLAG)
    yield "unchanged", plan.unchanged
    yield "skip", plan.filtered + sum(1 for row in plan.left_out if row.outcome is RowOutcome.SKIPPED)
    yield "fail", sum(1 for row in plan.left_out if row.outcome is RowOutcome.FAILED)


def heading(change: Change) -> str:
    """Kind, key and title of a change."""
    title = f" {one_line(change.title)}" if change.title else ""
    item = f" (item {change.item_id})" if change.item_id is not None else ""
    return f"{change.kind.value} {one_line(change.key)}{title}{item}"
