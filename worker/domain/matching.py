"""Which CRM company is which debtor, where nobody has typed the customer number yet. Pure.

A match is *certain* only when a number that belongs to one party says so on both sides, or the whole name and the place
do, nothing contradicts it, and no other candidate exists on either side. A name that differs in its legal form or in a
word such as Holding is a sister firm's until a number says otherwise. Everything else is offered to a person with its
reasons: writing a wrong customer number would give one company another one's money facts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from worker.domain.blocking import NEAR, Blocks, Near
from worker.domain.names import Kin
from worker.domain.records import Customer
from worker.domain.signs import FOUND_BY, NUMBERS, Crowds, Signs, signs_of

_OFFERED = 5  # candidates for one company
_LEAST = 50.0  # below this a candidate is noise
_SAME_NAME = 92.0
_AKIN = 55.0  # a name that shares at least so much does not speak against a shared number
_CLOSE = 15  # points below the best, from where on another one is its rival


@dataclass(frozen=True, slots=True)
class Company:
    """A CRM company. `number`: the customer number that it carries; "" when it waits to be linked."""

    item_id: int
    version: str
    name: str
    cvr: str = ""
    ean: str = ""
    email: str = ""
    phone: str = ""
    address: str = ""
    zip: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A debtor that a company may be. `score` 0 to 100; `reasons` are codes of REASONS, strongest first."""

    number: int
    name: str
    score: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A company with its candidates, best first. `rule`: the code of RULES by which the first one is it, "" when only a
    person can say."""

    company: Company
    candidates: tuple[Candidate, ...]
    rule: str = ""

    @property
    def certain(self) -> bool:
        """Whether nobody has to look."""
        return bool(self.rule)


RULES: Mapping[str, str] = {"cvr": "by CVR number", "ean": "by EAN number", "name": "by name and place"}


REASONS: Mapping[str, str] = {
    "cvr": "same CVR number",
    "ean": "same EAN number",
    "email": "same e-mail",
    "phone": "same phone",
    "domain": "same e-mail domain",
    "name": "same name",
    "similar": "similar name",
    "address": "same address",
    "zip": "same postal code",
    "other-cvr": "another CVR number",
    "other-ean": "another EAN number",
    "other-form": "another form of company, such as Holding",
}
_WEIGHTS = {"cvr": 70, "ean": 65, "email": 35, "phone": 30, "domain": 20, "address": 15, "zip": 10,
            "other-cvr": -60, "other-ean": -30, "other-form": -10}  # fmt: skip


class Matcher:
    """Over all debtors: those that a company carries the number of count where it is judged whether one is alone.
    Remembers what a company was like, so that the same ones with other refusals are matched at little cost."""

    def __init__(
        self,
        debtors: Iterable[Customer],
        near: Callable[[Mapping[int, Signs], Crowds], Near] = Blocks,
    ) -> None:
        self._debtors = {one.number: one for one in debtors}
        signs = {number: _of_debtor(one) for number, one in self._debtors.items()}
        self._crowds = Crowds(signs.values())
        self._signs = {number: self._crowds.without(one) for number, one in signs.items()}
        self._near = near(self._signs, self._crowds)
        self._weighed: dict[Company, tuple[Signs, list[Candidate]]] = {}

    def matches(self, companies: Sequence[Company], refused: Collection[tuple[int, int]] = ()) -> list[Match]:
        """One for each company without a number that has a candidate, the surest first. `companies` are all of them;
        those that carry a number are offered nothing, and their debtors to nobody. `refused`: pairs (item id, debtor)
        that a person has said no to; they are neither offered nor counted."""
        weighed = {one.item_id: self._weigh(one) for one in companies}
        signs = {item_id: own for item_id, (own, _) in weighed.items()}
        found = {
            item_id: [one for one in candidates if (item_id, one.number) not in refused]
            for item_id, (_, candidates) in weighed.items()
        }
        claims = self._claims(companies, signs, found)
        named = Counter(one.order for one in signs.values())
        taken = {one.number for one in companies if one.number}
        made = []
        for one in companies:
            offered = [other for other in found[one.item_id] if str(other.number) not in taken][:_OFFERED]
            if offered and not one.number:
                rule = self._rule(signs[one.item_id], found[one.item_id], claims, named)
                made.append(Match(one, tuple(offered), rule if offered[0] == found[one.item_id][0] else ""))
        return sorted(made, key=lambda match: (not match.certain, -match.candidates[0].score, match.company.item_id))

    def _claims(
        self,
        companies: Sequence[Company],
        signs: Mapping[int, Signs],
        found: Mapping[int, Sequence[Candidate]],
    ) -> Mapping[int, Collection[int]]:
        """For each debtor the companies that may be it, by a number or by the name. One that is linked claims another
        debtor only where that is no less like it than its own, whose number may have been changed in e-conomic."""
        claims: dict[int, set[int]] = defaultdict(set)
        for company in companies:
            candidates = found[company.item_id]
            own = next((one.score for one in candidates if str(one.number) == company.number), 0)
            for one in candidates:
                may_be = set(one.reasons) & NUMBERS or self._kin(signs[company.item_id], one) in _NO_SISTER
                if may_be and one.score >= own:
                    claims[one.number].add(company.item_id)
        return claims

    def _weigh(self, company: Company) -> tuple[Signs, list[Candidate]]:
        """Its signs and every debtor that is like it, best first."""
        if company not in self._weighed:
            signs = self._crowds.without(_of_company(company))
            good = [one for one in (self._scored(signs, number) for number in self._near.near(signs)) if one]
            self._weighed[company] = signs, sorted(good, key=lambda one: (-one.score, one.number))
        return self._weighed[company]

    def _scored(self, signs: Signs, number: int) -> Candidate | None:
        """None for a debtor that is not like it: neither by name nor by anything that few share."""
        other = self._signs[number]
        likeness = fuzz.ratio(signs.order, other.order) if signs.order and other.order else 0.0
        shared = list(_shared(signs, other))
        by_name = likeness >= NEAR and not self._crowds.has("order", other.order)
        if not (by_name or any(key in _FINDING and not self._crowds.has(key, FOUND_BY[key](signs)) for key in shared)):
            return None
        reasons = [*shared, *_likeness(signs, other, likeness), *_against(signs, other)]
        score = likeness * 0.6 + sum(_WEIGHTS.get(reason, 0) for reason in reasons)
        if score < _LEAST:
            return None
        return Candidate(number, self._debtors[number].name, round(min(100.0, score)), tuple(reasons))

    def _kin(self, signs: Signs, candidate: Candidate) -> Kin | None:
        return signs.kin(self._signs[candidate.number])

    def _rule(
        self,
        signs: Signs,
        candidates: Sequence[Candidate],
        claims: Mapping[int, Collection[int]],
        named: Mapping[str, int],
    ) -> str:
        """By which the first candidate is it; "" when it is not certain."""
        best = candidates[0]
        other = self._signs[best.number]
        reasons = set(best.reasons)
        if reasons & _CONTRADICTIONS or len(claims.get(best.number, ())) != 1 or self._has_rival(signs, candidates):
            return ""
        if any(self._crowds.has(key, FOUND_BY[key](signs)) for key in NUMBERS):
            return ""
        numbers = [key for key in ("cvr", "ean") if key in reasons]
        alike = fuzz.ratio(signs.order, other.order) >= _AKIN
        if numbers and alike and self._is_alone(signs, numbers):
            return numbers[0]
        in_place = {"name", "zip"} <= reasons and bool(reasons & _PERSONAL)
        return "name" if in_place and self._is_named(signs, other, named) else ""

    def _has_rival(self, signs: Signs, candidates: Sequence[Candidate]) -> bool:
        best, *others = candidates
        whole = self._kin(signs, best) is Kin.SAME
        for one in others:
            kin = self._kin(signs, one)
            near = kin is not Kin.SISTER and one.score >= best.score - _CLOSE
            if near or set(one.reasons) & NUMBERS or (kin is Kin.SAME and not whole):
                return True
        return False

    def _is_named(self, signs: Signs, other: Signs, named: Mapping[str, int]) -> bool:
        """Whether the name is one firm's: the whole name, or the core where no other party on either side has that and
        the side without a legal form is no private person, who may be the firm's owner."""
        kin, debtors = signs.kin(other), self._crowds.size("order", signs.order)
        if kin is Kin.OPEN:
            return named[signs.order] == 1 and debtors == 1 and _is_firm(signs, other)
        return kin is Kin.SAME and signs.whole.is_company and not self._crowds.has("order", signs.order)

    def _is_alone(self, signs: Signs, shared: Collection[str]) -> bool:
        """Whether no other debtor has the number: branches of one company share its CVR number."""
        return all(self._crowds.size(key, FOUND_BY[key](signs)) == 1 for key in shared)


