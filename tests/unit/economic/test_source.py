"""The Source port over e-conomic: names joined in, what a missing right costs, and the connection test."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import responses

from worker.domain.records import AccountingYear
from worker.economic.client import EconomicClient
from worker.economic.source import EconomicSource
from worker.errors import AccessDeniedError, AuthenticationError, ConfigError
from worker.transport import Http, RetryPolicy, Waits

BASE = "https://restapi.books.example"
NAMED = ("/customer-groups", "/payment-terms", "/vat-zones", "/employees")
YEAR = AccountingYear("2026", date(2026, 1, 1), date(2026, 12, 31), path_name="2026")
CUSTOMER = {
    "customerNumber": 1,
    "name": "Ærø",
    "currency": "DKK",
    "customerGroup": {"customerGroupNumber": 2},
    "salesPerson": {"employeeNumber": 9},
}


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as made:
        yield made


@pytest.fixture
def client() -> Iterator[EconomicClient]:
    http = Http("e-conomic", frozenset({BASE}), {}, policy=RetryPolicy(attempts=1), waits=Waits(sleep=lambda _: None))
    made = EconomicClient(BASE, BASE, http, contacts_version="v3.1.0")
    yield made
    made.close()


@pytest.fixture
def source(client: EconomicClient) -> EconomicSource:
    return EconomicSource(client)


def collection(*rows: Any) -> dict[str, Any]:
    return {"collection": list(rows), "pagination": {"results": len(rows)}}


def say_who(mock: responses.RequestsMock, *roles: str, number: int = 42) -> None:
    application = {"requiredRoles": [{"name": role} for role in roles]} if roles else {}
    body = {"agreementNumber": number, "company": {"name": "Prøvefirma A/S"}, "settings": {"baseCurrency": "DKK"}}
    mock.get(f"{BASE}/self", json={**body, "application": application})


def paths(mock: responses.RequestsMock) -> list[str]:
    return [str(call.request.url).removeprefix(BASE).split("?")[0] for call in mock.calls]


def test_names_are_joined_from_their_own_collections(source: EconomicSource, mock: responses.RequestsMock) -> None:
    """Groups and sales people get their names; each collection is read once for a run, and only when needed."""
    mock.get(f"{BASE}/customers", json=collection(CUSTOMER))
    mock.get(f"{BASE}/customer-groups", json=collection({"customerGroupNumber": 2, "name": "Udland"}))
    mock.get(f"{BASE}/employees", json=collection({"employeeNumber": 9, "name": "Mette"}, {"employeeNumber": 10}))
    for path in ("/payment-terms", "/vat-zones"):
        mock.get(f"{BASE}{path}", json=collection())
    (first,) = source.customers()
    (again,) = source.customers()
    assert (first.group_number, first.group_name, first.salesperson_name) == (2, "Udland", "Mette")
    assert again == first
    assert sorted(paths(mock)) == sorted([*NAMED, "/customers", "/customers"])


@pytest.mark.parametrize("status", [403, 404])
def test_without_the_right_to_read_names_the_numbers_do(
    source: EconomicSource, mock: responses.RequestsMock, status: int
) -> None:
    """A role that may not read employees costs the name, not the run."""
    for path in NAMED:
        mock.get(f"{BASE}{path}", status=status, json={})
    mock.get(f"{BASE}/customers", json=collection(CUSTOMER))
    (customer,) = source.customers()
    assert (customer.group_number, customer.group_name) == (2, None)
    assert (customer.salesperson_number, customer.salesperson_name) == (9, None)


def test_refused_tokens_are_not_taken_for_missing_names(source: EconomicSource, mock: responses.RequestsMock) -> None:
    """A grant that is withdrawn while names are read ends the run."""
    mock.get(f"{BASE}/customer-groups", status=401, json={})
    with pytest.raises(AuthenticationError, match="refused the tokens"):
        list(source.customers())


def test_one_customer_or_none(source: EconomicSource, mock: responses.RequestsMock) -> None:
    """A single read finds a customer by number; a number that nobody has is None, not an error."""
    for path in NAMED:
        mock.get(f"{BASE}{path}", json=collection())
    mock.get(f"{BASE}/customers/1", json=CUSTOMER)
    mock.get(f"{BASE}/customers/2", status=404, json={})
    found = source.customer(1)
    assert found is not None
    assert found.name == "Ærø"
    assert source.customer(2) is None


def test_the_connection_test_shows_the_agreement(source: EconomicSource, mock: responses.RequestsMock) -> None:
    """With all rights there is nothing to warn of, and /self is read once for a run."""
    say_who(mock, "SuperUser")
    report = source.connection_test()
    assert (report.agreement.number, report.agreement.base_currency) == (42, "DKK")
    assert (report.missing_roles, report.warnings) == ((), ())
    assert source.agreement() is report.agreement
    assert paths(mock) == ["/self"]


@pytest.mark.parametrize(
    ("roles", "missing", "named"),
    [
        (("Sales",), ("Bookkeeping",), "accounting years"),
        (("Bookkeeping",), ("Sales",), "customers"),
        (("Project",), ("Sales", "Bookkeeping"), "customers"),
    ],
)
def test_roles_that_are_not_enough_are_warned_of(
    source: EconomicSource, mock: responses.RequestsMock, roles: tuple[str, ...], missing: tuple[str, ...], named: str
) -> None:
    """The warning says what can't be read and which role would do."""
    say_who(mock, *roles)
    report = source.connection_test()
    assert report.missing_roles == missing
    assert len(report.warnings) == len(missing)
    assert named in report.warnings[0]
    assert missing[0] in report.warnings[0]


