"""Small works of a connection beside its jobs: customers that webhooks named, customers that people want created.

Errands are messages of the same queue, so that any process of the installation does them; what they are about stands in
records and lists, and a message too many finds nothing to do.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from worker.errors import WorkerError
from worker.ports import StopSignal


class Errand(StrEnum):
    """LIVE: the customers that were named are brought up to date. CREATE: requested customers are created. RECONCILE:
    both systems are compared. DIGEST: account managers' news are sent. SEND: what the CRM owns goes to e-conomic."""

    LIVE = "live"
    CREATE = "create"
    RECONCILE = "reconcile"
    DIGEST = "digest"
    SEND = "send"


# Those with a schedule of their own.
SCHEDULED = (Errand.RECONCILE, Errand.DIGEST)


@dataclass(frozen=True, slots=True)
class ErrandMessage:
    """What a message is about. `moment`: that of its schedule which it is for, or the end of the run that it follows,
    ISO; "" when a person or a call asked for it. `tries`: how often it failed for a reason that may pass."""

    connection: str
    errand: Errand
    moment: str = ""
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """An errand whose schedule had a moment, or that follows a run which ended then."""

    errand: Errand
    moment: str


class Errands(Protocol):
    """Who does them; `wiring` gives it. All raise WorkerError."""

    def creates(self, connection: str) -> bool:
        """Whether customers may be created at this connection."""
        ...

    def create(self, connection: str, stop: StopSignal) -> None:
        """Creates what people asked for, in their items or on the page, or says there why not, which is all it does
        where creating is switched off. Costs little when nobody asked."""
        ...

    def due(self, connection: str, errand: Errand, now: datetime) -> Due | None:
        """The moment that a scheduled errand's schedule had and that was not `sent` yet. Several callers may be told of
        one. Raises ConfigError for a schedule that can't be used."""
        ...

    def sent(self, connection: str, due: Due) -> None:
        """Its message is in the queue."""
        ...

    def is_done(self, connection: str, due: Due) -> bool:
        """Whether it was worked for this moment, or for a later one."""
        ...

    def done(self, connection: str, due: Due) -> None:
        """It was worked, or failed for good and people were told."""
        ...

    def failing(self, connection: str, due: Due, reason: WorkerError) -> None:
        """What could not be worked yet will be tried again; people are told where they wait for it, once for each
        moment."""
        ...

    def buried(self, connection: str, errand: Errand) -> None:
        """Tells people that a message failed too often for unknown reasons."""
        ...

    def reconcile(self, connection: str, stop: StopSignal, *, asked: bool) -> None:
        """Compares both systems, and keeps and lists the result. `asked`: a person did, who looks at the page; else
        people are told of a difference. The caller holds the connection."""
        ...

    def digest(self, connection: str, stop: StopSignal) -> None:
        """Sends each account manager's news since the last time. The caller holds the connection."""
        ...

    def sends(self, connection: str) -> bool:
        """Whether the CRM owns columns that go to e-conomic."""
        ...

    def send(self, connection: str, stop: StopSignal) -> None:
        """Sends what was changed in the CRM in these columns, keeps what became of it, and tells people what they must
        settle. The caller holds the connection."""
        ...

    def live(self, connection: str, stop: StopSignal) -> bool:
        """Brings some of the customers that were named up to date; True when others wait still. The caller holds the
        connection."""
        ...


def errand_message(connection: str, errand: Errand, moment: str = "", tries: int = 0) -> str:
    """A message's body."""
    more: dict[str, str | int] = {"moment": moment} if moment else {}
    if tries:
        more["tries"] = tries
    return json.dumps({"connection": connection, "errand": errand, **more})


def read_errand(body: str) -> ErrandMessage | None:
    """None for what is no errand."""
    try:
        data = json.loads(body)
        moment, tries = str(data.get("moment", "")), int(data.get("tries", 0))
        if moment:
            datetime.fromisoformat(moment)
        return ErrandMessage(str(data["connection"]), Errand(data["errand"]), moment, tries)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
