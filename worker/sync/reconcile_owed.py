"""Compares what customers owe as a whole: with the CRM, and with e-conomic's own totals of open invoices.

A customer's balance holds more than its open invoices: payments that were not matched, opening entries. e-conomic's
totals hold invoices only. So three amounts are counted: what customers owe by their own rows, what the CRM says, and
what their open invoices come to; the first two must be the same, and the last must be e-conomic's total. How far the
first and the last are apart is told, and no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from worker.domain.records import Customer, Invoice
from worker.domain.values import Item
from worker.sync.reconcile_fields import Untold
from worker.sync.reconcile_figures import days_late
from worker.sync.reconcile_periods import ZERO
from worker.sync.reconcile_read import Area, Sides
from worker.sync.reconcile_report import Amount, NotCompared, Sum, Why
from worker.sync.reconcile_rows import Comparer, Found, Row, amounts
from worker.sync.reconcile_rules import Compared, Rules

Pair = tuple[str, Row, Item]
_OWED: Mapping[str, tuple[Amount, Callable[[Customer], Decimal]]] = {
    "Balance": (Amount.BALANCE, lambda one: one.balance),
    "OverdueAmount": (Amount.OVERDUE, lambda one: one.due_amount),
}


def compare_owed(found: Found, both: Sides, comparer: Comparer, rules: Rules, pairs: Sequence[Pair]) -> None:
    """Balances and amounts overdue of customers that a profile takes and one company stands for."""
    if rules.profiles:
        pairs = [
            pair for pair in pairs if any(both.scope.takes(one, pair[1].customer_number) for one in rules.profiles)
        ]
    denied = both.may_not_read(Area.INVOICES)
    for name, (what, today) in _OWED.items():
        column = rules.column_of(name, name)
        if not column:
            continue
        rule = next((one for one in rules.compared if one.name == name and one.column.name == column), None)
        theirs, items = _told(comparer, rule, today, pairs, both)
        owed = sum(theirs, ZERO)
        if denied:
            found.not_compared.append(NotCompared("customer", column, Why.OWN, Area.INVOICES))
            found.sums.append(Sum(what, owed, amounts(items, column)))
            continue
        overdue = what is Amount.OVERDUE
        totals = both.open_totals(overdue=overdue)
        numbers = [row.customer_number for _, row, _ in pairs]
        own = sum((totals.get(number, ZERO) for number in numbers), ZERO)
        everything = sum((today(both.customers[key]) for key, _, _ in pairs), ZERO)
        counted = _ways_to_count(_open(both, numbers, overdue=overdue))
        found.sums.append(Sum(what, owed, amounts(items, column), own, counted=counted, outside=everything - own))


def _told(
    comparer: Comparer,
    rule: Compared | None,
    today: Callable[[Customer], Decimal],
    pairs: Iterable[Pair],
    both: Sides,
) -> tuple[list[Decimal], list[Item]]:
    """e-conomic's amounts of the days that the items' figures are of, with the items; without what can't be told."""
    amounts_of, items = [], []
    for key, row, item in pairs:
        value = comparer.as_of(rule, row, item) if rule else today(both.customers[key])
        if isinstance(value, Untold):
            continue
        amounts_of.append(value if isinstance(value, Decimal) else ZERO)
        items.append(item)
    return amounts_of, items


def _open(both: Sides, numbers: Iterable[int], *, overdue: bool) -> Iterator[Invoice]:
    every = (one for number in numbers for one in both.by_customer.get(number, ()) if one.remainder)
    return (one for one in every if not overdue or days_late(one, both.dates.today))


def _ways_to_count(invoices: Iterable[Invoice]) -> tuple[Decimal, ...]:
    """Open amounts with and without credit notes."""
    every = list(invoices)
    return (
        sum((one.remainder_base for one in every), ZERO),
        sum((one.remainder_base for one in every if one.gross >= 0), ZERO),
    )
