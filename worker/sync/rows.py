"""From a snapshot to the rows a profile's fields read, with the profile's filter applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from worker.domain.financial_year import add_months
from worker.domain.planning import Held, SourceRow
from worker.domain.profile import Profile, SourceKind
from worker.domain.rows import ContactRow, CustomerRow, InvoiceRow, RunFacts, SalesRow
from worker.sync.snapshot import Snapshot, profile_needs


def source_rows(
    profile: Profile, snapshot: Snapshot, facts: RunFacts, held: Mapping[int, Held] | None = None
) -> Iterator[SourceRow]:
    """The rows of one profile, in key order, streaming; rows the filter leaves out come with `in_scope` False. `held`:
    customers of whom nothing may be written now."""
    readers = {
        SourceKind.CUSTOMER: _customers,
        SourceKind.CONTACT: _contacts,
        SourceKind.INVOICE: _invoices,
        SourceKind.SALES: _sales,
    }
    rows = readers[profile.source](profile, snapshot, facts)
    return _with_held(rows, held) if held else rows


def _with_held(rows: Iterator[SourceRow], held: Mapping[int, Held]) -> Iterator[SourceRow]:
    for row in rows:
        found = held.get(_customer_of(row.record))
        yield row if found is None else replace(row, held=found)


def _customer_of(record: object) -> int:
    match record:
        case CustomerRow():
            return record.customer.number
        case ContactRow():
            return record.contact.customer_number
        case InvoiceRow():
            return record.invoice.customer_number
        case SalesRow():
            return record.period.customer_number
    raise TypeError(f"no source row: {type(record).__name__}")


def _customers(profile: Profile, snapshot: Snapshot, facts: RunFacts) -> Iterator[SourceRow]:
    agreement = snapshot.agreement.number
    with_figures = bool(profile_needs(profile))
    for customer in snapshot.customers:
        figures = snapshot.sales.figures(customer.number) if with_figures else None
        row = CustomerRow(customer, figures, agreement, facts)
        yield SourceRow(row, _takes(profile, snapshot, customer.number))


def _contacts(profile: Profile, snapshot: Snapshot, facts: RunFacts) -> Iterator[SourceRow]:
    agreement = snapshot.agreement.number
    for contact in snapshot.contacts():
        row = ContactRow(contact, agreement, facts)
        yield SourceRow(row, _takes(profile, snapshot, contact.customer_number))


def _invoices(profile: Profile, snapshot: Snapshot, facts: RunFacts) -> Iterator[SourceRow]:
    agreement = snapshot.agreement.number
    months = profile.source_filter.months
    first = None if months is None else add_months(facts.today, -months).replace(day=1)
    for invoice in snapshot.invoices():
        inside = first is None or invoice.invoice_date >= first
        row = InvoiceRow(invoice, agreement, facts)
        yield SourceRow(row, inside and _takes(profile, snapshot, invoice.customer_number))


def _sales(profile: Profile, snapshot: Snapshot, facts: RunFacts) -> Iterator[SourceRow]:
    agreement = snapshot.agreement.number
    wanted = profile.source_filter
    first = date.min if wanted.months is None else add_months(facts.today, -wanted.months).replace(day=1)
    for period in snapshot.sales.sales_periods():
        inside = period.period_type in wanted.periods and period.end >= first
        row = SalesRow(period, agreement, facts)
        yield SourceRow(row, inside and _takes(profile, snapshot, period.customer_number))


def _takes(profile: Profile, snapshot: Snapshot, customer_number: int) -> bool:
    """Whether the profile's customer filter lets a row of this customer in."""
    wanted = profile.source_filter
    if not wanted.customer_groups and wanted.include_barred:
        return True
    group, barred = snapshot.groups.get(customer_number, (None, False))
    if barred and not wanted.include_barred:
        return False
    return not wanted.customer_groups or group in wanted.customer_groups
