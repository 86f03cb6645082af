"""The Source port narrowed to a few customers: what a webhook or a person names, read anew."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter

from worker.domain.records import AccountingYear, Agreement, Customer, CustomerContact, Invoice
from worker.economic.one_customer import OneCustomer
from worker.economic.source import EconomicSource
from worker.ports import Usage


class FewCustomers:
    """What `source` would give, were these its only customers. Same errors, same order, shared counters."""

    def __init__(self, source: EconomicSource, numbers: Sequence[int]) -> None:
        self._source = source
        self._each = [OneCustomer(source, number) for number in sorted(set(numbers))]

    def agreement(self) -> Agreement:
        """As the full source gives it."""
        return self._source.agreement()

    def accounting_years(self) -> Sequence[AccountingYear]:
        """As the full source gives them."""
        return self._source.accounting_years()

    def customers(self) -> Iterator[Customer]:
        """Those that e-conomic has."""
        return (customer for one in self._each for customer in one.customers())

    def contacts(self) -> Iterator[CustomerContact]:
        """By number."""
        return heapq.merge(*(one.contacts() for one in self._each), key=attrgetter("number"))

    def invoices(self, since: date | None = None) -> Iterator[Invoice]:
        """By number."""
        return heapq.merge(*(one.invoices(since) for one in self._each), key=attrgetter("number"))

    def open_invoices(self) -> Iterator[Invoice]:
        """By number."""
        return heapq.merge(*(one.open_invoices() for one in self._each), key=attrgetter("number"))

    def sales_totals(self, year: AccountingYear) -> Mapping[int, Decimal]:
        """Of these customers."""
        totals: dict[int, Decimal] = {}
        for one in self._each:
            totals |= one.sales_totals(year)
        return totals

    def usage(self) -> Usage:
        """Of the connection, whoever used it."""
        return self._source.usage()
