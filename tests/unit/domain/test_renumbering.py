"""Customers that got another number: certain only where nothing speaks against it, and never on a stranger's word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.names import plain_name
from worker.domain.renumbering import Party, Renumbered, Said, earlier_numbers, find_renumbered, is_other

OLD = Party("1", "Nordlys Kontor A/S", "12345674", "post@nordlys.example", "8000")
NEW = Party("9", "Nordlys Kontor A/S", "12345674", "post@nordlys.example", "8000")
STRANGER = Party("9", "Zebra Import ApS", "87654321", "zebra@import.example", "1000")
TOLD = Said(told={"1": "9"})


def like(one: Party, number: str = "9", **changes: str) -> Party:
    """The same party but for these differences."""
    values = {name: getattr(one, name) for name in ("name", "cvr", "email", "zip")}
    return Party(number, **{**values, **changes})


class TestCertain:
    """What needs no person."""

    def test_name_and_cvr_number_that_are_alone(self):
        assert find_renumbered([OLD], [NEW], Said()) == Renumbered({"1": "9"}, {})

    @pytest.mark.parametrize("cvr", ["DK12345674", "12 34 56 74", "DK-12.34.56.74"])
    def test_however_the_number_is_written(self, cvr):
        assert find_renumbered([OLD], [like(NEW, cvr=cvr)], Said()).certain == {"1": "9"}

    def test_a_persons_word_whatever_the_data_say(self):
        assert find_renumbered([OLD], [STRANGER], Said(accepted={"1": "9"})) == Renumbered({"1": "9"}, {})

    @pytest.mark.parametrize("same", [{"name": "Other A/S"}, {"cvr": ""}])
    def test_a_call_where_the_name_or_the_cvr_number_agrees(self, same):
        assert find_renumbered([OLD], [like(NEW, **same)], TOLD).certain == {"1": "9"}

    def test_only_of_customers_that_vanished_and_appeared(self):
        said = Said(told={"1": "9", "5": "6"}, accepted={"2": "9"})
        assert find_renumbered([OLD], [like(NEW, "8")], said).certain == {"1": "8"}
        assert find_renumbered([], [NEW], said).certain == {}
        assert find_renumbered([OLD], [], said) == Renumbered()


class TestOverOthers:
    """A number that was changed more than once before anybody looked."""

    CHAIN = Said(told={"1": "5", "5": "7", "7": "9"})

    def test_the_first_becomes_the_last(self):
        alike = like(NEW, cvr="")
        assert find_renumbered([OLD], [alike], self.CHAIN) == Renumbered({"1": "9"}, {})

    def test_in_whatever_order_the_calls_came(self):
        said = Said(told=dict(reversed(self.CHAIN.told.items())))
        assert find_renumbered([OLD], [like(NEW, cvr="")], said).certain == {"1": "9"}

    def test_a_stranger_at_the_end_is_offered_and_no_more(self):
        assert find_renumbered([OLD], [STRANGER], self.CHAIN) == Renumbered({}, {"9": ("1",)})

    def test_a_stranger_in_between_has_got_a_number_that_was_free(self):
        found = find_renumbered([OLD], [like(STRANGER, "5"), like(NEW, cvr="")], self.CHAIN)
        assert found.certain == {"1": "9"}

    def test_the_nearest_that_agrees(self):
        found = find_renumbered([OLD], [like(NEW, "5", cvr=""), like(NEW, cvr="")], self.CHAIN)
        assert found.certain == {"1": "5"}

    def test_a_company_that_has_the_number_in_between_comes_first(self):
        """It needs fewer changes."""
        found = find_renumbered([OLD, like(OLD, "7")], [like(NEW, cvr="")], self.CHAIN)
        assert found.certain == {"7": "9"}

    def test_a_person_s_word_alone_needs_no_agreement(self):
        said = Said(accepted={"1": "5", "5": "9"})
        assert find_renumbered([OLD], [STRANGER], said).certain == {"1": "9"}

    def test_a_call_after_a_person_s_word_needs_it(self):
        said = Said(accepted={"1": "5"}, told={"5": "9"})
        assert find_renumbered([OLD], [STRANGER], said) == Renumbered({}, {"9": ("1",)})
        assert find_renumbered([OLD], [like(NEW, cvr="")], said).certain == {"1": "9"}

    def test_a_circle_ends(self):
        said = Said(told={"1": "5", "5": "1", "9": "9"})
        assert find_renumbered([OLD], [like(NEW, cvr="")], said).certain == {}

    @pytest.mark.parametrize("pair", [("1", "5"), ("5", "7"), ("7", "9"), ("1", "9")])
    def test_a_person_s_no_to_any_of_it_breaks_it(self, pair):
        said = Said(told=self.CHAIN.told, refused=frozenset({pair}))
        assert find_renumbered([OLD], [like(NEW, cvr="", zip="", email="")], said) == Renumbered()

    def test_what_a_number_was_before(self):
        assert earlier_numbers(["9", "5", "2"], self.CHAIN) == {"9": ["7", "5", "1"], "5": ["1"], "2": []}
        assert earlier_numbers(["9"], Said(told={"1": "9"}, accepted={"2": "9"})) == {"9": ["2", "1"]}
        assert earlier_numbers(["9"], Said(told={"1": "9"}, refused=frozenset({("1", "9")}))) == {"9": []}


class TestForged:
    """A call is a hint of whoever knows the address. It moves no customer's history to another one."""

    def test_a_call_about_two_parties_is_offered_and_no_more(self):
        assert find_renumbered([OLD], [STRANGER], TOLD) == Renumbered({}, {"9": ("1",)})

    def test_blank_names_and_numbers_agree_in_nothing(self):
        assert find_renumbered([Party("1", " ")], [Party("9", "")], TOLD).certain == {}

    def test_a_number_that_is_no_cvr_number_tells_nothing(self):
        """Foreign and mistyped ones are shared by several."""
        old, new = like(OLD, "1", cvr="123"), like(STRANGER, cvr="123")
        assert find_renumbered([old], [new], TOLD).certain == {}

    def test_it_takes_the_true_customer_from_nobody(self):
        """Told that its number went to a stranger's; its own new number is found all the same."""
        assert find_renumbered([OLD], [STRANGER, like(NEW, "8")], TOLD).certain == {"1": "8"}

    def test_nor_the_new_number_from_the_one_that_has_it(self):
        """Told that a stranger got it."""
        other = like(STRANGER, "2")
        assert find_renumbered([OLD, other], [NEW], Said(told={"2": "9"})).certain == {"1": "9"}

    def test_a_person_is_believed_before_a_call(self):
        twin = like(NEW, "8", name="Other A/S")
        said = Said(told={"1": "9"}, accepted={"1": "8"})
        assert find_renumbered([OLD], [NEW, twin], said).certain == {"1": "8"}


