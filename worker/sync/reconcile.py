"""Do both systems say the same? A full comparison by independent counting.

Nothing here goes through the code that plans and writes: rows are read through the ports and compared by this module's
own small tables, so that a fault of the planning shows as a difference instead of hiding itself.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from worker.domain.profile import Profile, SourceKind, WriteRule
from worker.domain.records import Customer, CustomerContact, Invoice
from worker.domain.values import Item, TargetKind, Value
from worker.ports import Source, Target

ZERO = Decimal(0)
# What the comparison itself needs of a list, whatever the profiles map.
COLUMNS = (
    "CustomerID",
    "ImportID",
    "Title",
    "Balance",
    "OverdueAmount",
    "InvoiceNumber",
    "InvoiceDate",
    "NetAmountBase",
)
_NAMED = 200  # rows of each kind that a report names; all are counted
# Source field -> how it is read here. Only what stands in e-conomic's own rows; computed figures are summed instead.
_CUSTOMER: Mapping[str, Callable[[Customer], Value]] = {
    "Name": lambda one: one.name,
    "Address": lambda one: one.address,
    "PostalCode": lambda one: one.zip,
    "City": lambda one: one.city,
    "Website": lambda one: one.website,
    "Ean": lambda one: one.ean,
    "Balance": lambda one: one.balance,
    "OverdueAmount": lambda one: one.due_amount,
    "CreditLimit": lambda one: one.credit_limit,
}
_CONTACT: Mapping[str, Callable[[CustomerContact], Value]] = {
    "Name": lambda one: one.name,
    "EInvoiceID": lambda one: one.e_invoice_id,
}
_INVOICE: Mapping[str, Callable[[Invoice], Value]] = {
    "NetAmount": lambda one: one.net,
    "VATAmount": lambda one: one.vat,
    "GrossAmount": lambda one: one.gross,
    "Remainder": lambda one: one.remainder,
    "InvoiceDate": lambda one: one.invoice_date,
}


@dataclass(frozen=True, slots=True)
class Missing:
    """A row that only one side has. `item_id` is set when the CRM has it."""

    kind: str  # customer, contact or invoice
    side: str  # e-conomic or CRM: the one that has it
    key: str
    name: str
    item_id: int | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that both have and that differs. `changed` and `by`: who saved the CRM's item last, when it was asked."""

    kind: str
    key: str
    item_id: int
    column: str
    economic: Value
    crm: Value
    changed: datetime | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Sum:
    """One amount as both sides have it; `own`: as e-conomic's totals have it, None where they have none."""

    name: str
    economic: Decimal
    crm: Decimal
    own: Decimal | None = None

    @property
    def agrees(self) -> bool:
        """To the last hundredth."""
        return self.economic == self.crm and self.own in (None, self.economic)


@dataclass(frozen=True, slots=True)
class Report:
    """The whole comparison. Lists name at most 200 of a kind, `counts` counts all: name -> number."""

    made: datetime
    agreement: int
    counts: Mapping[str, int]
    missing: tuple[Missing, ...] = ()
    doubles: tuple[tuple[str, tuple[int, ...]], ...] = ()
    differences: tuple[Difference, ...] = ()
    sums: tuple[Sum, ...] = ()

    @property
    def agrees(self) -> bool:
        """Nothing differs."""
        return not (self.missing or self.doubles or self.differences) and all(one.agrees for one in self.sums)


@dataclass(slots=True)
class _Found:
    missing: list[Missing] = field(default_factory=list)
    doubles: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    sums: list[Sum] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))


