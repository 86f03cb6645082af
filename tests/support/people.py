"""What people do in either system, as steps of a story. Random and hand-made stories are told with the same steps.

Reading goes to the emulators' own stores or past the worker's requests, so that no fault that waits for the worker hits
the people.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import requests

from tests.support.parties import Parties
from tests.support.world import World
from worker.settings import CreateSettings, Settings
from worker.sync.claims import State

_REFERENCES = {
    "currency": "DKK",
    "customerGroup": {"customerGroupNumber": 1},
    "paymentTerms": {"paymentTermsNumber": 1},
    "vatZone": {"vatZoneNumber": 1},
}


class OneByOne(World):
    """A world whose worker sends one request after the other, so that a story is the same each time it is told. Lists
    are looked at often, and over one connection."""

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(folder, **options)
        self._looking = requests.Session()

    def __exit__(self, *raised: object) -> None:
        self._looking.close()
        super().__exit__(*raised)

    def rows(self, title: str) -> list[dict[str, Any]]:
        """All items with all columns; these lists are of one page."""
        answer = self._looking.get(f"{self._items_url(title)}?$top=5000", headers=self._headers(), timeout=60)
        answer.raise_for_status()
        page = answer.json()
        assert "odata.nextLink" not in page
        rows: list[dict[str, Any]] = page["value"]
        return rows

    def settings(self, create: CreateSettings | None = None, **sync: Any) -> Settings:
        """See World."""
        settings = super().settings(create, **sync)
        settings.economic = settings.economic.model_copy(update={"parallel": 1})
        settings.sharepoint = settings.sharepoint.model_copy(update={"concurrency": 1})
        return settings


@dataclass(frozen=True)
class Asked:
    """A company that is to become a customer; `new`: e-conomic knows none of its CVR number."""

    item: int
    name: str
    cvr: str
    new: bool


@dataclass(repr=False)
class People:
    """`typed`: what they typed into columns that are their own: list, item, column -> value."""

    world: World
    parties: Parties = field(default_factory=Parties)
    asked: list[Asked] = field(default_factory=list)
    typed: dict[tuple[str, int, str], Any] = field(default_factory=dict)
    made: int = 0
    _kept: dict[int, dict[str, Any]] = field(default_factory=dict)  # customers that vanished

    # What there is.

    def numbers(self) -> list[int]:
        """Of all customers."""
        sql = "SELECT number FROM customers ORDER BY number"
        return [row["number"] for row in self.world.economic_store.query(sql)]

    def customers(self) -> list[dict[str, Any]]:
        """As e-conomic has them."""
        return [json.loads(row["doc"]) for row in self.world.economic_store.query("SELECT doc FROM customers")]

    def customer(self, number: int) -> dict[str, Any]:
        """One of them."""
        return next(one for one in self.customers() if one["customerNumber"] == number)

    def companies(self) -> dict[int, int]:
        """Customer number -> company item."""
        return {int(row["CustomerID"]): row["Id"] for row in self.world.rows("Companies") if row["CustomerID"]}

    def company(self, number: int) -> dict[str, Any]:
        """The company that carries this number."""
        return next(row for row in self.world.rows("Companies") if row["CustomerID"] == str(number))

    def contacts(self) -> list[dict[str, Any]]:
        """Those that are there, of customers that are there."""
        rows = self.world.economic_store.query("SELECT * FROM contacts WHERE deleted = 0 ORDER BY number")
        return [dict(row) for row in rows if row["customer"] in self.parties.of]

    # In e-conomic.

    def changes(self, number: int, **values: Any) -> None:
        """Of a customer's own page."""
        self.world.economic_change(number, **values)

    def renumbers(self, number: int, new: int = 0) -> int:
        """The new number; one that nobody ever had, unless it is given."""
        new = new or max(*self.numbers(), *self.parties.away, 9000) + 1
        self.world.control("economic", "renumber", {"old": number, "new": new})
        self.parties.renumbered(number, new)
        return new

    def swaps_numbers(self, one: int, other: int) -> None:
        """By way of a free one."""
        free = self.renumbers(one)
        self.renumbers(other, one)
        self.renumbers(free, other)

    def gives_number_away(self, number: int) -> None:
        """To a party of another name and CVR number."""
        self.made += 1
        self.changes(
            number, name=f"Second Owner {self.made} A/S", corporateIdentificationNumber=f"{55_000_000 + self.made}"
        )
        self.parties.given_away(number)

    def vanishes(self, number: int, *, told: bool = False) -> None:
        """With its contacts, as when a customer is deleted; `told`: e-conomic calls, or nobody hears of it."""
        with self.world.economic_store.transaction() as db:
            row = db.execute("SELECT * FROM customers WHERE number = ?", (number,)).fetchone()
            self._kept[number] = dict(row)
            db.execute("DELETE FROM customers WHERE number = ?", (number,))
            db.execute("UPDATE contacts SET deleted = 2 WHERE deleted = 0 AND customer = ?", (number,))
        self.parties.vanished(number)
        if told:
            self.world.economic_app.state.webhooks.customer_changed(number, None)

    def comes_back(self, number: int) -> None:
        """As it was."""
        kept = self._kept.pop(number)
        names, marks = ", ".join(kept), ", ".join("?" * len(kept))
        with self.world.economic_store.transaction() as db:
            db.execute(f"INSERT INTO customers ({names}) VALUES ({marks})", tuple(kept.values()))
            db.execute("UPDATE contacts SET deleted = 0 WHERE deleted = 2 AND customer = ?", (number,))
        self.parties.came_back(number)

    def makes_customer(self, typed: Literal["", "same", "apart"] = "") -> int:
        """Its number. `typed`: the CRM has a company of its CVR number already, which is the same party or not."""
        self.made += 1
        name, cvr = f"Made In E-conomic {self.made} A/S", f"{66_000_000 + self.made}"
        item = self.world.post("Companies", {"Title": name, "CINumber": cvr}) if typed else 0
        body = {"name": name, "corporateIdentificationNumber": cvr, **_REFERENCES}
        number: int = self.world.economic_call("POST", "/customers", body)["customerNumber"]
        party = self.parties.of[number] = f"made {self.made}"
        if typed == "same":
            self.parties.company[party] = item
        elif typed == "apart":
            self.parties.apart.add((item, party))
        return number

    def books(self, number: int) -> int:
        """An invoice of today; its number."""
        self.made += 1
        newest = max(one["bookedInvoiceNumber"] for one in self.world.data.invoices)
        invoice = {**self._invoice(newest, number), "bookedInvoiceNumber": 990_000 + self.made}
        today = self.world.clock.now().date().isoformat()
        self.world.control("economic", "mutate", {"invoices": [{**invoice, "date": today, "dueDate": today}]})
        return 990_000 + self.made

    def pays(self, at: int) -> int:
        """One of the open ones that were booked before these stories began; whose it is now. Its number; 0 when none
        is open."""
        if not (known := self._invoices()):
            return 0
        invoice = sorted(known)[at % len(known)]
        paid = {**self._invoice(invoice, known[invoice]), "remainder": 0.0, "remainderInBaseCurrency": 0.0}
        self.world.control("economic", "mutate", {"invoices": [paid]})
        return invoice

    def _invoices(self) -> dict[int, int]:
        """Invoice -> customer, of open ones that stand in the data set and in the CRM, and whose customer is there."""
        ours = {one["bookedInvoiceNumber"] for one in self.world.data.invoices}
        ours &= {int(row["InvoiceNumber"]) for row in self.world.rows("Invoices")}
        rows = self.world.economic_store.query("SELECT number, customer FROM invoices WHERE remainder <> 0")
        found = [one for one in rows if one["number"] in ours and one["customer"] in self.parties.of]
        return {one["number"]: one["customer"] for one in found}

    def _invoice(self, number: int, customer: int) -> dict[str, Any]:
        found = next(one for one in self.world.data.invoices if one["bookedInvoiceNumber"] == number)
        return {**found, "customer": {"customerNumber": customer}}

    def adds_contact(self, customer: int) -> None:
        """One more."""
        self.made += 1
        self.world.economic_call("POST", f"/customers/{customer}/contacts", {"name": f"New Contact {self.made}"})

    def changes_contact(self, contact: Mapping[str, Any], name: str = "", customer: int = 0) -> None:
        """Another name, or it moves to another customer."""
        document = {
            "customerContactNumber": contact["number"],
            "customerNumber": customer or contact["customer"],
            "sortKey": contact["sort_key"],
            "name": name or contact["name"],
        }
        self.world.control("economic", "mutate", {"contacts": [document]})

    def removes_contact(self, contact: Mapping[str, Any]) -> None:
        """It is flagged in the CRM."""
        self.world.control("economic", "mutate", {"removed_contacts": [contact["number"]]})

    # In the CRM.

    def types(self, title: str, item: int, column: str, value: Any, *, own: bool) -> None:
        """Into a column of people's `own`, or of e-conomic's."""
        self.world.merge(title, item, {column: value})
        if own:
            (row,) = [one for one in self.world.rows(title) if one["Id"] == item]
            self.typed[title, item, column] = row[column]

    def asks(self, kind: Literal["new", "without CVR", "twin", "existing"], at: int = 0) -> Asked:
        """For a customer. `twin`: of the CVR number of one that was asked for and made before (not of one that is being
        made: an interrupted creation does not look again); `existing`: of one that is there."""
        self.made += 1
        name, cvr, new = f"Wanted {self.made} ApS", f"{77_000_000 + self.made}", True
        if kind == "without CVR":
            cvr = ""
        elif kind == "twin" and (before := self._made_when_asked()):
            cvr, new = before[at % len(before)], False
        elif kind == "existing" and (known := self._askable()):
            cvr, new = known[at % len(known)], False
        values = {"Title": name, "CINumber": cvr or None, "CreateInEconomic": "Requested"}
        asked = Asked(self.world.post("Companies", values), name, cvr, new)
        self.asked.append(asked)
        return asked

    def _made_when_asked(self) -> list[str]:
        made = {row["Id"] for row in self.world.rows("Companies") if row["CreateInEconomic"] == State.CREATED}
        return [one.cvr for one in self.asked if one.cvr and one.item in made]

    def _askable(self) -> list[str]:
        known = set(self.parties.known())
        return sorted(cvr for one in self.customers() if one["customerNumber"] in known and (cvr := cvr_of(one)))

    def is_asked_for(self, number: int) -> bool:
        """Whether somebody asks for a customer of this one's CVR number: what becomes of that depends on it."""
        return cvr_of(self.customer(number)) in {one.cvr for one in self.asked if one.cvr}


def cvr_of(customer: Mapping[str, Any]) -> str:
    """Its digits where they are a Danish CVR number."""
    digits = "".join(filter(str.isdigit, customer.get("corporateIdentificationNumber") or ""))
    return digits if len(digits) == 8 else ""
