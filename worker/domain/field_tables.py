"""The fields of each source, as tables. Names and aliases: e-conomic's SOAP Debtor and REST customer properties."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from worker.domain.field_types import FieldType, Need, SourceField
from worker.domain.profile import PeriodType
from worker.domain.rows import ContactRow, CustomerRow, InvoiceRow
from worker.domain.statistics import CustomerFigures, days_overdue
from worker.domain.trend import TRENDS
from worker.domain.values import Value

T = FieldType
_OPEN = frozenset({Need.OPEN_INVOICES})
_YEARS = frozenset({Need.SALES_YEARS})
_ALL = frozenset({Need.SALES_ALL})
INVOICE_STATES = ("Not due", "Overdue", "Paid", "Credit note")


def _customer(name: str) -> Callable[[CustomerRow], Value]:
    def read(row: CustomerRow) -> Value:
        value: Value = getattr(row.customer, name)
        return value

    return read


def _figure(name: str) -> Callable[[CustomerRow], Value]:
    def read(row: CustomerRow) -> Value:
        value: Value = getattr(row.figures or CustomerFigures(), name)
        return value

    return read


def _of(part: str, name: str) -> Callable[[Any], Value]:
    def read(row: Any) -> Value:
        value: Value = getattr(getattr(row, part), name)
        return value

    return read


def _group(row: CustomerRow) -> Value:
    parts = [row.customer.group_number, row.customer.group_name]
    return " ".join(str(part) for part in parts if part is not None) or None


def _named(name: str, number: str) -> Callable[[CustomerRow], Value]:
    def read(row: CustomerRow) -> Value:
        known: str | None = getattr(row.customer, name)
        fallback: int | None = getattr(row.customer, number)
        return known if known is not None or fallback is None else str(fallback)

    return read


def _erp_status(row: CustomerRow) -> Value:
    return "Barred" if row.customer.barred else "Active"


_STAMPS = (
    SourceField("RunStarted", T.TIMESTAMP, "When the run started (UTC); rides along with other changes",
                _of("run", "started"), aliases=("FiguresAsOf",), stamp=True),
    SourceField("RunID", T.TEXT, "Id of the run that last changed the item; rides along",
                _of("run", "run_id"), aliases=("SyncRunID",), stamp=True),
)  # fmt: skip


def _plain(name: str, kind: FieldType, meaning: str, attribute: str, path: str, *aliases: str) -> SourceField:
    return SourceField(name, kind, meaning, _customer(attribute), path, aliases)


def _sales(name: str, meaning: str, attribute: str, needs: frozenset[Need] = _YEARS, kind: FieldType = T.MONEY,
           *, control: bool = False, aliases: tuple[str, ...] = ()) -> SourceField:  # fmt: skip
    return SourceField(name, kind, meaning, _figure(attribute), "", aliases, True, False, control, needs)


CUSTOMER_FIELDS: tuple[SourceField, ...] = (
    _plain("Number", T.WHOLE, "Customer number; the key", "number", "customerNumber", "DebtorNumber", "Customer ID",
           "CustomerNo", "Kundenummer"),
    _plain("Name", T.TEXT, "Customer's name", "name", "name"),
    _plain("Address", T.TEXT, "Street address, up to 510 characters, may hold line breaks", "address", "address",
           "Adress"),
    _plain("PostalCode", T.TEXT, "Postal code", "zip", "zip", "Zip code", "Postnr"),
    _plain("City", T.TEXT, "Town", "city", "city"),
    _plain("Country", T.TEXT, "Country as typed in e-conomic, in any language", "country", "country"),
    _plain("Email", T.TEXT, "E-mail; may hold several addresses", "email", "email", "E-mail"),
    _plain("Phone", T.TEXT, "Telephone and fax number, free text", "phone", "telephoneAndFaxNumber", "Telephone"),
    _plain("MobilePhone", T.TEXT, "Mobile phone, free text", "mobile", "mobilePhone", "Mobile"),
    _plain("Website", T.TEXT, "Web address", "website", "website", "Homepage"),
    _plain("CINumber", T.TEXT, "Company registration number (CVR in Denmark), free text", "cvr",
           "corporateIdentificationNumber", "CVR", "CvrNo", "CI Number"),
    _plain("VatNumber", T.TEXT, "VAT number; only agreements in SE, UK, DE, PL, FI have it", "vat_number", "vatNumber"),
    _plain("PNumber", T.TEXT, "Danish production unit, 10 digits", "p_number", "pNumber", "Pnr"),
    _plain("Ean", T.TEXT, "EAN location number, 13 digits", "ean", "ean", "EanLocationNumber"),
    _plain("PublicEntryNumber", T.TEXT, "Public entry number", "public_entry_number", "publicEntryNumber"),
    _plain("Currency", T.TEXT, "Currency the customer is invoiced in, ISO code", "currency", "currency",
           "CurrencyHandle"),
    _plain("CreditLimit", T.MONEY, "Credit limit", "credit_limit", "creditLimit", "CreditMaximum"),
    _plain("GroupNumber", T.WHOLE, "Customer group's number", "group_number", "customerGroup.customerGroupNumber",
           "DebtorGroup", "DebtorGroupHandle", "Customer group number"),
    SourceField("GroupName", T.TEXT, "Customer group's name", _customer("group_name"), "", ("Customer group name",),
                computed=True),
    SourceField("Group", T.TEXT, "Customer group's number and name", _group, "", ("Customer group",), computed=True),
    SourceField("PaymentTerms", T.TEXT, "Payment terms by name, else by number",
                _named("payment_terms_name", "payment_terms_number"), "paymentTerms.paymentTermsNumber",
                ("TermOfPayment", "TermOfPaymentHandle")),
    SourceField("VatZone", T.TEXT, "VAT zone by name, else by number", _named("vat_zone_name", "vat_zone_number"),
                "vatZone.vatZoneNumber"),
    SourceField("SalesPerson", T.TEXT, "Salesperson by name, else by employee number",
                _named("salesperson_name", "salesperson_number"), "salesPerson.employeeNumber",
                ("OurReference", "OurReferenceHandle")),
    _plain("Barred", T.BOOL, "No new invoices allowed", "barred", "barred"),
    SourceField("IsAccessible", T.BOOL, "The old name for not barred", lambda row: not row.customer.barred,
                computed=True),
    SourceField("ERPStatus", T.CHOICE, "Active or Barred", _erp_status, computed=True, choices=("Active", "Barred")),
    SourceField("LastUpdated", T.TIMESTAMP, "When master data last changed (UTC); rides along",
                _customer("last_updated"), "lastUpdated", ("ERPLastChanged",), stamp=True),
    SourceField("ImportID", T.TEXT, "The word economic, agreement and customer number with colons between",
                lambda row: f"economic:{row.agreement_number}:{row.customer.number}", computed=True),
    SourceField("Balance", T.MONEY, "What the customer owes; negative = credit", _customer("balance"), "balance",
                control=True),
    SourceField("OverdueAmount", T.MONEY, "The part of the balance already due", _customer("due_amount"), "dueAmount",
                ("DueAmount", "Overdue"), control=True),
    _sales("NotDue", "Open invoices due today or later, or without due date", "not_due", _OPEN),
    _sales("Overdue1To30", "Open invoices 1 to 30 days past due", "overdue_1_30", _OPEN),
    _sales("Overdue31To60", "Open invoices 31 to 60 days past due", "overdue_31_60", _OPEN),
    _sales("Overdue61To90", "Open invoices 61 to 90 days past due", "overdue_61_90", _OPEN),
    _sales("OverdueOver90", "Open invoices more than 90 days past due", "overdue_over_90", _OPEN),
    _sales("OldestOverdueDays", "Days past due of the oldest overdue invoice", "oldest_overdue_days", _OPEN, T.WHOLE),
    _sales("SalesThisYear", "Net sales dated in the current financial year", "sales_this_year", control=True,
           aliases=("SalesYearToDate", "Sales YTD")),
    _sales("SalesLastYear", "Net sales of the financial year before", "sales_last_year"),
    _sales("SalesLastYearToDate", "Net sales of last year until the same day", "sales_last_year_to_date"),
    _sales("SalesLast12Months", "Net sales of the last twelve months", "sales_last_12_months"),
    _sales("InvoiceCountThisYear", "Invoices and credit notes this financial year", "invoice_count_this_year",
           _YEARS, T.WHOLE),
    _sales("AverageInvoiceThisYear", "Net sales this year per invoice", "average_invoice_this_year"),
    _sales("LastInvoiceDate", "Date of the latest invoice", "last_invoice_date", _ALL, T.DATE),
    _sales("FirstInvoiceDate", "Date of the first invoice", "first_invoice_date", _ALL, T.DATE),
    SourceField("SalesTrend", T.CHOICE, "New, Growing, Stable, Declining, Lapsed or No sales", _figure("trend"),
                computed=True, needs=_ALL, choices=TRENDS),
    *_STAMPS,
)  # fmt: skip


def _last_word(row: ContactRow) -> Value:
    words = row.contact.name.split()
    return words[-1] if len(words) > 1 else None


def _first_words(row: ContactRow) -> Value:
    words = row.contact.name.split()
    return " ".join(words[:-1]) or (words[0] if words else None)


CONTACT_FIELDS: tuple[SourceField, ...] = (
    SourceField("ContactNumber", T.WHOLE, "Contact's number, unique in the agreement", _of("contact", "number"),
                "number", ("customerContactNumber", "Id")),
    SourceField("CustomerNumber", T.WHOLE, "Number of the customer it belongs to", _of("contact", "customer_number"),
                "customerNumber", ("DebtorHandle", "DebtorNumber", "Company")),
    SourceField("Name", T.TEXT, "Full name", _of("contact", "name"), "name"),
    SourceField("FirstName", T.TEXT, "All words of the name but the last; rough", _first_words, computed=True),
    SourceField("LastName", T.TEXT, "Last word of the name; rough", _last_word, computed=True),
    SourceField("Email", T.TEXT, "E-mail", _of("contact", "email"), "email", ("E-mail",)),
    SourceField("Phone", T.TEXT, "Phone, free text", _of("contact", "phone"), "phone", ("TelephoneNumber",)),
    SourceField("Notes", T.TEXT, "Notes, up to 2,000 characters", _of("contact", "notes"), "notes", ("Comments",)),
    SourceField("EInvoiceID", T.TEXT, "E-invoice id", _of("contact", "e_invoice_id"), "eInvoiceId", ("ExternalId",)),
    SourceField("VisibleNumber", T.WHOLE, "The number e-conomic's users see, per customer",
                _of("contact", "visible_number"), "userInterfaceNumber", ("sortKey",)),
    SourceField("ImportID", T.TEXT, "Customer number and contact number with a dash between; the key",
                lambda row: f"{row.contact.customer_number}-{row.contact.number}", computed=True),
    SourceField("ERPStatus", T.CHOICE, "Active", lambda _: "Active", computed=True, choices=("Active",)),
    SourceField("LastUpdated", T.TIMESTAMP, "When the contact last changed; rides along",
                _of("contact", "last_updated"), "lastUpdated", ("ERPLastChanged",), stamp=True),
    *_STAMPS,
)  # fmt: skip


def invoice_status(row: InvoiceRow) -> str:
    """Credit note (always, settled or not), Paid (remainder 0 in the invoice's own currency: base currency can leave a
    cent), Overdue (past due today), else Not due."""
    invoice = row.invoice
    if invoice.gross < 0:
        return "Credit note"
    if invoice.remainder == 0:
        return "Paid"
    return "Overdue" if days_overdue(invoice, row.run.today) else "Not due"


def _invoice_title(row: InvoiceRow) -> Value:
    word = "Credit note" if row.invoice.gross < 0 else "Invoice"
    return f"{word} {row.invoice.number}"


def _late(row: InvoiceRow) -> Value:
    return days_overdue(row.invoice, row.run.today) if row.invoice.remainder > 0 else 0


def _invoice(name: str, kind: FieldType, meaning: str, attribute: str, path: str, *aliases: str,
             control: bool = False) -> SourceField:  # fmt: skip
    return SourceField(name, kind, meaning, _of("invoice", attribute), path, aliases, control=control)


INVOICE_FIELDS: tuple[SourceField, ...] = (
    _invoice("InvoiceNumber", T.WHOLE, "Booked invoice number; the key", "number", "bookedInvoiceNumber", "Number"),
    SourceField("Title", T.TEXT, "Invoice or Credit note, and the number", _invoice_title, computed=True),
    _invoice("CustomerNumber", T.WHOLE, "Number of the customer", "customer_number", "customer.customerNumber",
             "DebtorNumber", "Company"),
    _invoice("InvoiceDate", T.DATE, "Invoice date", "invoice_date", "date"),
    _invoice("DueDate", T.DATE, "Due date; some payment terms give none", "due_date", "dueDate"),
    SourceField("Status", T.CHOICE, "Not due, Overdue, Paid or Credit note, on the day of the run", invoice_status,
                aliases=("InvoiceStatus",), computed=True, choices=INVOICE_STATES),
    _invoice("Currency", T.TEXT, "Invoice currency, ISO code", "currency", "currency"),
    _invoice("NetAmount", T.MONEY, "Without VAT, invoice currency", "net", "netAmount"),
    _invoice("VATAmount", T.MONEY, "VAT, invoice currency", "vat", "vatAmount"),
    _invoice("GrossAmount", T.MONEY, "With VAT, invoice currency", "gross", "grossAmount"),
    _invoice("NetAmountInBaseCurrency", T.MONEY, "Without VAT, base currency", "net_base", "netAmountInBaseCurrency",
             "NetAmountBase", control=True),
    _invoice("Remainder", T.MONEY, "Open amount, invoice currency; 0 = settled", "remainder", "remainder"),
    _invoice("RemainderInBaseCurrency", T.MONEY, "Open amount, base currency", "remainder_base",
             "remainderInBaseCurrency", "RemainderBase", control=True),
    SourceField("DaysOverdue", T.WHOLE, "Days past due while open; else 0", _late, computed=True),
    SourceField("PaidSeenOn", T.DATE, "The run's day when the remainder is 0; map it with Fill if blank",
                lambda row: row.run.today if row.invoice.remainder == 0 else None, computed=True),
    _invoice("Reference", T.TEXT, "Other reference on the invoice", "reference", "references.other"),
    _invoice("RecipientName", T.TEXT, "Name at the time of invoicing", "recipient_name", "recipient.name"),
    _invoice("ExchangeRate", T.NUMBER, "Base-currency price of 100 units", "exchange_rate", "exchangeRate"),
    *_STAMPS,
)  # fmt: skip


def _period(name: str, kind: FieldType, meaning: str, attribute: str, *aliases: str, control: bool = False,
            choices: tuple[str, ...] = ()) -> SourceField:  # fmt: skip
    return SourceField(
        name, kind, meaning, _of("period", attribute), "", aliases, True, False, control, choices=choices
    )


def _stat_key(row: Any) -> Value:
    return f"{row.period.customer_number}|{row.period.period_type.value}|{row.period.start.isoformat()}"


SALES_FIELDS: tuple[SourceField, ...] = (
    SourceField("StatKey", T.TEXT, "Customer number, period type and first day with bars between; the key", _stat_key,
                computed=True),
    SourceField("Title", T.TEXT, "Period type and first day",
                lambda row: f"{row.period.period_type.value} from {row.period.start.isoformat()}", computed=True),
    _period("CustomerNumber", T.WHOLE, "Number of the customer", "customer_number", "DebtorNumber", "Company"),
    _period("PeriodType", T.CHOICE, "Financial year, Quarter, Month or Rolling 12 months", "period_type",
            choices=tuple(PeriodType)),
    _period("PeriodStart", T.DATE, "First day", "start"),
    _period("PeriodEnd", T.DATE, "Last day", "end"),
    _period("NetSales", T.MONEY, "Net sales by invoice date, credit notes taken off", "net_sales", control=True),
    _period("CreditNotes", T.MONEY, "The credit notes in it, negative as booked", "credit_notes"),
    _period("InvoiceCount", T.WHOLE, "Invoices and credit notes", "invoice_count"),
    _period("AverageInvoice", T.MONEY, "Net sales per invoice", "average_invoice"),
    _period("ChangePct", T.NUMBER, "Per cent against the same period a year before; blank when that had no sales",
            "change_pct"),
    *_STAMPS,
)  # fmt: skip
