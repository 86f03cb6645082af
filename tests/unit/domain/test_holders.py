"""Who holds which number after one night: moved at once, let go, or waiting for a person, and never two at a time."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.holders import Holders, Register
from worker.domain.records import Customer
from worker.domain.renumbering import Party, Said, party_of

CVRS = {"a": "12345674", "b": "87654321", "c": "11223344", "d": "44332211"}


def company(number: str, who: str) -> Party:
    return Party(number, f"Firm {who * 3} A/S", CVRS[who])


def customer(number: str, who: str, name: str = "") -> Customer:
    return Customer(int(number), name or f"Firm {who * 3} A/S", "DKK", Decimal(0), Decimal(0), cvr=CVRS[who])


def found(companies: dict[str, str], customers: dict[str, str], said: Said | None = None, **how: bool) -> Holders:
    register = Register([customer(number, who) for number, who in customers.items()])
    for number, who in companies.items():
        register.add(company(number, who))
    return register.holders(said or Said(), **how)


@pytest.mark.parametrize(
    ("now", "moves", "let_go"),
    [
        ({"1": "a", "2": "b"}, {}, set()),
        ({"9": "a", "2": "b"}, {"1": "9"}, set()),
        ({"9": "a", "1": "c", "2": "b"}, {"1": "9"}, set()),
        ({"2": "a", "3": "b"}, {"1": "2", "2": "3"}, set()),
        ({"2": "a", "1": "b"}, {"1": "2", "2": "1"}, set()),
        ({"1": "c", "2": "b"}, {}, {"1"}),
        ({"2": "a"}, {"1": "2"}, {"2"}),
    ],
)
def test_numbers_that_changed_hands(now, moves, let_go):
    assert found({"1": "a", "2": "b"}, now) == Holders(moves, frozenset(let_go))


def test_where_nobody_may_let_go_what_hangs_on_it_stays():
    """Its new holder waits, and so does the company that would have got the number."""
    holders = found({"1": "a", "2": "b"}, {"2": "a"}, may_let_go=False)
    assert holders == Holders(waits={"2": "2"}, kept=frozenset({"1", "2"}))


def test_what_hangs_on_an_answer_waits_for_it():
    """2 may be 9 now, under another name; 1 is 2 now, and somebody new has 1."""
    register = Register([customer("9", "b", "Renamed Ltd"), customer("2", "a"), customer("1", "c")])
    register.add(company("1", "a"))
    register.add(company("2", "b"))
    holders = register.holders(Said())
    assert holders.offered == {"9": ("2",)}
    assert holders.waits == {"1": "9", "2": "9"}
    assert (holders.moves, holders.let_go, holders.kept) == ({}, frozenset(), {"1", "2"})
    assert register.holders(Said(accepted={"2": "9"})).moves == {"1": "2", "2": "9"}
    assert register.holders(Said(refused=frozenset({("2", "9")}))) == Holders({"1": "2"}, frozenset({"2"}))


PERSON = Party("1", "Anna Jensen", "", "anna@jensen.example")
OTHER = Customer(1, "Bent Holm", "DKK", Decimal(0), Decimal(0), email="bent@holm.example")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (Said(), Holders(offered={"1": ("1",)}, kept=frozenset({"1"}))),
        (Said(accepted={"1": "1"}, seen={"1": party_of(OTHER)}), Holders()),
        (Said(accepted={"1": "1"}), Holders(offered={"1": ("1",)}, kept=frozenset({"1"}))),
        (Said(refused=frozenset({("1", "1")})), Holders(let_go=frozenset({"1"}))),
        (Said(told={"1": "1"}), Holders(offered={"1": ("1",)}, kept=frozenset({"1"}))),
    ],
)
def test_a_number_that_may_be_somebody_else_s_is_asked_about(said, expected):
    """A call about a change of the customer is no answer."""
    register = Register([OTHER])
    register.add(PERSON)
    assert register.holders(said) == expected


def test_a_yes_is_good_for_the_customer_it_was_given_for():
    """Who has the number after that one is asked about anew."""
    carl = replace(OTHER, name="Carl Vester", email="carl@vester.example")
    register = Register([carl])
    register.add(PERSON)
    seen = {"1": party_of(OTHER)}
    assert register.holders(Said(accepted={"1": "1"}, seen=seen)).offered == {"1": ("1",)}
    assert register.holders(Said(accepted={"1": "1"}, seen={"1": party_of(carl)})) == Holders()


def test_a_yes_of_long_ago_does_not_cover_another_cvr_number():
    assert found({"1": "a"}, {"1": "b"}, Said(accepted={"1": "1"})).let_go == {"1"}


def test_nothing_is_said_of_two_companies_of_one_number():
    register = Register([customer("1", "b")])
    register.add(company("1", "a"))
    register.add(company("1", "c"))
    assert register.holders(Said()) == Holders()


def test_a_company_that_had_stepped_aside_goes_on():
    assert found({"1>2": "a", "2": "b"}, {"1": "b", "2": "a"}).moves == {"1>2": "2", "2": "1"}


WHO = st.sampled_from("abcd")
NUMBERS = st.sampled_from("12345")


@given(
    companies=st.dictionaries(NUMBERS, WHO, max_size=4),
    customers=st.dictionaries(NUMBERS, WHO, max_size=5),
    accepted=st.dictionaries(NUMBERS, NUMBERS, max_size=2),
    refused=st.frozensets(st.tuples(NUMBERS, NUMBERS), max_size=3),
    may_let_go=st.booleans(),
)
def test_every_number_has_one_company_at_most_and_nobody_takes_one_that_stays(
    companies, customers, accepted, refused, may_let_go
):
    holders = found(companies, customers, Said(accepted=accepted, refused=refused), may_let_go=may_let_go)
    after = [holders.moves.get(number, number) for number in companies if number not in holders.let_go]
    assert len(after) == len(set(after))
    assert set(holders.moves) | holders.let_go | holders.kept <= companies.keys()
    assert not holders.kept & (holders.moves.keys() | holders.let_go)
    assert holders.waits.keys() | holders.offered.keys() <= customers.keys()
    assert not holders.waits.keys() & holders.offered.keys()
    assert may_let_go or not holders.let_go
    assert set(holders.waits) <= holders.kept
