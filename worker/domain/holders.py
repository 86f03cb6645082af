"""Who holds which customer number: e-conomic's customers against the companies that carry their numbers. Pure.

A number can vanish, appear, and be given to somebody else in one night, so that A's company must become B, and B's C or
A. All of it is found from both sides as they stand, and done at once or not at all: a company whose number goes to
another customer's counts as one that vanished, and that customer as one that appeared. Where a person must be asked
about one of them, everything that hangs on the answer waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from worker.domain.key_order import unparked
from worker.domain.likeness import is_still, may_be_other
from worker.domain.records import Customer
from worker.domain.renumbering import Party, Renumbered, Said, find_renumbered, is_other, party_of


@dataclass(frozen=True, slots=True)
class Holders:
    """All by number. `moves`: companies' old -> new one; some of them may be given up by others in the same breath.
    `let_go`: numbers whose company is certainly another party's than the customer's. `offered`: customer -> the
    companies it may be; its own number among them asks whether that was given to somebody else. `waits`: customers
    whose number a company keeps until a person has answered -> the customer that is asked about, or themselves where
    nobody may let the number go. `kept`: these companies, and those that are offered."""

    moves: Mapping[str, str] = field(default_factory=dict)
    let_go: frozenset[str] = frozenset()
    offered: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    waits: Mapping[str, str] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()


class Register:
    """Takes the companies in one by one and keeps only those of which something is to be said."""

    def __init__(self, customers: Iterable[Customer]) -> None:
        self._customers = {str(one.number): one for one in customers}
        self._met: set[str] = set()
        self._gone: dict[str, Party] = {}
        self._odd: dict[str, Party] = {}

    def add(self, company: Party) -> None:
        """One company that carries a number. Of two that carry the same one nothing is said."""
        number = company.number
        if number in self._met:
            self._gone.pop(number, None)
            self._odd.pop(number, None)
            return
        self._met.add(number)
        customer = self._customers.get(number)
        if customer is None:
            self._gone[number] = company
        elif company.name.split() == customer.name.split():
            return  # as almost all are, night after night
        elif is_other(company, party := party_of(customer)) or may_be_other(company, party):
            self._odd[number] = company

    def holders(self, said: Said, *, may_let_go: bool = True) -> Holders:
        """What follows. `may_let_go` False: no number can be taken from its company, so its customer waits."""
        if not self._gone and not self._odd:
            return Holders()
        return _Finding(self._pairs(said), list(self._gone.values()), self._appeared(), said, may_let_go).holders()

    def _appeared(self) -> list[Party]:
        return [party_of(customer) for number, customer in self._customers.items() if number not in self._met]

    def _pairs(self, said: Said) -> list[tuple[Party, Party]]:
        """Company and customer of one number that are two parties, or may be."""
        pairs = [(company, party_of(self._customers[number])) for number, company in self._odd.items()]
        return [one for one in pairs if is_other(*one) or not _is_said_same(one[1], said)]


class _Finding:
    def __init__(
        self,
        odd: Sequence[tuple[Party, Party]],
        gone: Sequence[Party],
        appeared: Sequence[Party],
        said: Said,
        may_let_go: bool,
    ) -> None:
        self._may_let_go = may_let_go
        self._odd = {company.number: (company, customer) for company, customer in odd}
        olds = [*gone, *(company for company, _ in odd)]
        news = [*appeared, *(customer for _, customer in odd)]
        self._found = find_renumbered(olds, news, _told(said, gone))
        self._refused = said.refused

    def holders(self) -> Holders:
        moves, offered = dict(self._found.certain), self._offered(self._found)
        kept = {old: new for new, olds in offered.items() for old in olds}  # company -> customer asked about
        let_go = self._odd.keys() - moves.keys() - kept.keys()
        if not self._may_let_go:
            kept |= {number: number for number in let_go}
            let_go = set()
        while blocked := [old for old, new in moves.items() if new in kept]:
            for old in blocked:
                kept[old] = kept[moves.pop(old)]
        # A company that stays keeps its number from the customer that has it now.
        waits = {number: kept[number] for number in kept if number in self._odd and number not in offered}
        return Holders(moves, frozenset(let_go), offered, waits, frozenset(kept))

    def _offered(self, found: Renumbered) -> dict[str, tuple[str, ...]]:
        """Also whether a number that may have been given away was: unless one of both found its like elsewhere."""
        offered = dict(found.offered)
        for number, (company, customer) in self._odd.items():
            settled = is_other(company, customer) or (number, number) in self._refused
            if not settled and number not in found.certain and number not in found.certain.values():
                offered[number] = (number, *offered.get(number, ()))
        return offered


def _is_said_same(customer: Party, said: Said) -> bool:
    """Whether a person said that the company of its number is this customer's. A yes of which is not known whom it was
    given for, as they were kept once, is no answer."""
    seen = said.seen.get(customer.number)
    yes = said.accepted.get(customer.number) == customer.number
    return yes and seen is not None and is_still(seen, customer)


def _told(said: Said, gone: Sequence[Party]) -> Said:
    """Answers about a number itself are no renumbering; a company that an interrupted run left on its way to another
    number (see `key_order`) was decided then."""
    accepted = {old: new for old, new in said.accepted.items() if old != new}
    accepted |= {one.number: way[1] for one in gone if (way := unparked(one.number))}
    return replace(said, accepted=accepted, told={old: new for old, new in said.told.items() if old != new})