def test_two_roles_together_are_enough(source: EconomicSource, mock: responses.RequestsMock) -> None:
    """Sales and Bookkeeping cover everything that is read."""
    say_who(mock, "Sales", "Bookkeeping")
    assert source.connection_test().warnings == ()


def test_unknown_roles_are_said_to_be_unknown(source: EconomicSource, mock: responses.RequestsMock) -> None:
    """An answer without roles is no proof of a missing right."""
    say_who(mock)
    report = source.connection_test()
    assert report.missing_roles == ()
    assert "does not say which roles" in report.warnings[0]


def test_tokens_of_another_agreement_are_refused(client: EconomicClient, mock: responses.RequestsMock) -> None:
    """The configured agreement number guards against a mix-up of tokens."""
    say_who(mock, "SuperUser", number=43)
    with pytest.raises(ConfigError, match="is 42, but the tokens belong to agreement 43"):
        EconomicSource(client, expected_agreement=42).agreement()


def test_accounting_years_without_the_right_name_the_way_out(
    source: EconomicSource, mock: responses.RequestsMock
) -> None:
    """The role to ask for, or the setting that replaces the accounting years."""
    mock.get(f"{BASE}/accounting-years", status=403, json={})
    with pytest.raises(AccessDeniedError, match="accounting years") as caught:
        source.accounting_years()
    assert "SYNC_FINANCIAL_YEAR_START" in caught.value.hint


def test_invoices_are_asked_for_by_number_with_the_date_as_a_filter(
    source: EconomicSource, mock: responses.RequestsMock
) -> None:
    """Dates can be set back, so the date is never the order."""
    mock.get(f"{BASE}/invoices/booked", json=collection())
    assert list(source.invoices(date(2026, 1, 1))) == []
    sent = mock.calls[0].request.params  # type: ignore[attr-defined]
    assert (sent["sort"], sent["filter"]) == ("bookedInvoiceNumber", "date$gte:2026-01-01")


def test_a_settled_invoice_in_the_unpaid_list_does_not_count(
    source: EconomicSource, mock: responses.RequestsMock
) -> None:
    """Settlement is remainder 0 in the invoice's currency; cents left over in base currency are no debt."""
    row = {"date": "2026-02-01", "currency": "EUR", "customer": {"customerNumber": 1}}
    settled = {**row, "bookedInvoiceNumber": 4, "remainder": 0.0, "remainderInBaseCurrency": 0.01}
    open_one = {**row, "bookedInvoiceNumber": 5, "remainder": -4.0, "remainderInBaseCurrency": -29.84}
    mock.get(f"{BASE}/invoices/unpaid", json=collection(settled, open_one))
    assert [invoice.number for invoice in source.open_invoices()] == [5]


def test_totals_leave_out_customers_without_sales(source: EconomicSource, mock: responses.RequestsMock) -> None:
    """Whether e-conomic lists empty groups is unconfirmed; here they never appear."""
    groups = [
        {"netAmountInBaseCurrency": 0.00, "customer": {"customerNumber": 1}},
        {"netAmountInBaseCurrency": -12.5, "customer": {"customerNumber": 2}},
    ]
    mock.get(f"{BASE}/invoices/totals/booked/accounting-years/2026/customers", json={"customers": groups})
    assert source.sales_totals(YEAR) == {2: Decimal("-12.5")}


@pytest.mark.parametrize(("overdue", "path"), [(False, "unpaid"), (True, "unpaid/overdue")])
def test_open_totals_are_e_conomics_own(
    source: EconomicSource, mock: responses.RequestsMock, overdue: bool, path: str
) -> None:
    """The open amount, not net sales; customers with nothing open are absent."""
    groups = [
        {"netAmountInBaseCurrency": 8.0, "grossRemainderInBaseCurrency": 0.0, "customer": {"customerNumber": 1}},
        {"netAmountInBaseCurrency": 8.0, "grossRemainderInBaseCurrency": 10.0, "customer": {"customerNumber": 2}},
        {"netAmountInBaseCurrency": 8.0, "customer": {"customerNumber": 3}},
    ]
    mock.get(f"{BASE}/invoices/totals/booked/{path}/customers", json={"customers": groups})
    assert source.open_totals(overdue=overdue) == {2: 10}
