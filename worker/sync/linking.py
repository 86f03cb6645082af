"""Go-live without doubles: finds which CRM company is which debtor, and writes its number where a person says so.

Nothing but the customer number is written; the next run then finds the company by it and keeps it true.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from worker.domain.existing import key_text
from worker.domain.matching import Company, Match, Matcher
from worker.domain.values import Item
from worker.errors import ConfigError, Problem
from worker.ports import Source, Target, Update, WriteStatus

KEY = "CustomerID"
COLUMNS = ("Title", "CompanyName", KEY, "CINumber", "EAN", "EMail", "Phone", "Mobile", "Address", "Zip")


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What the assistant found. `alone` counts companies without a candidate, `linked` those that have a number,
    `free` debtors that no company carries."""

    matches: tuple[Match, ...]
    alone: int
    linked: int
    free: int

    @property
    def certain(self) -> list[Match]:
        """Those that can be accepted at once."""
        return [match for match in self.matches if match.certain]


@dataclass(frozen=True, slots=True)
class Link:
    """A person's yes: this company is this debtor. `version` is the item's, as it was looked at."""

    item_id: int
    number: int
    version: str


@dataclass(frozen=True, slots=True)
class Linked:
    """What became of it. `problem` is a sentence, "" when it was written."""

    link: Link
    problem: str = ""


class LinkAssistant:
    """Over the companies' list and e-conomic. Raises ConfigError when the list has no column for the number."""

    def __init__(self, target: Target, source: Source) -> None:
        if KEY not in target.columns:
            problem = Problem("list of companies, column CustomerID", "is missing.")
            raise ConfigError([problem], hint="Make it on the page Connection, or run: economic-sync provision")
        self._target = target
        self._source = source

    def suggestions(self, refused: Collection[tuple[int, int]] = ()) -> Suggestions:
        """Reads both sides once."""
        taken: set[str] = set()
        companies: list[Company] = []
        for item in self._target.items(list(self._target.columns)):
            key = key_text(item.values.get(KEY))
            if key:
                taken.add(key)
            else:
                companies.append(_company(item))
        debtors = [one for one in self._source.customers() if str(one.number) not in taken]
        matches = Matcher(debtors, refused).matches(companies)
        return Suggestions(tuple(matches), len(companies) - len(matches), len(taken), len(debtors))

    def accept(self, links: Sequence[Link]) -> list[Linked]:
        """Writes the numbers, each guarded by the version that was looked at. A number that another company has by now,
        or that is given twice, is not written."""
        numbers = [str(link.number) for link in links]
        standing = {key_text(item.values.get(KEY)) for item in self._target.find(KEY, sorted(set(numbers)), [KEY])}
        done: dict[Link, Linked] = {}
        updates: dict[str, Link] = {}
        for link in links:
            number = str(link.number)
            if number in standing or numbers.count(number) > 1:
                done[link] = Linked(link, f"Another company has the customer number {number}.")
            else:
                updates[number] = link
        writes = [Update(key, link.item_id, link.version, {KEY: key}) for key, link in updates.items()]
        for outcome in self._target.write(writes):
            link = updates[outcome.write.key]
            done[link] = Linked(link, _PROBLEMS.get(outcome.status, "SharePoint refused the number."))
        return [done[link] for link in links]


_PROBLEMS = {
    WriteStatus.DONE: "",
    WriteStatus.CHANGED_MEANWHILE: "Somebody saved the company meanwhile; look at it again.",
    WriteStatus.GONE: "The company was deleted.",
    WriteStatus.DUPLICATE: "Another company has this customer number.",
    WriteStatus.UNKNOWN: "SharePoint gave no answer; look whether it was written.",
}


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
    )
