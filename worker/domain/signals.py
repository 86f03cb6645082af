"""What is worth telling an account manager since the last time. Pure.

Facts of two moments are compared; the first time there is nothing to compare with, and nothing is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from statistics import mean

LAPSED = "Lapsed"
_FEWEST = 3  # invoices from which an average says something
_TIMES = 3  # an invoice of so many times the usual one is a big order


class Signal(StrEnum):
    """Kinds of news, in the order they are told."""

    OVERDUE = "newly overdue"
    PAID = "just paid"
    BIG_ORDER = "big order"
    SLIPPING = "slipping"
    LAPSED = "lapsed"
    BACK = "back again"


@dataclass(frozen=True, slots=True)
class Facts:
    """One company at one moment. Amounts in base currency; `manager` "" when nobody looks after it; `late`: half as
    long again as usual has passed without an order (domain.buying); `day`: of the moment."""

    name: str
    manager: str = ""
    overdue: Decimal = Decimal(0)
    trend: str = ""
    late: bool = False
    day: date = date.min


@dataclass(frozen=True, slots=True)
class Billed:
    """One invoice: customer number, day, net amount in base currency."""

    number: str
    customer: str
    day: date
    net: Decimal


@dataclass(frozen=True, slots=True)
class News:
    """One thing about one customer. `amount` is what is overdue, was paid or was ordered; None where it is none of
    them."""

    kind: Signal
    customer: str
    name: str
    manager: str
    amount: Decimal | None = None


def changes(before: Mapping[str, Facts], now: Mapping[str, Facts]) -> Iterator[News]:
    """News from balances and trends, by customer number. A customer that was not there before has none."""
    for number, one in now.items():
        was = before.get(number)
        if was is None:
            continue
        if was.overdue <= 0 < one.overdue:
            yield News(Signal.OVERDUE, number, one.name, one.manager, one.overdue)
        if one.overdue <= 0 < was.overdue:
            yield News(Signal.PAID, number, one.name, one.manager, was.overdue)
        if one.late and not was.late and one.trend != LAPSED:
            yield News(Signal.SLIPPING, number, one.name, one.manager)
        if one.trend == LAPSED != was.trend:
            yield News(Signal.LAPSED, number, one.name, one.manager)
        if was.trend == LAPSED != one.trend and one.trend:
            yield News(Signal.BACK, number, one.name, one.manager)


def big_orders(
    invoices: Iterable[Billed],
    seen: frozenset[str],
    before: Mapping[str, Facts],
    now: Mapping[str, Facts],
    threshold: Decimal,
) -> Iterator[News]:
    """New invoices above the threshold, or of three times what this customer's usually are.

    New is what was not `seen` and has a day since the customer's facts `before`: an older one was only listed late. A
    customer that was not there before has none.
    """
    by_customer: dict[str, list[Billed]] = {}
    for invoice in invoices:
        by_customer.setdefault(invoice.customer, []).append(invoice)
    for number, theirs in by_customer.items():
        was, one = before.get(number), now.get(number)
        if was is None or one is None:
            continue
        new = [invoice for invoice in theirs if invoice.number not in seen and invoice.day >= was.day]
        usual = [invoice.net for invoice in theirs if invoice not in new and invoice.net > 0]
        limit = min(threshold, _TIMES * Decimal(mean(usual))) if len(usual) >= _FEWEST else threshold
        for invoice in new:
            if invoice.net >= limit > 0:
                yield News(Signal.BIG_ORDER, number, one.name, one.manager, invoice.net)


def by_manager(news: Iterable[News]) -> dict[str, list[News]]:
    """For each manager the news in the order of the kinds, the largest amount first."""
    order = {kind: at for at, kind in enumerate(Signal)}
    found: dict[str, list[News]] = {}
    for one in sorted(news, key=lambda one: (order[one.kind], -(one.amount or 0), one.name)):
        found.setdefault(one.manager, []).append(one)
    return found
