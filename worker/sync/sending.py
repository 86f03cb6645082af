"""The one way values go from the CRM to e-conomic: columns that a connection names as owned by the CRM.

What both sides said when they last agreed is remembered, so that a change can be told from a difference:

    CRM changed, e-conomic did not      the value is sent
    e-conomic changed, or both did      a conflict: told, and left for a person
    they differ and never agreed        likewise; the first look settles nothing by itself

Both sides agree when their texts mean the same (see `domain.sendable`); each side's own text is remembered.

Sending reads the whole customer, changes the named properties and replaces all of it, as e-conomic wants it; a customer
that is barred stays barred. Right before, the property must still be what it was. Each customer is remembered as soon
as it is sent, so that an interruption forgets none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from worker.domain.existing import key_text
from worker.domain.profile import Profile, WriteRule
from worker.domain.records import Customer
from worker.domain.sendable import SENDABLES, alike, refusal, tidy
from worker.domain.values import Item, TargetKind
from worker.errors import AccessDeniedError, ConfigError, Problem, RefusedError
from worker.ports import CustomerDesk, StopSignal, Target

log = logging.getLogger(__name__)
KEY = "CustomerID"
# Customer number -> column -> what e-conomic and the CRM said when they last agreed.
Agreed = dict[str, dict[str, tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Sending:
    """One customer's values to send: column -> (what e-conomic has, what the CRM says)."""

    number: int
    item_id: int
    values: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A value that a person must settle. `why` is a code of `domain.sending_texts`, `detail` e-conomic's own words;
    `items` are the companies it is about."""

    number: int
    column: str
    economic: str
    crm: str
    why: str
    items: tuple[int, ...]
    detail: str = ""


@dataclass(slots=True)
class Sent:
    """`sendings` planned or, after applying, done; `agreed` is what to remember; `compared`: companies that both sides
    have. `stopped`: the rest waits for the next time."""

    sendings: list[Sending] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    agreed: Agreed = field(default_factory=dict)
    compared: int = 0
    stopped: bool = False


class Sender:
    """Over the companies' list and e-conomic."""

    def __init__(self, companies: Target, desk: CustomerDesk, columns: Sequence[str], agreed: Agreed) -> None:
        missing = [name for name in (KEY, *columns) if name not in companies.columns]
        if missing:
            problems = [Problem(f"list of companies, column {name}", "is missing.") for name in missing]
            raise ConfigError(problems, hint="Choose other columns to send, or make them in SharePoint.")
        self._companies = companies
        self._desk = desk
        self._columns = tuple(columns)
        self._agreed = agreed

    def plan(self) -> Sent:
        """Reads both sides once; writes nothing."""
        customers = {str(one.number): one for one in self._desk.customers()}
        plan = Sent(agreed={number: dict(known) for number, known in self._agreed.items() if number in customers})
        carrying: dict[str, list[Item]] = {}
        for item in self._companies.items([KEY, *self._columns]):
            number = key_text(item.values.get(KEY)) or ""
            if number in customers:
                carrying.setdefault(number, []).append(item)
        for number, items in carrying.items():
            self._compare(customers[number], items, plan)
        plan.compared = len(carrying)
        return plan

    def apply(
        self, plan: Sent, new_key: Callable[[], str], stop: StopSignal, remember: Callable[[Agreed], None]
    ) -> Sent:
        """Sends what was planned, each customer read right before. What was refused or changed is a conflict. What both
        sides agree on is given to `remember` at once and after each customer."""
        done = Sent(conflicts=list(plan.conflicts), agreed=plan.agreed, compared=plan.compared)
        remember(done.agreed)
        denied = ""
        for one in plan.sendings:
            if stop.is_set():
                done.stopped = True
                break
            try:
                conflicts = _conflicts(one, "refused", denied) if denied else self._send(one, new_key)
            except AccessDeniedError as error:
                log.warning("customer not replaced number=%d reason=%s", one.number, error)
                denied = error.message  # the next one would be told the same
                conflicts = _conflicts(one, "refused", denied)
            done.conflicts += conflicts
            if not conflicts:
                done.sendings.append(one)
                done.agreed[str(one.number)].update({name: (crm, crm) for name, (_, crm) in one.values.items()})
                remember(done.agreed)
        return done

    def _send(self, one: Sending, new_key: Callable[[], str]) -> list[Conflict]:
        """Replaces one customer; why not, where that can't be."""
        document = self._desk.document(one.number)
        if document is None or any(_held(document, name) != was for name, (was, _) in one.values.items()):
            return _conflicts(one, "meanwhile")
        try:
            self._desk.replace(one.number, _changed(document, one), new_key())
        except RefusedError as error:
            log.warning("customer not replaced number=%d reason=%s", one.number, error)
            return _conflicts(one, "refused", error.message)
        return []

    def _compare(self, customer: Customer, items: Sequence[Item], plan: Sent) -> None:
        """Of two companies with one number nobody knows which is right."""
        if len(items) > 1:
            ids = tuple(item.item_id for item in items)
            plan.conflicts.append(Conflict(customer.number, KEY, str(customer.number), "", "twice", ids))
            return
        (item,) = items
        values = dict(self._judged(customer, item, plan))
        if values:
            plan.sendings.append(Sending(customer.number, item.item_id, values))

    def _judged(self, customer: Customer, item: Item, plan: Sent) -> Iterator[tuple[str, tuple[str, str]]]:
        known = plan.agreed.setdefault(str(customer.number), {})
        for name in self._columns:
            economic = tidy(name, getattr(customer, SENDABLES[name].attribute))
            crm = tidy(name, item.values.get(name))
            why = _judgement(name, economic, crm, known.get(name))
            if why == "send":
                yield name, (economic, crm)
            elif why == "agreed":
                known[name] = economic, crm
            elif why:
                plan.conflicts.append(Conflict(customer.number, name, economic, crm, why, (item.item_id,)))


