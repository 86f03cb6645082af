"""The field catalogue: names, aliases, and what each field reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from worker.domain.fields import (
    CATALOGUE,
    SOURCE_ALIASES,
    FieldType,
    Need,
    default_key,
    resolve_field,
    suggest_fields,
)
from worker.domain.profile import PeriodType, SourceKind
from worker.domain.records import Customer, CustomerContact, Invoice
from worker.domain.rows import ContactRow, CustomerRow, InvoiceRow, RunFacts, SalesRow
from worker.domain.statistics import CustomerFigures, SalesPeriod

TODAY = date(2026, 11, 25)
RUN = RunFacts("run-7", datetime(2026, 11, 25, 1, tzinfo=UTC), TODAY)
CUSTOMER = Customer(
    101,
    "Jensen & Søn ApS",
    "DKK",
    Decimal("93.25"),
    Decimal("12.50"),
    last_updated=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
    zip="8000",
    cvr="DK12345678",
    group_number=1,
    group_name="Danske",
    payment_terms_number=3,
    payment_terms_name="Netto 14 dage",
    salesperson_number=9,
)
FIGURES = CustomerFigures(sales_this_year=Decimal("10.00"), trend="Growing", last_invoice_date=date(2026, 10, 1))
CONTACT = CustomerContact(77, 101, "Anna Maria Holm", notes="n")
INVOICE = Invoice(
    5001,
    101,
    date(2026, 10, 1),
    "EUR",
    Decimal(100),
    Decimal(25),
    Decimal(125),
    Decimal("746.00"),
    Decimal(125),
    Decimal("932.50"),
    due_date=date(2026, 11, 20),
)
PERIOD = SalesPeriod(
    101, PeriodType.QUARTER, date(2026, 10, 1), date(2026, 12, 31), Decimal("9.00"), Decimal("0.00"), 2,
    Decimal("4.50"), None,
)  # fmt: skip
ROWS = {
    SourceKind.CUSTOMER: CustomerRow(CUSTOMER, FIGURES, 1118081, RUN),
    SourceKind.CONTACT: ContactRow(CONTACT, 1118081, RUN),
    SourceKind.INVOICE: InvoiceRow(INVOICE, 1118081, RUN),
    SourceKind.SALES: SalesRow(PERIOD, 1118081, RUN),
}
TYPES = {
    FieldType.TEXT: str,
    FieldType.CHOICE: str,
    FieldType.WHOLE: int,
    FieldType.MONEY: Decimal,
    FieldType.NUMBER: Decimal,
    FieldType.DATE: date,
    FieldType.TIMESTAMP: datetime,
    FieldType.BOOL: bool,
}
EVERY = [(source, name) for source, fields in CATALOGUE.items() for name in fields]


def read(source: SourceKind, name: str, row: object = None) -> object:
    field = resolve_field(source, name)
    assert field is not None
    return field.read(row or ROWS[source])


def status(**changes: object) -> object:
    invoice = replace(INVOICE, **changes)  # type: ignore[arg-type]
    return read(SourceKind.INVOICE, "Status", InvoiceRow(invoice, 1, RUN))


@pytest.mark.parametrize(("source", "name"), EVERY)
def test_each_field_reads_its_type(source, name):
    """A value of the declared type, or nothing; a choice is one of its words."""
    field = CATALOGUE[source][name]
    value = field.read(ROWS[source])
    if value is None:
        return
    assert isinstance(value, TYPES[field.type])
    assert isinstance(value, bool) == (field.type is FieldType.BOOL)
    assert isinstance(value, datetime) == (field.type is FieldType.TIMESTAMP)
    assert not field.choices or value in field.choices


@pytest.mark.parametrize(("source", "name"), EVERY)
def test_each_field_says_what_it_is(source, name):
    """A field has a meaning, and comes from the REST API, a computation or the run."""
    field = CATALOGUE[source][name]
    assert field.name == name
    assert field.meaning
    assert not set(field.meaning) & set("|<>")  # it stands in a table of the README
    assert [bool(field.rest_path), field.computed, name in {"RunStarted", "RunID"}].count(True) == 1
    assert (field.type is FieldType.CHOICE) == bool(field.choices)


@pytest.mark.parametrize("source", SourceKind)
def test_no_two_fields_of_a_source_share_a_name(source):
    """Each spelling leads to the field that carries it."""
    for field in CATALOGUE[source].values():
        for name in (field.name, field.rest_path, *field.aliases):
            assert not name or resolve_field(source, name) is field


@pytest.mark.parametrize("source", SourceKind)
def test_the_default_key_is_a_field_that_every_row_has(source):
    """It identifies a row by itself."""
    assert resolve_field(source, default_key(source)) is CATALOGUE[source][default_key(source)]
    assert read(source, default_key(source)) is not None


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("Number", "Number"),
        ("customerNumber", "Number"),
        ("Customer number", "Number"),
        ("customerGroup.customerGroupNumber", "GroupNumber"),
        ("Customer group number", "GroupNumber"),
        ("DebtorGroup", "GroupNumber"),
        ("PostalCode", "PostalCode"),
        ("zip", "PostalCode"),
        ("Zip", "PostalCode"),
        ("CINumber", "CINumber"),
        ("CI Number", "CINumber"),
        ("cvr", "CINumber"),
        ("corporateIdentificationNumber", "CINumber"),
        ("CreditMaximum", "CreditLimit"),
        ("TelephoneAndFaxNumber", "Phone"),
        ("TermOfPayment", "PaymentTerms"),
        ("OurReference", "SalesPerson"),
        ("IsAccessible", "IsAccessible"),
        ("dueAmount", "OverdueAmount"),
        ("  sales this  year ", "SalesThisYear"),
        ("FiguresAsOf", "RunStarted"),
    ],
)
def test_old_and_new_spellings_lead_to_the_same_field(name, canonical):
    """Old Debtor names, REST names and what people type; case, blanks and dots do not matter."""
    field = resolve_field(SourceKind.CUSTOMER, name)
    assert field is not None
    assert field.name == canonical


@pytest.mark.parametrize(
    "name",
    [
        "Number", "DebtorGroup", "Name", "VatZone", "Currency", "IsAccessible", "Ean", "PublicEntryNumber", "Email",
        "TelephoneAndFaxNumber", "Website", "Address", "PostalCode", "City", "Country", "CreditMaximum", "VatNumber",
        "PNumber", "CINumber", "TermOfPayment", "OurReference", "Balance",
    ],
)  # fmt: skip
def test_the_old_debtor_names_are_known(name):
    """All properties of the old interface that e-conomic's customer list still carries a value for."""
    assert resolve_field(SourceKind.CUSTOMER, name) is not None


