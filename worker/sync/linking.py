"""Go-live without doubles: finds which CRM company is which debtor, and writes its number where a person says so.

Nothing but the customer number is written; the next run then finds the company by it and keeps it true.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from worker.domain.existing import key_text
from worker.domain.holders import Register
from worker.domain.matching import RULES, Company, Match, Matcher
from worker.domain.records import Customer
from worker.domain.renumbering import Party, Said, party_of
from worker.domain.values import Item
from worker.errors import ConfigError, Problem
from worker.ports import LookedUpSource, Target, Update, WriteStatus

KEY = "CustomerID"
COLUMNS = ("Title", "CompanyName", KEY, "CINumber", "EAN", "EMail", "Phone", "Mobile", "Address", "Zip")


@dataclass(frozen=True, slots=True)
class Move:
    """A company whose number e-conomic no longer has, or has given to somebody else, and the customer it may be now. A
    certain one needs no yes. Of one number twice it is asked whether that was given to somebody else."""

    old: Party
    new: Party
    certain: bool


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What the assistant found. `alone` counts companies without a candidate, `linked` those that have a number,
    `free` debtors that no company carries; `moves` are numbers that may have been changed in e-conomic."""

    matches: tuple[Match, ...]
    alone: int
    linked: int
    free: int
    moves: tuple[Move, ...] = ()

    @property
    def certain(self) -> list[Match]:
        """Those that can be accepted at once."""
        return [match for match in self.matches if match.certain]

    @property
    def by_rule(self) -> Mapping[str, int]:
        """How many are certain by each of RULES, without those by which none is."""
        counted = Counter(match.rule for match in self.certain)
        return {rule: counted[rule] for rule in RULES if counted[rule]}

    @property
    def offered(self) -> Mapping[tuple[int, int], Link]:
        """What a person can say yes to, by item and number."""
        links = (link_of(match, one.number) for match in self.matches for one in match.candidates)
        return {(link.item_id, link.number): link for link in links}

    def without(self, pairs: Collection[tuple[int, int]]) -> Suggestions:
        """What is left when these pairs of item and number were written: neither side of them is offered any more. A
        link makes no certain match of others less certain, so that nothing is to be weighed anew."""
        items, numbers = {item for item, _ in pairs}, {number for _, number in pairs}
        left, alone = [], self.alone
        for match in self.matches:
            candidates = tuple(one for one in match.candidates if one.number not in numbers)
            if match.company.item_id in items:
                continue
            if not candidates:
                alone += 1
                continue
            left.append(Match(match.company, candidates, match.rule if candidates[0] == match.candidates[0] else ""))
        gone = len(items & {match.company.item_id for match in self.matches})
        moves = tuple(move for move in self.moves if move.new.number not in {str(number) for number in numbers})
        return Suggestions(tuple(left), alone, self.linked + gone, self.free - gone, moves)


@dataclass(frozen=True, slots=True)
class Sides:
    """All companies of the CRM and all customers of e-conomic, as they were read."""

    companies: tuple[Company, ...]
    customers: tuple[Customer, ...]

    def moves(self, said: Said) -> tuple[Move, ...]:
        """Numbers that may have been changed in e-conomic."""
        numbered = [_party(one) for one in self.companies if one.number]
        return _moves(numbered, {str(one.number): one for one in self.customers}, said)

    def suggestions(self, matches: Sequence[Match], moves: tuple[Move, ...]) -> Suggestions:
        """With the counts."""
        taken = {one.number for one in self.companies if one.number}
        alone = sum(not one.number for one in self.companies) - len(matches)
        free = sum(str(one.number) not in taken for one in self.customers)
        return Suggestions(tuple(matches), alone, len(taken), free, moves)


@dataclass(frozen=True, slots=True)
class Link:
    """A person's yes: this company is this debtor. `version` is the item's, as it was looked at."""

    item_id: int
    number: int
    version: str


def link_of(match: Match, number: int) -> Link:
    """A yes to one of a match's candidates."""
    return Link(match.company.item_id, number, match.company.version)


@dataclass(frozen=True, slots=True)
class Linked:
    """What became of it. `problem` is a sentence, "" when it was written."""

    link: Link
    problem: str = ""


