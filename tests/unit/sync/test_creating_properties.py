"""Creating customers, with every step lost, repeated or killed at random: one customer, one number, nothing of people's
lost. On fakes, so that thousands of lives pass in seconds; the system tests kill real processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from tests.contract.target_worlds import COMPANY, CONTACT, DEFINITIONS
from tests.fakes.fake_desk import FakeDesk
from tests.fakes.fake_target import FakeTarget, lost_after_saving, lost_before_saving
from worker.domain.new_customer import Defaults
from worker.errors import UnavailableError
from worker.sharepoint.definitions import LIST_OF
from worker.sync.claims import State
from worker.sync.creating import Creator, Rules

RULES = Rules(allowed=True, contact=True, defaults=Defaults("1", "1", "1", "DKK", without_cvr=True))
CHOICES = {"asks again": "Requested", "clears": None}
PASSING = {"minutes": timedelta(minutes=4), "hours": timedelta(hours=2)}
SERVICES = ["poll", "lost before", "lost after", "create lost", "create killed", "contact lost", "contact killed"]
SERVICES += ["person lost before", "person lost after"]
EVENTS = st.sampled_from([*SERVICES, "person edits", "person renamed", "forgotten", *CHOICES, *PASSING])


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Clock:
    moment: datetime = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


@dataclass
class Shaky(FakeDesk):
    """A desk whose next creation, or its next contact's, is done and not answered: the connection is lost, or the
    worker dies."""

    next_create: list[type[BaseException]] = field(default_factory=list)
    next_contact: list[type[BaseException]] = field(default_factory=list)

    def create(self, customer, key):  # type: ignore[no-untyped-def]
        number = super().create(customer, key)
        if self.next_create:
            error = self.next_create.pop()
            raise error() if error is Killed else UnavailableError("No answer.")
        return number

    def add_contact(self, number, body, key):  # type: ignore[no-untyped-def]
        contact = super().add_contact(number, body, key)
        if self.next_contact:
            error = self.next_contact.pop()
            raise error() if error is Killed else UnavailableError("No answer.")
        return contact


class Life:
    """One company that somebody asked for, and a worker that is not always well."""

    def __init__(self, cvr: str) -> None:
        self.clock, self.desk, self.keys, self.edits, self.renamed = Clock(), Shaky(), count(1), 0, ""
        self.target = FakeTarget(COMPANY, {c.name: c.as_column() for c in DEFINITIONS[LIST_OF[COMPANY]].columns})
        self.contacts = FakeTarget(CONTACT, {c.name: c.as_column() for c in DEFINITIONS[LIST_OF[CONTACT]].columns})
        self.item = self.target.add(Title="Nordlys ApS", CINumber=cvr, CreateInEconomic="Requested", Phone="kept")
        self.person = self.contacts.add(Title="Ane Holm", Company=self.item)

    @property
    def values(self) -> Mapping[str, object]:
        return self.target.held[self.item].values

    def happens(self, event: str) -> None:
        self.desk.now = self.clock.moment
        match event:
            case "lost before" | "lost after" | "person lost before" | "person lost after":
                target = self.contacts if event.startswith("person") else self.target
                target.script.append(lost_before_saving if event.endswith("before") else lost_after_saving)
                self.polls()
            case "create lost" | "create killed" | "contact lost" | "contact killed":
                fails = self.desk.next_create if event.startswith("create") else self.desk.next_contact
                fails.append(UnavailableError if event.endswith("lost") else Killed)
                self.polls()
                fails.clear()
            case "person renamed":
                self.renamed = "Friis"
                self.contacts.edit(self.person, Title="Ane Holm Friis")
            case "poll":
                self.polls()
            case "person edits":
                self.edits += 1
                self.target.edit(self.item, City=f"Town {self.edits}")
            case _:
                self.passes(event)

    def passes(self, event: str) -> None:
        """Time, and what people choose in the column until the company has its number."""
        if event in CHOICES and not self.values.get("CustomerID"):
            self.target.edit(self.item, CreateInEconomic=CHOICES[event])
        self.clock.moment += PASSING.get(event, timedelta(0))
        if event in ("hours", "forgotten"):
            self.desk.forget()

    def polls(self) -> None:
        try:
            new_key = lambda: f"key-{next(self.keys):06}"  # noqa: E731
            Creator(self.target, self.desk, RULES, self.clock, new_key, self.contacts).poll()
        except (Killed, UnavailableError):
            self.target.script.clear()
        self.contacts.script.clear()


@given(st.lists(EVENTS, max_size=25), st.sampled_from(["12345678", ""]))
def test_whatever_happens_one_customer_exists_in_the_end(events: list[str], cvr: str) -> None:
    """A company's or a private person's. e-conomic forgets a key at any moment; people choose in the column what they
    like."""
    life = Life(cvr)
    for event in events:
        life.happens(event)
    life.target.script.clear()
    life.happens("asks again")  # what was cleared
    for _ in range(3):
        life.happens("minutes")
        life.happens("poll")
    (number,) = life.desk.documents
    assert life.values["CustomerID"] == str(number)
    assert life.values["CreateInEconomic"] == State.CREATED
    assert life.values["Phone"] == "kept"
    (contact,) = life.desk.people[number]
    person = life.contacts.held[life.person].values
    assert (person["ImportID"], person["CompanyCustomerID"]) == (f"{number}-{contact.number}", str(number))
    assert person["Title"] == f"Ane Holm {life.renamed}".strip()
    assert life.values.get("City") == (f"Town {life.edits}" if life.edits else None)