@pytest.mark.parametrize("name", ["", " ", "Shoe size", "Custome"])
def test_an_unknown_name_is_none(name):
    """Nothing is guessed."""
    assert resolve_field(SourceKind.CUSTOMER, name) is None


def test_near_misses_are_suggested():
    """For the sentence 'did you mean'."""
    assert suggest_fields(SourceKind.CUSTOMER, "Ballance")[0] == "Balance"
    assert "PostalCode" in suggest_fields(SourceKind.CUSTOMER, "PostCode")
    assert suggest_fields(SourceKind.CUSTOMER, "xyzzy") == []
    assert len(suggest_fields(SourceKind.CUSTOMER, "Overdue1")) <= 3


def test_sources_are_known_by_old_and_new_words():
    """Debtor and Customer are one; keys are lower case."""
    assert SOURCE_ALIASES["debtor"] is SOURCE_ALIASES["customer"] is SourceKind.CUSTOMER
    assert SOURCE_ALIASES["debtorcontact"] is SOURCE_ALIASES["customer contact"] is SourceKind.CONTACT
    assert SOURCE_ALIASES["booked invoice"] is SOURCE_ALIASES["invoice"] is SourceKind.INVOICE
    assert SOURCE_ALIASES["sales statistics"] is SOURCE_ALIASES["sales"] is SourceKind.SALES
    assert all(name == name.casefold() for name in SOURCE_ALIASES)


@pytest.mark.parametrize(
    ("source", "name", "expected"),
    [
        (SourceKind.CUSTOMER, "Group", "1 Danske"),
        (SourceKind.CUSTOMER, "PaymentTerms", "Netto 14 dage"),
        (SourceKind.CUSTOMER, "SalesPerson", "9"),
        (SourceKind.CUSTOMER, "ERPStatus", "Active"),
        (SourceKind.CUSTOMER, "IsAccessible", True),
        (SourceKind.CUSTOMER, "ImportID", "economic:1118081:101"),
        (SourceKind.CUSTOMER, "SalesTrend", "Growing"),
        (SourceKind.CUSTOMER, "OverdueAmount", Decimal("12.50")),
        (SourceKind.CONTACT, "ImportID", "101-77"),
        (SourceKind.CONTACT, "FirstName", "Anna Maria"),
        (SourceKind.CONTACT, "LastName", "Holm"),
        (SourceKind.CONTACT, "Comments", "n"),
        (SourceKind.INVOICE, "Title", "Invoice 5001"),
        (SourceKind.INVOICE, "Status", "Overdue"),
        (SourceKind.INVOICE, "DaysOverdue", 5),
        (SourceKind.INVOICE, "PaidSeenOn", None),
        (SourceKind.SALES, "StatKey", "101|Quarter|2026-10-01"),
        (SourceKind.SALES, "Title", "Quarter from 2026-10-01"),
        (SourceKind.SALES, "RunID", "run-7"),
    ],
)
def test_computed_values(source, name, expected):
    """Examples of what the computed fields read."""
    assert read(source, name) == expected


