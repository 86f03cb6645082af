"""JSON of e-conomic -> records. Pure. Missing, null and "" are the same; unknown keys are ignored.

Numbers come with varying scale and are read as Decimal; `barred` appears only when true; the contacts API calls its
key `number`, one integration saw `customerContactNumber`: both are read (e-conomic REST and OpenAPI documents).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from worker.domain.records import AccountingYear, Agreement, Customer, CustomerContact, Invoice
from worker.errors import ProtocolError

Json = Mapping[str, Any]


def agreement(data: Json) -> Agreement:
    """`GET /self`."""
    company, application = _part(data, "company"), _part(data, "application")
    currency = _text(_part(data, "settings"), "baseCurrency")
    if currency is None:
        raise ProtocolError("e-conomic does not say the agreement's base currency.", hint="Check ECONOMIC_BASE_URL.")
    return Agreement(
        number=_whole(data, "agreementNumber", "/self"),
        company_name=_text(company, "name"),
        company_cvr=_text(company, "companyIdentificationNumber"),
        base_currency=currency,
        user_name=_text(data, "userName"),
        app_name=_text(application, "name"),
        roles=tuple(role["name"] for role in application.get("requiredRoles") or () if role.get("name")),
    )


def accounting_year(data: Json) -> AccountingYear:
    """One row of `GET /accounting-years`. The path form comes from the row's own address."""
    name = str(data.get("year") or "")
    path = str(data.get("self") or "").split("?", 1)[0].rstrip("/").rsplit("/", 1)[-1]
    return AccountingYear(
        name=name,
        first_day=_day(data, "fromDate", "/accounting-years", name),
        last_day=_day(data, "toDate", "/accounting-years", name),
        closed=bool(data.get("closed")),
        path_name=path or name.replace("/", "_6_"),
    )


def customer(data: Json, names: CustomerNames) -> Customer:
    """One row of `GET /customers`, with the names of group, terms, zone and salesperson joined in."""
    number = _whole(data, "customerNumber", "/customers")
    group = _reference(data, "customerGroup", "customerGroupNumber")
    terms = _reference(data, "paymentTerms", "paymentTermsNumber")
    zone = _reference(data, "vatZone", "vatZoneNumber")
    person = _reference(data, "salesPerson", "employeeNumber")
    return Customer(
        number=number,
        name=_text(data, "name") or "",
        currency=_text(data, "currency") or "",
        balance=_money(data, "balance", "/customers", number) or Decimal(0),
        due_amount=_money(data, "dueAmount", "/customers", number) or Decimal(0),
        last_updated=_moment(data, "lastUpdated"),
        barred=bool(data.get("barred")),
        address=_text(data, "address"),
        zip=_text(data, "zip"),
        city=_text(data, "city"),
        country=_text(data, "country"),
        email=_text(data, "email"),
        phone=_text(data, "telephoneAndFaxNumber"),
        mobile=_text(data, "mobilePhone"),
        website=_text(data, "website"),
        cvr=_text(data, "corporateIdentificationNumber"),
        p_number=_text(data, "pNumber"),
        ean=_text(data, "ean"),
        vat_number=_text(data, "vatNumber"),
        public_entry_number=_text(data, "publicEntryNumber"),
        credit_limit=_money(data, "creditLimit", "/customers", number),
        group_number=group,
        group_name=names.groups.get(group),
        payment_terms_number=terms,
        payment_terms_name=names.terms.get(terms),
        vat_zone_number=zone,
        vat_zone_name=names.zones.get(zone),
        salesperson_number=person,
        salesperson_name=names.employees.get(person),
    )


class CustomerNames:
    """Names by number of what customers refer to; empty where a collection could not be read."""

    def __init__(
        self,
        groups: Mapping[int | None, str] | None = None,
        terms: Mapping[int | None, str] | None = None,
        zones: Mapping[int | None, str] | None = None,
        employees: Mapping[int | None, str] | None = None,
    ) -> None:
        self.groups = groups or {}
        self.terms = terms or {}
        self.zones = zones or {}
        self.employees = employees or {}


def contact(data: Json) -> CustomerContact:
    """One item of the customers API's `GET /Contacts`."""
    number = _whole(data, "customerContactNumber" if data.get("number") is None else "number", "/Contacts")
    return CustomerContact(
        number=number,
        customer_number=_whole(data, "customerNumber", "/Contacts"),
        name=_text(data, "name") or "",
        email=_text(data, "email"),
        phone=_text(data, "phone"),
        notes=_text(data, "notes"),
        e_invoice_id=_text(data, "eInvoiceId"),
        visible_number=_whole_or_none(data, "userInterfaceNumber"),
        last_updated=_moment(data, "lastUpdated"),
        deleted=bool(data.get("isDeleted")),
    )


