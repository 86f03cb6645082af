"""Values as JSON and back, exactly."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.values import ColumnKind as K
from worker.sharepoint.columns import decoder, entity_property, object_text, property_name, to_json_text

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
ZONES = [ZoneInfo(name) for name in ("Europe/Copenhagen", "Europe/London", "America/Los_Angeles", "Asia/Tokyo", "UTC")]
money = st.decimals(min_value=-(10**12), max_value=10**12, places=2)


def back(text: str, kind: K, zone: ZoneInfo = COPENHAGEN) -> object:
    """What is read when a write's JSON comes back as it was sent."""
    return decoder(kind, zone)(json.loads(text, parse_float=Decimal))


@given(money)
def test_money_is_written_as_its_own_digits_and_read_back_equal(amount):
    """No float stands between a Decimal and its JSON."""
    assert back(to_json_text(amount, K.CURRENCY, COPENHAGEN), K.CURRENCY) == amount


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("0.1") + Decimal("0.2"), "0.3"),
        (Decimal("1E+9"), "1000000000"),
        (Decimal("-12.50"), "-12.5"),
        (Decimal("-0.00"), "0"),
        (Decimal("0.01"), "0.01"),
    ],
)
def test_decimals_have_no_exponent_and_no_float_tail(value, text):
    """What is sent is plain digits."""
    assert to_json_text(value, K.NUMBER, COPENHAGEN) == text


@given(st.dates(date(1990, 1, 1), date(2060, 12, 31)), st.sampled_from(ZONES))
def test_a_date_survives_in_every_zone(day, zone):
    """Written as the site's local midnight, read in the site's zone: never a day off, summer time or not."""
    assert back(to_json_text(day, K.DATE, zone), K.DATE, zone) == day


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2026, 1, 31), "2026-01-30T23:00:00Z"),
        (date(2026, 7, 1), "2026-06-30T22:00:00Z"),
        (date(2026, 3, 29), "2026-03-28T23:00:00Z"),  # the night the clock goes forward
        (date(2026, 10, 25), "2026-10-24T22:00:00Z"),  # the night it goes back
    ],
)
def test_a_danish_date_is_the_evening_before_in_utc(day, text):
    """As a real Danish site stores it."""
    assert to_json_text(day, K.DATE, COPENHAGEN) == f'"{text}"'


def test_a_midnight_moved_by_another_summer_time_rule_is_the_same_day():
    """A site whose rules differ from ours by an hour for an old year does not move a date."""
    assert decoder(K.DATE, COPENHAGEN)("1979-06-30T22:00:00Z") == date(1979, 7, 1)
    assert decoder(K.DATE, COPENHAGEN)("1979-07-01T00:00:00Z") == date(1979, 7, 1)


@given(st.integers(0, 2**31), st.integers(-12, 14))
def test_a_moment_is_sent_in_utc_to_the_second(seconds, offset):
    """Whatever zone it came in."""
    aware = datetime.fromtimestamp(seconds, timezone(timedelta(hours=offset)))
    assert back(to_json_text(aware, K.DATETIME, COPENHAGEN), K.DATETIME) == aware


@given(st.text(max_size=60))
def test_a_text_comes_back_as_it_was_and_blank_is_none(text):
    """Quotes, Danish letters, emoji, anything JSON can carry; the request itself is pure ASCII."""
    sent = to_json_text(text, K.TEXT, COPENHAGEN)
    assert sent.isascii()
    assert back(sent, K.TEXT) == (text or None)


def test_line_ends_of_a_note_are_one_kind():
    """SharePoint gives back \\r\\n for what was sent as \\n; compared is \\n."""
    assert decoder(K.NOTE, COPENHAGEN)("a\r\nb\rc\n") == "a\nb\nc\n"


def test_none_clears_every_kind():
    """Null is what empties a column, and null reads back as None."""
    for kind in K:
        assert to_json_text(None, kind, COPENHAGEN) == "null"
        assert decoder(kind, COPENHAGEN)(None) is None


def test_links_lookups_and_answers_of_other_kinds():
    """A link is its address, a look-up the id it points to (0 = none), yes/no a bool."""
    assert back(to_json_text("https://a.example", K.URL, COPENHAGEN), K.URL) == "https://a.example"
    assert back(to_json_text(7, K.LOOKUP, COPENHAGEN), K.LOOKUP) == 7
    assert decoder(K.LOOKUP, COPENHAGEN)(0) is None
    assert back(to_json_text(False, K.BOOLEAN, COPENHAGEN), K.BOOLEAN) is False
    assert decoder(K.NUMBER, COPENHAGEN)(11) == Decimal(11)


def test_property_names_follow_the_service():
    """Look-ups end in Id; a leading underscore is OData_'s."""
    assert property_name("Company", K.LOOKUP) == "CompanyId"
    assert property_name("Company", K.TEXT) == "Company"
    assert entity_property("_Status") == "OData__Status"


def test_an_object_keeps_its_numbers_as_written():
    """The JSON object is made of texts, so no number passes through a float."""
    assert object_text({"A": "0.1", 'B"': '"x"'}) == '{"A":0.1,"B\\"":"x"}'
