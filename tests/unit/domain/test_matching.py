"""Companies and debtors: a certain match is never wrong; the rest is for people."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.dirty_names import Truth, debtors_of, dirty, half_linked
from tests.support.link_score import scores
from worker.domain.matching import REASONS, RULES, Company, Match, Matcher
from worker.domain.names import Kin, plain_name, read_name
from worker.domain.records import Customer
from worker.domain.signs import numbers_of
from worker.emulators.dataset import generate

SEEDS = range(12)


def debtor(number: int = 1, name: str = "Nordlys Kontor A/S", **more: str) -> Customer:
    return Customer(number, name, "DKK", Decimal(0), Decimal(0), **more)  # type: ignore[arg-type]


def company(item: int = 1, name: str = "Nordlys Kontor A/S", number: str = "", **more: str) -> Company:
    return Company(item, "1", name, number=number, **more)


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
            ("Nordlys Kontor A/S", "Nordlys Kontor A S"),
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
        assert read_name("Hansen VVS ApS").is_company
        assert not read_name("Jens Hansen").is_company
        assert not read_name("Dansk Gruppen").is_company

    @pytest.mark.parametrize(
        ("one", "other", "kin"),
        [
            ("Nordlys A/S", "NORDLYS as", Kin.SAME),
            ("Nordlys A/S", "Nordlys Aktieselskab", Kin.SAME),
            ("Nordlys Holding ApS", "Nordlys Holding A.p.S.", Kin.SAME),
            ("Have I/S", "Have IS", Kin.SAME),
            ("Have I/S", "Have I S", Kin.SAME),
            ("Nordlys A S", "Nordlys ApS", Kin.SISTER),
            ("Nordlys", "Nordlys A/S", Kin.OPEN),
            ("Nordlys Danmark", "Nordlys Danmark A/S", Kin.OPEN),
            ("Nordlys ApS", "Nordlys A/S", Kin.SISTER),
            ("Nordlys ApS", "Nordlys Holding ApS", Kin.SISTER),
            ("Nordlys", "Nordlys Holding", Kin.SISTER),
            ("Nordlys Group A/S", "Nordlys Danmark A/S", Kin.SISTER),
            ("Hansens", "Hansens Is", Kin.SISTER),
            ("Hansens ApS", "Hansens Is ApS", Kin.SISTER),
            ("Trading GmbH", "Trading GmbH & Co. KG", Kin.SISTER),
        ],
    )
    def test_sister_firms_are_told_from_spellings(self, one, other, kin):
        assert read_name(one).kin(read_name(other)) is kin
        assert read_name(other).kin(read_name(one)) is kin

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

    def test_a_number_that_stands_for_none_is_no_ean_number(self):
        """Some type zeros where a form wants one; nobody is found by them, nor held back by a run."""
        zeros = "0" * 13
        assert numbers_of("", zeros).ean == ""
        found = Matcher([debtor(ean=zeros)]).matches([company(ean=zeros)])
        assert not any("ean" in one.reasons for match in found for one in match.candidates)

    def test_name_and_place_and_something_personal(self):
        assert only([company(zip="2100", email="post@nordlys.dk")], debtor(zip="2100", email="post@nordlys.dk")).certain

    @pytest.mark.parametrize(
        ("mine", "theirs"),
        [
            ("Hansen Holding ApS", "Hansen ApS"),
            ("Hansen ApS", "Hansen Holding ApS"),
            ("Nordlys ApS", "Nordlys A/S"),
            ("Hansens Is ApS", "Hansens ApS"),
            ("Nordlys", "Nordlys Danmark A/S"),
        ],
    )
    def test_a_sister_firm_in_the_same_house_is_for_a_person(self, mine, theirs):
        place = {"zip": "2100", "address": "Vej 1", "phone": "33123456", "email": "post@nordlys.dk"}
        match = only([company(name=mine, **place)], debtor(name=theirs, **place))
        assert not match.certain
        assert "other-form" in match.candidates[0].reasons

    def test_a_name_without_a_form_is_certain_while_no_sister_is_known(self):
        """A sister on either side makes it a guess which of them was meant."""
        place = {"zip": "2100", "email": "post@nordlys.dk"}
        meant, sister = debtor(1, "Nordlys A/S", **place), debtor(2, "Nordlys Holding A/S", zip="8000")
        mine, other = company(1, "Nordlys", **place), company(2, "Nordlys ApS", zip="8000")
        assert only([mine], meant).rule == "name"
        assert not only([mine], meant, sister).certain
        assert not any(match.certain for match in Matcher([meant]).matches([mine, other]))

    @pytest.mark.parametrize(
        ("mine", "theirs"), [("Kim Iversen", "Kim Iversen ApS"), ("Kim Iversen ApS", "Kim Iversen")]
    )
    @pytest.mark.parametrize(
        ("shared", "certain"),
        [
            ({"email": "kim@gmail.com"}, False),
            ({"phone": "33123456"}, False),
            ({"email": "kim@iversen.dk"}, True),
        ],
        ids=["a private mailbox", "a phone", "a domain of its own"],
    )
    def test_a_firms_owner_is_told_from_the_firm(self, mine, theirs, shared, certain):
        """A person may be a customer beside the firm that has that name and lives in that house."""
        place = {"zip": "2100", "address": "Vej 1", **shared}
        assert only([company(name=mine, **place)], debtor(name=theirs, **place)).certain is certain

    @pytest.mark.parametrize(
        ("name", "own"),
        [("Iversen & Holm", {}), ("Nordlys", {"cvr": "12345678"}), ("Nordlys", {"ean": "5790000000012"})],
    )
    def test_a_firm_without_its_form_shows_otherwise_that_it_is_one(self, name, own):
        place = {"zip": "2100", "address": "Vej 1"}
        assert only([company(name=name, **place, **own)], debtor(name=f"{name} A/S", **place)).rule == "name"

    def test_the_whole_name_tells_sisters_apart(self):
        place = {"zip": "2100", "address": "Vej 1"}
        names = ["Nordlys A/S", "Nordlys ApS", "Nordlys Holding ApS"]
        debtors = [debtor(10 + at, name, **place) for at, name in enumerate(names)]
        matches = Matcher(debtors).matches([company(at, name.upper(), **place) for at, name in enumerate(names)])
        assert {(m.company.item_id, m.candidates[0].number, m.rule) for m in matches} == {
            (0, 10, "name"), (1, 11, "name"), (2, 12, "name")
        }  # fmt: skip

    def test_a_number_beside_another_debtor_of_the_very_name_is_for_a_person(self):
        """Somebody may have typed the sister's CVR number."""
        typed = company(name="Nordlys Holding ApS", cvr="12345678")
        assert not only([typed], debtor(1, "Nordlys ApS", cvr="12345678"), debtor(2, "Nordlys Holding ApS")).certain

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