def _judgement(name: str, economic: str, crm: str, known: tuple[str, str] | None) -> str:
    """send, agreed, "" when nothing happened since both agreed, or the code of a conflict."""
    if economic == crm:
        return "agreed"
    if known is None:
        return "agreed" if alike(name, economic, crm) else "first"
    if known == (economic, crm):
        return ""
    if alike(name, economic, crm) and (known[0] != economic or refusal(name, economic, crm)):
        return "agreed"
    if known[0] == economic:
        return refusal(name, economic, crm) or "send"
    return "economic" if known[1] == crm else "both"


def check_profiles(profiles: Sequence[Profile], columns: Sequence[str]) -> None:
    """Raises ConfigError when a profile would write over what the CRM owns."""
    wrong = [
        Problem(f"profile '{one.title}', column {rule.target}", "is written from e-conomic, but the CRM owns it.")
        for one in profiles
        if one.enabled and one.target is TargetKind.COMPANY
        for rule in one.rules
        if rule.target in columns and rule.write is WriteRule.ERP_OWNS
    ]
    if wrong:
        raise ConfigError(wrong, hint="Set these columns to On create only in the profile, or do not send them.")


def _held(document: Mapping[str, object], name: str) -> str:
    return tidy(name, document.get(SENDABLES[name].name))


def _changed(document: Mapping[str, object], sending: Sending) -> dict[str, object]:
    """The whole customer with the named properties; a blank one is left out, since e-conomic takes no null."""
    body = dict(document)
    for name, (_, crm) in sending.values.items():
        body.pop(SENDABLES[name].name, None)
        if crm:
            body[SENDABLES[name].name] = crm
    return body


def _conflicts(one: Sending, why: str, detail: str = "") -> list[Conflict]:
    """None of a customer's values was sent."""
    return [
        Conflict(one.number, name, economic, crm, why, (one.item_id,), detail)
        for name, (economic, crm) in one.values.items()
    ]
