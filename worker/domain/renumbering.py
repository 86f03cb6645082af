"""Customers that got another number in e-conomic. Pure.

A renumbering is seen as one customer that vanished and one that appeared. It is certain when a person said so, when a
webhook named both numbers and the name or the CVR number agrees, or when name and CVR number agree and both are alone
in it. Anything less is offered to a person: a wrong guess would give one customer's history to another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from worker.domain.converters import cvr_digits
from worker.domain.names import plain_name
from worker.domain.records import Customer

_CVR = re.compile(r"[0-9]{8}")


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a pair: a company of the CRM under its old number, or a customer of e-conomic under its new one."""

    number: str
    name: str
    cvr: str = ""
    email: str = ""
    zip: str = ""
    address: str = ""
    phone: str = ""

    @property
    def tax_id(self) -> str:
        """A Danish CVR number; "" for anything else, which is too often shared or mistyped."""
        digits = cvr_digits(self.cvr)
        return digits if _CVR.fullmatch(digits) else ""


def party_of(customer: Customer) -> Party:
    """A customer of e-conomic."""
    return Party(
        str(customer.number),
        customer.name,
        customer.cvr or "",
        customer.email or "",
        customer.zip or "",
        customer.address or "",
        customer.phone or "",
    )


@dataclass(frozen=True, slots=True)
class Said:
    """What is known beside the data: `told` by webhooks (old -> new), `accepted` and `refused` by people; `apart`:
    pairs of company item and customer number that people said are two parties; `let_go`: company item -> the number
    that a run took from it, not long ago, since e-conomic had given that to somebody else; `seen`: by number the
    customers that people said a company still is, though they look like another party: as they were then."""

    told: Mapping[str, str] = field(default_factory=dict)
    accepted: Mapping[str, str] = field(default_factory=dict)
    refused: frozenset[tuple[str, str]] = frozenset()
    apart: frozenset[tuple[int, int]] = frozenset()
    let_go: Mapping[int, str] = field(default_factory=dict)
    seen: Mapping[str, Party] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Renumbered:
    """`certain`: old -> new number. `offered`: new number -> the old ones it may have had."""

    certain: Mapping[str, str] = field(default_factory=dict)
    offered: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def find_renumbered(vanished: Sequence[Party], appeared: Sequence[Party], said: Said) -> Renumbered:
    """`vanished`: companies whose number e-conomic no longer has; `appeared`: customers that no company carries."""
    old, new = {one.number: one for one in vanished}, {one.number: one for one in appeared}
    named = _named(old, new, said)
    certain = _first_of_each(sorted(one for one in named if one.sure or seems_same(old[one.old], new[one.new])))
    left_old = [one for one in vanished if one.number not in certain]
    left_new = [one for one in appeared if one.number not in certain.values()]
    alike = _pairs(left_old, left_new, lambda one: (one.tax_id, plain_name(one.name)) if one.tax_id else None)
    certain |= {before: after for before, after in alike.items() if (before, after) not in said.refused}
    return Renumbered(certain, _offers(left_old, left_new, certain, said, {(one.old, one.new) for one in named}))


def earlier_numbers(numbers: Iterable[str], said: Said) -> dict[str, list[str]]:
    """For each number those that are said to have become it, directly or over others, the latest first."""
    before: dict[str, list[str]] = {}
    for old, news in _steps(said).items():
        for new in news:
            before.setdefault(new, []).append(old)
    return {number: _reached(number, before) for number in numbers}


def later_numbers(numbers: Iterable[str], said: Said) -> dict[str, list[str]]:
    """For each number those that it is said to have become, directly or over others, the earliest first."""
    steps = _steps(said)
    return {number: _reached(number, steps) for number in numbers}


def is_other(company: Party, customer: Party) -> bool:
    """Whether a number was given to somebody else: both have a CVR number, and neither it nor the name agrees. With
    less than that it is one customer that was renamed or corrected."""
    return bool(
        company.tax_id
        and customer.tax_id
        and company.tax_id != customer.tax_id
        and plain_name(company.name) != plain_name(customer.name)
    )


def seems_same(company: Party, customer: Party) -> bool:
    """Whether the CVR number or the name agrees."""
    same_id = bool(company.tax_id) and company.tax_id == customer.tax_id
    name = plain_name(company.name)
    return same_id or (bool(name) and name == plain_name(customer.name))


