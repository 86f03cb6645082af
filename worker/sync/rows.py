"""From a snapshot to the rows a profile's fields read, with the profile's filter applied."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from worker.domain.financial_year import add_months
from worker.domain.planning import SourceRow
from worker.domain.profile import Profile, SourceKind
from worker.domain.rows import ContactRow, CustomerRow, InvoiceRow, RunFacts, SalesRow
from worker.sync.snapshot import Snapshot, profile_needs


def source_rows(profile: Profile, snapshot: Snapshot, facts: RunFacts) -> Iterator[SourceRow]:
    """The rows of one profile, in key order, streaming; rows the filter leaves out come with `in_scope` False."""
    readers = {
        SourceKind.CUSTOMER: _customers,
        SourceKind.CONTACT: _contacts,
        SourceKind.INVOICE: _invoices,
        SourceKind.SALES: _sales,
    }
    return readers[profile.source](profile, snapshot, facts)


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
