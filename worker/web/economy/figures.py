"""A company's figures as the CRM's lists hold them, in the form a card shows. Pure.

All money is in the agreement's base currency unless a line says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from worker.domain.buying import Rhythm, rhythm
from worker.domain.values import Item, Value

ZERO = Decimal(0)
# Column of the company -> field of e-conomic that fills it in the shipped profiles; both are compared when the card
# looks e-conomic up.
FIGURES: Mapping[str, str] = {
    "Balance": "Balance",
    "OverdueAmount": "OverdueAmount",
    "CreditLimit": "CreditLimit",
    "Overdue1To30": "Overdue1To30",
    "Overdue31To60": "Overdue31To60",
    "Overdue61To90": "Overdue61To90",
    "OverdueOver90": "OverdueOver90",
    "OldestOverdueDays": "OldestOverdueDays",
    "SalesYearToDate": "SalesThisYear",
    "SalesLastYearToDate": "SalesLastYearToDate",
    "SalesLastYear": "SalesLastYear",
    "SalesLast12Months": "SalesLast12Months",
    "LastInvoiceDate": "LastInvoiceDate",
    "SalesTrend": "SalesTrend",
    "ERPStatus": "ERPStatus",
}
AGEING = ("Overdue1To30", "Overdue31To60", "Overdue61To90", "OverdueOver90")


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One invoice. `gross` and `remainder` are in `currency`, `net` in base currency."""

    number: int
    title: str
    day: date | None
    due: date | None
    status: str
    currency: str
    gross: Decimal | None
    remainder: Decimal | None
    net: Decimal
    days_overdue: int


@dataclass(frozen=True, slots=True)
class ContactLine:
    """One contact person."""

    name: str
    email: str
    phone: str
    job: str


@dataclass(frozen=True, slots=True)
class Month:
    """Net sales of a month this year and last year; `first` is the month's first day this year."""

    first: date
    now: Decimal
    before: Decimal


@dataclass(frozen=True, slots=True)
class Card:
    """One company. `values`: the figures by column, those that the list has."""

    number: int
    item_id: int
    name: str
    sales_person: str
    values: Mapping[str, Value]
    as_of: datetime | None
    invoices: tuple[InvoiceLine, ...]
    contacts: tuple[ContactLine, ...]
    months: tuple[Month, ...]
    rhythm: Rhythm

    @property
    def status(self) -> str:
        """Of the customer in e-conomic: Active, Barred, Missing in ERP; blank when the list does not say."""
        return text(self.values.get("ERPStatus"))

    def money(self, column: str) -> Decimal | None:
        """A figure; None when the list has no such column or it is blank."""
        value = self.values.get(column)
        return value if isinstance(value, Decimal) else None

    @property
    def ageing(self) -> list[tuple[str, Decimal]]:
        """The open amounts by how late they are; not due is what is left of the balance. Only what is owed is split."""
        late = [(name, self.money(name) or ZERO) for name in AGEING]
        balance = self.money("Balance") or ZERO
        return [("NotDue", max(ZERO, balance - sum((amount for _, amount in late), ZERO))), *late]

    @property
    def credit_used(self) -> Decimal | None:
        """Share of the credit limit that the balance takes; None without a limit."""
        limit = self.money("CreditLimit")
        return (self.money("Balance") or ZERO) / limit if limit else None


def card_of(
    number: int, company: Item, invoices: Sequence[Item], contacts: Sequence[Item], today: date, year_start: date
) -> Card:
    """From the items as they were read. `year_start`: first day of the current financial year."""
    values = company.values
    lines = sorted(map(_invoice, invoices), key=lambda line: (line.day or date.min, line.number), reverse=True)
    bought = [line.day for line in lines if line.day and line.status != "Credit note"]
    as_of = values.get("FiguresAsOf")
    return Card(
        number=number,
        item_id=company.item_id,
        name=text(values.get("Title")) or text(values.get("CompanyName")) or str(number),
        sales_person=text(values.get("ERPSalesPerson")),
        values={name: values[name] for name in FIGURES if name in values},
        as_of=as_of if isinstance(as_of, datetime) else None,
        invoices=tuple(lines),
        contacts=tuple(sorted(map(_contact, contacts), key=lambda one: one.name.casefold())),
        months=months_of(lines, year_start),
        rhythm=rhythm(bought, today),
    )


def months_of(invoices: Sequence[InvoiceLine], year_start: date) -> tuple[Month, ...]:
    """The twelve months of the financial year beside those of the year before."""
    sums: dict[tuple[int, int], Decimal] = {}
    for line in invoices:
        if line.day:
            key = line.day.year, line.day.month
            sums[key] = sums.get(key, ZERO) + line.net
    found = []
    for at in range(12):
        year, month = divmod(year_start.month - 1 + at, 12)
        first = date(year_start.year + year, month + 1, 1)
        now, before = sums.get((first.year, first.month), ZERO), sums.get((first.year - 1, first.month), ZERO)
        found.append(Month(first, now, before))
    return tuple(found)


def text(value: Value) -> str:
    """A text, "" for none."""
    return "" if value is None else str(value)


def _invoice(item: Item) -> InvoiceLine:
    values = item.values
    number = text(values.get("InvoiceNumber"))
    return InvoiceLine(
        number=int(number) if number.isascii() and number.isdecimal() else 0,
        title=text(values.get("Title")),
        day=_day(values.get("InvoiceDate")),
        due=_day(values.get("DueDate")),
        status=text(values.get("InvoiceStatus")),
        currency=text(values.get("CurrencyCode")),
        gross=_number(values.get("GrossAmount")),
        remainder=_number(values.get("Remainder")),
        net=_number(values.get("NetAmountBase")) or ZERO,
        days_overdue=int(_number(values.get("DaysOverdue")) or 0),
    )


def _contact(item: Item) -> ContactLine:
    values = item.values
    words = [text(values.get(name)) for name in ("FirstName", "LastName")]
    return ContactLine(
        name=text(values.get("Title")) or " ".join(filter(None, words)),
        email=text(values.get("EMail")),
        phone=text(values.get("Phone")) or text(values.get("Mobile")),
        job=text(values.get("JobTitle")),
    )


def _day(value: Value) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None


def _number(value: Value) -> Decimal | None:
    return value if isinstance(value, Decimal) else None