def may_be_earlier(old: Party, new: Party) -> bool:
    """Whether the data alone let a vanished one be this customer, for certain or for a person to say: the same CVR
    number; or the same name and a second sign, where CVR numbers do not speak against it."""
    if old.tax_id and new.tax_id:
        return old.tax_id == new.tax_id
    same_name = plain_name(old.name) == plain_name(new.name)
    same_mail = bool(old.email) and old.email.casefold() == new.email.casefold()
    return same_name and (same_mail or (bool(old.zip) and old.zip == new.zip))


class _Named(NamedTuple):
    """A pair that was said. Sorted: what people alone said comes first, then the fewest changes of number."""

    by_call: bool
    steps: int
    old: str
    new: str

    @property
    def sure(self) -> bool:
        return not self.by_call


def _named(vanished: Collection[str], appeared: Collection[str], said: Said) -> list[_Named]:
    """Of these numbers, directly or over others that the customer had for a while."""
    steps = _steps(said)
    people = {old: [new] for old, new in said.accepted.items()}
    found = []
    for old in vanished:
        if old not in steps:
            continue
        sure = _reached(old, people)
        for at, new in enumerate(_reached(old, steps)):
            if new in appeared and (old, new) not in said.refused:
                found.append(_Named(new not in sure, at, old, new))
    return found


def _steps(said: Said) -> dict[str, list[str]]:
    """Old number -> what it became, a person's word first. What a person refused is no step, whoever told it."""
    steps = {old: [new] for old, new in said.accepted.items()}
    for old, new in said.told.items():
        if (old, new) not in said.refused:
            steps.setdefault(old, []).append(new)
    return steps


def _reached(start: str, steps: Mapping[str, Sequence[str]]) -> list[str]:
    """All numbers that one leads to, the nearest first."""
    found, seen = [start], {start}
    for number in found:
        for after in steps.get(number, ()):
            if after not in seen:
                seen.add(after)
                found.append(after)
    return found[1:]


def _first_of_each(named: Iterable[_Named]) -> dict[str, str]:
    """Old -> new number, each number once."""
    pairs: dict[str, str] = {}
    taken: set[str] = set()
    for one in named:
        if one.old not in pairs and one.new not in taken:
            pairs[one.old] = one.new
            taken.add(one.new)
    return pairs


def _pairs(
    vanished: Iterable[Party], appeared: Iterable[Party], mark: Callable[[Party], tuple[str, str] | None]
) -> dict[str, str]:
    """Pairs of the same mark in which both are alone."""
    olds, news = _by_mark(vanished, mark), _by_mark(appeared, mark)
    return {
        olds[one][0]: news[one][0] for one in olds.keys() & news.keys() if len(olds[one]) == 1 and len(news[one]) == 1
    }


def _by_mark(
    parties: Iterable[Party], mark: Callable[[Party], tuple[str, str] | None]
) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for one in parties:
        if (key := mark(one)) is not None:
            found.setdefault(key, []).append(one.number)
    return found


def _offers(
    vanished: Sequence[Party],
    appeared: Sequence[Party],
    certain: Mapping[str, str],
    said: Said,
    named: Collection[tuple[str, str]],
) -> dict[str, tuple[str, ...]]:
    """For each new customer the vanished ones it may be, in number order. `named`: pairs that were said."""
    by_id, by_name = _index(vanished, certain)
    left = {one.number: one for one in vanished if one.number not in certain}
    olds_of: dict[str, list[Party]] = {}
    for before, after in named:
        if before in left:
            olds_of.setdefault(after, []).append(left[before])
    offers: dict[str, tuple[str, ...]] = {}
    for one in appeared:
        if one.number in certain.values():
            continue
        alike = [*by_id.get(one.tax_id, []), *by_name.get(plain_name(one.name), [])]
        told = olds_of.get(one.number, [])
        found = {
            old.number: None
            for old in [*alike, *told]
            if (old.number, one.number) not in said.refused and (old in told or may_be_earlier(old, one))
        }
        if found:
            offers[one.number] = tuple(sorted(found, key=lambda number: (len(number), number)))
    return offers


def _index(
    vanished: Sequence[Party], certain: Collection[str]
) -> tuple[dict[str, list[Party]], dict[str, list[Party]]]:
    by_id: dict[str, list[Party]] = {}
    by_name: dict[str, list[Party]] = {}
    for one in vanished:
        if one.number in certain:
            continue
        if one.tax_id:
            by_id.setdefault(one.tax_id, []).append(one)
        if plain_name(one.name):
            by_name.setdefault(plain_name(one.name), []).append(one)
    return by_id, by_name
