"""An e-conomic agreement in memory. Its lists are open, so a test can change the world between two runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import TypeVar

from worker.domain.records import AccountingYear, Agreement, Customer, CustomerContact, Invoice
from worker.errors import WorkerError
from worker.ports import Usage

_Row = TypeVar("_Row", Customer, CustomerContact, Invoice)

AGREEMENT = Agreement(
    number=42,
    company_name="Prøvefirma A/S",
    company_cvr="10000009",
    base_currency="DKK",
    user_name="sync",
    app_name="Sync",
    roles=("SuperUser",),
)


class FakeSource:
    """Implements ports.ComparedSource. Open invoices and totals follow from `invoices`; each read counts as one
    request.
    `today`: the day on which what is past due counts as overdue.

    `broken` maps the name of a read to the error it raises, e.g. {"invoices": UnavailableError("...")}.
    """

    def __init__(
        self,
        agreement: Agreement = AGREEMENT,
        years: Iterable[AccountingYear] = (),
        customers: Iterable[Customer] = (),
        contacts: Iterable[CustomerContact] = (),
        invoices: Iterable[Invoice] = (),
        today: date = date.max,
    ) -> None:
        self.today = today
        self.agreement_record = agreement
        self.year_records = list(years)
        self.customer_records = list(customers)
        self.contact_records = list(contacts)
        self.invoice_records = list(invoices)
        self.broken: dict[str, WorkerError] = {}
        self.requests = 0

    def agreement(self) -> Agreement:
        self._asked("agreement")
        return self.agreement_record

    def accounting_years(self) -> Sequence[AccountingYear]:
        self._asked("accounting_years")
        return sorted(self.year_records, key=attrgetter("first_day"))

    def customers(self) -> Iterator[Customer]:
        return self._stream("customers", self.customer_records)

    def contacts(self) -> Iterator[CustomerContact]:
        return self._stream("contacts", self.contact_records)

    def invoices(self, since: date | None = None) -> Iterator[Invoice]:
        rows = self._stream("invoices", self.invoice_records)
        return (row for row in rows if since is None or row.invoice_date >= since)

    def open_invoices(self) -> Iterator[Invoice]:
        return (row for row in self._stream("open_invoices", self.invoice_records) if row.remainder)

    def sales_totals(self, year: AccountingYear) -> Mapping[int, Decimal]:
        self._asked("sales_totals")
        totals: defaultdict[int, Decimal] = defaultdict(Decimal)
        for row in self.invoice_records:
            if year.first_day <= row.invoice_date <= year.last_day:
                totals[row.customer_number] += row.net_base
        return {number: amount for number, amount in totals.items() if amount}

    def open_totals(self, *, overdue: bool = False) -> Mapping[int, Decimal]:
        self._asked("open_totals")
        totals: defaultdict[int, Decimal] = defaultdict(Decimal)
        for row in self.invoice_records:
            if row.remainder and (not overdue or (row.due_date is not None and row.due_date < self.today)):
                totals[row.customer_number] += row.remainder_base
        return {number: amount for number, amount in totals.items() if amount}

    def usage(self) -> Usage:
        return Usage(requests=self.requests, units=float(self.requests))

    def _stream(self, name: str, rows: Sequence[_Row]) -> Iterator[_Row]:
        """Like a real read: nothing is asked before the first row is wanted."""
        self._asked(name)
        yield from sorted(rows, key=attrgetter("number"))

    def _asked(self, name: str) -> None:
        self.requests += 1
        if name in self.broken:
            raise self.broken[name]
