"""What the fields of each source read: a record with the facts of the run beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from worker.domain.records import Customer, CustomerContact, Invoice
from worker.domain.statistics import CustomerFigures, SalesPeriod


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One run: its id, when it started (aware UTC), and the agreement's local day."""

    run_id: str
    started: datetime
    today: date


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """`figures` is None when no mapped field rests on invoices."""

    customer: Customer
    figures: CustomerFigures | None
    agreement_number: int
    run: RunFacts


@dataclass(frozen=True, slots=True)
class ContactRow:
    contact: CustomerContact
    agreement_number: int
    run: RunFacts


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    invoice: Invoice
    agreement_number: int
    run: RunFacts


@dataclass(frozen=True, slots=True)
class SalesRow:
    period: SalesPeriod
    agreement_number: int
    run: RunFacts
