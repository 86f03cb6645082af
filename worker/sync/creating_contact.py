"""The contact that is made in e-conomic with its company, and gets its key in the CRM.

The order keeps a run beside it, and the next one, from making the person twice in the CRM: contact in e-conomic, then
its key on the CRM's contact, and only then the company's number, before which no run finds the contact's company.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from worker.domain.converters import single_line
from worker.domain.creation_texts import Text
from worker.domain.existing import key_text
from worker.domain.new_customer import same_text
from worker.domain.values import Item, Value
from worker.errors import AccessDeniedError, RefusedError, UnavailableError
from worker.ports import CustomerDesk, Target, Update, WriteStatus
from worker.sync.claims import Claim, Person

log = logging.getLogger(__name__)
_COMPANY, _KEY, _CUSTOMER = "Company", "ImportID", "CompanyCustomerID"
COLUMNS = ("Title", "FirstName", "LastName", "EMail", "Phone", "Mobile", _CUSTOMER, _KEY, _COMPANY)
_WRITE_TRIES = 5


class ContactMaker:
    """Over the contacts' list and e-conomic. Without a list, or a column that points to companies, there is nobody."""

    def __init__(self, contacts: Target | None, desk: CustomerDesk) -> None:
        self._contacts = contacts if contacts is not None and _COMPANY in contacts.columns else None
        self._desk = desk

    def chosen(self, company: int) -> Person | None:
        """The company's contact with the lowest id. One that has a key is another customer's in e-conomic already."""
        if self._contacts is None:
            return None
        found = self._contacts.find(_COMPANY, [str(company)], self._columns(self._contacts))
        bodies = ((item.item_id, _body(item)) for item in found if not key_text(item.values.get(_KEY)))
        return next((Person(item_id, body) for item_id, body in bodies if body is not None), None)

    def made(self, customer: int, claim: Claim) -> Sequence[Text]:
        """Makes the claim's contact, unless the customer has it already, and what is to be said about that. A refusal
        is said and spoils nothing; other errors are raised, and the next try goes on."""
        person = claim.person
        if person is None or self._contacts is None:
            return []
        contact = self._found(customer, person)
        if contact is None:
            if self._contacts.item(person.item_id, []) is None:
                return []
            try:
                contact = self._desk.add_contact(customer, person.body, f"{claim.key}-c")
            except (RefusedError, AccessDeniedError) as error:
                return [Text("contact-refused", {"name": person.name, "detail": error.message})]
        return [Text("contact", {"name": person.name}), *self._linked(self._contacts, person, customer, contact)]

    def _found(self, customer: int, person: Person) -> int | None:
        contacts = (one for one in self._desk.contacts(customer) if not one.deleted)
        return next((one.number for one in contacts if same_text(one.name, person.name)), None)

    def _linked(self, contacts: Target, person: Person, customer: int, contact: int) -> Sequence[Text]:
        """Writes the contact's key into the CRM. Somebody's edit in between is kept: only these columns are written."""
        import_id = f"{customer}-{contact}"
        wanted: dict[str, Value] = {_KEY: import_id, _CUSTOMER: str(customer)}
        values = {name: value for name, value in wanted.items() if name in contacts.columns}
        if not values:
            return []
        for _ in range(_WRITE_TRIES):
            item = contacts.item(person.item_id, list(values))
            if item is None or {name: key_text(item.values[name]) for name in values} == values:
                return []
            refusal = _refusal(contacts, Update(str(item.item_id), item.item_id, item.version, values))
            if refusal:
                log.warning("contact not linked item=%d number=%d reason=%s", item.item_id, contact, refusal)
                facts = {"name": person.name, "key": import_id, "detail": refusal}
                return [Text("contact-unlinked", facts)]
        raise UnavailableError(
            f"The CRM's contact {person.item_id} could not be saved.", hint="The next look at the list tries again."
        )

    def _columns(self, contacts: Target) -> list[str]:
        return [name for name in COLUMNS if name in contacts.columns]


def _refusal(contacts: Target, update: Update) -> str:
    """Writes; the list's own words when it refuses for good, else ""."""
    try:
        (outcome,) = contacts.write([update])
    except AccessDeniedError as error:
        return error.message
    if outcome.status is WriteStatus.DUPLICATE:
        return outcome.detail or "Another contact has it."
    return outcome.detail or "It was refused." if outcome.status is WriteStatus.REJECTED else ""


def _body(item: Item) -> dict[str, str] | None:
    """What e-conomic is sent; None for somebody without a name."""
    values = item.values
    joined = " ".join(str(values[part]) for part in ("FirstName", "LastName") if values.get(part))
    name = single_line(str(values.get("Title") or joined))
    phone = values.get("Phone") or values.get("Mobile")
    body = {"name": name[:255], "email": str(values.get("EMail") or ""), "phone": str(phone or "")[:50]}
    return {part: text for part, text in body.items() if text} if name else None
