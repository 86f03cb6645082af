"""Converters: what each makes of clean and dirty values, and what all have in common."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from babel import Locale
from hypothesis import assume, given
from hypothesis import strategies as st

from worker.domain.converters import CONVERTERS
from worker.domain.field_types import FieldType
from worker.domain.values import Value
from worker.errors import RowError

OF_TEXT = sorted(name for name, one in CONVERTERS.items() if name not in {"date", "yes_no"})
texts = st.one_of(
    st.text(max_size=40),
    st.text("0123456789 +-()/.,;@<>DKdk\r\n\t", max_size=30),
    st.sampled_from(["Danmark", "USA", "DK 12 34 56 78", "88 20 48 40", "a@b.dk; c@d.dk", "Vej 1\r\n2. sal"]),
)


def run(name: str, value: Value) -> Value:
    return CONVERTERS[name].run(value)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("trim", "  Jensen \t  ApS ", "Jensen ApS"),
        ("trim", "Vej 1 \r\n  2.  sal\r", "Vej 1\n2. sal"),
        ("single_line", "Vej 1\r2. sal", "Vej 1 2. sal"),
        ("cvr_digits", "DK12345678", "12345678"),
        ("cvr_digits", "dk-12 34 56 78", "12345678"),
        ("cvr_digits", " 12.34.56.78 ", "12345678"),
        ("cvr_digits", "SE556677889901", "SE556677889901"),
        ("cvr_digits", "123456789", "123456789"),
        ("cvr_digits", " CVR  følger ", "CVR følger"),
        ("phone", "88204840", "+45 88 20 48 40"),
        ("phone", "(+45) 88 20 48 40", "+45 88 20 48 40"),
        ("phone", "0046 406066440", "+46 40 606 64 40"),
        ("phone", "+46 (0)40 606 64 40", "+46 40 606 64 40"),
        ("phone", "123", "123"),
        ("phone", " 88204840 /  20304050", "88204840 / 20304050"),
        ("phone", "Kontor 88204840", "Kontor 88204840"),
        ("phone", "88204840 lokal 5", "88204840 lokal 5"),
        ("country_code", "Danmark", "DK"),
        ("country_code", " denmark ", "DK"),
        ("country_code", "dk", "DK"),
        ("country_code", "DNK", "DK"),
        ("country_code", "Schweden", "SE"),
        ("country_code", "Tyskland", "DE"),
        ("country_code", "Storbritannien", "GB"),
        ("country_code", "UK", "GB"),
        ("country_code", "Færøerne", "FO"),
        ("country_code", "Czech Republic", "CZ"),
        ("country_code", " Fyn  og øerne", "Fyn og øerne"),
        ("country_code", "ZZ", "ZZ"),
        ("country_name", "de", "Tyskland"),
        ("country_name", "Sverige", "Sverige"),
        ("country_name", "Sweden", "Sverige"),
        ("country_name", "asdasd", "asdasd"),
        ("country_name_en", "Danmark", "Denmark"),
        ("first_email", "a@b.dk c@d.dk", "a@b.dk"),
        ("first_email", " ;a@b.dk;c@d.dk", "a@b.dk"),
        ("first_email", "Anna <a@b.dk>, Bo <b@b.dk>", "a@b.dk"),
        ("first_email", "mailto:a@b.dk", "a@b.dk"),
        ("first_email", " ring  først ", "ring først"),
        ("first_email", "@", "@"),
        ("upper", "Ærø a/s", "ÆRØ A/S"),
        ("lower", "ÆRØ", "ærø"),
        ("digits", "EAN 579-000 12", "57900012"),
        ("digits", "ingen", None),
        ("join_lines", "Vej 1\r\n 2. sal\r\r\n8000 Aarhus", "Vej 1, 2. sal, 8000 Aarhus"),
        ("join_lines", "Vej 1,\n2. sal", "Vej 1, 2. sal"),
        ("date", date(2026, 2, 3), date(2026, 2, 3)),
        ("date", datetime(2026, 2, 3, 23, 59, tzinfo=UTC), date(2026, 2, 3)),
        ("date", " 2026-02-03 ", date(2026, 2, 3)),
        ("date", "2026-02-03T10:20:30Z", date(2026, 2, 3)),
        ("date", " ", None),
        ("yes_no", True, "Yes"),
        ("yes_no", False, "No"),
        ("yes_no", " ja ", "Yes"),
        ("yes_no", "", None),
        ("text", 12, "12"),
        ("text", Decimal("1E+3"), "1000"),
        ("text", Decimal("10.50"), "10.5"),
        ("text", "already", "already"),
    ],
)
def test_examples(name, value, expected):
    """What people type into free fields, and the form it takes."""
    assert run(name, value) == expected


@pytest.mark.parametrize("name", CONVERTERS)
def test_blank_stays_blank(name):
    """A missing value is never converted to something."""
    assert run(name, None) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trim", 5),
        ("phone", Decimal(5)),
        ("country_code", True),
        ("date", "next week"),
        ("date", "2026-02-03 or later"),
        ("date", "2026-02-30"),
        ("date", 20260203),
        ("date", True),
        ("yes_no", "maybe"),
        ("yes_no", 1),
        ("text", True),
        ("text", date(2026, 1, 1)),
    ],
)
def test_what_cannot_be_converted_is_a_row_error(name, value):
    """The row is left out and says which converter; the value itself is not repeated."""
    with pytest.raises(RowError) as caught:
        run(name, value)
    assert caught.value.code == "not-convertible"
    assert caught.value.facts["converter"] == name
    assert str(value) not in str(caught.value.facts.values())


@pytest.mark.parametrize("name", OF_TEXT)
@given(text=texts)
def test_converting_twice_changes_nothing_more(name, text):
    """Otherwise a second run would find differences."""
    once = run(name, text)
    assert run(name, once) == once


@given(st.dates(), st.booleans())
def test_dates_and_answers_convert_once(day, answer):
    """The text of a date is the same date; Yes stays Yes."""
    assert run("date", day.isoformat()) == run("date", day) == day
    assert run("yes_no", run("yes_no", answer)) == run("yes_no", answer)


@pytest.mark.parametrize("name", ["trim", "single_line", "phone", "lower", "join_lines", "text"])
@given(text=texts)
def test_no_letter_is_lost(name, text):
    """A converter changes the form of a text; cutting is the profile's business."""
    assume(text == text.lower())
    kept = [sign for sign in text if sign.isalpha()]
    assert [sign for sign in str(run(name, text) or "") if sign.isalpha()] == kept


