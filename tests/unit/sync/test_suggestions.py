"""What is struck out of suggestions after a link is what weighing everything anew would strike out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from tests.support.dirty_names import Truth, debtors_of, dirty
from worker.domain.matching import Matcher
from worker.domain.renumbering import Said
from worker.emulators.dataset import generate
from worker.sync.linking import Sides, Suggestions


def suggested(truth: Truth, linked: Mapping[int, int]) -> Suggestions:
    """Of both sides as they are when these are linked."""
    companies = tuple(replace(one, number=str(linked.get(one.item_id, ""))) for one in truth.companies)
    sides = Sides(companies, tuple(truth.debtors))
    return sides.suggestions(Matcher(sides.customers).matches(sides.companies), sides.moves(Said()))


def certain(found: Suggestions) -> set[tuple[int, int]]:
    return {(match.company.item_id, match.candidates[0].number) for match in found.certain}


@pytest.mark.parametrize("seed", range(6))
def test_what_is_left_after_some_links(seed):
    """Nothing is offered or certain that would not be; nobody is counted twice or lost."""
    truth = dirty(debtors_of(generate("small", 1, date(2026, 11, 25)).customers), seed)
    before = suggested(truth, {})
    accepted = {match.company.item_id: match.candidates[0].number for match in before.matches[::3]}
    accepted = {item: number for item, number in accepted.items() if list(accepted.values()).count(number) == 1}
    left, anew = before.without(set(accepted.items())), suggested(truth, accepted)
    assert set(left.offered) <= set(anew.offered)
    assert certain(left) <= certain(anew)
    kept = {(item, number) for item, number in certain(before) if number not in accepted.values()}
    assert certain(left) == {pair for pair in kept if pair[0] not in accepted}
    assert (left.linked, left.free) == (anew.linked, anew.free) == (len(accepted), len(truth.debtors) - len(accepted))
    for found in (left, anew):
        assert len(found.matches) + found.alone + found.linked == len(truth.companies)


def test_nothing_accepted_strikes_out_nothing():
    truth = dirty(debtors_of(generate("tiny", 1, date(2026, 11, 25)).customers), 1)
    found = suggested(truth, {})
    assert found.without(set()) == found
    assert sum(found.by_rule.values()) == len(found.certain)
