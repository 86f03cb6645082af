"""Names of customers: firms, private persons, public bodies, firms abroad; no two alike unless meant so."""

from collections.abc import Callable
from random import Random

from worker.emulators.dataset import dirt
from worker.emulators.dataset.chance import stream
from worker.emulators.dataset.pools import DANISH_TOWNS, Country, Pools
from worker.emulators.dataset.roster import LONG_NAME, MARKED, TWINS, Roster

NAME_ATTEMPTS = 20
COMPANY_FORMS = ("ApS", "ApS", "ApS", "A/S", "A/S", "I/S", "K/S")
TRADES = (
    "Byg", "VVS", "El", "Entreprise", "Transport", "Auto", "Maskinfabrik", "Tømrer & Snedker", "Revision",
    "Reklame", "Ejendomme", "Møbler", "Grafisk", "Consult", "IT", "Food", "Marine", "Gartneri", "Smede",
    "Rengøring", "Tandklinik", "Arkitekter", "Optik", "Trælast", "Catering", "Logistik",
)  # fmt: skip
PUBLIC_BODIES = (
    "{town} Skole", "{town} Bibliotek", "{town} Gymnasium", "{town} Plejecenter", "Børnehuset {word}",
    "{town} Kommune, {word}", "Region {town}, Indkøb", "{town} Idrætscenter",
)  # fmt: skip
FIRST_OFFICES = ("Teknik & Miljø", "Børn & Unge", "Økonomi", "Kultur & Fritid", "Sundhed & Ældre", "Mælkebøtten")


def draw_names(roster: Roster, seed: int, pools: Pools) -> list[str]:
    """Distinct names, except that the twins share one, the long one is filled up, and some are typed badly."""
    rng = stream(seed, "customer names")
    seen: set[str] = set()
    names = [_distinct_name(seen, _namer(i, roster, rng, pools), rng) for i in range(len(roster.kinds))]
    if len(names) > max(MARKED):
        names[TWINS[1]] = names[TWINS[0]]
        names[LONG_NAME] = dirt.long_name(names[LONG_NAME])
    for i in sorted(roster.holders("spoiled")):
        names[i] = dirt.spoil_name(rng, names[i])
    for i in sorted(roster.holders("emoji")):
        names[i] = dirt.with_emoji(names[i])
    return names


def _namer(i: int, roster: Roster, rng: Random, pools: Pools) -> Callable[[], str]:
    kind = roster.kinds[i]
    if kind == "company":
        return lambda: company_name(rng, pools)
    if kind == "private":
        return lambda: person_name(rng, pools)
    if kind == "public":
        return lambda: public_name(rng, pools)
    return lambda: foreign_name(rng, pools, roster.countries[i])


def _distinct_name(seen: set[str], draw: Callable[[], str], rng: Random) -> str:
    """A name nobody has yet (compared without case); after some attempts a branch is added to it."""
    name = draw()
    for _ in range(NAME_ATTEMPTS):
        if name.casefold() not in seen:
            break
        name = draw()
    while name.casefold() in seen:
        name = f"{draw()}, afd. {rng.randrange(2, 10_000)}"
    seen.add(name.casefold())
    return name


def company_name(rng: Random, pools: Pools) -> str:
    """A Danish firm, for example "Bæk & Holm Transport A/S"."""
    owner = rng.choice(pools.last_names)
    if rng.random() < 0.35:
        owner = f"{owner} & {rng.choice((*pools.last_names, 'Søn', 'Sønner'))}"
    elif rng.random() < 0.3:
        owner = f"{rng.choice(pools.first_names)} {owner}"
    trade = f" {rng.choice(TRADES)}" if rng.random() < 0.7 else ""
    return f"{owner}{trade} {rng.choice(COMPANY_FORMS)}"


def person_name(rng: Random, pools: Pools) -> str:
    """One to two given names and a family name."""
    given = rng.choice(pools.first_names)
    if rng.random() < 0.3:
        given = f"{given} {rng.choice(pools.last_names)}"
    return f"{given} {rng.choice(pools.last_names)}"


def public_name(rng: Random, pools: Pools) -> str:
    """A school, library or office of a municipality."""
    town = rng.choice(DANISH_TOWNS)[1].split(" ")[0]
    word = rng.choice(FIRST_OFFICES)
    name = rng.choice(PUBLIC_BODIES).format(town=town, word=word)
    return name if rng.random() < 0.5 else f"{name} ({rng.choice(pools.streets)})"


def foreign_name(rng: Random, pools: Pools, country: Country) -> str:
    """A firm abroad with its own legal form."""
    names = pools.foreign_last_names[country.locale]
    return (
        f"{rng.choice(names)} {rng.choice(('Trading', 'Import', 'Nord', '& Partner'))} {rng.choice(country.suffixes)}"
    )
