"""A CRM beside an agreement, with known truth: people typed the same companies years ago, each in their own way."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from worker.domain.matching import Company
from worker.domain.records import Customer

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
    debtor (the same name in another town, the same street, a branch with the head office's CVR number)."""
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
    return Truth(companies, [*debtors, *extra], links)


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
