"""Sending what the CRM owns over real connections; what both sides agreed on, and how the last time went, are kept in
the store.
"""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from worker.errors import (
    BrakeError,
    BusyError,
    ConfigError,
    ConflictError,
    LeaseLostError,
    Problem,
    RetriableError,
    WorkerError,
)
from worker.ports import ANY_VERSION, Records
from worker.sync.sending import KEY, Agreed, Conflict, Sender, Sending, Sent, check_profiles
from worker.wiring.app import App

log = logging.getLogger(__name__)
_SHOWN = 500  # customers and conflicts that are kept for the page
# More customers than this, and more than this share of those compared, are not sent by themselves.
_MANY, _SHARE = 20, 0.1


@dataclass(frozen=True, slots=True)
class LastSending:
    """How the last time went, for a page. `sent` and `conflicts` count; `sendings` and `clashes` are the first of them.
    `problem`: why it failed; `mark`: stands for exactly what waits for a person's yes, "" when nothing does."""

    at: str
    sent: int = 0
    conflicts: int = 0
    sendings: Sequence[Sending] = ()
    clashes: Sequence[Conflict] = ()
    problem: str = ""
    hint: str = ""
    mark: str = ""


def columns_sent(app: App) -> list[str]:
    """The columns that the CRM owns."""
    return [part.strip() for part in app.settings.create.send.split(",") if part.strip()]


def check_sending(app: App) -> None:
    """Raises ConfigError when profiles write the columns that are sent."""
    columns = columns_sent(app)
    rows = app.profiles.profiles() if columns and app.has_profiles_list() else ()
    check_profiles([row.profile for row in rows if row.profile is not None], columns)


def send_fields(app: App, records: Records, *, apply: bool, careful: bool = False) -> Sent:
    """What would be sent, or with `apply` what was. `careful`: nobody has looked at it, so a great many at once wait
    for a person. Raises ConfigError when no column is named, or profiles write the same columns; BrakeError."""
    columns = columns_sent(app)
    if not columns:
        raise ConfigError([Problem("CREATE_SEND", "names no column, so nothing is sent.")], hint="Name some there.")
    check_sending(app)
    memory = _Memory(records, app.settings.name)
    sender = Sender(app.companies((KEY, *columns)), app.desk, columns, memory.agreed)
    plan = sender.plan()
    if not apply:
        memory.note(plan.agreed)
        return plan
    if careful:
        _brake(app, records, plan)
    result = sender.apply(plan, lambda: uuid.uuid4().hex, app.stop, memory.keep)
    _keep_last(app, records, _last(app, result))
    return result


def send_by_itself(app: App, records: Records) -> tuple[Sent, list[Conflict]]:
    """After a run by the timer, when nobody looks: what was sent, and the conflicts that are new since the last time.
    What fails for good is kept for the page. Raises as `send_fields` does."""
    before = last_sending(records, app.settings.name)
    try:
        result = send_fields(app, records, apply=True, careful=True)
    except (RetriableError, BusyError, LeaseLostError):
        raise
    except WorkerError as error:
        _keep_failure(app, records, error)
        raise
    return result, _new_conflicts(result, before)


def approve(records: Records, connection: str, mark: str) -> None:
    """A person has looked at what waits, and wants exactly that sent."""
    records.write(f"sending-approved/{connection}", mark.encode(), ANY_VERSION)


def last_sending(records: Records, connection: str) -> LastSending | None:
    """None when nothing was ever sent, or what was kept can't be read."""
    record = records.read(f"sending/{connection}")
    try:
        return None if record is None else _loaded(json.loads(record.content))
    except (ValueError, TypeError, KeyError, AttributeError):
        log.warning("how the last sending went is damaged connection=%s", connection)
        return None


def _new_conflicts(result: Sent, before: LastSending | None) -> list[Conflict]:
    """Those that were not there the last time; e-conomic words the same refusal anew each time."""
    known = {replace(one, detail="") for one in (before.clashes if before else ())}
    return [one for one in result.conflicts[:_SHOWN] if replace(one, detail="") not in known]


