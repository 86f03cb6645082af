"""A CRM beside an agreement, with known truth: people typed the same companies years ago, each in their own way."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from worker.domain.matching import Company
from worker.domain.records import Customer
from worker.emulators.dataset.naming import TRADES

_SWAPS = {"æ": "ae", "ø": "oe", "å": "aa", "&": "og", "A/S": "A S", "ApS": "Aps.", "I/S": "IS"}


@dataclass(frozen=True)
class Truth:
    """`links`: item id -> debtor number; a company that is not in it has no debtor."""

    companies: list[Company]
    debtors: list[Customer]
    links: dict[int, int]


def debtors_of(rows: Sequence[dict[str, Any]]) -> list[Customer]:
    """The data set's customers, as the source gives them."""
    return [
        Customer(
            number=row["customerNumber"],
            name=row["name"],
            currency=row["currency"],
            balance=Decimal(0),
            due_amount=Decimal(0),
            address=row.get("address"),
            zip=row.get("zip"),
            city=row.get("city"),
            email=row.get("email"),
            phone=row.get("telephoneAndFaxNumber"),
            cvr=row.get("corporateIdentificationNumber"),
            ean=row.get("ean"),
        )
        for row in rows
    ]


def dirty(debtors: Sequence[Customer], seed: int) -> Truth:
    """Three of four debtors as companies, dirty; besides: companies that were never customers, some of them twins of a
    debtor (the same name in another town, the same street, a branch with the head office's CVR number), and sister
    firms: holding, group or another legal form at the same address, on one side or on both; and private persons whose
    firm has their name and address."""
    chance = random.Random(seed)
    companies: list[Company] = []
    links: dict[int, int] = {}
    extra: list[Customer] = []
    for one in debtors:
        roll = chance.random()
        item = len(companies) + 1
        if roll < 0.75:
            companies.append(_typed(one, item, chance))
            links[item] = one.number
        elif roll < 0.85:
            companies.append(_stranger(one, item, chance))
        if chance.random() < 0.04 and one.cvr:
            extra.append(_branch(one, 500_000 + len(extra), chance))
        if chance.random() < 0.03 and item in links:
            companies.append(Company(len(companies) + 1, "1", one.name, cvr=one.cvr or "", zip=one.zip or ""))
            # The same company twice in the CRM: which of them is the debtor only a person can say.
            links[len(companies)] = one.number
    _add_sisters(debtors, companies, extra, links, random.Random(f"sisters {seed}"))
    _add_owners(debtors, companies, extra, random.Random(f"owners {seed}"))
    return Truth(companies, [*debtors, *extra], links)


def half_linked(truth: Truth, seed: int) -> tuple[Truth, list[Company], set[int]]:
    """The same when half of the work is done: what is left to link, the companies that carry a number by now, and these
    numbers. The double of a linked company has no debtor left."""
    chance = random.Random(f"linked {seed}")
    done: dict[int, int] = {}
    for item, number in truth.links.items():
        if number not in done.values() and chance.random() < 0.5:
            done[item] = number
    left = [one for one in truth.companies if one.item_id not in done]
    links = {item: number for item, number in truth.links.items() if number not in done.values()}
    linked = [replace(one, number=str(done[one.item_id])) for one in truth.companies if one.item_id in done]
    return Truth(left, truth.debtors, links), linked, set(done.values())


def _add_sisters(
    debtors: Sequence[Customer],
    companies: list[Company],
    extra: list[Customer],
    links: dict[int, int],
    chance: random.Random,
) -> None:
    """Nothing but the name and the CVR number tells sisters apart, so people who know both type the whole name."""
    for one in debtors:
        name = sister_name(one.name, chance)
        if name is None or chance.random() > 0.2:
            continue
        cvr = f"{chance.randrange(10_000_000, 99_999_999)}"
        sister = replace(one, number=600_000 + len(extra), name=name, cvr=cvr, ean=None)
        where = chance.choice(("CRM", "e-conomic", "both"))
        if where != "CRM":
            extra.append(sister)
        if where != "e-conomic":
            companies.append(replace(_typed(sister, len(companies) + 1, chance), name=_told_apart(name, chance)))
        if where == "both":
            links[len(companies)] = sister.number


