"""How the comparison reads e-conomic's fields, by the names that profiles use. Its own tables, on purpose: they share
nothing with those that the planning reads by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto
from typing import Any, Final

from worker.domain.profile import SourceKind
from worker.domain.records import Customer, CustomerContact, Invoice
from worker.domain.values import Value
from worker.sync.reconcile_figures import FIGURES, Books, days_late, due_on
from worker.sync.reconcile_periods import Period, Years
from worker.sync.reconcile_report import Why


@dataclass(frozen=True, slots=True)
class World:
    """What a row is read with: the agreement, its day, and each customer's invoices; None where the app may not read
    those."""

    agreement: int
    years: Years
    today: date
    invoices: Mapping[int, Sequence[Invoice]] | None

    def invoices_of(self, customer: int) -> Sequence[Invoice]:
        """Those of one customer."""
        return self.invoices.get(customer, ()) if self.invoices is not None else ()


class Untold(Enum):
    """A field has no value that can be told for the day."""

    UNTOLD = auto()


UNTOLD: Final = Untold.UNTOLD
Reader = Callable[[Any, date, World], Value | Untold]  # row, day, world


def _customer(read: Callable[[Customer], Value]) -> Reader:
    return lambda row, _day, _world: read(row)


def _contact(read: Callable[[CustomerContact], Value]) -> Reader:
    return lambda row, _day, _world: read(row)


def _invoice(read: Callable[[Invoice], Value]) -> Reader:
    return lambda row, _day, _world: read(row)


def _period(read: Callable[[Period], Value]) -> Reader:
    return lambda row, _day, _world: read(row)


def _figure(count: Callable[[Books], Value]) -> Reader:
    return lambda row, day, world: count(Books(world.invoices_of(row.number), day, world.years))


def _named(name: str | None, number: int | None) -> Value:
    return name if name is not None else number


def _group(one: Customer) -> Value:
    number = "" if one.group_number is None else str(one.group_number)
    return f"{number} {one.group_name or ''}".strip()


def _overdue(one: Customer, day: date, world: World) -> Value | Untold:
    if day == world.today:
        return one.due_amount
    due = None if world.invoices is None else due_on(one, world.invoices_of(one.number), day, world.today)
    return UNTOLD if due is None else due


def _status(invoice: Invoice, day: date, _world: World) -> Value:
    if invoice.gross < 0:
        return "Credit note"
    if not invoice.remainder:
        return "Paid"
    return "Overdue" if days_late(invoice, day) else "Not due"


def _days_overdue(invoice: Invoice, day: date, _world: World) -> Value:
    return days_late(invoice, day) if invoice.remainder > 0 else 0


FIELDS: Mapping[SourceKind, Mapping[str, Reader]] = {
    SourceKind.CUSTOMER: {
        "Number": _customer(lambda one: one.number),
        "Name": _customer(lambda one: one.name),
        "Address": _customer(lambda one: one.address),
        "PostalCode": _customer(lambda one: one.zip),
        "City": _customer(lambda one: one.city),
        "Country": _customer(lambda one: one.country),
        "Email": _customer(lambda one: one.email),
        "Phone": _customer(lambda one: one.phone),
        "MobilePhone": _customer(lambda one: one.mobile),
        "Website": _customer(lambda one: one.website),
        "CINumber": _customer(lambda one: one.cvr),
        "VatNumber": _customer(lambda one: one.vat_number),
        "PNumber": _customer(lambda one: one.p_number),
        "Ean": _customer(lambda one: one.ean),
        "PublicEntryNumber": _customer(lambda one: one.public_entry_number),
        "Currency": _customer(lambda one: one.currency),
        "CreditLimit": _customer(lambda one: one.credit_limit),
        "GroupNumber": _customer(lambda one: one.group_number),
        "GroupName": _customer(lambda one: one.group_name),
        "Group": _customer(_group),
        "PaymentTerms": _customer(lambda one: _named(one.payment_terms_name, one.payment_terms_number)),
        "VatZone": _customer(lambda one: _named(one.vat_zone_name, one.vat_zone_number)),
        "SalesPerson": _customer(lambda one: _named(one.salesperson_name, one.salesperson_number)),
        "Barred": _customer(lambda one: one.barred),
        "IsAccessible": _customer(lambda one: not one.barred),
        "ERPStatus": _customer(lambda one: "Barred" if one.barred else "Active"),
        "ImportID": lambda row, _day, world: f"economic:{world.agreement}:{row.number}",
        "Balance": _customer(lambda one: one.balance),
        "OverdueAmount": _overdue,
        **{name: _figure(count) for name, count in FIGURES.items()},
    },
    SourceKind.CONTACT: {
        "ContactNumber": _contact(lambda one: one.number),
        "CustomerNumber": _contact(lambda one: one.customer_number),
        "Name": _contact(lambda one: one.name),
        "FirstName": _contact(lambda one: " ".join(one.name.split()[:-1] or one.name.split())),
        "LastName": _contact(lambda one: one.name.split()[-1] if one.name.split()[1:] else None),
        "Email": _contact(lambda one: one.email),
        "Phone": _contact(lambda one: one.phone),
        "Notes": _contact(lambda one: one.notes),
        "EInvoiceID": _contact(lambda one: one.e_invoice_id),
        "VisibleNumber": _contact(lambda one: one.visible_number),
        "ImportID": _contact(lambda one: f"{one.customer_number}-{one.number}"),
        "ERPStatus": _contact(lambda _: "Active"),
    },
    SourceKind.INVOICE: {
        "InvoiceNumber": _invoice(lambda one: one.number),
        "Title": _invoice(lambda one: f"{'Credit note' if one.gross < 0 else 'Invoice'} {one.number}"),
        "CustomerNumber": _invoice(lambda one: one.customer_number),
        "InvoiceDate": _invoice(lambda one: one.invoice_date),
        "DueDate": _invoice(lambda one: one.due_date),
        "Status": _status,
        "Currency": _invoice(lambda one: one.currency),
        "NetAmount": _invoice(lambda one: one.net),
        "VATAmount": _invoice(lambda one: one.vat),
        "GrossAmount": _invoice(lambda one: one.gross),
        "NetAmountInBaseCurrency": _invoice(lambda one: one.net_base),
        "Remainder": _invoice(lambda one: one.remainder),
        "RemainderInBaseCurrency": _invoice(lambda one: one.remainder_base),
        "DaysOverdue": _days_overdue,
        "Reference": _invoice(lambda one: one.reference),
        "RecipientName": _invoice(lambda one: one.recipient_name),
        "ExchangeRate": _invoice(lambda one: one.exchange_rate),
    },
    SourceKind.SALES: {
        "StatKey": _period(lambda one: one.key),
        "Title": _period(lambda one: f"{one.kind.value} from {one.span.first.isoformat()}"),
        "CustomerNumber": _period(lambda one: one.customer_number),
        "PeriodType": _period(lambda one: one.kind.value),
        "PeriodStart": _period(lambda one: one.span.first),
        "PeriodEnd": _period(lambda one: one.span.last),
        "NetSales": _period(lambda one: one.net),
        "CreditNotes": _period(lambda one: one.credit_notes),
        "InvoiceCount": _period(lambda one: one.count),
        "AverageInvoice": _period(lambda one: one.average),
        "ChangePct": _period(lambda one: one.change),
    },
}
# Of the run, not of e-conomic: there is nothing to compare with.
OF_THE_RUN = frozenset({"RunStarted", "RunID"})
# Fields that are e-conomic's and can't be compared.
UNCOMPARED: Mapping[str, Why] = {"LastUpdated": Why.MOVES, "PaidSeenOn": Why.MOVES, "SalesTrend": Why.TREND}