def test_customers_without_figures_read_as_zero():
    """A profile that needs no invoices never makes figures."""
    row = CustomerRow(CUSTOMER, None, 1, RUN)
    assert read(SourceKind.CUSTOMER, "SalesThisYear", row) == 0
    assert read(SourceKind.CUSTOMER, "LastInvoiceDate", row) is None


def test_a_barred_customer_has_its_own_status():
    """Barred customers stay in the CRM and are marked."""
    row = CustomerRow(replace(CUSTOMER, barred=True, group_name=None, payment_terms_name=None), None, 1, RUN)
    assert read(SourceKind.CUSTOMER, "ERPStatus", row) == "Barred"
    assert read(SourceKind.CUSTOMER, "IsAccessible", row) is False
    assert read(SourceKind.CUSTOMER, "Group", row) == "1"
    assert read(SourceKind.CUSTOMER, "PaymentTerms", row) == "3"


@pytest.mark.parametrize(("name", "first", "last"), [("Madonna", "Madonna", None), ("", None, None)])
def test_a_name_of_one_word_has_no_last_name(name, first, last):
    """The split is rough; one word counts as a first name."""
    row = ContactRow(replace(CONTACT, name=name), 1, RUN)
    assert read(SourceKind.CONTACT, "FirstName", row) == first
    assert read(SourceKind.CONTACT, "LastName", row) == last


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "Overdue"),
        ({"due_date": TODAY}, "Not due"),
        ({"due_date": None}, "Not due"),
        ({"remainder": Decimal(0)}, "Paid"),
        # A settled foreign invoice may leave a cent in base currency.
        ({"remainder": Decimal("0.00"), "remainder_base": Decimal("0.01")}, "Paid"),
        ({"gross": Decimal(-125), "remainder": Decimal(-125)}, "Credit note"),
        ({"gross": Decimal(-125), "remainder": Decimal(0)}, "Credit note"),
    ],
)
def test_the_status_of_an_invoice(changes, expected):
    """Settled in its own currency is paid; a credit note stays one, settled or not."""
    assert status(**changes) == expected


def test_a_settled_invoice_is_not_late_and_shows_the_day_it_was_seen_paid():
    """PaidSeenOn is meant for Fill if blank: the first run that sees it paid sets it."""
    row = InvoiceRow(replace(INVOICE, remainder=Decimal(0)), 1, RUN)
    assert read(SourceKind.INVOICE, "DaysOverdue", row) == 0
    assert read(SourceKind.INVOICE, "PaidSeenOn", row) == TODAY


def test_a_credit_note_is_called_one():
    """It has a number in the same series, and is never late."""
    note = replace(INVOICE, gross=Decimal(-1), remainder=Decimal(-1))
    row = InvoiceRow(note, 1, RUN)
    assert read(SourceKind.INVOICE, "Title", row) == "Credit note 5001"
    assert read(SourceKind.INVOICE, "DaysOverdue", row) == 0


def test_the_sums_that_are_proved_after_a_run():
    """Money that must agree with e-conomic to the cent."""
    controls = {source.value: [f.name for f in fields.values() if f.control] for source, fields in CATALOGUE.items()}
    assert controls == {
        "Customer": ["Balance", "OverdueAmount", "SalesThisYear"],
        "Customer Contact": [],
        "Booked invoice": ["NetAmountInBaseCurrency", "RemainderInBaseCurrency"],
        "Sales": ["NetSales"],
    }


def test_every_source_has_the_stamps():
    """They move with every run, so they are written only beside another change."""
    for fields in CATALOGUE.values():
        assert fields["RunStarted"].stamp
        assert fields["RunID"].stamp
    assert CATALOGUE[SourceKind.CUSTOMER]["LastUpdated"].stamp


def test_computed_customer_fields_say_which_invoices_they_need():
    """Ageing rests on open invoices, the first and last date on all of them, the rest on two years."""
    needs = Counter(need for field in CATALOGUE[SourceKind.CUSTOMER].values() for need in field.needs)
    assert needs == {Need.OPEN_INVOICES: 6, Need.SALES_YEARS: 6, Need.SALES_ALL: 3}
