"""One customer's reads: what is asked for, and what happens where e-conomic answers otherwise than expected."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import responses

from worker.domain.records import AccountingYear
from worker.economic.client import EconomicClient
from worker.economic.one_customer import OneCustomer
from worker.economic.source import EconomicSource
from worker.errors import AccessDeniedError, IncompleteReadError, UnavailableError
from worker.transport import Http, RetryPolicy, Waits

BASE = "https://restapi.books.example"
CONTACTS = f"{BASE}/customersapi/v3.1.0/Contacts"
CLASSIC = f"{BASE}/customers/7/contacts"
YEAR = AccountingYear("2025/2026", date(2025, 7, 1), date(2026, 6, 30), path_name="2025_6_2026")
TOTALS = f"{BASE}/invoices/totals/booked/accounting-years/2025_6_2026/customers"


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as made:
        yield made


@pytest.fixture
def one() -> Iterator[OneCustomer]:
    http = Http("e-conomic", frozenset({BASE}), {}, policy=RetryPolicy(attempts=1), waits=Waits(sleep=lambda _: None))
    client = EconomicClient(BASE, BASE, http, contacts_version="v3.1.0")
    yield OneCustomer(EconomicSource(client), 7)
    client.close()


def invoice(number: int, buyer: int = 7, remainder: float = 0.0) -> dict[str, Any]:
    customer = {"customerNumber": buyer}
    return {"bookedInvoiceNumber": number, "customer": customer, "date": "2026-02-01", "remainder": remainder}


def collection(*rows: Any, results: int | None = None) -> dict[str, Any]:
    return {"collection": list(rows), "pagination": {"results": len(rows) if results is None else results}}


def filters(mock: responses.RequestsMock) -> list[str]:
    return [call.request.params.get("filter", "") for call in mock.calls]


def test_the_service_is_asked_for_this_customers_rows_only(one: OneCustomer, mock: responses.RequestsMock) -> None:
    """Every list comes filtered by the customer's number, on every page of it."""
    mock.get(CONTACTS, json={"items": [{"number": 9, "customerNumber": 7}], "cursor": "c1"})
    mock.get(CONTACTS, json={"items": [{"number": 8, "customerNumber": 7}]})
    mock.get(f"{BASE}/invoices/booked", json=collection(invoice(1)))
    mock.get(f"{BASE}/invoices/unpaid", json=collection(invoice(1, remainder=2.5), invoice(2)))
    assert [row.number for row in one.contacts()] == [8, 9]
    assert [row.number for row in one.invoices(date(2026, 1, 1))] == [1]
    assert [row.number for row in one.open_invoices()] == [1]
    mine = "customer.customerNumber$eq:7"
    assert filters(mock) == ["customerNumber$eq:7"] * 2 + [f"{mine}$and:date$gte:2026-01-01", mine]


def test_rows_of_another_customer_are_never_shown(one: OneCustomer, mock: responses.RequestsMock) -> None:
    """Should the service pass over the filter, the rows of others are left out here."""
    mock.get(CONTACTS, json={"items": [{"number": 1, "customerNumber": 6}, {"number": 2, "customerNumber": 7}]})
    mock.get(f"{BASE}/invoices/booked", json=collection(invoice(1, buyer=6), invoice(2)))
    assert [row.number for row in one.contacts()] == [2]
    assert [row.number for row in one.invoices()] == [2]


def test_fewer_invoices_than_promised_are_an_error(one: OneCustomer, mock: responses.RequestsMock) -> None:
    """The read never ends early."""
    mock.get(f"{BASE}/invoices/booked", json=collection(invoice(1), results=2))
    with pytest.raises(IncompleteReadError):
        list(one.invoices())


@pytest.mark.parametrize("status", [403, 404])
def test_contacts_come_from_one_of_the_two_lists_never_from_halves(
    one: OneCustomer, mock: responses.RequestsMock, status: int
) -> None:
    """A contacts API that closes between two pages is left altogether."""
    mock.get(CONTACTS, json={"items": [{"number": 1, "customerNumber": 7}], "cursor": "c1"})
    mock.get(CONTACTS, status=status, json={})
    row = {"name": "Bo", "customer": {"customerNumber": 7}}
    mock.get(CLASSIC, json=collection({**row, "customerContactNumber": 2}, {**row, "customerContactNumber": 1}))
    assert [contact.number for contact in one.contacts()] == [1, 2]


def test_a_right_that_is_missing_for_both_lists_is_told(one: OneCustomer, mock: responses.RequestsMock) -> None:
    """No contacts because of a missing right is not no contacts."""
    mock.get(CONTACTS, status=403, json={})
    mock.get(CLASSIC, status=403, json={})
    with pytest.raises(AccessDeniedError):
        list(one.contacts())


def test_a_service_that_is_away_is_not_replaced_by_the_other(one: OneCustomer, mock: responses.RequestsMock) -> None:
    """Only a closed door leads to the classic list, a passing fault does not."""
    mock.get(CONTACTS, status=500, json={})
    with pytest.raises(UnavailableError):
        list(one.contacts())


@pytest.mark.parametrize("answer", [{"status": 404, "json": {}}, {"json": {"invoiceCount": 3}}])
def test_where_one_customer_is_not_summed_alone_its_row_is_picked(
    one: OneCustomer, mock: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    """No such address, or an answer without the sum: the year's sums by customer have it."""
    rows = [{"netAmountInBaseCurrency": 5.0 * n, "customer": {"customerNumber": n}} for n in (6, 7)]
    mock.get(f"{TOTALS}/7", **answer)
    mock.get(TOTALS, json={"customers": rows})
    assert one.sales_totals(YEAR) == {7: Decimal("35.0")}


def test_a_customer_without_sales_has_no_total(one: OneCustomer, mock: responses.RequestsMock) -> None:
    """A sum of nothing is absent, as in the full source, and one request tells."""
    mock.get(f"{TOTALS}/7", json={"netAmountInBaseCurrency": 0.00, "invoiceCount": 0})
    assert one.sales_totals(YEAR) == {}
