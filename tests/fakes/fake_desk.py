"""e-conomic in memory, as far as customers are made and changed there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from worker.domain.new_customer import Choices, NewCustomer, addresses, same_number, same_text
from worker.domain.records import Customer, CustomerContact
from worker.economic import decode
from worker.errors import AccessDeniedError, RefusedError

CHOICES = Choices({1: "Domestic", 2: "Abroad"}, {1: "Netto 14 dage"}, {1: "Domestic"}, frozenset({"DKK", "EUR"}))
_NAMES = decode.CustomerNames()


@dataclass
class FakeDesk:
    """Implements ports.CustomerDesk. An answer is given again to the same key until `forget`. `now` moves by hand."""

    now: datetime = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
    writes_allowed: bool = True
    documents: dict[int, dict[str, Any]] = field(default_factory=dict)
    people: dict[int, list[CustomerContact]] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)

    def choices(self) -> Choices:
        return CHOICES

    def customer(self, number: int) -> Customer | None:
        found = self.documents.get(number)
        return None if found is None else decode.customer(found, _NAMES)

    def customers(self) -> Iterator[Customer]:
        return (decode.customer(self.documents[number], _NAMES) for number in sorted(self.documents))

    def document(self, number: int) -> Mapping[str, object] | None:
        found = self.documents.get(number)
        return None if found is None else dict(found)

    def like(self, customer: NewCustomer) -> Sequence[tuple[Customer, str]]:
        found: dict[int, tuple[Customer, str]] = {}
        for one in self.customers():
            if same_number(one.cvr or "", customer.cvr):
                found.setdefault(one.number, (one, "cvr"))
            elif addresses(one.email or "") & addresses(customer.email):
                found.setdefault(one.number, (one, "email"))
            elif same_text(one.name, customer.name):
                found.setdefault(one.number, (one, "name"))
        return sorted(found.values(), key=lambda pair: ("cvr", "email", "name").index(pair[1]))

    def free_numbers(self, first: int, last: int) -> Iterator[int]:
        highest = max((number for number in self.documents if first <= number <= last), default=first - 1)
        yield from range(highest + 1, last + 1)
        yield from (number for number in range(first, highest) if number not in self.documents)

    def create(self, customer: NewCustomer, key: str) -> int:
        if key in self.answers:
            return self.answers[key]
        self._may_write()
        number = customer.number or next(n for n in range(1, 10**6) if n not in self.documents)
        if number in self.documents:
            raise RefusedError(f"e-conomic refused what was sent. The number {number} is in use.")
        self._keep(number, dict(customer.body))
        self.answers[key] = number
        return number

    def replace(self, number: int, document: Mapping[str, object], key: str) -> None:
        if key in self.answers:
            return
        self._may_write()
        self._keep(number, dict(document))
        self.answers[key] = number

    def contacts(self, number: int) -> Sequence[CustomerContact]:
        return list(self.people.get(number, []))

    def add_contact(self, number: int, body: Mapping[str, str], key: str) -> int:
        if key in self.answers:
            return self.answers[key]
        self._may_write()
        contact = 1 + sum(map(len, self.people.values()))  # unique in the agreement
        made = CustomerContact(contact, number, body["name"], body.get("email"), body.get("phone"))
        self.people.setdefault(number, []).append(made)
        self.answers[key] = contact
        return contact

    def forget(self) -> None:
        """An hour passes: keys are not known any more."""
        self.answers.clear()

    def _keep(self, number: int, document: dict[str, Any]) -> None:
        name = document.get("name")
        if not name or len(str(name)) > 255:
            raise RefusedError("e-conomic refused what was sent. name: may have at most 255 characters.")
        moment = self.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.documents[number] = {**document, "customerNumber": number, "lastUpdated": moment}

    def _may_write(self) -> None:
        if not self.writes_allowed:
            raise AccessDeniedError("e-conomic does not let the app write.")
