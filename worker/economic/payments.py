"""How long a customer takes to pay, from the ledger: each payment there names the invoice it settled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from worker.economic.client import EconomicClient

_INVOICE, _PAYMENT = 1, 2  # types of entries (bookedEntriesapi)


@dataclass(frozen=True, slots=True)
class Paying:
    """`days` from an invoice's date to the payment that settled it, on average over `invoices`; None without any."""

    days: Decimal | None
    invoices: int


def days_to_pay(client: EconomicClient, number: int) -> Paying:
    """Of one customer, all years; one request per 1,000 entries.

    Raises AccessDeniedError when the app's role may not read the ledger, NotFoundError when the API was withdrawn.
    """
    return _average(client.entries(f"customerNumber$eq:{number}"))


def _average(entries: Iterable[Mapping[str, Any]]) -> Paying:
    """Invoices that are wholly paid; a credit note is none. Entries without a date or number count for nothing."""
    booked: dict[int, date] = {}
    paid: dict[int, date] = {}
    for one in entries:
        invoice, day = one.get("customerInvoiceNumber"), _day(one.get("date"))
        if not isinstance(invoice, int) or day is None:
            continue
        if one.get("type") == _INVOICE and not one.get("remainder") and (one.get("amount") or 0) > 0:
            booked[invoice] = day
        elif one.get("type") == _PAYMENT:
            paid[invoice] = max(day, paid.get(invoice, day))
    days = [(paid[invoice] - day).days for invoice, day in booked.items() if invoice in paid]
    return Paying(Decimal(sum(days)) / len(days) if days else None, len(days))


def _day(text: object) -> date | None:
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        return None
