"""JSON of e-conomic becomes records: hand-made answers with their expected records, and what nobody can decode."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.economic import decode
from worker.errors import ProtocolError

DATA = Path(__file__).parents[2] / "data" / "economic"
NAMES = decode.CustomerNames({2: "Udland"}, {14: "Netto 14 dage"}, {1: "Domestic"}, {9: "Mette"})
DECODERS: Mapping[str, Callable[[Any], Any]] = {
    "agreement": decode.agreement,
    "accounting_year": decode.accounting_year,
    "customer": lambda data: decode.customer(data, NAMES),
    "contact": decode.contact,
    "invoice": decode.invoice,
}


def examples(kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DATA / f"{kind}.json").read_text("utf-8"), parse_float=Decimal)
    return found


def shown(record: Any) -> dict[str, str]:
    """What a record holds, as text; money without the zeros that differ from answer to answer."""
    return {name: str(value) for name, value in asdict(record).items() if value is not None}


def same_scale(texts: Mapping[str, str]) -> dict[str, object]:
    return {name: _number(text) for name, text in texts.items()}


def _number(text: str) -> object:
    try:
        return Decimal(text)
    except ArithmeticError:
        return text


@pytest.mark.parametrize(
    ("kind", "example"),
    [pytest.param(kind, each, id=f"{kind}: {each['why']}") for kind in DECODERS for each in examples(kind)],
)
def test_an_answer_becomes_the_record_beside_it(kind: str, example: dict[str, Any]) -> None:
    """Each hand-made answer gives exactly the fields written beside it, all others empty."""
    assert same_scale(shown(DECODERS[kind](example["given"]))) == same_scale(example["expected"])


OPTIONAL = {
    "customer": [
        "address",
        "zip",
        "city",
        "country",
        "email",
        "telephoneAndFaxNumber",
        "mobilePhone",
        "website",
        "corporateIdentificationNumber",
        "pNumber",
        "ean",
        "vatNumber",
        "publicEntryNumber",
        "creditLimit",
        "salesPerson",
        "lastUpdated",
        "barred",
        "balance",
        "dueAmount",
    ],
    "contact": ["email", "phone", "notes", "eInvoiceId", "lastUpdated", "userInterfaceNumber", "isDeleted"],
    "invoice": [
        "dueDate",
        "grossAmountInBaseCurrency",
        "exchangeRate",
        "references",
        "recipient",
        "netAmountInBaseCurrency",
        "remainderInBaseCurrency",
    ],
    "agreement": ["company", "application", "userName"],
    "accounting_year": ["closed", "self"],
}


@pytest.mark.parametrize("kind", OPTIONAL)
@given(data=st.data())
def test_missing_null_and_empty_text_are_the_same(kind: str, data: st.DataObject) -> None:
    """A field that is left out, null or "" gives the same record, whichever fields these are."""
    full = data.draw(st.sampled_from(examples(kind)))["given"]
    empty = data.draw(st.sets(st.sampled_from(OPTIONAL[kind])))
    rest = {name: value for name, value in full.items() if name not in empty}
    made = DECODERS[kind]
    assert made(rest) == made({**rest, **dict.fromkeys(empty)}) == made({**rest, **dict.fromkeys(empty, "")})


@given(
    number=st.decimals(-(10**9), 10**9, places=2, allow_nan=False),
    extra=st.dictionaries(st.text(max_size=5).map("new_".__add__), st.integers() | st.none() | st.text(max_size=5)),
)
def test_scale_and_unknown_fields_do_not_matter(number: Decimal, extra: dict[str, Any]) -> None:
    """7, 7.0 and 7.00 are the same amount, and keys nobody knows change nothing."""
    base = {"customerNumber": 7, "name": "Lille", "currency": "DKK"}
    made = decode.customer({**base, "balance": number}, NAMES)
    assert made.balance == number
    assert decode.customer({**extra, **base, "balance": number * Decimal("1.000")}, NAMES) == made


INVOICE = {"bookedInvoiceNumber": 30001, "date": "2026-02-01", "currency": "DKK", "customer": {"customerNumber": 1}}


@pytest.mark.parametrize(
    ("kind", "given_", "named"),
    [
        ("agreement", {"settings": {"baseCurrency": "DKK"}}, "agreementNumber"),
        ("agreement", {"agreementNumber": 42}, "base currency"),
        ("accounting_year", {"year": "2026", "fromDate": "2026-01-01"}, "toDate of /accounting-years/2026"),
        ("customer", {"name": "Hemmelig"}, "customerNumber"),
        ("customer", {"customerNumber": "7", "name": "Hemmelig"}, "customerNumber"),
        ("customer", {"customerNumber": True, "name": "Hemmelig"}, "customerNumber"),
        ("customer", {"customerNumber": 7, "name": "Hemmelig", "balance": "much"}, "balance of /customers/7"),
        ("customer", {"customerNumber": 7, "name": "Hemmelig", "balance": "NaN"}, "balance of /customers/7"),
        ("contact", {"customerNumber": 7, "name": "Hemmelig"}, "/Contacts"),
        ("contact", {"number": 7, "name": "Hemmelig"}, "customerNumber"),
        ("invoice", {**INVOICE, "bookedInvoiceNumber": None}, "bookedInvoiceNumber"),
        ("invoice", {**INVOICE, "customer": {}}, "/invoices/30001 without a usable customerNumber"),
        ("invoice", {**INVOICE, "date": "01-02-2026"}, "date of /invoices/30001"),
        ("invoice", {**INVOICE, "date": None}, "date of /invoices/30001"),
        ("invoice", {**INVOICE, "dueDate": "soon"}, "dueDate of /invoices/30001"),
        ("invoice", {**INVOICE, "remainder": [1]}, "remainder of /invoices/30001"),
    ],
)
def test_what_cannot_be_decoded_is_named_without_personal_data(kind: str, given_: dict[str, Any], named: str) -> None:
    """The error says which field of which row, and never the row's other content."""
    with pytest.raises(ProtocolError) as caught:
        DECODERS[kind](given_)
    assert named in str(caught.value)
    assert "Hemmelig" not in str(caught.value)


def test_totals_give_customer_and_amount() -> None:
    """One group of the totals is a customer number and net sales in base currency; an empty group counts nothing."""
    group = {"netAmountInBaseCurrency": Decimal("-80.00"), "invoiceCount": 1, "customer": {"customerNumber": 1001}}
    assert decode.sales_total(group) == (1001, Decimal(-80))
    assert decode.sales_total({"customer": {"customerNumber": 1001}}) == (1001, Decimal(0))
