"""The day after: what bookkeeping and people do to a data set in one day, small enough to be told as a story.

Whole documents are handed back, never changes in place: the first day's set stays as it was, so a test can
compare both days. The set may come from elsewhere (an emulator that has lived through several days, recorded data),
so every part is cast from what is there and a set that cannot fill the parts is refused in words.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count, islice
from random import Random

from worker.emulators.dataset import dirt, numbering
from worker.emulators.dataset.chance import stream
from worker.emulators.dataset.customers import stamp
from worker.emulators.dataset.goods import QUOTED
from worker.emulators.dataset.invoices import Books, Order, settle, write_invoice
from worker.emulators.dataset.model import CrmEdit, Dataset, DayChanges, Document
from worker.emulators.dataset.money import cents_of
from worker.emulators.dataset.roster import MARKED

LOOK_BACK = 120  # how many of the newest invoices are looked at for open ones and for regular buyers
MOST_PAID = 5
USUAL_NET = 450_000
BACKDATED = 3
MORNING, NOON, AFTERNOON = 8 * 3600, 11 * 3600, 13 * 3600
NEWCOMERS = (
    "Solsikkens Kaffe & Te ApS", "Fjordens Cykler I/S", "Havblik Bageri ApS", "Nordstjernen Keramik ApS",
    "Lyngens Vin & Ost I/S", "Strandvejens Isværk ApS", "Bøgelundens Hunde- & Kattehotel ApS",
)  # fmt: skip
LEGAL_FORM = re.compile(r"\s+(ApS|A/S|I/S|K/S)\s*$")


@dataclass(frozen=True)
class _Cast:
    """Who plays which part; all different."""

    renamed: Document
    barred: Document
    phone_edited: Document
    removed: Document
    new_email: Document
    job_edited: Document


def next_day(data: Dataset, seed: int, today: date) -> DayChanges:
    """What happens on `today`, given the set of an earlier morning (or the same); equal arguments, equal day.

    An empty set stays empty. Raises ValueError when `today` lies before the set's own day, LookupError when the set
    lacks what a day needs (customers, contacts, open invoices).
    """
    if today < data.today:
        raise ValueError(f"The next day {today} lies before the data set's own day {data.today}.")
    if not data.customers:
        return DayChanges(today, story=["Nothing happened: the agreement has no customers."])
    rng = stream(seed, "next day", today)
    cast = _cast(data, rng)
    newcomer = _newcomer(data, cast.renamed, rng, today)
    people = _people(cast, newcomer, data, today)
    trade = _trade(data, cast, newcomer, rng, today)
    edits, typed = _edits(cast)
    return DayChanges(
        today=today,
        customers=people.customers,
        contacts=people.contacts,
        removed_contacts=people.removed_contacts,
        invoices=trade.invoices,
        crm_edits=edits,
        story=[*people.story, *trade.story, *typed],
    )


def _cast(data: Dataset, rng: Random) -> _Cast:
    books = Books.of(data.payment_terms, data.vat_zones)
    plain = [row for i, row in enumerate(data.customers) if i not in MARKED and "barred" not in row]
    rng.shuffle(plain)
    # A firm makes the better rename; the sort is stable, so the order within stays shuffled.
    plain.sort(key=lambda row: LEGAL_FORM.search(row["name"]) is None)
    renamed = _first("an unbarred customer to rename", (row for row in plain if _can_buy(row, books)))
    barred = _first("a customer to bar", (row for row in reversed(plain) if row is not renamed))
    others = [row for row in data.customers if "barred" not in row and row not in (renamed, barred)]
    with_phone = [row for row in others if row.get("telephoneAndFaxNumber")]
    rng.shuffle(with_phone)
    phone = _first("an unbarred customer with a phone", with_phone)
    removed, new_email, job = _contact_parts(data, rng, {row["customerNumber"] for row in others})
    return _Cast(renamed, barred, phone, removed, new_email, job)


def _first(what: str, candidates: Iterable[Document]) -> Document:
    """The first candidate; LookupError naming what the set lacks when there is none."""
    for candidate in candidates:
        return candidate
    raise LookupError(f"A next day needs {what}, and this data set has none.")


def _can_buy(customer: Document, books: Books) -> bool:
    """Whether an invoice can be written: terms and zone are known and the currency has a rate."""
    return (
        customer["paymentTerms"]["paymentTermsNumber"] in books.terms
        and customer["vatZone"]["vatZoneNumber"] in books.zones
        and customer["currency"] in QUOTED
    )


def _contact_parts(data: Dataset, rng: Random, customers: set[int]) -> tuple[Document, Document, Document]:
    """Three living contacts of untouched customers; the one to remove is nobody's `attention` (e-conomic refuses)."""
    pointed = {
        row[name]["customerContactNumber"]
        for row in data.customers
        for name in ("attention", "customerContact")
        if name in row
    }
    living = [row for row in data.contacts if "isDeleted" not in row and row["customerNumber"] in customers]
    rng.shuffle(living)
    removed = _first("a contact to remove", (row for row in living if row["customerContactNumber"] not in pointed))
    rest = sorted((row for row in living if row is not removed), key=lambda row: not row.get("email"))
    new_email = _first("a second contact", rest)
    return removed, new_email, _first("a third contact", reversed(rest[1:]))


