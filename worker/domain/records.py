"""What e-conomic knows, as frozen values.

Money is Decimal in the agreement's base currency unless a name says otherwise; dates are the agreement's
local dates; timestamps are aware UTC. Missing, null and "" on the wire are all None here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Agreement:
    """The e-conomic agreement behind the tokens (classic `GET /self`)."""

    number: int
    company_name: str | None
    company_cvr: str | None
    base_currency: str
    user_name: str | None
    app_name: str | None
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccountingYear:
    """One accounting year; `name` is e-conomic's text such as 2026, 2026a or 2025/2026."""

    name: str
    first_day: date
    last_day: date
    closed: bool = False
    path_name: str = ""  # the encoded form in addresses, e.g. 2025_6_2026


@dataclass(frozen=True, slots=True)
class Customer:
    """A debtor. Names of group, terms and VAT zone are joined in from their own collections."""

    number: int
    name: str
    currency: str
    balance: Decimal
    due_amount: Decimal
    last_updated: datetime | None = None
    barred: bool = False
    address: str | None = None
    zip: str | None = None
    city: str | None = None
    country: str | None = None
    email: str | None = None
    phone: str | None = None
    mobile: str | None = None
    website: str | None = None
    cvr: str | None = None
    p_number: str | None = None
    ean: str | None = None
    vat_number: str | None = None
    public_entry_number: str | None = None
    credit_limit: Decimal | None = None
    group_number: int | None = None
    group_name: str | None = None
    payment_terms_number: int | None = None
    payment_terms_name: str | None = None
    vat_zone_number: int | None = None
    vat_zone_name: str | None = None
    salesperson_number: int | None = None
    salesperson_name: str | None = None


@dataclass(frozen=True, slots=True)
class CustomerContact:
    """A contact person of a customer; `number` is unique in the agreement."""

    number: int
    customer_number: int
    name: str
    email: str | None = None
    phone: str | None = None
    notes: str | None = None
    e_invoice_id: str | None = None
    visible_number: int | None = None  # the number e-conomic's users see, per customer
    last_updated: datetime | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Invoice:
    """A booked invoice header; a credit note is one with negative amounts.

    `net`, `vat`, `gross`, `remainder` are in `currency`; the `_base` ones in the agreement's base currency.
    """

    number: int
    customer_number: int
    invoice_date: date
    currency: str
    net: Decimal
    vat: Decimal
    gross: Decimal
    net_base: Decimal
    remainder: Decimal
    remainder_base: Decimal
    due_date: date | None = None
    gross_base: Decimal | None = None
    exchange_rate: Decimal | None = None  # base-currency price of 100 units
    reference: str | None = None
    recipient_name: str | None = None