class Reconciler:
    """`targets`: the CRM's lists that there are, with the columns the profiles map. `profiles` say which columns hold
    which field; rules with a converter, a default or another owner than the ERP are not compared."""

    def __init__(self, source: Source, targets: Mapping[TargetKind, Target], profiles: Sequence[Profile]) -> None:
        self._source = source
        self._targets = targets
        self._profiles = [one for one in profiles if one.enabled]

    def report(self, now: datetime) -> Report:
        """Reads both sides once."""
        found = _Found()
        agreement = self._source.agreement().number
        customers = {str(one.number): one for one in self._source.customers()}
        self._compare_customers(found, customers, agreement)
        self._compare_contacts(found, customers)
        self._compare_invoices(found)
        return Report(
            now,
            agreement,
            dict(found.counts),
            tuple(found.missing),
            tuple(found.doubles),
            tuple(found.differences),
            tuple(found.sums),
        )

    def _compare_customers(self, found: _Found, customers: Mapping[str, Customer], agreement: int) -> None:
        items = self._items(TargetKind.COMPANY, "CustomerID", "ImportID", "Title", "Balance", "OverdueAmount")
        ours = [item for item in items if _of_agreement(item, agreement)]
        by_key = _by_key(ours, "CustomerID")
        self._both(found, "customer", {key: one.name for key, one in customers.items()}, by_key)
        mapped = self._mapped(SourceKind.CUSTOMER, _CUSTOMER)
        for key, item in _singles(by_key):
            if key in customers:
                _compare(found, "customer", key, item, mapped, customers[key])
        matched = {key: item for key, item in _singles(by_key) if key in customers}
        owed = {"Balance": [customers[key].balance for key in matched]}
        owed["OverdueAmount"] = [customers[key].due_amount for key in matched]
        for column, amounts in owed.items():
            if self._has(TargetKind.COMPANY, column):
                found.sums.append(Sum(column, sum(amounts, ZERO), _sum(matched.values(), column)))

    def _compare_contacts(self, found: _Found, customers: Mapping[str, Customer]) -> None:
        if TargetKind.CONTACT not in self._targets:
            return
        contacts = {
            f"{one.customer_number}-{one.number}": one
            for one in self._source.contacts()
            if not one.deleted and str(one.customer_number) in customers
        }
        by_key = _by_key(self._items(TargetKind.CONTACT, "ImportID", "Title"), "ImportID")
        by_key = {key: items for key, items in by_key.items() if re.fullmatch(r"\d+-\d+", key)}
        self._both(found, "contact", {key: one.name for key, one in contacts.items()}, by_key)
        mapped = self._mapped(SourceKind.CONTACT, _CONTACT)
        for key, item in _singles(by_key):
            if key in contacts:
                _compare(found, "contact", key, item, mapped, contacts[key])

    def _compare_invoices(self, found: _Found) -> None:
        """Invoices older than the oldest one of the list are out of its scope."""
        if TargetKind.INVOICE not in self._targets:
            return
        items = self._items(TargetKind.INVOICE, "InvoiceNumber", "Title", "InvoiceDate", "NetAmountBase")
        by_key = _by_key(items, "InvoiceNumber")
        days = [day for item in items if (day := _day(item.values.get("InvoiceDate"))) is not None]
        first = min(days, default=date.max)
        every = list(self._source.invoices())
        invoices = {str(one.number): one for one in every if one.invoice_date >= first}
        self._both(found, "invoice", {key: f"{one.invoice_date}" for key, one in invoices.items()}, by_key)
        mapped = self._mapped(SourceKind.INVOICE, _INVOICE)
        for key, item in _singles(by_key):
            if key in invoices:
                _compare(found, "invoice", key, item, mapped, invoices[key])
        if self._has(TargetKind.INVOICE, "NetAmountBase"):
            self._sum_years(found, every, items, first)

    def _sum_years(self, found: _Found, invoices: Sequence[Invoice], items: Sequence[Item], first: date) -> None:
        """Net sales of each accounting year that the list holds as a whole, against e-conomic's own totals."""
        for year in self._source.accounting_years():
            inside = [one for one in invoices if year.first_day <= one.invoice_date <= year.last_day]
            if not inside or min(one.invoice_date for one in inside) < first:
                continue
            theirs = sum((one.net_base for one in inside), ZERO)
            days = ((item, _day(item.values.get("InvoiceDate"))) for item in items)
            ours = [item for item, day in days if day and year.first_day <= day <= year.last_day]
            own = sum(self._source.sales_totals(year).values(), ZERO)
            found.sums.append(Sum(f"Net sales {year.name}", theirs, _sum(ours, "NetAmountBase"), own))

    def _both(self, found: _Found, kind: str, economic: Mapping[str, str], crm: Mapping[str, Sequence[Item]]) -> None:
        found.counts[f"{kind}s in e-conomic"] = len(economic)
        found.counts[f"{kind}s in the CRM"] = sum(map(len, crm.values()))
        only_there = [Missing(kind, "e-conomic", key, name) for key, name in economic.items() if key not in crm]
        only_here = [
            Missing(kind, "CRM", key, _text(item.values.get("Title")), item.item_id)
            for key, items in crm.items()
            for item in items
            if key not in economic
        ]
        found.counts[f"{kind}s only in e-conomic"] = len(only_there)
        found.counts[f"{kind}s only in the CRM"] = len(only_here)
        found.missing += [*only_there[:_NAMED], *only_here[:_NAMED]]
        doubles = [
            (f"{kind} {key}", tuple(item.item_id for item in items)) for key, items in crm.items() if len(items) > 1
        ]
        found.counts[f"{kind}s twice in the CRM"] = len(doubles)
        found.doubles += doubles[:_NAMED]

    def _items(self, kind: TargetKind, *columns: str) -> list[Item]:
        target = self._targets.get(kind)
        if target is None:
            return []
        wanted = [name for name in dict.fromkeys([*columns, *target.columns]) if name in target.columns]
        return list(target.items(wanted))

    def _has(self, kind: TargetKind, column: str) -> bool:
        return kind in self._targets and column in self._targets[kind].columns

    def _mapped(
        self, source: SourceKind, known: Mapping[str, Callable[..., Value]]
    ) -> list[tuple[str, Callable[..., Value]]]:
        """Column and reader of every rule that can be compared as it is."""
        rules = [rule for one in self._profiles if one.source is source for rule in one.rules]
        return [
            (rule.target, known[rule.source])
            for rule in rules
            if rule.source is not None
            and rule.source in known
            and rule.write is WriteRule.ERP_OWNS
            and not (rule.converter or rule.default)
        ]


