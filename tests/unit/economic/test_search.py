"""What a person types to find a customer: what it may mean, and that none of its signs breaks out of the filter."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from worker.economic.search import Wanted, cvr_filter, email_filter, name_filter, wanted
from worker.emulators.economic.fields import CUSTOMERS
from worker.emulators.economic.filters import compile_filter, like_match

SIGNS = "$()*,[]"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("10023", Wanted(10023, None, "10023")),
        (" 7 ", Wanted(7, None, "7")),
        ("007", Wanted(7, None, "007")),
        ("999999999", Wanted(999_999_999, None, "999999999")),
        ("1000000000", Wanted(None, None, "1000000000")),
        ("0", Wanted(None, None, "0")),
        ("-5", Wanted(None, None, "-5")),
        ("٣", Wanted(None, None, "٣")),
        ("²", Wanted(None, None, "²")),
        ("10000009", Wanted(10_000_009, "10000009", "10000009")),
        ("DK10000009", Wanted(None, "10000009", "DK10000009")),
        ("dk 10 00 00 09", Wanted(None, "10000009", "dk 10 00 00 09")),
        ("10 00 00 09", Wanted(None, "10000009", "10 00 00 09")),
        ("DK", Wanted(None, None, "DK")),
        ("Ærø", Wanted(None, None, "Ærø")),
        ("Bo\nog\x00Åse", Wanted(None, None, "Bo og Åse")),
        ("N" * 255, Wanted(None, None, "N" * 255)),
        ("N" * 256, Wanted(None, None, None)),
        ("", Wanted(None, None, None)),
        (" \t\u200b\ud800 ", Wanted(None, None, None)),
    ],
)
def test_a_text_means_what_it_can_mean(text: str, meant: Wanted) -> None:
    """A number of at most nine digits, a CVR number in any usual form, a part of a name."""
    assert wanted(text) == meant


@pytest.mark.parametrize(
    ("part", "filter_"),
    [
        ("Ærø", "name$like:*Ærø*"),
        ("a$b", "name$like:*a$$b*"),
        ("(a)", "name$like:*$(a$)*"),
        ("a*", "name$like:*a$**"),
        ("a,b", "name$like:*a$,b*"),
        ("[ab]", "name$like:*[[]ab]*"),
        ("$null:", "name$like:*$$null:*"),
        ("x$or:barred$eq:true", "name$like:*x$$or:barred$$eq:true*"),
    ],
)
def test_signs_are_escaped_as_documented(part: str, filter_: str) -> None:
    """A dollar before the five signs, a class of its own for the bracket; all else as typed."""
    assert name_filter(part) == filter_


@given(st.text(st.sampled_from(f"{SIGNS}aB. :&%_?+#\\'\"") | st.characters(), max_size=40).map(str.strip).filter(bool))
@example("$$(")
@example("[[]")
@example("[]")
@example("*$")
@example("a$or:name$like:*")
@example("a)$or:(name$like:*")
@example("$and:customerNumber$gt:0")
def test_no_text_breaks_out_of_its_filter(part: str) -> None:
    """Parsed by the documented grammar it is one comparison with one value, which finds the text itself and not texts
    that lack it."""
    condition = compile_filter(name_filter(part), CUSTOMERS)
    assert condition.sql == "like_match(c.name, ?)"
    (pattern,) = condition.params
    assert like_match(f"A/S {part} & Co", str(pattern))
    assert like_match(part, str(pattern))
    assert not like_match("", str(pattern))
    other = "~" if "~" not in part else "¬¦"
    assert part in other or not like_match(other * 50, str(pattern))


def test_a_cvr_number_is_looked_for_as_people_write_it() -> None:
    """Its digits in their order, whatever stands before, between or after."""
    condition = compile_filter(cvr_filter("10000009"), CUSTOMERS)
    (pattern,) = map(str, condition.params)
    for text in ("10000009", "DK10000009", "DK 10000009", "10 00 00 09", " 10000009 ", "10.00.00.09", "DK-1000-0009"):
        assert like_match(text, pattern)
    for text in ("10000008", "90000001", "1000009"):
        assert not like_match(text, pattern)


def test_each_address_is_looked_for_among_several() -> None:
    """Signs of the grammar in them mean themselves."""
    condition = compile_filter(email_filter(["a$b@x.example", "c@y.example"]), CUSTOMERS)
    first, second = map(str, condition.params)
    assert like_match("other@x.example; A$B@x.example", first)
    assert like_match("c@y.example other@x.example", second)
    assert not like_match("ab@x.example", first)
