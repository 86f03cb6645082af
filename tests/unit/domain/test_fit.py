"""Fitting values to columns and the normal form both sides are compared in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.encode import decode_value, encode_value
from worker.domain.fit import fit, normal, text_length
from worker.domain.values import Column, ColumnKind
from worker.errors import RowError


def column(kind: ColumnKind, **more: object) -> Column:
    return Column(name="C", internal="C", display="The column", kind=kind, **more)  # type: ignore[arg-type]


TEXT, NOTE = column(ColumnKind.TEXT), column(ColumnKind.NOTE)
MONEY, DAY = column(ColumnKind.CURRENCY), column(ColumnKind.DATE)
CHOICE = column(ColumnKind.CHOICE, choices=("Active", "Barred"))

decimals = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12)
moments = st.datetimes(timezones=st.just(UTC))
values = st.one_of(st.none(), st.booleans(), st.integers(), decimals, st.dates(), moments, st.text())


@given(values)
def test_encoding_gives_the_value_back(value):
    """Every value survives a plan file and the packed index."""
    assert decode_value(encode_value(value)) == value


@given(st.text())
def test_normal_form_of_text_is_stable(text):
    """Bringing a text to normal form twice is the same as once, for one-line and note columns."""
    for col in (TEXT, NOTE):
        once = normal(text, col)
        assert normal(once, col) == once


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=256))
def test_a_long_text_is_refused_or_shortened_but_never_cut_silently(text):
    """Too long is a row error that names length and limit; `shorten` makes it fit."""
    fitted = normal(text, TEXT)
    if fitted is None or text_length(fitted) <= 255:
        return
    with pytest.raises(RowError) as caught:
        fit(text, TEXT)
    assert caught.value.code == "too-long"
    assert caught.value.facts["limit"] == 255
    assert text_length(fit(text, TEXT, shorten=True)) <= 255


def test_length_is_counted_as_sharepoint_counts():
    """An emoji takes two of the 255 places."""
    assert text_length("a😀") == 3
    with pytest.raises(RowError):
        fit("😀" * 128, TEXT)
    assert fit("😀" * 127, TEXT) == "😀" * 127


@pytest.mark.parametrize(
    ("value", "col", "expected"),
    [
        ("  Jensen \r\n& Søn ", TEXT, "Jensen & Søn"),
        ("Vej 1\r8000 Aarhus\r\n", NOTE, "Vej 1\n8000 Aarhus"),
        ("a\x00b\x1fc", TEXT, "abc"),
        ("   ", TEXT, None),
        (Decimal("12.345"), MONEY, Decimal("12.35")),
        (7, MONEY, Decimal("7.00")),
        ("12.5", MONEY, Decimal("12.50")),
        (10023, TEXT, "10023"),
        (Decimal("1E+2"), TEXT, "100"),
        (True, TEXT, "Yes"),
        (date(2026, 2, 28), TEXT, "2026-02-28"),
        ("2026-02-28", DAY, date(2026, 2, 28)),
        ("active", CHOICE, "Active"),
        ("ja", column(ColumnKind.BOOLEAN), True),
        (None, MONEY, None),
    ],
)
def test_values_are_fitted_to_the_column(value, col, expected):
    """Each kind of column takes what it can hold, in its normal form."""
    assert fit(value, col) == expected


@pytest.mark.parametrize(
    ("value", "col", "code"),
    [
        ("many", MONEY, "wrong-type"),
        (Decimal("NaN"), MONEY, "wrong-type"),
        (True, MONEY, "wrong-type"),
        ("2026-02-30", DAY, "wrong-type"),
        (datetime(2026, 1, 1, tzinfo=UTC), DAY, "wrong-type"),
        (datetime(2026, 1, 1), column(ColumnKind.DATETIME), "wrong-type"),  # noqa: DTZ001
        ("Closed", CHOICE, "not-a-choice"),
        ("maybe", column(ColumnKind.BOOLEAN), "wrong-type"),
        ("12", column(ColumnKind.LOOKUP), "wrong-type"),
    ],
)
def test_what_a_column_cannot_hold_is_a_row_error(value, col, code):
    """The error names the column as people see it."""
    with pytest.raises(RowError) as caught:
        fit(value, col)
    assert caught.value.code == code
    assert caught.value.facts["column"] == "The column"
