"""Finding debtors without looking at all of them changes nothing that counts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.dirty_names import debtors_of, dirty, half_linked
from worker.domain.blocking import Blocks
from worker.domain.matching import Company, Match, Matcher
from worker.domain.records import Customer
from worker.domain.signs import Crowds, Signs
from worker.emulators.dataset import generate


class Everybody:
    """The plain way: each company is compared with each debtor."""

    def __init__(self, debtors: Mapping[int, Signs], _crowds: Crowds) -> None:
        self._numbers = list(debtors)

    def near(self, _signs: Signs) -> Collection[int]:
        return self._numbers


class Counted(Blocks):
    """Counts what is looked at."""

    looked = 0

    def near(self, signs: Signs) -> Collection[int]:
        found = super().near(signs)
        Counted.looked += len(found)
        return found


def certain(matches: list[Match]) -> set[tuple[int, int, str]]:
    return {(one.company.item_id, one.candidates[0].number, one.rule) for one in matches if one.certain}


@pytest.mark.parametrize("seed", range(12))
def test_on_dirty_data_the_result_is_that_of_comparing_each_with_each(seed):
    truth = dirty(debtors_of(generate("small", seed % 3 + 1, date(2026, 11, 25)).customers), seed)
    left, linked, _ = half_linked(truth, seed)
    for companies in (truth.companies, [*left.companies, *linked]):
        plain = Matcher(truth.debtors, near=Everybody).matches(companies)
        assert Matcher(truth.debtors).matches(companies) == plain
        assert certain(Matcher(truth.debtors, near=partial(Blocks, compared=0)).matches(companies)) == certain(plain)


def few(*texts: str) -> st.SearchStrategy[str]:
    return st.sampled_from(["", *texts])


NAMES = few(
    "Nordlys A/S", "Nordlys", "Nordlys Holding A/S", "Nordlys ApS", "Nordlis A/S", "Lys Nord A/S", "Jens Hansen",
    "Nordlys Kontor A/S", "Kontor Nordlys A/S", "A/S", "Ø",
)  # fmt: skip
SIGNS = st.fixed_dictionaries(
    {
        "name": NAMES,
        "cvr": few("12345678", "87654321"),
        "ean": few("5790000000012", "5790000000029"),
        "email": few("a@nordlys.dk", "b@nordlys.dk", "a@gmail.com"),
        "phone": few("33123456", "33123457"),
        "address": few("Vej 1", "Vej 2"),
        "zip": few("2100", "8000"),
    }
)


@settings(max_examples=300)
@given(st.lists(SIGNS, max_size=6), st.lists(st.tuples(SIGNS, few("1", "2", "99")), max_size=6))
def test_what_is_certain_does_not_hang_on_what_a_likeness_finds(theirs, ours):
    """Even with no names compared at all: a rival shares more than a likeness."""
    debtors = [Customer(at, currency="DKK", balance=Decimal(0), due_amount=Decimal(0), **one)
               for at, one in enumerate(theirs, 1)]  # fmt: skip
    companies = [Company(at, "1", number=number, **one) for at, (one, number) in enumerate(ours, 1)]
    plain = certain(Matcher(debtors, near=Everybody).matches(companies))
    assert certain(Matcher(debtors, near=partial(Blocks, compared=0)).matches(companies)) == plain
    assert certain(Matcher(debtors).matches(companies)) == plain


def test_what_a_crowd_shares_tells_nothing():
    """A bookkeeper's mailbox and telephone, a placeholder for a CVR number, a house of offices, 'Cash customer'."""
    shared = {"email": "all@bookkeeper.dk", "phone": "70102030", "cvr": "11111111", "address": "Vej 1", "zip": "2100"}
    debtors = [
        Customer(at, "Kontantkunde ApS", "DKK", Decimal(0), Decimal(0), **shared)  # type: ignore[arg-type]
        for at in range(1, 200)
    ]
    companies = [Company(at, "1", "Kontantkunde ApS", **shared) for at in range(1, 200)]
    Counted.looked = 0
    assert Matcher(debtors, near=Counted).matches(companies) == []
    assert Matcher(debtors, near=Everybody).matches(companies) == []
    assert Counted.looked == 0


def test_the_work_grows_with_the_companies_not_with_companies_times_debtors():
    """Counted in debtors that are weighed for a company; names that are compared for it are bounded besides."""
    customers = debtors_of(generate("typical", 1, date(2026, 11, 25)).customers)
    looked = []
    for count in (300, 3000):
        truth = dirty(customers[:count], 1)
        Counted.looked = 0
        Matcher(truth.debtors, near=Counted).matches(truth.companies)
        looked.append(Counted.looked / len(truth.companies))
    print(f"debtors looked at for each company: {looked[0]:.1f} of 300, {looked[1]:.1f} of 3,000")
    assert looked[1] < 3 * looked[0]
