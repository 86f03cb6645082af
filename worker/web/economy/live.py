"""One customer as e-conomic has it this moment, beside what the CRM holds."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from worker.domain.encode import encode_value
from worker.domain.fields import CATALOGUE
from worker.domain.fit import normal
from worker.domain.profile import FieldRule, ImportType, Profile, SourceKind
from worker.domain.rows import CustomerRow, RunFacts
from worker.domain.values import Column, ColumnKind, TargetKind, Value
from worker.economic.one_customer import OneCustomer
from worker.economic.payments import Paying, days_to_pay
from worker.errors import AccessDeniedError, NotFoundError
from worker.sync.rows import source_rows
from worker.sync.snapshot import Snapshot
from worker.web.economy.figures import FIGURES, Card
from worker.wiring.app import App

log = logging.getLogger(__name__)
_MONEY = Column("money", "money", "money", ColumnKind.CURRENCY)


@dataclass(frozen=True, slots=True)
class Live:
    """`values`: figure by the card's column; `different`: those that the CRM does not have like that yet;
    `missing_invoices`: numbers of invoices that the CRM has not; `paying`: how long the customer takes to pay, None
    when the ledger may not be read."""

    moment: datetime
    values: Mapping[str, Value]
    different: frozenset[str]
    missing_invoices: tuple[int, ...]
    paying: Paying | None = None


def look_up(app: App, card: Card) -> Live:
    """Some ten requests to e-conomic, none that writes. Raises NotFoundError when e-conomic has no such customer."""
    now, options = app.clock.now(), app.run_options()
    fields = tuple(FIGURES.values())
    rules = tuple(FieldRule(name, name) for name in ("Number", *fields))
    customers = Profile("card", SourceKind.CUSTOMER, TargetKind.COMPANY, ImportType.UPDATE, "Number", "Number", rules)
    invoices = Profile(
        "card, invoices", SourceKind.INVOICE, TargetKind.INVOICE, ImportType.UPDATE, "InvoiceNumber", "InvoiceNumber",
        (FieldRule("InvoiceNumber", "InvoiceNumber"),),
    )  # fmt: skip
    facts = RunFacts(run_id="", started=now, today=app.today)
    one = OneCustomer(app.source, card.number)
    snapshot = Snapshot(one, [customers, invoices], facts.today, options.year_start, options.trend)
    try:
        rows = [row.record for row in source_rows(customers, snapshot, facts)]
        numbers = [invoice.number for invoice in snapshot.invoices()]
    finally:
        snapshot.close()
    if not rows or not isinstance(rows[0], CustomerRow):
        raise NotFoundError(f"e-conomic has no customer {card.number}.", hint="It may have been deleted there.")
    catalogue = CATALOGUE[SourceKind.CUSTOMER]
    values = {column: catalogue[name].read(rows[0]) for column, name in FIGURES.items() if column in card.values}
    different = frozenset(column for column, value in values.items() if _differs(value, card.values[column]))
    known = {line.number for line in card.invoices}
    oldest = min((line.number for line in card.invoices), default=0)
    missing = tuple(number for number in numbers if number not in known and number > oldest)
    return Live(now, values, different, missing, _paying(app, card.number))


def _paying(app: App, number: int) -> Paying | None:
    """Left out where the app's role may not read the ledger, or e-conomic has moved it."""
    try:
        return days_to_pay(app.source.client, number)
    except (AccessDeniedError, NotFoundError) as error:
        log.info("days to pay are left out: %s", error)
        return None


def _differs(one: Value, other: Value) -> bool:
    """Zero and blank are the same to a person who looks at money."""
    return encode_value(normal(one, _MONEY) or None) != encode_value(normal(other, _MONEY) or None)
