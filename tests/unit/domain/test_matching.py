"""Companies and debtors: a certain match is never wrong; the rest is for people."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.dirty_names import Truth, debtors_of, dirty
from worker.domain.matching import REASONS, Company, Matcher
from worker.domain.names import is_company, plain_name
from worker.domain.records import Customer
from worker.emulators.dataset import generate

SEEDS = range(12)


def debtor(number: int = 1, name: str = "Nordlys Kontor A/S", **more: str) -> Customer:
    return Customer(number, name, "DKK", Decimal(0), Decimal(0), **more)  # type: ignore[arg-type]


def company(item: int = 1, name: str = "Nordlys Kontor A/S", **more: str) -> Company:
    return Company(item, "1", name, **more)


def only(companies: list[Company], *debtors: Customer):
    (match,) = Matcher(debtors).matches(companies)
    return match


class TestNames:
    """Legal forms, letters and signs."""

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Nordlys Kontor A/S", "NORDLYS KONTOR AS"),
            ("Sørensen & Søn ApS", "Soerensen og Soen A.p.S."),
            ("Grøn  Have, I/S", "groen have is"),
            ("Café Noir K/S", "Cafe Noir"),
            ("Aarhus El", "Århus El"),
            ("Bodega Å", "Bodega A\u030a"),
        ],
    )
    def test_the_same_company_in_other_spelling(self, one, other):
        assert plain_name(one) == plain_name(other)

    def test_a_name_that_is_only_a_form_stays_a_name(self):
        assert plain_name("ApS") == "aps"
        assert plain_name("Holding A/S")

    def test_people_are_told_from_companies(self):
        assert is_company("Hansen VVS ApS")
        assert not is_company("Jens Hansen")
        assert not is_company("Dansk Gruppen")

    @given(st.text(max_size=60))
    def test_any_text_has_a_plain_name(self, text):
        plain = plain_name(text)
        assert plain == plain_name(plain)
        assert plain == plain.strip()


class TestCertain:
    """When nobody has to look."""

    def test_a_cvr_number_that_only_one_has(self):
        match = only([company(name="Nordlys kontor", cvr="DK 12 34 56 78")], debtor(cvr="12345678"))
        assert match.certain
        assert match.candidates[0].reasons[0] == "cvr"

    def test_an_ean_number_that_only_one_has(self):
        assert only([company(ean="5790000000012")], debtor(ean="5790000000012")).certain

    def test_name_and_place_and_something_personal(self):
        assert only([company(zip="2100", email="post@nordlys.dk")], debtor(zip="2100", email="post@nordlys.dk")).certain

    @pytest.mark.parametrize(
        ("mine", "theirs"),
        [
            ({}, {}),
            ({"zip": "2100"}, {"zip": "2100"}),
            ({"email": "a@gmail.com", "zip": "2100"}, {"email": "b@gmail.com", "zip": "2100"}),
            (
                {"cvr": "12345678", "zip": "2100", "address": "Vej 1"},
                {"cvr": "87654321", "zip": "2100", "address": "Vej 1"},
            ),
        ],
        ids=["name alone", "name and town", "a shared mail provider", "another CVR number"],
    )
    def test_what_is_not_enough(self, mine, theirs):
        found = Matcher([debtor(**theirs)]).matches([company(**mine)])
        assert not any(match.certain for match in found)

    def test_a_number_under_a_wholly_other_name_is_for_a_person(self):
        """Somebody typed the wrong CVR number once."""
        match = only([company(name="Blomsten Odense", cvr="12345678")], debtor(cvr="12345678"))
        assert not match.certain

    def test_two_branches_with_one_cvr_number(self):
        first, second = debtor(1, cvr="12345678"), debtor(2, "Nordlys Kontor A/S Jylland", cvr="12345678")
        assert not only([company(cvr="12345678")], first, second).certain

    def test_one_company_twice_in_the_crm(self):
        matches = Matcher([debtor(cvr="12345678")]).matches([company(1, cvr="12345678"), company(2, cvr="12345678")])
        assert [match.certain for match in matches] == [False, False]

    def test_two_people_of_one_name_in_one_house(self):
        """Father and son."""
        one = debtor(1, "Jens Hansen", zip="5000", address="Storegade 1")
        assert not only([company(name="Jens Hansen", zip="5000", address="Storegade 1")], one).certain


class TestOffered:
    """What people see."""

    def test_the_best_comes_first_with_its_reasons(self):
        right = debtor(1, zip="2100", phone="33 12 34 56")
        wrong = debtor(2, "Nordlyset Kontor ApS")
        match = only([company(zip="2100", phone="+45 33123456")], wrong, right)
        assert [one.number for one in match.candidates] == [1, 2]
        assert set(match.candidates[0].reasons) == {"phone", "zip", "name"}
        assert set(match.candidates[0].reasons) <= set(REASONS)

    def test_a_pair_that_was_refused_is_not_offered_again(self):
        matcher = Matcher([debtor(cvr="12345678")], refused={(1, 1)})
        assert matcher.matches([company(cvr="12345678")]) == []

    def test_nothing_alike_is_nothing_to_offer(self):
        assert Matcher([debtor()]).matches([company(name="Blomsten Odense")]) == []
        assert Matcher([]).matches([company()]) == []
        assert Matcher([debtor(name="")]).matches([company(name="")]) == []


@pytest.fixture(scope="module")
def debtors() -> list[Customer]:
    return debtors_of(generate("small", 1, date(2026, 11, 25)).customers)


@pytest.fixture(scope="module", params=SEEDS)
def truth(request, debtors) -> Truth:
    return dirty(debtors, request.param)


def test_no_certain_match_is_ever_wrong(truth, record_property):
    """On dirty data with twins, strangers, branches and doubles; what was found is noted in the test's report."""
    matches = Matcher(truth.debtors).matches(truth.companies)
    certain = {match.company.item_id: match.candidates[0].number for match in matches if match.certain}
    wrong = {item: number for item, number in certain.items() if truth.links.get(item) != number}
    assert not wrong
    recall = len(certain) / len(truth.links)
    record_property("recall of certain matches", round(recall, 3))
    assert recall > 0.4, "too careful to be of use"


def test_the_right_one_is_nearly_always_among_the_offered(truth):
    offered = {
        match.company.item_id: {one.number for one in match.candidates}
        for match in Matcher(truth.debtors).matches(truth.companies)
    }
    found = sum(1 for item, number in truth.links.items() if number in offered.get(item, ()))
    assert found / len(truth.links) > 0.9


def test_the_order_of_the_rows_does_not_matter(truth):
    one = Matcher(truth.debtors).matches(truth.companies)
    other = Matcher(truth.debtors[::-1]).matches(truth.companies[::-1])
    assert {replace(match) for match in one} == set(other)