def _newcomer(data: Dataset, model: Document, rng: Random, today: date) -> Document:
    """A new customer under the next free number, on the terms of an existing one."""
    taken = {row["name"] for row in data.customers}
    number = max(row["customerNumber"] for row in data.customers) + 1
    name = next((name for name in NEWCOMERS if name not in taken), f"Kunde {number} ApS")
    return {
        "customerNumber": number,
        **{key: model[key] for key in ("currency", "paymentTerms", "customerGroup", "vatZone")},
        "name": name,
        "address": "Havnegade 14\r\n1. sal",
        "zip": "5000",
        "city": "Odense C",
        "country": "Danmark",
        "email": f"hej@{dirt.slug(name)}.example",
        "telephoneAndFaxNumber": dirt.danish_phone(rng),
        "corporateIdentificationNumber": numbering.draw_cvr(rng),
        "lastUpdated": stamp(today, NOON),
    }


def _people(cast: _Cast, newcomer: Document, data: Dataset, today: date) -> DayChanges:
    """The part of the day that concerns master data."""
    renamed = cast.renamed | {"name": _new_name(cast.renamed["name"]), "lastUpdated": stamp(today, MORNING)}
    barred = cast.barred | {"barred": True, "lastUpdated": stamp(today, AFTERNOON)}
    new_email = cast.new_email | {
        "email": f"{dirt.slug(cast.new_email['name'])}@nyadresse.example",
        "lastUpdated": stamp(today, MORNING + 900),
    }
    first_contact = _first_contact(newcomer, data, today)
    return DayChanges(
        today,
        customers=[renamed, barred, newcomer],
        contacts=[new_email, first_contact],
        removed_contacts=[cast.removed["customerContactNumber"]],
        story=[
            f'Customer {renamed["customerNumber"]} "{cast.renamed["name"].strip()}" is now called "{renamed["name"]}".',
            f'Customer {barred["customerNumber"]} "{barred["name"].strip()}" was barred.',
            f'Customer {newcomer["customerNumber"]} "{newcomer["name"]}" is new, with its contact '
            f"{first_contact['name']}.",
            f"Contact {_import_id(cast.removed)} was removed.",
            f"Contact {_import_id(new_email)} has a new e-mail address.",
        ],
    )


def _new_name(name: str) -> str:
    """Make "Holm Byg ApS" into "Holm Byg Gruppen A/S", and take the word away again another day."""
    stem = LEGAL_FORM.sub("", name).strip()[:200]
    return f"{stem.removesuffix(' Gruppen')} A/S" if stem.endswith(" Gruppen") else f"{stem} Gruppen A/S"


def _first_contact(newcomer: Document, data: Dataset, today: date) -> Document:
    return {
        "customerContactNumber": max(row["customerContactNumber"] for row in data.contacts) + 1,
        "customerNumber": newcomer["customerNumber"],
        "name": "Ditte Solgaard",
        "email": newcomer["email"].replace("hej@", "ditte@"),
        "sortKey": 1,
        "lastUpdated": stamp(today, NOON + 120),
    }


