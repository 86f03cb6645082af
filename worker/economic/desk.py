"""The CustomerDesk port over e-conomic's classic API, which is the one that makes customers (OpenAPI needs modules)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from worker.domain.new_customer import Choices, NewCustomer, addresses, same_number, same_text
from worker.domain.records import Customer, CustomerContact
from worker.economic import decode
from worker.economic.search import cvr_filter, email_filter, same_name_filter
from worker.economic.source import EconomicSource
from worker.economic.writer import EconomicWriter
from worker.errors import NotFoundError, ProtocolError

_WORKED_OUT = {"balance", "dueAmount", "lastUpdated", "metaData", "self", "contacts", "deliveryLocations", "invoices"}
_WORKED_OUT |= {"templates", "totals", "customerNumber"}
_MOST = 1000  # customers that one filter lets through and that are compared exactly: a page


class EconomicDesk:
    """Over the connection of a source. Lists are read once."""

    def __init__(self, source: EconomicSource, writer: EconomicWriter) -> None:
        self._source = source
        self._client = source.client
        self._writer = writer

    def choices(self) -> Choices:
        """Raises AccessDeniedError when the role may not read one of the lists."""
        return self._choices

    @cached_property
    def _choices(self) -> Choices:
        codes = frozenset(str(row["code"]).upper() for row in self._client.short("/currencies") if row.get("code"))
        return Choices(
            self._named("/customer-groups", "customerGroupNumber"),
            self._named("/payment-terms", "paymentTermsNumber"),
            self._named("/vat-zones", "vatZoneNumber"),
            codes,
        )

    def customer(self, number: int) -> Customer | None:
        """As the source gives it."""
        return self._source.customer(number)

    def customers(self) -> Iterator[Customer]:
        """As the source gives them."""
        return self._source.customers()

    def document(self, number: int) -> Mapping[str, object] | None:
        """`GET /customers/{number}`."""
        try:
            return self._client.get(f"/customers/{number}")
        except NotFoundError:
            return None

    def replace(self, number: int, document: Mapping[str, object], key: str) -> None:
        """`PUT /customers/{number}`. What e-conomic works out itself is left out; it ignores that anyway."""
        body = {name: value for name, value in document.items() if name not in _WORKED_OUT}
        self._writer.replace_customer(number, body, key)

    def like(self, customer: NewCustomer) -> Sequence[tuple[Customer, str]]:
        """Up to three requests: by CVR number, by e-mail, by name."""
        found: dict[int, tuple[Customer, str]] = {}
        for one, why in self._alike(customer):
            found.setdefault(one.number, (one, why))
        return list(found.values())

    def free_numbers(self, first: int, last: int) -> Iterator[int]:
        """One request, and all numbers of the range once those above the highest are used up."""
        filter_ = f"customerNumber$gte:{first}$and:customerNumber$lte:{last}"
        rows = self._client.first("/customers", "-customerNumber", filter_, 1)
        yield from range(int(rows[0]["customerNumber"]) + 1 if rows else first, last + 1)
        next_ = first
        for row in self._client.rows("/customers", "customerNumber", filter_) if rows else ():
            yield from range(next_, int(row["customerNumber"]))
            next_ = int(row["customerNumber"]) + 1

    def create(self, customer: NewCustomer, key: str) -> int:
        """`POST /customers`."""
        return _number_of(self._writer.create_customer(customer.body, key), "customerNumber")

    def contacts(self, number: int) -> Sequence[CustomerContact]:
        """From the classic list, which knows a contact the moment it was made."""
        try:
            rows = self._client.short(f"/customers/{number}/contacts")
        except NotFoundError:
            return []
        return list(map(decode.classic_contact, rows))

    def add_contact(self, number: int, body: Mapping[str, str], key: str) -> int:
        """`POST /customers/{number}/contacts`."""
        return _number_of(self._writer.create_contact(number, body, key), "customerContactNumber")

    def _alike(self, customer: NewCustomer) -> Iterator[tuple[Customer, str]]:
        if re.search("[0-9]", customer.cvr):
            found = self._found(cvr_filter(customer.cvr))
            yield from ((one, "cvr") for one in found if same_number(one.cvr or "", customer.cvr))
        if ours := addresses(customer.email):
            found = self._found(email_filter(ours))
            yield from ((one, "email") for one in found if addresses(one.email or "") & ours)
        found = self._found(same_name_filter(customer.name))
        yield from ((one, "name") for one in found if same_text(one.name, customer.name))

    def _found(self, filter_: str) -> list[Customer]:
        return self._source.customers_where(filter_, _MOST)

    def _named(self, path: str, key: str) -> dict[int, str]:
        return {
            row[key]: str(row.get("name") or "") for row in self._client.short(path) if isinstance(row.get(key), int)
        }


def _number_of(made: Mapping[str, object], name: str) -> int:
    number = made.get(name)
    if not isinstance(number, int):
        raise ProtocolError(f"e-conomic's answer to a creation holds no {name}.")
    return number
