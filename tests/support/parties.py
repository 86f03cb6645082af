"""Who is who in truth, which neither system knows: parties behind e-conomic's numbers, and their companies.

A number may be changed, or given to somebody else; the party and its company's item stay the same. A history that moved
from one party to another shows as a company that carries the wrong party's number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass
class Parties:
    """`of`: customer number -> party. `away`: the same for customers that vanished. `company`: party -> company item,
    from the first time it is known. `apart`: pairs of company item and party that a person says are two."""

    of: dict[int, str] = field(default_factory=dict)
    away: dict[int, str] = field(default_factory=dict)
    company: dict[str, int] = field(default_factory=dict)
    apart: set[tuple[int, str]] = field(default_factory=set)

    def begin(self, companies: Mapping[int, int]) -> None:
        """As it is after the first run: number -> company item."""
        self.of = {number: f"party {number}" for number in companies}
        self.company = {f"party {number}": item for number, item in companies.items()}

    def renumbered(self, old: int, new: int) -> None:
        """The party stays."""
        self.of[new] = self.of.pop(old)

    def given_away(self, number: int) -> None:
        """The number is somebody else's from now on."""
        self.of[number] = f"second party {number} after {self.of[number]}"

    def vanished(self, number: int) -> None:
        """Its company stays, with the number."""
        self.away[number] = self.of.pop(number)

    def came_back(self, number: int) -> None:
        """It is the same party."""
        self.of[number] = self.away.pop(number)

    def is_theirs(self, item: int, number: int) -> bool:
        """Whether this company is the customer's of this number."""
        return self.company.get(self.of.get(number, "")) == item

    def known(self) -> list[int]:
        """Numbers of customers whose company is known."""
        return sorted(number for number, party in self.of.items() if party in self.company)

    def mistaken(self, companies: Mapping[int, int]) -> Iterable[str]:
        """What is wrong with number -> company item; a party seen for the first time is remembered."""
        for number, party in {**self.of, **self.away}.items():
            item = companies.get(number)
            known = self.company.get(party)
            owner = next((one for one, theirs in self.company.items() if theirs == item and one != party), None)
            if item is None:
                if number in self.of:
                    yield f"customer {number} ({party}) has no company"
            elif owner is not None:
                yield f"customer {number} ({party}) has company {item}, which is of {owner}"
            elif known is not None and known != item:
                yield f"customer {number} ({party}) has company {item}, not its own {known}"
            elif (item, party) in self.apart:
                yield f"customer {number} ({party}) has company {item}, which a person said is another's"
            else:
                self.company[party] = item
