"""Customer documents of one agreement, in the classic wire shape without links, balance and dueAmount."""

from datetime import UTC, date, datetime, timedelta
from random import Random

from worker.emulators.dataset import dirt, numbering
from worker.emulators.dataset import reference_data as ref
from worker.emulators.dataset.chance import stream
from worker.emulators.dataset.model import Document
from worker.emulators.dataset.naming import draw_names
from worker.emulators.dataset.pools import DANISH_TOWNS, Pools
from worker.emulators.dataset.roster import LONG_ADDRESS, MARKED, TWINS, Kind, Roster

GROUPS: dict[Kind, int] = {
    "company": ref.DANISH,
    "private": ref.PRIVATE,
    "public": ref.PUBLIC,
    "foreign": ref.FOREIGN,
}
MAY_BE_BLANK = (
    "email", "zip", "website", "city", "country", "telephoneAndFaxNumber", "corporateIdentificationNumber",
    "mobilePhone", "publicEntryNumber",
)  # fmt: skip


def build_customers(roster: Roster, seed: int, today: date, pools: Pools) -> list[Document]:
    """One document per roster place, ascending by customerNumber, each last changed before `today`."""
    names = draw_names(roster, seed, pools)
    numbers = customer_numbers(stream(seed, "customer numbers"), len(names))
    rows = [_customer(i, numbers[i], roster, name, pools, seed) for i, name in enumerate(names)]
    if len(rows) > max(MARKED):
        _separate_twins(rows)
    rng = stream(seed, "customer changes")
    for row in rows:
        row["lastUpdated"] = past_stamp(rng, today)
    return rows


def customer_numbers(rng: Random, count: int) -> list[int]:
    """Ascending numbers from 1001 with the gaps that deleted customers leave."""
    number, numbers = 1000, []
    for _ in range(count):
        number += 1 if rng.random() < 0.85 else rng.randrange(2, 10)
        numbers.append(number)
    return numbers


def past_stamp(rng: Random, today: date) -> str:
    """A UTC time in whole seconds before `today`; one in forty within the last twelve days."""
    days = rng.randrange(1, 13) if rng.random() < 0.025 else rng.randrange(13, 1_500)
    return stamp(today - timedelta(days=days), rng.randrange(6 * 3600, 20 * 3600))


def stamp(day: date, second: int) -> str:
    """The wire form of a time: `YYYY-MM-DDTHH:MM:SSZ`, `second` counted from midnight UTC."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=second)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _customer(i: int, number: int, roster: Roster, name: str, pools: Pools, seed: int) -> Document:
    rng = stream(seed, "customer", number)
    row: Document = {
        "customerNumber": number,
        "currency": roster.countries[i].currency if roster.has(i, "own currency") else "DKK",
        "paymentTerms": {"paymentTermsNumber": roster.terms[i]},
        "customerGroup": {"customerGroupNumber": _group(i, roster)},
        "name": name,
        "vatZone": {"vatZoneNumber": _zone(i, roster)},
    }
    if roster.has(i, "address"):
        row |= _address(i, roster, rng, pools)
    row |= _country(i, roster, rng) | _reach(i, roster, name, rng) | _numbers(i, roster, rng) | _terms(i, roster, rng)
    if roster.has(i, "blanks"):
        _blank_out(row, rng)
    return row


def _group(i: int, roster: Roster) -> int:
    return ref.RESELLERS if roster.has(i, "reseller") else GROUPS[roster.kinds[i]]


def _zone(i: int, roster: Roster) -> int:
    if i in roster.countries and not roster.has(i, "danish vat"):
        return ref.EU if roster.countries[i].eu else ref.ABROAD
    return ref.EXEMPT if roster.has(i, "exempt") else ref.DOMESTIC


def _address(i: int, roster: Roster, rng: Random, pools: Pools) -> Document:
    country = roster.countries.get(i)
    streets = pools.foreign_streets[country.locale] if country else pools.streets
    zip_code, city = rng.choice(country.towns if country else DANISH_TOWNS)
    line = f"{rng.choice(streets)} {rng.randrange(1, 240)}"
    if rng.random() < 0.08:
        line += rng.choice((" ", ",", "  ", "B"))
    text = dirt.long_address(line) if i == LONG_ADDRESS else dirt.address_text(rng, line)
    return {"address": text, "zip": zip_code, "city": city}


def _country(i: int, roster: Roster, rng: Random) -> Document:
    if i in roster.countries:
        return {"country": rng.choice(roster.countries[i].spellings)}
    [spelling] = rng.choices(list(dirt.DANISH_SPELLINGS), list(dirt.DANISH_SPELLINGS.values()))
    return {} if spelling == dirt.ABSENT else {"country": spelling}


def _reach(i: int, roster: Roster, name: str, rng: Random) -> Document:
    row: Document = {}
    host = dirt.slug(name)
    if roster.has(i, "email"):
        row["email"] = f"{rng.choice(('kontor', 'faktura', 'post', 'Bogholderi', 'info'))}@{host}.example"
    if roster.has(i, "two emails"):
        row["email"] += f" salg@{host}.example"
    if roster.has(i, "phone"):
        country = roster.countries.get(i)
        phone = dirt.foreign_phone(rng, country.dial) if country else dirt.danish_phone(rng)
        row["telephoneAndFaxNumber"] = phone
    if roster.has(i, "mobile"):
        row["mobilePhone"] = dirt.danish_phone(rng)
    if roster.has(i, "website"):
        row["website"] = rng.choice(("www.{}.example", "https://{}.example/", "{}.example")).format(host)
    return row


def _numbers(i: int, roster: Roster, rng: Random) -> Document:
    row: Document = {}
    if roster.has(i, "cvr"):
        row["corporateIdentificationNumber"] = dirt.cvr_text(rng, numbering.draw_cvr(rng))
    if roster.has(i, "ean"):
        row["ean"] = numbering.draw_ean(rng, public=roster.kinds[i] == "public")
    if roster.has(i, "p number"):
        row["pNumber"] = numbering.draw_p_number(rng)
    return row


def _terms(i: int, roster: Roster, rng: Random) -> Document:
    row: Document = {}
    if roster.has(i, "barred"):
        row["barred"] = True
    if roster.has(i, "credit limit"):
        row["creditLimit"] = rng.choice((10_000.0, 25_000.0, 50_000.0, 100_000.0, 250_000.0))
    if roster.has(i, "salesperson"):
        row["salesPerson"] = {"employeeNumber": rng.randrange(1, 6)}
    if roster.has(i, "explicit e-invoicing"):
        row["eInvoicingDisabledByDefault"] = False
    return row


def _blank_out(row: Document, rng: Random) -> None:
    """Set up to three absent text properties to "", which e-conomic keeps apart from absent ones."""
    absent = [name for name in MAY_BE_BLANK if name not in row]
    for name in rng.sample(absent, min(3, len(absent))):
        row[name] = ""


def _separate_twins(rows: list[Document]) -> None:
    """Two towns for the two customers of one name."""
    first, second = (rows[i] for i in TWINS)
    if first["zip"] == second["zip"]:
        second["zip"], second["city"] = next(town for town in DANISH_TOWNS if town[0] != first["zip"])
