"""Two spellings of one value are one value; another value is another."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from worker.domain.converters import CONVERTERS
from worker.domain.values import Column, ColumnKind
from worker.sync.reconcile_forms import FORMS, PLAIN, form_for, shortened

TEXT = Column("A", "A", "A", ColumnKind.TEXT, max_length=20)


def alike(form, economic, crm) -> bool:
    return form.economic(economic) == form.crm(crm)


@pytest.mark.parametrize(
    ("converter", "economic", "crm"),
    [
        ("phone", "12 34 56 78", "+45 12 34 56 78"),
        ("phone", "(+45) 12345678", "+45 12 34 56 78"),
        ("phone", "0046 (0)8-123 456 00", "+46 8 123 456 00"),
        ("phone", "+46 08 123 456 00", "+46 8 123 456 00"),
        ("phone", "ring til Anna", "ring til  Anna"),
        ("cvr_digits", "DK 12.34.56.78", "12345678"),
        ("cvr_digits", "SE 556677-8899", "SE 556677-8899"),
        ("first_email", "Anna@Firma.dk; bo@firma.dk", "anna@firma.dk"),
        ("first_email", "<anna@firma.dk>", "anna@firma.dk"),
        ("first_email", "no address", "no address"),
        ("upper", "København", "KØBENHAVN"),
        ("lower", "ABC", "abc"),
        ("digits", "57 98-001", "5798001"),
        ("join_lines", "Vej 1\r\nSal 2", "Vej 1, Sal 2"),
        ("date", datetime(2026, 3, 1, 9, tzinfo=UTC), date(2026, 3, 1)),
        ("yes_no", True, "Yes"),
        ("yes_no", "nej", "No"),
        ("text", Decimal("10.50"), "10.5"),
        ("trim", " a \t b\n", "a b"),
    ],
)
def test_the_same(converter, economic, crm):
    assert alike(FORMS[converter], economic, crm)


@pytest.mark.parametrize(
    ("converter", "economic", "crm"),
    [
        ("phone", "12 34 56 78", "+45 12 34 56 79"),
        ("phone", "12 34 56 78", "+46 12 34 56 78"),
        ("phone", "12 34 56 78", None),
        ("cvr_digits", "12345678", "12345679"),
        ("first_email", "anna@firma.dk; bo@firma.dk", "anna@firma.dk; bo@firma.dk"),
        ("first_email", "anna@firma.dk", "bo@firma.dk"),
        ("upper", "abc", "abc"),
        ("digits", "57 98", "57 98"),
        ("date", date(2026, 3, 1), date(2026, 3, 2)),
        ("yes_no", True, "No"),
    ],
)
def test_not_the_same(converter, economic, crm):
    assert not alike(FORMS[converter], economic, crm)


def test_no_converter_is_compared_that_is_not_there():
    """Those of country names have tables of thousands; a second one would be a copy, not a count of its own."""
    assert set(CONVERTERS) - set(FORMS) == {"country_code", "country_name", "country_name_en"}
    assert set(FORMS) <= set(CONVERTERS)


@pytest.mark.parametrize(
    ("kind", "decimals", "economic", "crm", "same"),
    [
        (ColumnKind.CURRENCY, 2, Decimal("1.005"), Decimal("1.01"), True),
        (ColumnKind.CURRENCY, None, Decimal("1.005"), Decimal("1.01"), True),
        (ColumnKind.NUMBER, 1, Decimal("12.34"), Decimal("12.3"), True),
        (ColumnKind.NUMBER, 0, 7, Decimal(7), True),
        (ColumnKind.NUMBER, 0, 7, Decimal(8), False),
        (ColumnKind.NUMBER, 2, Decimal(0), None, True),
        (ColumnKind.CHOICE, None, "active", "Active", True),
        (ColumnKind.BOOLEAN, None, "ja", True, True),
        (ColumnKind.BOOLEAN, None, False, True, False),
        (ColumnKind.DATE, None, "2026-03-01", date(2026, 3, 1), True),
        (ColumnKind.TEXT, None, 42, "42", True),
        (ColumnKind.TEXT, None, 0, "0", True),
        (ColumnKind.NOTE, None, "a\x00b\r\nc", "ab\nc", True),
        (ColumnKind.TEXT, None, "Anna", "anna", False),
    ],
)
def test_a_plain_value_is_compared_as_its_column_stores_it(kind, decimals, economic, crm, same):
    form = form_for(PLAIN, Column("A", "A", "A", kind, decimals=decimals))
    assert alike(form, economic, crm) is same


def test_a_shortened_text_is_the_beginning_of_a_longer_one():
    text = "a reference that is too long"
    assert shortened(text, text[:20], TEXT)
    assert not shortened(text, "a ref", TEXT), "more of it would have fitted"
    assert not shortened("short", "sho", TEXT)
    assert not shortened(text, "another reference", TEXT)
