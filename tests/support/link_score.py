"""How good the link assistant was, where the truth is known: precision and recall by the rule that said so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tests.support.dirty_names import Truth
from worker.domain.matching import RULES, Match


@dataclass(frozen=True)
class Score:
    """`rule`: of RULES for certain matches; else the strongest reason of the best one that a person was offered."""

    rule: str
    certain: bool
    right: int
    wrong: int
    truth: int

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / self.truth

    def __str__(self) -> str:
        kind = "certain" if self.certain else "offered"
        said = self.right + self.wrong
        return f"{kind} by {self.rule}: precision {self.precision:.1%} of {said}, recall {self.recall:.1%}"


def scores(truth: Truth, matches: Iterable[Match]) -> list[Score]:
    """Certain ones first, by rule; a match's first candidate counts."""
    right, wrong = Counter[tuple[bool, str]](), Counter[tuple[bool, str]]()
    for match in matches:
        best = match.candidates[0]
        key = (match.certain, match.rule or next(iter(best.reasons), "name"))
        counted = right if truth.links.get(match.company.item_id) == best.number else wrong
        counted[key] += 1
    order = [*((True, rule) for rule in RULES), *sorted(key for key in right + wrong if not key[0])]
    return [Score(rule, sure, right[sure, rule], wrong[sure, rule], len(truth.links))
            for sure, rule in order if right[sure, rule] + wrong[sure, rule]]  # fmt: skip
