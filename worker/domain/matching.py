"""Which CRM company is which debtor, where nobody has typed the customer number yet. Pure.

A match is *certain* only when a number that belongs to one party says so on both sides, nothing contradicts it, and no
other candidate exists on either side. Everything else is offered to a person with its reasons: writing a wrong customer
number would give one company another one's money facts.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from worker.domain.converters import cvr_digits
from worker.domain.names import is_company, plain_name
from worker.domain.records import Customer

# Mail providers: many parties share their domains. The large ones of Denmark and of the world.
_SHARED_DOMAINS = frozenset(
    {
        "gmail.com",
        "googlemail.com",
        "hotmail.com",
        "hotmail.dk",
        "outlook.com",
        "outlook.dk",
        "live.dk",
        "live.com",
        "yahoo.com",
        "yahoo.dk",
        "icloud.com",
        "me.com",
        "mac.com",
        "msn.com",
        "mail.dk",
        "mail.com",
        "jubii.dk",
        "ofir.dk",
        "tdcadsl.dk",
        "stofanet.dk",
        "youmail.dk",
        "webspeed.dk",
        "privat.dk",
        "email.dk",
        "mail.tele.dk",
        "post.tele.dk",
        "protonmail.com",
        "proton.me",
        "gmx.de",
        "gmx.net",
        "web.de",
    }
)
_EAN = 13
_OFFERED = 5  # candidates for one company
_LEAST = 50.0  # below this a candidate is noise
_SAME_NAME = 92.0
_AKIN = 55.0  # a name that shares at least so much does not speak against a shared number
_NEAR = 80.0  # by the name alone, debtors that are looked at


@dataclass(frozen=True, slots=True)
class Company:
    """A CRM company without a customer number."""

    item_id: int
    version: str
    name: str
    cvr: str = ""
    ean: str = ""
    email: str = ""
    phone: str = ""
    address: str = ""
    zip: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A debtor that a company may be. `score` 0 to 100; `reasons` are codes of REASONS, strongest first."""

    number: int
    name: str
    score: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A company with its candidates, best first. `certain`: the first one is it."""

    company: Company
    candidates: tuple[Candidate, ...]
    certain: bool


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
}
_WEIGHTS = {"cvr": 70, "ean": 65, "email": 35, "phone": 30, "domain": 20, "address": 15, "zip": 10,
            "other-cvr": -60, "other-ean": -30}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Party:
    """What both sides are compared by."""

    name: str
    is_company: bool
    cvr: str
    ean: str
    email: str
    domain: str
    phone: str
    address: str
    zip: str


class Matcher:
    """Over the debtors that no company carries the number of yet. `refused`: pairs (item id, debtor) that a person has
    said no to; they are neither offered nor counted."""

    def __init__(self, debtors: Iterable[Customer], refused: Collection[tuple[int, int]] = ()) -> None:
        self._debtors = {one.number: one for one in debtors}
        self._parties = {number: _of_debtor(one) for number, one in self._debtors.items()}
        self._refused = frozenset(refused)
        self._by = {key: self._index(read) for key, read in _INDEXES.items()}
        self._names = {number: party.name for number, party in self._parties.items()}

    def matches(self, companies: Sequence[Company]) -> list[Match]:
        """One for each company that has a candidate, the surest first."""
        parties = {one.item_id: _of_company(one) for one in companies}
        found = {one.item_id: self._candidates(one, parties[one.item_id]) for one in companies}
        claims: dict[int, set[int]] = defaultdict(set)
        for item_id, candidates in found.items():
            for candidate in candidates:
                if set(candidate.reasons) & _NUMBERS or self._is_same(parties[item_id], candidate):
                    claims[candidate.number].add(item_id)
        made = [
            Match(one, tuple(found[one.item_id]), self._is_certain(parties[one.item_id], found[one.item_id], claims))
            for one in companies
            if found[one.item_id]
        ]
        return sorted(made, key=lambda match: (not match.certain, -match.candidates[0].score, match.company.item_id))

    def _index(self, read: Callable[[_Party], str]) -> Mapping[str, Sequence[int]]:
        index: dict[str, list[int]] = defaultdict(list)
        for number, party in self._parties.items():
            if read(party):
                index[read(party)].append(number)
        return index

    def _candidates(self, company: Company, party: _Party) -> list[Candidate]:
        numbers: set[int] = set()
        for key, read in _INDEXES.items():
            if read(party):
                numbers.update(self._by[key].get(read(party), ()))
        if party.name:
            near = process.extract(party.name, self._names, scorer=fuzz.token_sort_ratio, score_cutoff=_NEAR, limit=20)
            numbers.update(number for _, _, number in near)
        allowed = (number for number in numbers if (company.item_id, number) not in self._refused)
        scored = [self._scored(party, number) for number in allowed]
        good = [one for one in scored if one.score >= _LEAST]
        return sorted(good, key=lambda one: (-one.score, one.number))[:_OFFERED]

    def _scored(self, party: _Party, number: int) -> Candidate:
        other = self._parties[number]
        likeness = fuzz.token_sort_ratio(party.name, other.name) if party.name and other.name else 0.0
        reasons = list(_shared(party, other))
        if likeness >= _SAME_NAME:
            reasons.append("name" if party.name == other.name else "similar")
        elif likeness >= _NEAR:
            reasons.append("similar")
        reasons += _against(party, other)
        score = likeness * 0.6 + sum(_WEIGHTS.get(reason, 0) for reason in reasons)
        return Candidate(number, self._debtors[number].name, round(min(100.0, max(0.0, score))), tuple(reasons))

    def _is_same(self, party: _Party, candidate: Candidate) -> bool:
        """By name and place alone."""
        return self._parties[candidate.number].name == party.name

    def _is_certain(
        self, party: _Party, candidates: Sequence[Candidate], claims: Mapping[int, Collection[int]]
    ) -> bool:
        if not candidates:
            return False
        best = candidates[0]
        other = self._parties[best.number]
        reasons = set(best.reasons)
        if reasons & _CONTRADICTIONS or len(claims.get(best.number, ())) != 1:
            return False
        rivals = [one for one in candidates[1:] if set(one.reasons) & _NUMBERS or one.score >= best.score - 15]
        if rivals:
            return False
        alike = fuzz.token_sort_ratio(party.name, other.name) >= _AKIN
        by_number = bool(reasons & _NUMBERS) and alike and self._is_alone(party, reasons & _NUMBERS)
        by_name = "name" in reasons and "zip" in reasons and bool(reasons & _PERSONAL)
        return by_number or (by_name and (party.is_company or other.is_company))

    def _is_alone(self, party: _Party, shared: Collection[str]) -> bool:
        """Whether no other debtor has the number: branches of one company share its CVR number."""
        return all(len(self._by[key].get(_INDEXES[key](party), ())) == 1 for key in shared)


_NUMBERS = frozenset({"cvr", "ean"})
_CONTRADICTIONS = frozenset({"other-cvr", "other-ean"})
_PERSONAL = frozenset({"email", "phone", "address", "domain"})
_INDEXES: Mapping[str, Callable[[_Party], str]] = {
    "cvr": lambda party: party.cvr,
    "ean": lambda party: party.ean,
    "email": lambda party: party.email,
    "phone": lambda party: party.phone,
    "domain": lambda party: party.domain,
}


def _shared(one: _Party, other: _Party) -> Iterable[str]:
    for key in ("cvr", "ean", "email", "phone"):
        if getattr(one, key) and getattr(one, key) == getattr(other, key):
            yield key
    if one.domain and one.domain == other.domain and one.email != other.email:
        yield "domain"
    if one.address and one.address == other.address:
        yield "address"
    if one.zip and one.zip == other.zip:
        yield "zip"


def _against(one: _Party, other: _Party) -> Iterable[str]:
    for key in ("cvr", "ean"):
        if getattr(one, key) and getattr(other, key) and getattr(one, key) != getattr(other, key):
            yield f"other-{key}"


def _of_company(one: Company) -> _Party:
    return _party(one.name, one.cvr, one.ean, one.email, one.phone, one.address, one.zip)


def _of_debtor(one: Customer) -> _Party:
    return _party(one.name, one.cvr, one.ean, one.email, one.phone or one.mobile, one.address, one.zip)


def _party(
    name: str,
    cvr: str | None,
    ean: str | None,
    email: str | None,
    phone: str | None,
    address: str | None,
    zip_: str | None,
) -> _Party:
    mail = (re.findall(r"[^\s;,<>]+@[^\s;,<>]+", email or "") or [""])[0].casefold()
    domain = mail.rpartition("@")[2]
    digits = cvr_digits(cvr or "")
    return _Party(
        name=plain_name(name),
        is_company=is_company(name),
        cvr=digits if re.fullmatch(r"\d{8}", digits) else "",
        ean=number if len(number := re.sub(r"\D", "", ean or "")) == _EAN else "",
        email=mail,
        domain="" if domain in _SHARED_DOMAINS else domain,
        phone=_phone(phone or ""),
        address=plain_name(address.splitlines()[0]) if address and address.strip() else "",
        zip=re.sub(r"\D", "", zip_ or ""),
    )


def _phone(text: str) -> str:
    """The last eight digits, which is a Danish number without its country code; blank for anything shorter."""
    digits = re.sub(r"\D", "", text)
    return digits[-8:] if 8 <= len(digits) <= 13 else ""