def _add_owners(
    debtors: Sequence[Customer], companies: list[Company], extra: list[Customer], chance: random.Random
) -> None:
    """The owner buys too, and is no firm: one is a company of the CRM or a debtor that the other side has not."""
    for one in debtors:
        owner = owner_name(one.name)
        if owner is None:
            continue
        mail = f"{owner.split()[0].casefold()}@gmail.com"
        person = replace(one, number=700_000 + len(extra), name=owner, email=mail, cvr=None, ean=None)
        if chance.random() < 0.5:
            companies.append(_typed(person, len(companies) + 1, chance))
        else:
            extra.append(person)


def owner_name(name: str) -> str | None:
    """Kim Iversen for Kim Iversen ApS; None for a firm that is not called by a person's whole name."""
    found = re.fullmatch(r"(\w+ (\w+))\s+(A/S|ApS|I/S|K/S)\s*", name)
    return found[1] if found and found[2] not in TRADES else None


def sister_name(name: str, chance: random.Random) -> str | None:
    """Another firm of the same owners; None for a name without a legal form."""
    found = re.fullmatch(r"(.+?)\s+(A/S|ApS|I/S|K/S)\s*", name)
    if found is None:
        return None
    core, form = found.groups()
    other = chance.choice([one for one in ("A/S", "ApS", "I/S") if one != form])
    words = ("Holding", "Group", "Danmark", "Gruppen")
    return chance.choice([f"{core} {other}", core + f" {chance.choice(words)} {form}", f"{core} Holding {other}"])


def _told_apart(name: str, chance: random.Random) -> str:
    return chance.choice([name, name.upper(), f" {name} ", name.replace("ø", "oe").replace("&", "og")])


def _typed(one: Customer, item: int, chance: random.Random) -> Company:
    """As somebody typed it."""

    def maybe(text: str | None, share: float) -> str:
        return text if text and chance.random() < share else ""

    return Company(
        item,
        "1",
        _misspelt(one.name, chance),
        cvr=_cvr(maybe(one.cvr, 0.6), chance),
        ean=maybe(one.ean, 0.5),
        email=maybe(one.email, 0.5),
        phone=maybe(one.phone, 0.5),
        address=maybe(one.address, 0.6),
        zip=maybe(one.zip, 0.8),
    )


def _stranger(one: Customer, item: int, chance: random.Random) -> Company:
    """Another party with the same name, or in the same house."""
    cvr = f"{chance.randrange(10_000_000, 99_999_999)}" if chance.random() < 0.5 else ""
    if chance.random() < 0.5:
        return Company(item, "1", one.name, cvr=cvr, zip=f"{chance.randrange(1000, 9990)}")
    return Company(
        item, "1", f"Nabo {chance.randrange(1000)} ApS", cvr=cvr, address=one.address or "", zip=one.zip or ""
    )


def _branch(one: Customer, number: int, chance: random.Random) -> Customer:
    """Another debtor of the same company."""
    return Customer(
        number,
        f"{one.name} afd. {chance.randrange(2, 9)}",
        one.currency,
        Decimal(0),
        Decimal(0),
        cvr=one.cvr,
        zip=one.zip,
    )


def _misspelt(name: str, chance: random.Random) -> str:
    text = name
    for right, wrong in _SWAPS.items():
        if chance.random() < 0.3:
            text = text.replace(right, wrong)
    if chance.random() < 0.2:
        text = text.upper()
    if chance.random() < 0.2:
        text = re.sub(r"\s*(A/S|ApS|I/S|K/S)\b", "", text)
    if len(text) > 6 and chance.random() < 0.3:
        at = chance.randrange(1, len(text) - 1)
        text = chance.choice([text[:at] + text[at + 1 :], text[:at] + text[at - 1] + text[at:], f" {text} "])
    return text


def _cvr(cvr: str, chance: random.Random) -> str:
    digits = re.sub(r"\D", "", cvr)
    if len(digits) != 8:
        return cvr
    return chance.choice([digits, f"DK{digits}", f"{digits[:2]} {digits[2:4]} {digits[4:6]} {digits[6:]}", digits])
