"""How long a customer takes to pay, from entries of the ledger."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from worker.economic.payments import Paying, _average


def invoice(number: int, day: str, amount: int = 100, remainder: int = 0) -> dict[str, Any]:
    return {"type": 1, "customerInvoiceNumber": number, "date": day, "amount": amount, "remainder": remainder}


def payment(number: int, day: str) -> dict[str, Any]:
    return {"type": 2, "customerInvoiceNumber": number, "date": day, "amount": -100}


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ([], Paying(None, 0)),
        ([invoice(1, "2026-01-01"), payment(1, "2026-01-31")], Paying(Decimal(30), 1)),
        # Paid in two parts: the one that settled it counts.
        ([invoice(1, "2026-01-01"), payment(1, "2026-02-10"), payment(1, "2026-01-11")], Paying(Decimal(40), 1)),
        ([invoice(1, "2026-01-01", remainder=50), payment(1, "2026-01-31")], Paying(None, 0)),
        ([invoice(1, "2026-01-01", amount=-100), payment(1, "2026-01-31")], Paying(None, 0)),
        ([invoice(1, "2026-01-11"), payment(1, "2026-01-01")], Paying(Decimal(-10), 1)),
        ([{"type": 1}, {"type": 2, "customerInvoiceNumber": 1, "date": "nonsense"}, {}], Paying(None, 0)),
        (
            [invoice(1, "2026-01-01"), payment(1, "2026-01-11"), invoice(2, "2026-01-01"), payment(2, "2026-01-12")],
            Paying(Decimal("10.5"), 2),
        ),
    ],
)
def test_only_invoices_that_are_wholly_paid_count(entries: list[dict[str, Any]], found: Paying) -> None:
    assert _average(entries) == found