def _keep_failure(app: App, records: Records, error: WorkerError) -> None:
    """It could not be done at all. What waited for a person still does; what a brake noted stays."""
    if isinstance(error, BrakeError):
        return
    now = app.clock.now().isoformat()
    before = last_sending(records, app.settings.name) or LastSending(now)
    _keep_last(app, records, replace(before, at=now, sendings=(), problem=error.message, hint=error.hint, mark=""))


class _Memory:
    """What both sides agreed on. That they say alike is remembered at every look: it is no decision."""

    def __init__(self, records: Records, connection: str) -> None:
        self._records = records
        self._name = f"sent/{connection}"
        record = records.read(self._name)
        self._version = record.version if record else None
        self.agreed = _agreed(record.content if record else b"{}")

    def note(self, agreed: Agreed) -> None:
        """After a look; a sending that goes on beside it knows better."""
        try:
            self._version = self._records.write(self._name, _text(agreed), self._version)
        except ConflictError:
            log.info("what both sides agreed on was written meanwhile; it stays")

    def keep(self, agreed: Agreed) -> None:
        """While sending, which one worker does at a time."""
        self._records.write(self._name, _text(agreed), ANY_VERSION)


def _brake(app: App, records: Records, plan: Sent) -> None:
    count = len(plan.sendings)
    if count <= max(_MANY, _SHARE * plan.compared):
        return
    mark = _mark(plan)
    approved = records.read(f"sending-approved/{app.settings.name}")
    if approved is not None and approved.content.decode(errors="replace") == mark:
        return
    error = BrakeError(
        f"{count} of {plan.compared} customers would be changed in e-conomic at once; nothing was sent.",
        reasons=[f"{count} of {plan.compared} customers"],
        hint="Look at them on the page New customers, and send them there.",
    )
    now = app.clock.now().isoformat()
    waiting = LastSending(now, 0, len(plan.conflicts), plan.sendings, plan.conflicts, error.message, error.hint, mark)
    _keep_last(app, records, waiting)
    raise error


def _mark(plan: Sent) -> str:
    lines = sorted(json.dumps([one.number, sorted(one.values.items())]) for one in plan.sendings)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


def _last(app: App, result: Sent) -> LastSending:
    now = app.clock.now().isoformat()
    return LastSending(now, len(result.sendings), len(result.conflicts), result.sendings, result.conflicts)


def _keep_last(app: App, records: Records, last: LastSending) -> None:
    data = {
        **{name: getattr(last, name) for name in last.__dataclass_fields__},
        "sendings": [asdict(one) for one in last.sendings[:_SHOWN]],
        "clashes": [asdict(one) for one in last.clashes[:_SHOWN]],
    }
    records.write(f"sending/{app.settings.name}", json.dumps(data).encode(), ANY_VERSION)


def _loaded(data: Mapping[str, Any]) -> LastSending:
    sendings = [
        Sending(one["number"], one["item_id"], {name: (was, now) for name, (was, now) in one["values"].items()})
        for one in data["sendings"]
    ]
    clashes = [Conflict(**{**one, "items": tuple(one["items"])}) for one in data["clashes"]]
    return LastSending(**{**data, "sendings": sendings, "clashes": clashes})


def _text(agreed: Agreed) -> bytes:
    return json.dumps({number: known for number, known in agreed.items() if known}).encode()


def _agreed(content: bytes) -> Agreed:
    """A text alone was said by both sides: so earlier versions kept it."""
    try:
        return {
            str(number): {str(name): _pair(said) for name, said in known.items()}
            for number, known in json.loads(content).items()
        }
    except (ValueError, TypeError, AttributeError):
        log.warning("what both sides agreed on is damaged; it starts anew")
        return {}


def _pair(said: Any) -> tuple[str, str]:
    economic, crm = (said, said) if isinstance(said, str) else said
    return str(economic), str(crm)
