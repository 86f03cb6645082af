"""Contacts, spread unevenly over customers: two in five customers have none, none has more than five."""

from datetime import date
from random import Random

from worker.emulators.dataset import dirt
from worker.emulators.dataset.chance import pick, stream
from worker.emulators.dataset.customers import past_stamp
from worker.emulators.dataset.model import Document
from worker.emulators.dataset.pools import Pools
from worker.emulators.dataset.roster import SHOWCASE, Roster

MOST = 5
TITLES = ("Indkøber", "Bogholderi", "Direktør", "Lager", "Sekretær")
NOTES = (
    "Træffes bedst om formiddagen.\r\nRing ikke i uge 29.",
    "Godkender fakturaer over 10.000 kr.\nSend kopi til bogholderiet.",
    "Har afløst Kirsten.\r\n\r\n* husk rabataftale & fragtfrit *",
    "Allergisk over for telefonsælgere",
)


def build_contacts(
    customers: list[Document], count: int, roster: Roster, seed: int, today: date, pools: Pools
) -> list[Document]:
    """`count` contacts ascending by customerContactNumber, which is unique over the whole agreement.

    About 3 % are soft-deleted, a fifth have no e-mail, two living ones of two customers share one e-mail,
    and some barred customers have contacts. `sortKey` counts from 1 within a customer.
    """
    rng = stream(seed, "contacts")
    owners = _owners(rng, len(customers), count, roster)
    deleted = pick(rng, range(2, count), max(1, round(count * 0.03)))
    rows: list[Document] = []
    number, taken = 0, set[tuple[int, str]]()
    ranks = [0] * len(customers)
    for i, owner in enumerate(owners):
        number += 1 if rng.random() < 0.9 else rng.randrange(2, 6)
        ranks[owner] += 1
        row = _contact(rng, number, customers[owner], ranks[owner], _name(rng, customers[owner], taken, pools))
        rows.append(row | {"lastUpdated": past_stamp(rng, today)} | ({"isDeleted": True} if i in deleted else {}))
    _share_email(rows)
    return rows


def point_to_contacts(customers: list[Document], contacts: list[Document], seed: int) -> None:
    """Give one in eight customers with contacts an `attention`, and some of those a `customerContact`."""
    rng = stream(seed, "attention")
    first = {c["customerNumber"]: c["customerContactNumber"] for c in reversed(contacts) if "isDeleted" not in c}
    for row in customers:
        number = first.get(row["customerNumber"])
        if number is not None and rng.random() < 0.125:
            row["attention"] = _pointer(number, row)
            if rng.random() < 0.4:
                row["customerContact"] = _pointer(number, row)


def _pointer(number: int, customer: Document) -> Document:
    return {"customerContactNumber": number, "customer": {"customerNumber": customer["customerNumber"]}}


def _owners(rng: Random, customers: int, count: int, roster: Roster) -> list[int]:
    """Customer positions, one per contact; the showcase firm is full, a barred customer is among them."""
    fixed = {SHOWCASE, *sorted(roster.holders("barred"))[:1]}
    others = pick(rng, set(range(customers)) - fixed, round(customers * 0.6) - len(fixed))
    room = dict.fromkeys(sorted(fixed | others), MOST)
    owners = [SHOWCASE] * min(MOST, count) + sorted(fixed - {SHOWCASE})
    for owner in owners:
        room[owner] -= 1
    open_places = [owner for owner, left in room.items() if left > 0]
    while len(owners) < count:
        place = int(len(open_places) * min(rng.random(), rng.random()))  # the earlier, the fuller
        owner = open_places[place]
        owners.append(owner)
        room[owner] -= 1
        if not room[owner]:
            open_places.pop(place)
    _shuffle_tail(rng, owners)
    return owners


def _shuffle_tail(rng: Random, owners: list[int]) -> None:
    """Mix all but the first two, so that the first two contacts belong to different customers in every set."""
    other = next((i for i, owner in enumerate(owners) if owner != owners[0]), None)
    if other is None:
        return
    owners[1], owners[other] = owners[other], owners[1]
    tail = owners[2:]
    rng.shuffle(tail)
    owners[2:] = tail


def _name(rng: Random, customer: Document, taken: set[tuple[int, str]], pools: Pools) -> str:
    """A name no other contact of this customer has (e-conomic refuses a second one of the same name)."""
    while True:
        given, family = rng.choice(pools.first_names), rng.choice(pools.last_names)
        roll = rng.random()
        if roll < 0.04:
            name = f"{family}, {given}"
        elif roll < 0.07:
            name = f"{given} {family}, {rng.choice(TITLES).lower()}"
        elif roll < 0.10:
            name = rng.choice((f"{given} {family} ", f"{given}  {family}", given))
        else:
            name = f"{given} {family}"
        key = (customer["customerNumber"], name.casefold())
        if key not in taken:
            taken.add(key)
            return name


def _contact(rng: Random, number: int, customer: Document, rank: int, name: str) -> Document:
    row: Document = {
        "customerContactNumber": number,
        "customerNumber": customer["customerNumber"],
        "name": name,
        "sortKey": rank,
    }
    roll = rng.random()
    if roll < 0.8:
        row["email"] = f"{dirt.slug(name)}@{dirt.slug(customer['name'])}.example"
    elif roll < 0.83:
        row["email"] = ""
    if rng.random() < 0.65:
        row["phone"] = dirt.danish_phone(rng)[:50]
    if rng.random() < 0.08:
        row["notes"] = rng.choice(NOTES)
    if rng.random() < 0.03:
        row["eInvoiceId"] = f"PERS-{number:06d}"
    return row


def _share_email(rows: list[Document]) -> None:
    """The first two contacts, of different customers, give one mailbox: the accountant who serves both."""
    if len(rows) >= 2:
        for row in rows[:2]:
            row["email"] = "regnskab@faellesbogholderi.example"