class LinkAssistant:
    """Over the companies' list and e-conomic. Raises ConfigError when the list has no column for the number."""

    def __init__(self, target: Target, source: LookedUpSource) -> None:
        if KEY not in target.columns:
            problem = Problem("list of companies, column CustomerID", "is missing.")
            raise ConfigError([problem], hint="Make it on the page Connection, or run: economic-sync provision")
        self._target = target
        self._source = source

    def read(self) -> Sides:
        """Both sides as they stand now."""
        companies = tuple(_company(item) for item in self._target.items(list(self._target.columns)))
        return Sides(companies, tuple(self._source.customers()))

    def suggestions(self, refused: Collection[tuple[int, int]] = (), said: Said | None = None) -> Suggestions:
        """Reads both sides once. `refused` pairs of item and number are not offered; `said` is about renumbered
        customers."""
        sides = self.read()
        return sides.suggestions(
            Matcher(sides.customers).matches(sides.companies, refused), sides.moves(said or Said())
        )

    def accept(
        self,
        links: Sequence[Link],
        *,
        keep: Callable[[Sequence[Linked]], None] = lambda _done: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> list[Linked]:
        """Writes the numbers, each guarded by the version that was looked at, and says what became of each. A number
        that another company has by now, or no customer of e-conomic any more, is not written. Where two of the choices
        exclude each other nothing is.

        `keep` is told what was done, batch by batch, before the next one and when a service fails. `stop` ends it after
        a batch; what was not tried has no outcome then.
        """
        chosen = list({(link.item_id, link.number): link for link in links}.values())
        if wrong := excluding(chosen):
            return [Linked(link, wrong.get(link, _BESIDE)) for link in chosen]
        done: list[Linked] = []
        for start in range(0, len(chosen), _BATCH):
            if start and stop():
                break
            done += self._accept_batch(chosen[start : start + _BATCH], keep)
        return done

    def _accept_batch(self, links: Sequence[Link], keep: Callable[[Sequence[Linked]], None]) -> list[Linked]:
        by_number = {str(link.number): link for link in links}
        wrong = self._wrong(by_number)
        done = [Linked(by_number[number], problem) for number, problem in wrong.items()]
        writes = [
            Update(number, link.item_id, link.version, {KEY: number})
            for number, link in by_number.items()
            if number not in wrong
        ]
        try:
            for outcome in self._target.write(writes):
                problem = _PROBLEMS.get(outcome.status, "SharePoint refused the number.")
                done.append(Linked(by_number[outcome.write.key], problem))
        finally:
            keep(done)
        return sorted(done, key=lambda one: links.index(one.link))

    def _wrong(self, numbers: Collection[str]) -> dict[str, str]:
        """Those that can't be written, each with a sentence. What was looked at may be minutes old."""
        there = {str(one.number) for one in self._source.customers_numbered([*map(int, numbers)])}
        standing = {key_text(item.values.get(KEY)) for item in self._target.find(KEY, sorted(numbers), [KEY])}
        wrong = {number: f"Customer {number} is no longer in e-conomic." for number in numbers if number not in there}
        taken = {
            number: f"Another company has the customer number {number}." for number in numbers if number in standing
        }
        return wrong | taken


_BATCH = 100  # as many as SharePoint takes at once
_BESIDE = "Nothing was written: two of the other choices exclude each other."


def excluding(links: Sequence[Link]) -> dict[Link, str]:
    """Those that can't be true together, each with a sentence."""
    by_item: dict[int, list[Link]] = defaultdict(list)
    by_number: dict[int, list[Link]] = defaultdict(list)
    for link in links:
        by_item[link.item_id].append(link)
        by_number[link.number].append(link)
    found = {}
    for number, several in by_number.items():
        if len(several) > 1:
            text = f"Customer {number} was chosen for more than one company: choose one. Nothing was written."
            found.update(dict.fromkeys(several, text))
    for several in by_item.values():
        if len(several) > 1:
            numbers = ", ".join(str(link.number) for link in several)
            text = f"Customers {numbers} were chosen for one company: choose one. Nothing was written."
            found.update(dict.fromkeys(several, text))
    return found


_PROBLEMS = {
    WriteStatus.DONE: "",
    WriteStatus.CHANGED_MEANWHILE: "Somebody saved the company meanwhile; look at it again.",
    WriteStatus.GONE: "The company was deleted.",
    WriteStatus.DUPLICATE: "Another company has this customer number.",
    WriteStatus.UNKNOWN: "SharePoint gave no answer; look whether it was written.",
}


def _moves(numbered: Sequence[Party], customers: Mapping[str, Customer], said: Said) -> tuple[Move, ...]:
    companies = {party.number: party for party in numbered}
    register = Register(customers.values())
    for party in numbered:
        register.add(party)
    found = register.holders(said)
    new = {number: party_of(customers[number]) for number in {*found.moves.values(), *found.offered}}
    certain = [Move(companies[before], new[after], certain=True) for before, after in found.moves.items()]
    offered = [Move(companies[one], new[after], certain=False) for after, olds in found.offered.items() for one in olds]
    return (*certain, *offered)


def _party(one: Company) -> Party:
    return Party(one.number, one.name, one.cvr, one.email, one.zip, one.address, one.phone)


def _company(item: Item) -> Company:
    def text(*names: str) -> str:
        return next((str(item.values[name]).strip() for name in names if item.values.get(name)), "")

    return Company(
        item.item_id,
        item.version,
        name=text("Title", "CompanyName"),
        cvr=text("CINumber"),
        ean=text("EAN"),
        email=text("EMail"),
        phone=text("Phone", "Mobile"),
        address=text("Address"),
        zip=text("Zip"),
        number=key_text(item.values.get(KEY)) or "",
    )
