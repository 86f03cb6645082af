"""The Source port over e-conomic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from worker.domain.converters import cvr_digits
from worker.domain.records import AccountingYear, Agreement, Customer, CustomerContact, Invoice
from worker.economic import decode
from worker.economic.client import EconomicClient
from worker.economic.paging import PAGE_SIZE
from worker.economic.search import LARGEST_NUMBER, cvr_filter, name_filter, wanted
from worker.errors import AccessDeniedError, ConfigError, NotFoundError, Problem
from worker.ports import Usage

_ALL_ROLES = "SuperUser"
_IN = 100  # values of one $in:, which takes 200; an address of 2,000 characters passes everywhere
# Area -> roles that suffice beside SuperUser, from the vendor's permission page; the first is the one to ask for.
_NEEDED = {
    "customers, contacts and invoices": ("Sales",),
    "accounting years (for financial-year figures)": ("Bookkeeping", "Bookkeeper"),
}


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """What the connection test found."""

    agreement: Agreement
    missing_roles: tuple[str, ...]
    warnings: tuple[str, ...]


class EconomicSource:
    """Reads each collection when asked; names that customers refer to are read once."""

    def __init__(self, client: EconomicClient, *, expected_agreement: int | None = None) -> None:
        self._client = client
        self._expected = expected_agreement

    @property
    def client(self) -> EconomicClient:
        """The connection, for narrower reads over it."""
        return self._client

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def agreement(self) -> Agreement:
        """Raises AuthenticationError for refused tokens, ConfigError when they belong to another agreement."""
        return self._agreement

    @cached_property
    def _agreement(self) -> Agreement:
        found = decode.agreement(self._client.get("/self"))
        if self._expected is not None and found.number != self._expected:
            problem = Problem(
                "ECONOMIC_AGREEMENT",
                f"is {self._expected}, but the tokens belong to agreement {found.number} ({found.company_name}).",
            )
            raise ConfigError([problem], hint="Use the grant token of the right agreement.")
        return found

    def connection_test(self) -> ConnectionReport:
        """Signs in and says what the app's roles cannot do."""
        found = self.agreement()
        lacking = _lacking(found.roles)
        missing = tuple(_NEEDED[area][0] for area in lacking) if found.roles else ()
        return ConnectionReport(found, missing, tuple(_role_warnings(found.roles, lacking)))

    def accounting_years(self) -> Sequence[AccountingYear]:
        """By first day. Raises AccessDeniedError when the app's role may not read them."""
        try:
            rows = self._client.short("/accounting-years", "fromDate")
        except AccessDeniedError as error:
            raise AccessDeniedError(
                "The app may not read the accounting years.",
                hint="Give the app the role SuperUser or Bookkeeping, or set SYNC_FINANCIAL_YEAR_START.",
            ) from error
        return [decode.accounting_year(row) for row in rows]

    def customers(self) -> Iterator[Customer]:
        """All customers, barred ones too, by number."""
        names = self._names
        for row in self._client.rows("/customers", "customerNumber"):
            yield decode.customer(row, names)

    def customer(self, number: int) -> Customer | None:
        """One customer; None when there is none with this number. A number that can't be one is not asked for."""
        if not 1 <= number <= LARGEST_NUMBER:
            return None
        try:
            return decode.customer(self._client.get(f"/customers/{number}"), self._names)
        except NotFoundError:
            return None

    def find_customers(self, text: str, limit: int = 20) -> list[Customer]:
        """Customers that a person may mean by `text`, each once and at most `limit` (of 1000): the one with this
        number, then those with this CVR number, then those whose name holds the text; the latter two by number.

        One request per meaning the text can have, until there are enough; none for a blank text.
        """
        limit = min(limit, PAGE_SIZE)
        found: dict[int, Customer] = {}
        for customers in self._meant(text, limit) if limit > 0 else ():
            found |= {customer.number: customer for customer in customers if customer.number not in found}
            if len(found) >= limit:
                break
        return list(found.values())[: max(0, limit)]

    def customers_where(self, filter_: str, most: int) -> list[Customer]:
        """The first customers a filter of the classic API lets through, by number; one request."""
        return self._first(filter_, most)

    def customers_of_cvr(self, digits: str, most: int = PAGE_SIZE) -> list[Customer]:
        """Customers with this CVR number, however it is written, by number; one request, which looks at `most`."""
        holding = self._first(cvr_filter(digits), most)
        return [customer for customer in holding if cvr_digits(customer.cvr or "") == digits]

    def customers_numbered(self, numbers: Sequence[int]) -> list[Customer]:
        """Those that there are of these, by one request for each 100."""
        found: list[Customer] = []
        for start in range(0, len(numbers), _IN):
            listed = ",".join(map(str, numbers[start : start + _IN]))
            found += self._first(f"customerNumber$in:[{listed}]", _IN)
        return found

    def examples(self, limit: int = 5) -> list[int]:
        """Numbers of a few customers to show what data look like: those invoiced last, else the first there are. One or
        two requests."""
        invoices = self._client.first("/invoices/booked", "-bookedInvoiceNumber", None, limit)
        found = list(dict.fromkeys(decode.invoice(row).customer_number for row in invoices))
        return found or [
            row["customerNumber"] for row in self._client.first("/customers", "customerNumber", None, limit)
        ]

    def customer_count(self) -> int:
        """How many customers there are, barred ones too; one cheap request, for forecasts."""
        return self._client.count("/customers")

    def contacts(self) -> Iterator[CustomerContact]:
        """All contacts in bulk, never one call per customer."""
        return map(decode.contact, self._client.contacts())

    def invoices(self, since: date | None = None) -> Iterator[Invoice]:
        """Booked invoices by number. Dates can be set back, so the number is the order and the date only a filter."""
        filter_ = None if since is None else f"date$gte:{since.isoformat()}"
        return map(decode.invoice, self._client.rows("/invoices/booked", "bookedInvoiceNumber", filter_))

    def invoice(self, number: int) -> Invoice | None:
        """One booked invoice; None when there is none with this number."""
        try:
            return decode.invoice(self._client.get(f"/invoices/booked/{number}"))
        except NotFoundError:
            return None

    def invoice_pdf(self, number: int) -> bytes:
        """The PDF of one booked invoice, at most 10 MB.

        Raises NotFoundError when there is no such invoice, AccessDeniedError when the app's role may not fetch PDFs
        (whether Sales may is unconfirmed), ProtocolError when the answer is no PDF.
        """
        return self._client.pdf(f"/invoices/booked/{number}/pdf")

    def open_invoices(self) -> Iterator[Invoice]:
        """`/invoices/unpaid`; whether open credit notes are in it is unconfirmed, a remainder of 0 never counts."""
        rows = self._client.rows("/invoices/unpaid", "bookedInvoiceNumber")
        return (invoice for invoice in map(decode.invoice, rows) if invoice.remainder)

    def sales_totals(self, year: AccountingYear) -> Mapping[int, Decimal]:
        """e-conomic's own net sales per customer in one accounting year."""
        totals = dict(decode.sales_total(group) for group in self._client.groups(totals_path(year), "customers"))
        return {number: amount for number, amount in totals.items() if amount}

    def open_totals(self, *, overdue: bool = False) -> Mapping[int, Decimal]:
        """e-conomic's own sums of open amounts per customer; with `overdue` of those past due on its day."""
        path = f"/invoices/totals/booked/unpaid{'/overdue' if overdue else ''}/customers"
        totals = dict(decode.open_total(group) for group in self._client.groups(path, "customers"))
        return {number: amount for number, amount in totals.items() if amount}

    def usage(self) -> Usage:
        """Requests sent, call cost billed, seconds waited."""
        http = self._client.http
        return Usage(http.requests, http.writes, self._client.rate.cost, http.waits.seconds)

    def _meant(self, text: str, limit: int) -> Iterator[list[Customer]]:
        """The answer for each meaning of `text`, asked for when it is wanted."""
        meant = wanted(text)
        if meant.number is not None:
            found = self.customer(meant.number)
            yield [] if found is None else [found]
        if meant.cvr is not None:
            yield self.customers_of_cvr(meant.cvr, limit)
        if meant.name is not None:
            yield self._first(name_filter(meant.name), limit)

    def _first(self, filter_: str, limit: int) -> list[Customer]:
        rows = self._client.first("/customers", "customerNumber", filter_, limit)
        return [decode.customer(row, self._names) for row in rows]

    @cached_property
    def _names(self) -> decode.CustomerNames:
        return decode.CustomerNames(
            self._named("/customer-groups", "customerGroupNumber"),
            self._named("/payment-terms", "paymentTermsNumber"),
            self._named("/vat-zones", "vatZoneNumber"),
            self._named("/employees", "employeeNumber"),
        )

    def _named(self, path: str, key: str) -> dict[int | None, str]:
        """Names by number; without the right to read them the numbers alone must do."""
        try:
            rows = self._client.short(path)
        except (AccessDeniedError, NotFoundError):
            return {}
        return {row.get(key): str(row.get("name") or "") for row in rows if row.get("name")}


def totals_path(year: AccountingYear) -> str:
    """Where e-conomic sums the sales of one year by customer; one customer's sum is below it, by number."""
    return f"/invoices/totals/booked/accounting-years/{year.path_name}/customers"


def _lacking(roles: Sequence[str]) -> list[str]:
    """Areas that none of the roles opens."""
    return [area for area, names in _NEEDED.items() if not {_ALL_ROLES, *names} & set(roles)]


def _role_warnings(roles: Sequence[str], lacking: Sequence[str]) -> list[str]:
    if not roles:
        return ["e-conomic does not say which roles the app has; a first run will show what it may read."]
    return [
        f"The app's roles ({', '.join(roles)}) may not be enough to read {area}: it needs {_NEEDED[area][0]} or "
        f"{_ALL_ROLES}."
        for area in lacking
    ]