@given(st.from_regex(r"[2-9][0-9]{7}", fullmatch=True))
def test_a_phone_number_keeps_its_digits(number):
    """With the country code before it when it is a number at all."""
    shown = run("phone", number)
    assert isinstance(shown, str)
    assert shown.replace(" ", "") in {number, f"+45{number}"}


@pytest.mark.parametrize("language", ["da", "en", "sv", "de", "nb"])
def test_every_country_is_found_by_name_and_back(language):
    """Name to code and code to Danish name, for each country in each of the languages."""
    danish = Locale.parse("da").territories
    for code, name in Locale.parse(language).territories.items():
        if run("country_code", code) != code or len(code) != 2 or run("country_name", code) == code:
            continue  # regions and codes that are no country
        assert run("country_code", name) == code
        assert run("country_name", name) == danish[code]


def test_regions_are_no_countries():
    """ISO 3166 does not know the European Union or an unknown region."""
    assert run("country_name", "EU") == "EU"
    assert run("country_name", "Ukendt område") == "Ukendt område"


@pytest.mark.parametrize("name", CONVERTERS)
def test_each_converter_says_what_it_does(name):
    """The profile reference is made from these sentences."""
    converter = CONVERTERS[name]
    assert converter.name == name
    assert converter.meaning.endswith(".")
    assert converter.accepts <= frozenset(FieldType)
    assert converter.accepts