def classic_contact(data: Json) -> CustomerContact:
    """One row of `GET /customers/{n}/contacts`, which does not say when a contact was changed."""
    number = _whole(data, "customerContactNumber", "/customers/contacts")
    return CustomerContact(
        number=number,
        customer_number=_whole(_part(data, "customer"), "customerNumber", f"/customers/contacts/{number}"),
        name=_text(data, "name") or "",
        email=_text(data, "email"),
        phone=_text(data, "phone"),
        notes=_text(data, "notes"),
        e_invoice_id=_text(data, "eInvoiceId"),
        visible_number=_whole_or_none(data, "sortKey"),
        deleted=bool(data.get("deleted")),
    )


def invoice(data: Json) -> Invoice:
    """One row of `GET /invoices/booked` or `/invoices/unpaid`."""
    number = _whole(data, "bookedInvoiceNumber", "/invoices")
    where = "/invoices"
    net, remainder = _amount(data, "netAmount", number), _amount(data, "remainder", number)
    base = _money(data, "netAmountInBaseCurrency", where, number)
    remainder_base = _money(data, "remainderInBaseCurrency", where, number)
    return Invoice(
        number=number,
        customer_number=_whole(_part(data, "customer"), "customerNumber", f"{where}/{number}"),
        invoice_date=_day(data, "date", where, number),
        currency=_text(data, "currency") or "",
        net=net,
        vat=_amount(data, "vatAmount", number),
        gross=_amount(data, "grossAmount", number),
        net_base=net if base is None else base,
        remainder=remainder,
        remainder_base=remainder if remainder_base is None else remainder_base,
        due_date=_day(data, "dueDate", where, number) if _text(data, "dueDate") else None,
        gross_base=_money(data, "grossAmountInBaseCurrency", where, number),
        exchange_rate=_money(data, "exchangeRate", where, number),
        reference=_text(_part(data, "references"), "other"),
        recipient_name=_text(_part(data, "recipient"), "name"),
    )


def sales_total(data: Json) -> tuple[int, Decimal]:
    """One group of `/invoices/totals/booked/.../customers`: customer number and net sales in base currency."""
    number = _whole(_part(data, "customer"), "customerNumber", "/invoices/totals")
    return number, _money(data, "netAmountInBaseCurrency", "/invoices/totals", number) or Decimal(0)


def open_total(data: Json) -> tuple[int, Decimal]:
    """One group of `/invoices/totals/booked/unpaid/.../customers`: customer number and open amount in base currency."""
    number = _whole(_part(data, "customer"), "customerNumber", "/invoices/totals")
    return number, _money(data, "grossRemainderInBaseCurrency", "/invoices/totals", number) or Decimal(0)


def net_sales(data: Json) -> Decimal | None:
    """Net sales in base currency of one `/invoices/totals/booked/...` answer; None when it does not say."""
    return _money(data, "netAmountInBaseCurrency", "/invoices", "totals")


def _part(data: Json, name: str) -> Json:
    value = data.get(name)
    return value if isinstance(value, Mapping) else {}


def _text(data: Json, name: str) -> str | None:
    value = data.get(name)
    return None if value is None or value == "" else str(value)


def _whole(data: Json, name: str, where: str) -> int:
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ProtocolError(f"e-conomic sent a row of {where} without a usable {name}.")
    return value


def _reference(data: Json, name: str, number: str) -> int | None:
    return _whole_or_none(_part(data, name), number)


def _whole_or_none(data: Json, name: str) -> int | None:
    value = data.get(name)
    return value if isinstance(value, int) else None


def _amount(data: Json, name: str, number: int) -> Decimal:
    return _money(data, name, "/invoices", number) or Decimal(0)


def _money(data: Json, name: str, where: str, key: object) -> Decimal | None:
    value = data.get(name)
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ProtocolError(f"e-conomic sent no number as {name} of {where}/{key}.")
    return number


def _day(data: Json, name: str, where: str, key: object) -> date:
    try:
        return date.fromisoformat(str(data.get(name))[:10])
    except ValueError:
        raise ProtocolError(f"e-conomic sent no date as {name} of {where}/{key}.") from None


def _moment(data: Json, name: str) -> datetime | None:
    """UTC; a time without a zone, as the contacts API may send it, is taken as UTC. One that makes no sense is None:
    it is shown to people at most, and no reason to stop."""
    text = _text(data, name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
