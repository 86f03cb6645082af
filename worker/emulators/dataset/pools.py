"""Words to build from: Danish names and streets drawn once from Faker, towns with their real postal codes.

Faker takes about 10 microseconds a word and repeats itself, so each kind is drawn once into a pool and rows
combine pool words. Towns are a table of our own because Faker's Danish postal codes do not fit its cities.
"""

from collections.abc import Callable
from dataclasses import dataclass

from faker import Faker

Town = tuple[str, str]

DANISH_TOWNS: tuple[Town, ...] = (
    ("1411", "København K"), ("1620", "København V"), ("2000", "Frederiksberg"), ("2100", "København Ø"),
    ("2200", "København N"), ("2300", "København S"), ("2450", "København SV"), ("2500", "Valby"),
    ("2600", "Glostrup"), ("2605", "Brøndby"), ("2630", "Taastrup"), ("2650", "Hvidovre"), ("2700", "Brønshøj"),
    ("2730", "Herlev"), ("2750", "Ballerup"), ("2800", "Kongens Lyngby"), ("2860", "Søborg"), ("2900", "Hellerup"),
    ("2970", "Hørsholm"), ("3000", "Helsingør"), ("3400", "Hillerød"), ("3460", "Birkerød"), ("3600", "Frederikssund"),
    ("3700", "Rønne"), ("4000", "Roskilde"), ("4100", "Ringsted"), ("4200", "Slagelse"), ("4300", "Holbæk"),
    ("4400", "Kalundborg"), ("4600", "Køge"), ("4700", "Næstved"), ("4800", "Nykøbing F"), ("5000", "Odense C"),
    ("5220", "Odense SØ"), ("5500", "Middelfart"), ("5700", "Svendborg"), ("5800", "Nyborg"), ("6000", "Kolding"),
    ("6200", "Aabenraa"), ("6400", "Sønderborg"), ("6700", "Esbjerg"), ("6760", "Ribe"), ("7000", "Fredericia"),
    ("7100", "Vejle"), ("7400", "Herning"), ("7430", "Ikast"), ("7500", "Holstebro"), ("7700", "Thisted"),
    ("7800", "Skive"), ("8000", "Aarhus C"), ("8200", "Aarhus N"), ("8210", "Aarhus V"), ("8260", "Viby J"),
    ("8382", "Hinnerup"), ("8600", "Silkeborg"), ("8700", "Horsens"), ("8800", "Viborg"), ("8900", "Randers C"),
    ("9000", "Aalborg"), ("9220", "Aalborg Øst"), ("9400", "Nørresundby"), ("9800", "Hjørring"),
    ("9900", "Frederikshavn"),
)  # fmt: skip


@dataclass(frozen=True)
class Country:
    """A country abroad: the ways people typed it, its currency, and how addresses look there."""

    spellings: tuple[str, ...]
    currency: str
    eu: bool
    locale: str
    suffixes: tuple[str, ...]
    dial: str
    towns: tuple[Town, ...]


COUNTRIES: tuple[Country, ...] = (
    Country(("Germany", "Tyskland", "Deutschland", "DE"), "EUR", True, "de_DE", ("GmbH", "AG", "GmbH & Co. KG"),
            "+49", (("20095", "Hamburg"), ("24937", "Flensburg"), ("10115", "Berlin"), ("80331", "München"))),
    Country(("Holland", "Netherlands", "NL"), "EUR", True, "nl_NL", ("B.V.", "N.V."),
            "+31", (("1012 JS", "Amsterdam"), ("3011 AD", "Rotterdam"))),
    Country(("Finland", "FI"), "EUR", True, "fi_FI", ("Oy", "Oyj"),
            "+358", (("00100", "Helsinki"), ("20100", "Turku"))),
    Country(("Sverige", "Sweden", "SE", "se"), "SEK", True, "sv_SE", ("AB", "HB"),
            "+46", (("211 20", "Malmö"), ("111 22", "Stockholm"), ("411 03", "Göteborg"))),
    Country(("Norge", "Norway", "no"), "NOK", False, "no_NO", ("AS", "ASA"),
            "+47", (("0150", "Oslo"), ("5003", "Bergen"))),
    Country(("USA", "United States", "US"), "USD", False, "en_US", ("Inc.", "LLC"),
            "+1", (("10001", "New York"), ("60601", "Chicago, IL"))),
)  # fmt: skip


@dataclass(frozen=True)
class Pools:
    """Distinct words in drawing order."""

    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    streets: tuple[str, ...]
    foreign_last_names: dict[str, tuple[str, ...]]
    foreign_streets: dict[str, tuple[str, ...]]


def draw_pools(seed: int) -> Pools:
    """Fill every pool from Faker; equal seeds give equal pools."""
    danish = _faker("da_DK", seed)
    abroad = {country.locale: _faker(country.locale, seed) for country in COUNTRIES}
    return Pools(
        first_names=_distinct(danish.first_name, 700),
        last_names=_distinct(danish.last_name, 300),
        streets=_distinct(danish.street_name, 1_500),
        foreign_last_names={locale: _distinct(fake.last_name, 80) for locale, fake in abroad.items()},
        foreign_streets={locale: _distinct(fake.street_name, 80) for locale, fake in abroad.items()},
    )


def _faker(locale: str, seed: int) -> Faker:
    fake = Faker(locale)
    fake.seed_instance(seed)
    return fake


def _distinct(draw: Callable[[], str], draws: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(draw() for _ in range(draws)))
