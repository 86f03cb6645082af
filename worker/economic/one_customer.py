"""The Source port narrowed to one customer: some ten small requests instead of the whole agreement.

Booked and unpaid invoices are the agreement's own collections with a filter on the customer, not the collections below
the customer: those lack `exchangeRate` and `grossAmountInBaseCurrency` in the vendor's schema. Nothing is remembered
between reads, as in the full source, so `open_invoices` always asks (one request). Taking them from an earlier
`invoices` was refused: it would be right only after a whole read without `since`, would miss a payment made meanwhile,
and a session that has read all invoices does not ask for the open ones anyway.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter

from worker.domain.records import AccountingYear, Agreement, Customer, CustomerContact, Invoice
from worker.economic import decode
from worker.economic.source import EconomicSource, totals_path
from worker.errors import AccessDeniedError, NotFoundError
from worker.ports import Usage

log = logging.getLogger(__name__)


class OneCustomer:
    """What `source` would give, were the customer `number` the only one. Same errors, same order, shared counters."""

    def __init__(self, source: EconomicSource, number: int) -> None:
        self._source = source
        self._client = source.client
        self._number = number

    def agreement(self) -> Agreement:
        """As the full source gives it."""
        return self._source.agreement()

    def accounting_years(self) -> Sequence[AccountingYear]:
        """As the full source gives them."""
        return self._source.accounting_years()

    def customers(self) -> Iterator[Customer]:
        """The customer, or nothing when e-conomic has none with this number."""
        found = self._source.customer(self._number)
        if found is not None:
            yield found

    def contacts(self) -> Iterator[CustomerContact]:
        """Its contacts by number, soft-deleted ones included where the service shows them.

        Where the contacts API is closed to the agreement (403, missing modules) or its version is withdrawn (404), the
        classic list stands in, which has no `last_updated` and may leave deleted contacts out (unconfirmed).
        """
        found = (contact for contact in self._contacts() if contact.customer_number == self._number)
        yield from sorted(found, key=attrgetter("number"))

    def invoices(self, since: date | None = None) -> Iterator[Invoice]:
        """Its booked invoices by number."""
        dated = "" if since is None else f"$and:date$gte:{since.isoformat()}"
        return self._invoices("/invoices/booked", dated)

    def open_invoices(self) -> Iterator[Invoice]:
        """Those of its invoices that have a remainder, by number; as in the full source one of 0 never counts."""
        return (invoice for invoice in self._invoices("/invoices/unpaid") if invoice.remainder)

    def sales_totals(self, year: AccountingYear) -> Mapping[int, Decimal]:
        """e-conomic's own net sales of this customer in `year`, by its number; empty without sales.

        Should e-conomic not sum one customer alone, its row is picked from the sums of all.
        """
        try:
            total = decode.net_sales(self._client.get(f"{totals_path(year)}/{self._number}"))
        except NotFoundError:
            total = None
        if total is None:
            total = self._source.sales_totals(year).get(self._number)
        return {self._number: total} if total else {}

    def usage(self) -> Usage:
        """Of the connection, whoever used it."""
        return self._source.usage()

    def _contacts(self) -> list[CustomerContact]:
        """All of them before the first is given, so that the classic list never follows half of the other."""
        try:
            return list(map(decode.contact, self._client.contacts(f"customerNumber$eq:{self._number}")))
        except (AccessDeniedError, NotFoundError) as error:
            log.info("contacts are read from the classic list of the customer: %s", error)
        try:
            # In e-conomic's own order: whether this list can be sorted is unconfirmed.
            rows = self._client.short(f"/customers/{self._number}/contacts")
        except NotFoundError:
            return []  # there is no such customer
        return list(map(decode.classic_contact, rows))

    def _invoices(self, path: str, more: str = "") -> Iterator[Invoice]:
        filter_ = f"customer.customerNumber$eq:{self._number}{more}"
        found = map(decode.invoice, self._client.rows(path, "bookedInvoiceNumber", filter_))
        return (invoice for invoice in found if invoice.customer_number == self._number)
