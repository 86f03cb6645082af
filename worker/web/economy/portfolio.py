"""All companies by what is owed and how they buy: sorted, searched, summed. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import ceil

from worker.domain.values import Value
from worker.web.economy.figures import ZERO
from worker.web.economy.reading import Company
from worker.web.spreadsheet import safe

PER_PAGE = 50
# Order -> what it puts first. `decline`: the largest fall of sales against the same part of last year; `lapsed`: those
# whose trend is Lapsed, longest ago last.
ORDERS = ("overdue", "decline", "lapsed", "balance", "name")
_COLUMNS = (
    "Balance", "OverdueAmount", "OldestOverdueDays", "SalesYearToDate", "SalesLastYearToDate", "SalesLast12Months",
    "LastInvoiceDate", "SalesTrend",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One company. `change`: sales this year less those of the same part of last year."""

    number: int
    name: str
    values: Mapping[str, Value]

    def money(self, column: str) -> Decimal | None:
        """A figure; None when there is none."""
        value = self.values.get(column)
        return value if isinstance(value, Decimal) else None

    @property
    def change(self) -> Decimal:
        """Below zero: sells less than last year."""
        return (self.money("SalesYearToDate") or ZERO) - (self.money("SalesLastYearToDate") or ZERO)

    @property
    def last(self) -> date:
        """The latest invoice."""
        value = self.values.get("LastInvoiceDate")
        return value if isinstance(value, date) else date.min


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines, and the sums over all that fit."""

    lines: list[Line]
    found: int
    page: int
    last: int
    balance: Decimal
    overdue: Decimal
    overdue_count: int
    lapsed_count: int
    declining_count: int
    top: list[tuple[str, Decimal]]


def lines_of(companies: Sequence[Company], order: str, words: str) -> list[Line]:
    """All that fit, in order. `lapsed` shows lapsed companies only, `decline` those that sell less."""
    lines = [Line(one.number, one.name, one.item.values) for one in companies]
    wanted = words.strip().casefold()
    fitting = [line for line in lines if not wanted or wanted in line.name.casefold() or wanted == str(line.number)]
    if order == "lapsed":
        fitting = [line for line in fitting if line.values.get("SalesTrend") == "Lapsed"]
    if order == "decline":
        fitting = [line for line in fitting if line.change < 0]
    return sorted(fitting, key=_KEYS.get(order, _KEYS["overdue"]))


def page_of(companies: Sequence[Company], order: str, words: str, page: int) -> Page:
    """A page beyond the last is the last. Sums are over every company that fits the words, whatever the order shows."""
    every = lines_of(companies, "overdue", words)
    lines = lines_of(companies, order, words)
    last = max(1, ceil(len(lines) / PER_PAGE))
    at = min(max(1, page), last)
    overdue = [(line.name, line.money("OverdueAmount") or ZERO) for line in every]
    return Page(
        lines=lines[(at - 1) * PER_PAGE : at * PER_PAGE],
        found=len(lines),
        page=at,
        last=last,
        balance=sum((line.money("Balance") or ZERO for line in every), ZERO),
        overdue=sum((amount for _, amount in overdue), ZERO),
        overdue_count=sum(1 for _, amount in overdue if amount > 0),
        lapsed_count=sum(1 for line in every if line.values.get("SalesTrend") == "Lapsed"),
        declining_count=sum(1 for line in every if line.change < 0),
        top=[one for one in overdue[:10] if one[1] > 0],
    )


def as_csv(lines: Sequence[Line], *, danish: bool) -> str:
    """For a spreadsheet in the reader's country: a semicolon and a decimal comma in Danish."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if danish else ",")
    writer.writerow(["CustomerID", "Title", *_COLUMNS])
    for line in lines:
        cells = [_cell(line.values.get(name), danish=danish) for name in _COLUMNS]
        writer.writerow([safe(part) for part in (str(line.number), line.name, *cells)])
    return out.getvalue()


def _cell(value: Value, *, danish: bool) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}".replace(".", ",") if danish else f"{value:f}"
    return "" if value is None else str(value)


_KEYS: Mapping[str, Callable[[Line], tuple[object, ...]]] = {
    "overdue": lambda line: (-(line.money("OverdueAmount") or ZERO), line.name.casefold()),
    "decline": lambda line: (line.change, line.name.casefold()),
    "lapsed": lambda line: (-line.last.toordinal(), line.name.casefold()),
    "balance": lambda line: (-(line.money("Balance") or ZERO), line.name.casefold()),
    "name": lambda line: (line.name.casefold(),),
}
