"""Values as people read them, and the numbers of a plan in words."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from math import ceil

from worker.domain.plan import Change, ChangeKind, Plan
from worker.domain.values import Value

_BATCH = 100
_WRITE_UNITS = 2  # resource units a SharePoint write is planned with
_SHOWN = 80


def shown(value: Value) -> str:
    """A value on one line: blank as (blank), line breaks as a mark, control characters removed."""
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
            return one_line(str(value))


def one_line(text: str) -> str:
    """Text from outside, safe for a terminal or a table cell: no control or direction marks, one line, shortened."""
    plain = " ⏎ ".join(text.splitlines()) if "\n" in text or "\r" in text else text
    kept = "".join(mark for mark in plain if unicodedata.category(mark) not in ("Cc", "Cf", "Cs", "Zl", "Zp"))
    return kept if len(kept) <= _SHOWN else f"{kept[: _SHOWN - 1]}…"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What applying would cost: requests that write, SharePoint resource units, minutes at the budget."""

    write_requests: int
    units: int
    minutes: float

    def __str__(self) -> str:
        return f"{self.write_requests} write requests, {self.units:,} resource units, about {self.minutes:.1f} minutes"


def forecast(plan: Plan, units_per_minute: float) -> Forecast:
    """The forecast of one plan at a budget of units per minute."""
    changes = len(plan.changes)
    units = changes * _WRITE_UNITS
    return Forecast(ceil(changes / _BATCH), units, units / units_per_minute)


def counts(plan: Plan) -> Iterator[tuple[str, int]]:
    """Names and numbers, in the order of the ledger."""
    yield "create", plan.count(ChangeKind.CREATE)
    yield "update", plan.count(ChangeKind.UPDATE)
    yield "flag", plan.count(ChangeKind.FLAG)
    yield "unchanged", plan.unchanged
    yield "skip", plan.filtered + sum(1 for row in plan.left_out if row.outcome.value == "Skipped")
    yield "fail", sum(1 for row in plan.left_out if row.outcome.value == "Failed")


def heading(change: Change) -> str:
    """Kind, key and title of a change."""
    title = f" {one_line(change.title)}" if change.title else ""
    item = f" (item {change.item_id})" if change.item_id is not None else ""
    return f"{change.kind.value} {one_line(change.key)}{title}{item}"
