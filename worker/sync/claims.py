"""What a company's item says while its customer is made in e-conomic: the state for people, the claim for workers.

A claim stands until it is settled: the number is written, or it is certain that nothing was made. Whatever the state
column says meanwhile (people change it), a standing claim is honoured: by whoever creates, and by a run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from worker.domain.converters import cvr_digits
from worker.domain.new_customer import PROPERTIES, NewCustomer, same_text
from worker.domain.records import Customer

KEY = "CustomerID"
STATE, STATUS, CLAIM = "CreateInEconomic", "CreateStatus", "CreateClaim"
PERSON_PROPERTIES = frozenset({"name", "email", "phone"})
_CLOCKS_APART = timedelta(minutes=5)
_KEY = re.compile(r"[A-Za-z0-9-]{8,64}")


class State(StrEnum):
    """What stands in the column."""

    REQUESTED = "Requested"
    CREATING = "Creating"
    CREATED = "Created"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class Person:
    """The contact of the CRM that is made with its company: its item, and exactly what e-conomic is sent."""

    item_id: int
    body: Mapping[str, str]

    @property
    def name(self) -> str:
        """As it is sent."""
        return self.body["name"]


@dataclass(frozen=True, slots=True)
class Claim:
    """What was claimed: kept in the item as JSON. `wanted`: the number a person asked for; `besides`: customers alike
    that were there before, and were meant to stay others."""

    key: str
    moment: datetime
    body: Mapping[str, object]
    wanted: int | None = None
    besides: tuple[int, ...] = ()
    person: Person | None = None

    def text(self) -> str:
        """As it is kept."""
        kept: dict[str, object] = {"key": self.key, "at": self.moment.isoformat(), "body": self.body}
        if self.wanted is not None:
            kept["wanted"] = self.wanted
        if self.besides:
            kept["besides"] = self.besides
        if self.person is not None:
            kept["person"] = {"item": self.person.item_id, "body": self.person.body}
        return json.dumps(kept, ensure_ascii=False)


def read_claim(text: object) -> Claim | None:
    """None for what is no claim: somebody may have typed into the column, and what stands there would be sent."""
    if not text:
        return None
    try:
        data = json.loads(str(text))
        moment = datetime.fromisoformat(data["at"])
        claim = Claim(
            str(data["key"]),
            moment.replace(tzinfo=moment.tzinfo or UTC),
            dict(data["body"]),
            None if data.get("wanted") is None else int(data["wanted"]),
            tuple(int(number) for number in data.get("besides", ())),
            _person(data.get("person")),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    whole = claim.body.get("name") and claim.body.keys() <= PROPERTIES and _KEY.fullmatch(claim.key)
    return claim if whole else None


def _person(data: Any) -> Person | None:
    """Raises ValueError for what no worker wrote."""
    if data is None:
        return None
    body = dict(data["body"])
    if not body.get("name") or not body.keys() <= PERSON_PROPERTIES:
        raise ValueError("no person")
    return Person(int(data["item"]), {name: str(text) for name, text in body.items()})


def is_made_of(found: Customer, claim: Claim) -> bool:
    """Whether `found` is what the claim sent, made since. e-conomic's clock may be a little behind ours."""
    sent = NewCustomer(claim.body)
    return (
        found.number not in claim.besides
        and sent.number in (None, found.number)
        and same_text(found.name, sent.name)
        and cvr_digits(found.cvr or "") == sent.cvr
        and (found.last_updated is None or found.last_updated >= claim.moment - _CLOCKS_APART)
    )
