"""Which invoices are paid, unpaid, overdue or not due: derived from remainder, due date and the agreement's day.

Source: e-conomic REST docs, invoices: not-due includes those due today; unpaid is overdue plus not-due.
"""

from worker.emulators.economic.context import Context
from worker.emulators.economic.filters import EVERYTHING, Condition, both

_PAID = Condition("i.remainder = 0")


def condition(ctx: Context, state: str) -> Condition:
    """The condition of `booked`, `paid`, `unpaid`, `overdue` or `not-due` over `invoices i`."""
    today = ctx.today().isoformat()
    if state == "booked":
        return EVERYTHING
    if state == "paid":
        return _PAID
    if state == "overdue":
        return both(unpaid(ctx), Condition("i.due < ?", (today,)))
    if state == "not-due":
        return both(unpaid(ctx), Condition("i.due IS NULL OR i.due >= ?", (today,)))
    return unpaid(ctx)


def unpaid(ctx: Context) -> Condition:
    """Something is open; whether an unmatched credit note counts is a switch."""
    if ctx.is_on("unmatched_credit_notes_in_unpaid"):
        return Condition("i.remainder <> 0")
    return Condition("i.remainder <> 0 AND i.gross >= 0")
