"""Each account manager's news, from what stands in the CRM's lists, compared with what was told the last time.

What was told is kept in the store: a few figures for each company, and the numbers of invoices. It moves on for each
person alone, and only when the card was sent: what could not be sent is compared again, so it comes later, together
with what happened since. A card comes twice only when a worker dies, or the store fails, between sending it and writing
that down.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from worker.domain.buying import rhythm
from worker.domain.existing import key_text
from worker.domain.financial_year import add_months
from worker.domain.signals import Billed, Facts, News, big_orders, by_manager, changes
from worker.domain.values import Item, TargetKind
from worker.errors import NotFoundError, ThrottledError
from worker.ports import ANY_VERSION, Alerts, Records
from worker.wiring.app import App
from worker.wiring.digest_card import news_card

log = logging.getLogger(__name__)
_COMPANY = ("Title", "CustomerID", "AccountManager", "ERPSalesPerson", "OverdueAmount", "SalesTrend")
_INVOICE = ("InvoiceNumber", "CustomerID", "InvoiceDate", "NetAmountBase")
_MONTHS = 12
_TRIES = 8  # of one digest; then the next one takes over what is left
_AGAIN = 900.0  # seconds between them


@dataclass(frozen=True, slots=True)
class _Told:
    """What was told: each company at its moment, the numbers of invoices, and how often in a row cards were left."""

    facts: Mapping[str, Facts]
    invoices: frozenset[str]
    failures: int = 0


def send_digest(app: App, records: Records, alerts: Alerts) -> None:
    """Tells everybody what is new since they were told; nothing the first time.

    Raises ThrottledError when a card could not be sent and it is worth another try.
    """
    name = f"digest/{app.settings.name}"
    before = _read(records, name)
    invoices = _invoices(app, add_months(app.today, -_MONTHS))
    facts = _facts(app, _late(invoices, app.today))
    if before is None:
        _write(records, name, _moved(_Told({}, frozenset()), facts, invoices, ()))
        return
    waiting = by_manager(_news(app, before, facts, invoices))
    for manager, theirs in sorted(waiting.items()):
        if alerts.send(news_card(app.settings.name, app.settings.sync.language, manager, theirs)):
            del waiting[manager]
            _write(records, name, _moved(before, facts, invoices, _customers(waiting)))
    _close(records, name, _moved(before, facts, invoices, _customers(waiting)), before.failures, len(waiting))


def _close(records: Records, name: str, told: _Told, failures: int, left: int) -> None:
    """Raises ThrottledError when another try is due."""
    again = bool(left) and failures + 1 < _TRIES
    _write(records, name, _Told(told.facts, told.invoices, failures + 1 if again else 0))
    if again:
        raise ThrottledError(f"{left} cards with news could not be sent.", retry_after=_AGAIN)
    if left:
        log.warning("cards with news were left to the next digest connection=%s cards=%d", name, left)


def _news(app: App, before: _Told, facts: Mapping[str, Facts], invoices: Sequence[Billed]) -> list[News]:
    threshold = Decimal(str(app.settings.sync.digest_big_order))
    orders = big_orders(invoices, before.invoices, before.facts, facts, threshold)
    return [*changes(before.facts, facts), *orders]


def _customers(waiting: Mapping[str, Sequence[News]]) -> frozenset[str]:
    return frozenset(one.customer for theirs in waiting.values() for one in theirs)


def _moved(before: _Told, facts: Mapping[str, Facts], invoices: Sequence[Billed], untold: Collection[str]) -> _Told:
    """As things stand now, but for customers of whom something is still to be told. News are of customers that were
    there before."""
    return _Told(
        {number: before.facts[number] if number in untold else one for number, one in facts.items()},
        frozenset(one.number for one in invoices if one.customer not in untold or one.number in before.invoices),
    )


def _read(records: Records, name: str) -> _Told | None:
    record = records.read(name)
    if record is None:
        return None
    try:
        data = json.loads(record.content)
        facts = {
            str(number): Facts(str(title), str(who), Decimal(overdue), str(trend), bool(late), date.fromisoformat(day))
            for number, (title, who, overdue, trend, late, day) in data["facts"].items()
        }
        return _Told(facts, frozenset(map(str, data["invoices"])), int(data["failures"]))
    except (ValueError, TypeError, KeyError, ArithmeticError):
        log.warning("what the last digest kept can't be read; it starts anew")
        return None


def _write(records: Records, name: str, told: _Told) -> None:
    facts = {
        number: [one.name, one.manager, str(one.overdue), one.trend, one.late, one.day.isoformat()]
        for number, one in told.facts.items()
    }
    kept = {"facts": facts, "invoices": sorted(told.invoices), "failures": told.failures}
    records.write(name, json.dumps(kept).encode(), ANY_VERSION)


def _late(invoices: Sequence[Billed], today: date) -> frozenset[str]:
    """Customers whose usual order has not come."""
    days: dict[str, list[date]] = {}
    for one in invoices:
        if one.net > 0:
            days.setdefault(one.customer, []).append(one.day)
    return frozenset(number for number, theirs in days.items() if rhythm(theirs, today).is_late)


def _facts(app: App, late: frozenset[str]) -> dict[str, Facts]:
    target = app.site.view_of(TargetKind.COMPANY, _COMPANY)
    if target is None:
        return {}
    names: dict[int, str] = {}
    found: dict[str, Facts] = {}
    for item in target.items(list(target.columns)):
        number = key_text(item.values.get("CustomerID"))
        if number:
            overdue = item.values.get("OverdueAmount")
            found[number] = Facts(
                name=str(item.values.get("Title") or ""),
                manager=_manager(app, item, names),
                overdue=overdue if isinstance(overdue, Decimal) else Decimal(0),
                trend=str(item.values.get("SalesTrend") or ""),
                late=number in late,
                day=app.today,
            )
    return found


def _manager(app: App, item: Item, names: dict[int, str]) -> str:
    """The company's account manager by name, out of a person's column or one of text; else e-conomic's salesperson."""
    named = item.values.get("AccountManager")
    if isinstance(named, int):
        if named not in names:
            names[named] = _person(app, named)
        named = names[named]
    return str(named or "").strip() or str(item.values.get("ERPSalesPerson") or "").strip()


def _person(app: App, number: int) -> str:
    try:
        return str(app.site.client.get_json(f"web/getuserbyid({number})").get("Title") or "")
    except NotFoundError:
        return ""  # has left the company


def _invoices(app: App, since: date) -> list[Billed]:
    target = app.site.view_of(TargetKind.INVOICE, _INVOICE)
    if target is None or set(target.columns) != set(_INVOICE):
        return []
    found = []
    for item in target.items(list(_INVOICE)):
        number, customer = key_text(item.values["InvoiceNumber"]), key_text(item.values["CustomerID"])
        day, net = item.values["InvoiceDate"], item.values["NetAmountBase"]
        if isinstance(day, datetime):
            day = day.date()  # the list's column has a time of day too
        if number and customer and isinstance(day, date) and isinstance(net, Decimal) and day >= since:
            found.append(Billed(number, customer, day, net))
    return found
