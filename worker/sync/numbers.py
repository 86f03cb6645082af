"""What customers' changed numbers mean for the lists: whose a company is, and where rows belong."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from worker.domain.existing import ExistingIndex, key_text
from worker.domain.holders import Holders
from worker.domain.key_order import unparked
from worker.domain.mapping import Lookup
from worker.domain.planning import Held, Moves
from worker.domain.profile import Profile, SourceKind, WriteRule
from worker.domain.profile_customer import COMPANY_COLUMN, customer_column, key_separator
from worker.domain.records import Customer
from worker.domain.renumbering import Party, is_other, party_of
from worker.domain.values import Item, TargetKind, Value

# Columns that tell one company from another, where a list has them.
IDENTITY = ("Title", "CompanyName", "CINumber", "EMail", "Zip", "Address", "Phone")
_FACTS = {"EMail": "Email", "Zip": "PostalCode", "Address": "Address", "Phone": "Phone"}


def facts_of(profiles: Iterable[Profile]) -> frozenset[str]:
    """Columns of companies that these profiles keep as e-conomic has them. What people keep themselves says nothing
    about whose a number is."""
    return frozenset(
        rule.target
        for profile in profiles
        if profile.target is TargetKind.COMPANY
        for rule in profile.rules
        if rule.write is WriteRule.ERP_OWNS and rule.source == _FACTS.get(rule.target)
    )


def company_party(number: str, item: Item, facts: Collection[str]) -> Party:
    """A company of the CRM, under the number it carries."""

    def text(*names: str) -> str:
        return next((str(item.values[name]) for name in names if item.values.get(name)), "")

    def fact(name: str) -> str:
        return text(name) if name in facts else ""

    return Party(
        number,
        text("Title", "CompanyName"),
        text("CINumber"),
        fact("EMail"),
        fact("Zip"),
        fact("Address"),
        fact("Phone"),
    )


def held_companies(holders: Holders) -> dict[int, Held]:
    """Customers whose company can't be written now, for the profile that makes companies."""
    held = {}
    for number, olds in holders.offered.items():
        if number in olds:
            held[int(number)] = Held("maybe-other", {"customer": number})
        else:
            held[int(number)] = Held("maybe-renumbered", {"customer": number, "old": ", ".join(olds)})
    for number, asked in holders.waits.items():
        facts = {"customer": number, "asked": asked}
        held[int(number)] = Held("number-reused" if asked == number else "number-waits", facts)
    return held


def held_as_other(customer: Customer, item: Item) -> Held | None:
    """Why nothing of a customer may be written to a company that was found by another key than its number: the number
    is part of the key, and was given to somebody else."""
    if not is_other(company_party("", item, ()), party_of(customer)):
        return None
    return Held("number-reused", {"customer": str(customer.number)})


def held_rows(holders: Holders, asked: Collection[str] = ()) -> dict[int, Held]:
    """Customers whose rows wait for the company; `asked`: others that a person is asked about."""
    reused = {int(number): Held("number-reused", {"customer": number}) for number in _stuck(holders)}
    waiting = {*holders.offered, *holders.waits, *asked} - _stuck(holders)
    return reused | {int(number): Held("company-waits", {"customer": number}) for number in waiting}


def _stuck(holders: Holders) -> set[str]:
    return {number for number, asked in holders.waits.items() if number == asked}


def held_figures(holders: Holders, planned: Collection[str]) -> dict[int, Held]:
    """The same for profiles that only add to companies. `planned`: companies that an earlier profile of the same plan
    makes. A company whose number somebody else has by now is not the customer's: nothing is written over it."""
    held = held_rows(holders)
    for number in holders.let_go - set(holders.moves.values()):
        code = "company-planned" if number in planned else "number-reused"
        held[int(number)] = Held(code, {"customer": number})
    return held


def original_numbers(moves: Mapping[str, str]) -> dict[str, str]:
    """As rows carry them: a company that had stepped aside is known to its rows by the number it had before."""
    return {(way[0] if (way := unparked(old)) else old): new for old, new in moves.items()}


@dataclass(frozen=True, slots=True)
class RowNumbers:
    """Rows of a list that point to companies. `belonging`: number and company item of each; `numbers`: what is known of
    changed numbers; `there`: numbers that e-conomic has; `let_go`: company item -> the number that it had until that
    was given to somebody else."""

    profile: Profile
    belonging: Collection[tuple[Value, Value]]
    companies: Lookup
    numbers: Mapping[str, str] = field(default_factory=dict)
    there: frozenset[str] = frozenset()
    let_go: Mapping[int, str] = field(default_factory=dict)

    def left_behind(self) -> dict[str, str]:
        """Numbers of rows whose company carries another one by now, or did until that was given away: a run that gave
        it its new number was interrupted before it came to the rows. Only where no company carries the old number,
        e-conomic no longer has it, and has the new one; a row that a person gave to another company says nothing about
        its customer's number."""
        odd: dict[str, set[str]] = {}
        for old, _, new in self._apart(self.let_go):
            if old not in self.numbers and not self.companies.knows(old):
                odd.setdefault(old, set()).add(new)
        certain = {old: new.pop() for old, new in odd.items() if len(new) == 1 and old not in self.there}
        return {old: new for old, new in certain.items() if new in self.there}

    def moves(self, existing: ExistingIndex, kept: frozenset[str]) -> Moves:
        """Gives the items of renumbered customers their new keys. A number that somebody else has by now tells nothing
        about a row; its company does, also after an interruption, but for contacts, which are known by their own."""
        has_company = COMPANY_COLUMN in existing.positions
        shared = frozenset(self.numbers) & self.there if has_company else frozenset()
        known = self.profile.source in (SourceKind.INVOICE, SourceKind.SALES)
        by_company = {
            (old, item): new
            for old, item, new in self._apart()
            if self.numbers.get(old) == new or (known and {old, new} <= self.there)
        }
        moves = Moves(self.numbers, by_company, shared, customer_column(self.profile), kept=kept)
        if moves.column is not None and self.profile.source is SourceKind.CUSTOMER:
            existing.rekey(self.numbers)
        elif (separator := key_separator(self.profile)) is not None and (self.numbers or by_company):
            existing.rekey(_moved_keys(separator, existing, moves))
        return moves

    def _apart(self, before: Mapping[int, str] | None = None) -> list[tuple[str, int, str]]:
        """Number and company item of rows, and the number of that company where it is another one. `before`: what those
        that carry none had."""
        found = []
        for number, item in self.belonging:
            old = key_text(number)
            if not isinstance(item, int):
                continue
            new = self.companies.key_of(item) or (before or {}).get(item)
            if old and new and old != new:
                found.append((old, item, new))
        return found


def _moved_keys(separator: str, existing: ExistingIndex, moves: Moves) -> dict[str, str]:
    """Keys that begin with an old number -> the same with the new one."""
    at = existing.positions.get(COMPANY_COLUMN)
    heads = {*moves.numbers, *(number for number, _ in moves.by_company)}
    moved = {}
    for key in existing.left():
        if (way := unparked(key)) is not None:
            moved[key] = way[1]
            continue
        head, found, rest = key.partition(separator)
        if not found or head not in heads:
            continue
        items = existing.look(key)
        new = moves.new_number(head, None if at is None else items[0].value(at))
        if new is not None:
            moved[key] = f"{new}{separator}{rest}"
    return moved