_FINDING = frozenset({"cvr", "ean", "email", "phone", "domain"})  # a neighbour is not a candidate
_NO_SISTER = frozenset({Kin.SAME, Kin.OPEN})
_CONTRADICTIONS = frozenset({"other-cvr", "other-ean"})
_PERSONAL = frozenset({"email", "phone", "address", "domain"})


def _shared(one: Signs, other: Signs) -> Iterable[str]:
    for key in ("cvr", "ean", "email", "phone"):
        if getattr(one, key) and getattr(one, key) == getattr(other, key):
            yield key
    if one.domain and one.domain == other.domain and one.email != other.email:
        yield "domain"
    if one.address and one.address == other.address:
        yield "address"
    if one.zip and one.zip == other.zip:
        yield "zip"


def _is_firm(one: Signs, other: Signs) -> bool:
    """Whether the side that names no legal form shows otherwise that it is a firm: by a number that firms have, by two
    names joined, or by the other side's e-mail domain."""
    bare = other if one.whole.is_company else one
    return bool(bare.cvr or bare.ean or (one.domain and one.domain == other.domain)) or "og" in bare.name.split()


def _likeness(one: Signs, other: Signs, likeness: float) -> Iterable[str]:
    if likeness >= _SAME_NAME and one.name == other.name:
        yield "name"
    elif likeness >= NEAR:
        yield "similar"


def _against(one: Signs, other: Signs) -> Iterable[str]:
    for key in ("cvr", "ean"):
        if getattr(one, key) and getattr(other, key) and getattr(one, key) != getattr(other, key):
            yield f"other-{key}"
    if one.kin(other) is Kin.SISTER:
        yield "other-form"


def _of_company(one: Company) -> Signs:
    return signs_of(
        one.name, cvr=one.cvr, ean=one.ean, email=one.email, phone=one.phone, address=one.address, zip_=one.zip
    )


def _of_debtor(one: Customer) -> Signs:
    phone = one.phone or one.mobile
    return signs_of(one.name, cvr=one.cvr, ean=one.ean, email=one.email, phone=phone, address=one.address, zip_=one.zip)