class TestOffered:
    """What a person is asked."""

    def test_a_renamed_one_by_its_cvr_number(self):
        assert find_renumbered([OLD], [like(NEW, name="Other A/S")], Said()) == Renumbered({}, {"9": ("1",)})

    @pytest.mark.parametrize("sign", ["email", "zip"])
    def test_the_name_with_a_second_sign(self, sign):
        nothing = {"cvr": "", "email": "", "zip": "", sign: getattr(OLD, sign)}
        assert find_renumbered([OLD], [like(NEW, **nothing)], Said()).offered == {"9": ("1",)}

    def test_not_by_the_name_alone(self):
        assert find_renumbered([OLD], [like(NEW, cvr="", email="", zip="")], Said()) == Renumbered()

    def test_not_where_cvr_numbers_speak_against_it(self):
        assert find_renumbered([OLD], [like(NEW, cvr="87654321")], Said()) == Renumbered()

    def test_two_that_are_alike_are_told_apart_by_nobody_else(self):
        found = find_renumbered([OLD, like(OLD, "2")], [NEW], Said())
        assert found == Renumbered({}, {"9": ("1", "2")})

    def test_two_new_ones_that_are_alike(self):
        found = find_renumbered([OLD], [NEW, like(NEW, "10")], Said())
        assert found == Renumbered({}, {"9": ("1",), "10": ("1",)})

    def test_what_was_refused_is_offered_no_more(self):
        refused = frozenset({("1", "9")})
        assert find_renumbered([OLD], [like(NEW, name="Other A/S")], Said(refused=refused)) == Renumbered()
        assert find_renumbered([OLD], [NEW], Said(refused=refused)) == Renumbered()
        assert find_renumbered([OLD], [STRANGER], Said(told={"1": "9"}, refused=refused)) == Renumbered()

    def test_a_person_s_no_is_stronger_than_a_call_about_a_customer_that_agrees(self):
        said = Said(told={"1": "9"}, refused=frozenset({("1", "9")}))
        assert find_renumbered([OLD], [NEW], said) == Renumbered()

    def test_in_the_order_of_their_numbers(self):
        found = find_renumbered([like(OLD, "10"), like(OLD, "2")], [NEW], Said())
        assert found.offered == {"9": ("2", "10")}


