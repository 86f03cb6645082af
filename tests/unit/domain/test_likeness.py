"""Whether a number may have been given to somebody else: a new name goes through, another party is asked about."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.likeness import is_still, may_be_other
from worker.domain.renumbering import Party, is_other

ANNA = Party("7", "Anna Jensen", "", "anna@jensen.example", "8000", "Bakkevej 3\n1. tv", "86 11 11 11")
BENT = Party("7", "Bent Holm", "", "bent@holm.example", "5000", "Strandvej 9", "66 22 22 22")


def like(one: Party, **values: Any) -> Party:
    return Party("7", **({name: getattr(one, name) for name in FACTS} | values))


FACTS = ("name", "cvr", "email", "zip", "address", "phone")


class TestAsked:
    """Nothing agrees, and something that both have speaks against it."""

    def test_another_name_at_another_address_with_another_mail(self):
        assert may_be_other(ANNA, BENT)

    @pytest.mark.parametrize("gone", [{"email": ""}, {"address": "", "zip": ""}, {"phone": ""}])
    def test_one_fact_is_enough_where_the_others_are_not_known(self, gone):
        assert may_be_other(like(ANNA, **gone), BENT)
        assert may_be_other(ANNA, like(BENT, **gone))

    def test_a_first_name_is_shared_by_many(self):
        assert may_be_other(ANNA, like(BENT, name="Anna Petersen"))

    def test_so_is_a_street(self):
        assert may_be_other(ANNA, like(BENT, address=ANNA.address, zip="4000"))

    @pytest.mark.parametrize("sides", [("12345674", ""), ("", "12345674"), ("123", "123")])
    def test_one_cvr_number_or_none_that_counts_tells_nothing(self, sides):
        assert may_be_other(like(ANNA, cvr=sides[0]), like(BENT, cvr=sides[1]))


CARL = Party("7", "Carl Vester", "", "carl@vester.example", "9000", "Havnegade 7", "98 33 33 33")


class TestAnswered:
    """Whom a yes was given for, and who has the number now."""

    @pytest.mark.parametrize("kept", [{"email": BENT.email}, {"phone": BENT.phone}, {"name": "Bent Holm Hansen"}])
    def test_it_is_good_for_who_moves_or_gets_another_name(self, kept):
        assert is_still(BENT, BENT)
        assert is_still(BENT, like(CARL, **kept))

    def test_it_is_not_for_yet_another(self):
        assert not is_still(BENT, CARL)
        assert not is_still(like(BENT, cvr="12345674"), like(CARL, cvr="87654321"))
        assert is_still(like(BENT, cvr="12345674"), like(CARL, cvr="DK 12345674"))

    def test_nor_where_both_have_no_fact_in_common_to_compare(self):
        """Who is asked about once too often is not written over somebody else's company."""
        assert not is_still(like(BENT, address="", zip="", phone=""), like(CARL, email=""))


class TestTheSame:
    """What goes through without a question."""

    @pytest.mark.parametrize(
        "kept",
        [
            {"email": "ANNA@jensen.example; anna@arbejde.example"},
            {"address": "bakkevej 3, 1. TV", "zip": "8000"},
            {"phone": "+45 86111111"},
        ],
    )
    def test_a_new_name_with_a_fact_that_stayed_however_it_is_written(self, kept):
        assert not may_be_other(ANNA, like(BENT, **kept))

    @pytest.mark.parametrize("name", ["Anna Jensen Holm", "ANNA JENSEN", "Jensen", "Anna Jensen ApS"])
    def test_a_name_that_holds_the_other_one(self, name):
        assert not may_be_other(ANNA, like(BENT, name=name))

    def test_the_same_cvr_number(self):
        assert not may_be_other(like(ANNA, cvr="12345674"), like(BENT, cvr="DK 12 34 56 74"))

    def test_where_nothing_but_the_name_is_known(self):
        """A change of name is what mostly happens."""
        nothing = dict.fromkeys(("email", "zip", "address"), "")
        assert not may_be_other(like(ANNA, **nothing), BENT)
        assert not may_be_other(ANNA, like(BENT, **nothing))

    def test_another_phone_or_postal_code_alone_tells_nothing(self):
        only = {"email": "", "address": ""}
        assert not may_be_other(like(ANNA, **only), like(BENT, **only))

    def test_what_is_certain_is_no_question(self):
        company, customer = like(ANNA, cvr="12345674"), like(BENT, cvr="87654321")
        assert is_other(company, customer)
        assert not may_be_other(company, customer)


PARTIES = st.builds(
    Party,
    st.just("7"),
    st.sampled_from(["Anna Jensen", "Bent Holm", "Holm", ""]),
    st.sampled_from(["12345674", "87654321", ""]),
    st.sampled_from(["a@b.example", "c@d.example", ""]),
    st.sampled_from(["8000", "5000", ""]),
    st.sampled_from(["Bakkevej 3", "Strandvej 9", ""]),
    st.sampled_from(["86111111", "66222222", ""]),
)


@given(PARTIES, PARTIES)
def test_it_is_the_same_question_from_both_sides(one, other):
    assert may_be_other(one, other) == may_be_other(other, one)


@given(PARTIES)
def test_nobody_is_another_than_oneself(one):
    assert not may_be_other(one, one)