def _compare(
    found: _Found, kind: str, key: str, item: Item, mapped: Sequence[tuple[str, Callable[..., Value]]], row: object
) -> None:
    for column, read in dict(mapped).items():
        if column not in item.values:
            continue
        theirs, ours = read(row), item.values[column]
        if theirs is None or _plain(theirs) == "":
            continue  # a blank source keeps what the CRM has, unless the profile says otherwise
        if _plain(theirs) != _plain(ours):
            found.counts[f"{kind} fields that differ"] += 1
            if sum(one.kind == kind for one in found.differences) < _NAMED:
                found.differences.append(Difference(kind, key, item.item_id, column, theirs, ours))


def _of_agreement(item: Item, agreement: int) -> bool:
    """A company of another agreement that feeds the same site is not ours to compare."""
    text = _text(item.values.get("ImportID"))
    return not text.startswith("economic:") or text.startswith(f"economic:{agreement}:")


def _by_key(items: Iterable[Item], column: str) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        key = _plain(item.values.get(column))
        if key:
            found[key].append(item)
    return found


def _singles(by_key: Mapping[str, Sequence[Item]]) -> Iterable[tuple[str, Item]]:
    return ((key, items[0]) for key, items in by_key.items() if len(items) == 1)


def _sum(items: Iterable[Item], column: str) -> Decimal:
    values = (item.values.get(column) for item in items)
    return sum((value for value in values if isinstance(value, Decimal)), ZERO)


def _day(value: Value) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None


def _text(value: Value) -> str:
    return "" if value is None else str(value)


def _plain(value: Value) -> str:
    """As both sides can be compared: amounts without trailing zeros, texts without white space that lists lose."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value else ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    return " ".join(str(value).split())