def _trade(data: Dataset, cast: _Cast, newcomer: Document, rng: Random, today: date) -> DayChanges:
    """The part of the day that concerns invoices and payments."""
    recent = list(islice(reversed(data.invoices), LOOK_BACK))
    paid, part_paid = _payments(recent, rng)
    books = Books.of(data.payment_terms, data.vat_zones)
    numbers = count(recent[0]["bookedInvoiceNumber"] + 1)
    buyers = _buyers(data, cast, newcomer, recent, books, rng)
    new = [
        write_invoice(Order(next(numbers), today - timedelta(days=BACKDATED if i == 1 else 0), net), buyer, books, rng)
        for i, (buyer, net) in enumerate(buyers)
    ]
    regretting, net = buyers[0]
    credit = write_invoice(Order(next(numbers), today, -net // 4), regretting, books, rng)
    return DayChanges(
        today,
        invoices=[*paid, part_paid, *new, credit],
        story=[
            f"{len(new)} invoices were booked ({new[0]['bookedInvoiceNumber']} to {new[-1]['bookedInvoiceNumber']}); "
            f"{new[1]['bookedInvoiceNumber']} is dated {BACKDATED} days back.",
            f"{len(paid)} invoices were paid: {', '.join(str(row['bookedInvoiceNumber']) for row in paid)}.",
            f"Invoice {part_paid['bookedInvoiceNumber']} was paid in part; "
            f"{part_paid['remainder']:.2f} {part_paid['currency']} are still open.",
            f"Credit note {credit['bookedInvoiceNumber']} was given to customer {regretting['customerNumber']}.",
        ],
    )


def _payments(recent: list[Document], rng: Random) -> tuple[list[Document], Document]:
    """Several open invoices paid in full, one untouched one paid in part."""
    untouched = [row for row in recent if row["remainder"] > 0 and row["remainder"] == row["grossAmount"]]
    rng.shuffle(untouched)
    first = _first("an open invoice among the newest", untouched)
    part = settle(first, cents_of(first["grossAmount"]) * 2 // 5 or 1)
    paid = untouched[1 : 1 + min(MOST_PAID, max(1, len(untouched) // 2))]
    paid.sort(key=lambda row: int(row["bookedInvoiceNumber"]))
    return [settle(row, 0) for row in paid], part


def _buyers(
    data: Dataset, cast: _Cast, newcomer: Document, recent: list[Document], books: Books, rng: Random
) -> list[tuple[Document, int]]:
    """Four to nine recent buyers and the newcomer, each with an aim for the net amount in base-currency cents."""
    today_barred = cast.barred["customerNumber"]
    free = {
        row["customerNumber"]: row
        for row in data.customers
        if "barred" not in row and row["customerNumber"] != today_barred and _can_buy(row, books)
    }
    last_net = {
        row["customer"]["customerNumber"]: cents_of(row["netAmountInBaseCurrency"])
        for row in reversed(recent)
        if row["netAmountInBaseCurrency"] > 0 and row["customer"]["customerNumber"] in free
    }
    chosen = rng.sample(sorted(last_net), min(rng.randrange(4, 10), len(last_net)))
    # The renamed customer's new invoice must already show the new name.
    renamed = {cast.renamed["customerNumber"]: _new_name(cast.renamed["name"])}
    buyers = [
        (free[number] | ({"name": renamed[number]} if number in renamed else {}), last_net[number]) for number in chosen
    ]
    return [*buyers, (newcomer, USUAL_NET)]


def _edits(cast: _Cast) -> tuple[list[CrmEdit], list[str]]:
    """One cell that is the CRM's own, one that e-conomic owns and the next run puts right again."""
    contact, customer = _import_id(cast.job_edited), str(cast.phone_edited["customerNumber"])
    edits = [
        CrmEdit("Contacts", "ImportID", contact, "JobTitle", "Indkøbschef", "CRM"),
        CrmEdit("Companies", "CustomerID", customer, "Phone", "+45 70 00 00 00", "ERP"),
    ]
    story = [
        f"In the CRM somebody gave contact {contact} the job title Indkøbschef; that column belongs to the CRM.",
        f"In the CRM somebody changed the phone of company {customer}; e-conomic owns that column.",
    ]
    return edits, story


def _import_id(contact: Document) -> str:
    return f"{contact['customerNumber']}-{contact['customerContactNumber']}"