class TestLinkedAlready:
    """Companies that carry a number, and their debtors."""

    def test_a_company_that_a_linked_debtor_is_like_as_well(self):
        """The head office is linked; which branch is this?"""
        head, branch = debtor(1, cvr="12345678"), debtor(2, "Nordlys Kontor A/S Jylland", cvr="12345678")
        match = only([company(1, cvr="12345678", number="1"), company(2, cvr="12345678")], head, branch)
        assert (match.company.item_id, [one.number for one in match.candidates]) == (2, [2])
        assert not match.certain

    def test_a_linked_debtor_is_offered_to_nobody(self):
        assert Matcher([debtor(cvr="12345678")]).matches([company(1, number="1"), company(2, cvr="12345678")]) == []

    def test_a_debtor_that_may_be_a_linked_companys_under_a_new_number(self):
        """Its old number is gone in e-conomic, and a double of it is without any."""
        match = only([company(1, cvr="12345678", number="7"), company(2, cvr="12345678")], debtor(9, cvr="12345678"))
        assert not match.certain

    def test_a_linked_company_that_is_its_own_debtor_claims_no_other(self):
        """Two firms of one name in two towns."""
        here, there = debtor(1, zip="2100", cvr="12345678"), debtor(2, zip="8000", cvr="87654321")
        mine, theirs = company(1, zip="2100", number="1"), company(2, zip="8000", cvr="87654321")
        assert only([mine, theirs], here, there).rule == "cvr"


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
        matcher, mine = Matcher([debtor(cvr="12345678")]), [company(cvr="12345678")]
        assert matcher.matches(mine)
        assert matcher.matches(mine, refused={(1, 1)}) == []

    def test_a_no_to_one_of_two_makes_the_other_certain(self):
        """What a company is like is weighed once, and counted anew."""
        place = {"zip": "2100", "email": "post@nordlys.dk"}
        matcher, mine = Matcher([debtor(1, **place), debtor(2, **place)]), [company(**place)]
        assert not matcher.matches(mine)[0].certain
        (match,) = matcher.matches(mine, refused={(1, 1)})
        assert (match.rule, match.candidates[0].number) == ("name", 2)

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
    """On dirty data with twins, sisters, strangers, branches and doubles; what was found is noted in the test's
    report."""
    matches = Matcher(truth.debtors).matches(truth.companies)
    assert not wrong(truth, matches)
    found = scores(truth, matches)
    for one in found:
        record_property(f"{'certain' if one.certain else 'offered'} by {one.rule}", str(one))
        print(one)
    recall = sum(one.recall for one in found if one.certain)
    record_property("recall of certain matches", round(recall, 3))
    print(f"recall of certain matches: {recall:.1%}")
    assert recall > 0.4, "too careful to be of use"
    assert {one.rule for one in found if one.certain} == set(RULES)


def test_nor_when_half_of_the_companies_are_linked(truth):
    """Those and their debtors are offered to nobody, and are counted as the candidates they are."""
    left, linked, taken = half_linked(truth, 1)
    matches = Matcher(left.debtors).matches([*left.companies, *linked])
    assert not wrong(left, matches)
    assert not {one.number for match in matches for one in match.candidates} & taken
    assert not {match.company.item_id for match in matches} & {one.item_id for one in linked}
    assert sum(match.certain for match in matches) / len(left.links) > 0.4


def test_a_link_makes_no_certain_match_less_certain(truth):
    """So a page may strike out what was accepted and keep the rest."""
    before = Matcher(truth.debtors).matches(truth.companies)
    left, linked, _ = half_linked(truth, 2)
    after = Matcher(truth.debtors).matches([*left.companies, *linked])
    items = {one.item_id for one in left.companies}
    assert {one.company.item_id for one in before if one.certain} & items <= {
        one.company.item_id for one in after if one.certain
    }


def wrong(truth: Truth, matches: list[Match]) -> dict[int, int]:
    """Certain matches that are none."""
    certain = {match.company.item_id: match.candidates[0].number for match in matches if match.certain}
    return {item: number for item, number in certain.items() if truth.links.get(item) != number}


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