NAMES = st.sampled_from(["Nordlys A/S", "NORDLYS  a/s", "Zebra ApS", ""])
CVRS = st.sampled_from(["12345674", "DK12345674", "87654321", "123", ""])
NUMBERS = st.sampled_from("123456")


def parties(numbers: str) -> st.SearchStrategy[list[Party]]:
    one = st.builds(
        Party,
        st.sampled_from(numbers),
        NAMES,
        CVRS,
        st.sampled_from(["a@b.example", ""]),
        st.sampled_from(["8000", ""]),
    )
    return st.lists(one, max_size=4, unique_by=lambda party: party.number)


class TestAlways:
    """Whatever the data and whatever is said."""

    @given(vanished=parties("123"), appeared=parties("456"), told=st.dictionaries(NUMBERS, NUMBERS, max_size=4))
    def test_a_call_alone_joins_no_two_parties_that_differ_in_name_and_cvr_number(self, vanished, appeared, told):
        found = find_renumbered(vanished, appeared, Said(told=told))
        old, new = {one.number: one for one in vanished}, {one.number: one for one in appeared}
        for before, after in found.certain.items():
            one, other = old[before], new[after]
            same_name = plain_name(one.name) == plain_name(other.name) != ""
            assert same_name or one.tax_id == other.tax_id != ""

    @given(
        vanished=parties("123"),
        appeared=parties("456"),
        told=st.dictionaries(NUMBERS, NUMBERS, max_size=4),
        accepted=st.dictionaries(NUMBERS, NUMBERS, max_size=4),
        refused=st.frozensets(st.tuples(NUMBERS, NUMBERS), max_size=4),
    )
    def test_each_number_moves_once_and_is_not_offered_then(self, vanished, appeared, told, accepted, refused):
        found = find_renumbered(vanished, appeared, Said(told, accepted, refused))
        taken = list(found.certain.values())
        assert len(taken) == len(set(taken))
        assert not set(found.certain.items()) & refused
        assert not found.offered.keys() & set(taken)
        for new, olds in found.offered.items():
            assert not found.certain.keys() & set(olds)
            assert not {(old, new) for old in olds} & refused


class TestOther:
    """Whether a number was given to somebody else."""

    def test_name_and_cvr_number_differ(self):
        assert is_other(OLD, STRANGER)

    @pytest.mark.parametrize(
        "changes", [{"name": "Renamed A/S"}, {"cvr": "87654321"}, {"cvr": "", "name": "Renamed A/S"}]
    )
    def test_one_of_them_alone_is_a_rename_or_a_correction(self, changes):
        assert not is_other(OLD, like(NEW, **changes))
