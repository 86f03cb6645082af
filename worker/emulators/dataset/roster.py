"""Who gets what, decided for all customers at once, so that every share is exact and every oddity is present.

The first few customers are marked: they are firms with an address, and carry the oddities that every set must
hold. Shares follow what was seen on a large agreement (e-conomic REST docs and recordings, volumes): 11 % barred,
9 % in EUR, 43 % with CVR, 23 % with EAN; e-mail is a little more frequent here (60 %).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

from worker.emulators.dataset import reference_data as ref
from worker.emulators.dataset.chance import pick, quota, stream
from worker.emulators.dataset.pools import COUNTRIES, Country

Kind = Literal["company", "private", "public", "foreign"]
KINDS: dict[Kind, float] = {"company": 57, "private": 17, "public": 10, "foreign": 16}
TERMS: dict[int, float] = {
    ref.NET_8: 24, ref.NET_14: 28, ref.NET_30: 22, ref.MONTH_30: 14, ref.DUE_DATE: 5, ref.PREPAID: 4, ref.CASH: 3,
}  # fmt: skip
BARRED, EURO, CVR, EAN, EMAIL = 0.11, 0.09, 0.43, 0.23, 0.60

SHOWCASE = 0  # an unbarred firm with thirty days of credit: its open invoices fill every ageing bucket
TWINS = (2, 7)  # one name, two numbers, two towns
LONG_NAME, LONG_ADDRESS = 4, 5
MARKED = frozenset((SHOWCASE, *TWINS, LONG_NAME, LONG_ADDRESS))


@dataclass(frozen=True)
class Roster:
    """Decisions by position in the customer list (0 .. n-1); `traits` maps a trait to those who have it."""

    kinds: list[Kind]
    terms: list[int]
    countries: dict[int, Country]
    traits: dict[str, set[int]]

    def has(self, i: int, trait: str) -> bool:
        return i in self.traits[trait]

    def holders(self, trait: str) -> set[int]:
        return self.traits[trait]


def draw_roster(count: int, seed: int) -> Roster:
    """Decide for `count` customers."""
    rng = stream(seed, "roster")
    kinds = quota(rng, count, KINDS)
    _make_marked_firms(kinds)
    terms = quota(rng, count, TERMS)
    if terms:
        terms[SHOWCASE] = ref.NET_30
    euro = pick(rng, _of(kinds, "foreign"), round(count * EURO))
    countries = _draw_countries(rng, _of(kinds, "foreign"), euro)
    traits = dict([*_trade_traits(rng, kinds), *_text_traits(rng, kinds)])
    elsewhere = [i for i, country in countries.items() if country.currency != "EUR"]
    # Some pay in euro and yet get Danish VAT; only their invoices leave a cent when converted.
    traits["danish vat"] = pick(rng, euro, round(len(euro) / 6))
    traits["own currency"] = euro | pick(rng, elsewhere, round(count * 0.03))
    return Roster(kinds, terms, countries, traits)


def _make_marked_firms(kinds: list[Kind]) -> None:
    """Let marked customers change places with firms further on, which keeps the shares."""
    firms = iter([i for i in _of(kinds, "company") if i not in MARKED])
    for i in sorted(MARKED):
        if i < len(kinds) and kinds[i] != "company":
            kinds[next(firms)], kinds[i] = kinds[i], "company"


def _of(kinds: list[Kind], *wanted: Kind) -> list[int]:
    return [i for i, kind in enumerate(kinds) if kind in wanted]


def _draw_countries(rng: Random, foreign: Iterable[int], euro: set[int]) -> dict[int, Country]:
    euro_land = [c for c in COUNTRIES if c.currency == "EUR"]
    return {i: rng.choice(euro_land if i in euro else COUNTRIES) for i in foreign}


def _trade_traits(rng: Random, kinds: list[Kind]) -> Iterator[tuple[str, set[int]]]:
    """What bears on trade. Each share counts against all customers; the holders come from those who can."""
    total, firms, public = len(kinds), _of(kinds, "company"), _of(kinds, "public")
    everyone = range(total)
    yield "barred", pick(rng, set(everyone) - MARKED, round(total * BARRED))
    yield "cvr", pick(rng, firms + public, round(total * CVR))
    yield "ean", set(public) | pick(rng, firms, round(total * EAN) - len(public))
    yield "p number", pick(rng, firms, round(total * 0.06))
    yield "credit limit", pick(rng, firms, round(total * 0.10))
    yield "salesperson", pick(rng, everyone, round(total * 0.50))
    yield "exempt", pick(rng, public, round(total * 0.01))
    yield "reseller", pick(rng, firms, round(total * 0.08))
    yield "explicit e-invoicing", pick(rng, everyone, round(total * 0.12))


def _text_traits(rng: Random, kinds: list[Kind]) -> Iterator[tuple[str, set[int]]]:
    """What bears on texts and their dirt."""
    total, everyone = len(kinds), set(range(len(kinds)))
    plain = everyone - MARKED
    email = pick(rng, everyone, round(total * EMAIL))
    yield "email", email
    yield "two emails", pick(rng, email, max(1, round(total * 0.03)))
    yield "phone", pick(rng, everyone, round(total * 0.70))
    yield "mobile", pick(rng, _of(kinds, "company", "public", "private"), round(total * 0.12))
    yield "website", pick(rng, _of(kinds, "company"), round(total * 0.15))
    yield "address", pick(rng, plain, round(total * 0.93)) | (MARKED & everyone)
    spoiled = pick(rng, plain, max(1, round(total * 0.06)))
    yield "spoiled", spoiled
    yield "emoji", pick(rng, plain - spoiled, max(1, round(total * 0.003)))
    yield "blanks", pick(rng, plain, max(1, round(total * 0.06)))
