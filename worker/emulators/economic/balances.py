"""Balance and dueAmount of customers: derived from open invoices, plus an opening amount for recorded customers.

Kept in columns, because a list of customers can be filtered by balance; dueAmount moves at midnight without any
object changing, so it is settled for a day when first asked for on that day.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date

from worker.emulators.economic.documents import Plain
from worker.emulators.economic.wire import cents

_OPEN = "COALESCE((SELECT SUM(remainder_base) FROM invoices i WHERE i.customer = customers.number{due}), 0)"
_BALANCE_SQL = f"UPDATE customers SET balance = opening_balance + {_OPEN.format(due='')}"  # noqa: S608
_DUE_SQL = f"""
    UPDATE customers SET due =
        CASE WHEN balance < 0 THEN 0 ELSE MAX(0, opening_due + {_OPEN.format(due=" AND i.due < ?")}) END
"""  # noqa: S608
# The recorded amount due is of an unknown day: every open invoice that has a due date counts as part of it.
_OPENING_SQL = f"""
    UPDATE customers SET opening_balance = ? - {_OPEN.format(due="")},
        opening_due = ? - {_OPEN.format(due=" AND i.due IS NOT NULL")}
    WHERE number = ?
"""  # noqa: S608


def update(db: sqlite3.Connection, customers: Iterable[int]) -> None:
    """Derive the balance of some customers."""
    db.executemany(_BALANCE_SQL + " WHERE number = ?", [(number,) for number in customers])


def rebuild(db: sqlite3.Connection) -> None:
    """Derive every balance."""
    db.execute(_BALANCE_SQL)


def settle_due(db: sqlite3.Connection, today: date) -> None:
    """Derive every amount due: what is overdue on `today`, and nothing when the balance is negative."""
    db.execute(_DUE_SQL, (today.isoformat(),))


def keep_recorded(db: sqlite3.Connection, customers: Sequence[Plain]) -> None:
    """Make the opening amounts such that balance and amount due are those recorded."""
    amounts = [
        (cents(each.get("balance", 0)), cents(each.get("dueAmount", 0)), each["customerNumber"]) for each in customers
    ]
    db.executemany(_OPENING_SQL, amounts)
    rebuild(db)
