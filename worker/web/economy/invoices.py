"""The invoice list of a card: filtered, sorted, by the page. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import ceil

from worker.web.economy.figures import ZERO, InvoiceLine

PER_PAGE = 25
SORTS: Mapping[str, Callable[[InvoiceLine], tuple[date | Decimal | int | str, int]]] = {
    "number": lambda line: (line.number, 0),
    "day": lambda line: (line.day or date.min, line.number),
    "due": lambda line: (line.due or date.min, line.number),
    "amount": lambda line: (line.gross or ZERO, line.number),
    "remainder": lambda line: (line.remainder or ZERO, line.number),
    "status": lambda line: (line.status, line.number),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the list is looked at. `sort` is a key of SORTS, `up` its direction, `status` blank = all."""

    sort: str = "day"
    up: bool = False
    status: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class InvoicePage:
    """Some invoices, and where they stand."""

    lines: list[InvoiceLine]
    found: int
    page: int
    last: int
    statuses: list[str]


def page_of(every: Sequence[InvoiceLine], wanted: Wanted) -> InvoicePage:
    """A page beyond the last is the last; an unknown order is the usual one."""
    fitting = [line for line in every if wanted.status in ("", line.status)]
    ordered = sorted(fitting, key=SORTS.get(wanted.sort, SORTS["day"]), reverse=not wanted.up)
    last = max(1, ceil(len(ordered) / PER_PAGE))
    at = min(max(1, wanted.page), last)
    statuses = sorted({line.status for line in every if line.status})
    return InvoicePage(ordered[(at - 1) * PER_PAGE : at * PER_PAGE], len(ordered), at, last, statuses)
