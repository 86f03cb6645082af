"""Compares customers with companies, and contacts with contacts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from worker.domain.profile import SourceKind
from worker.domain.records import Customer
from worker.domain.values import Item, TargetKind, Value
from worker.sync.reconcile_forms import cvr, squeezed
from worker.sync.reconcile_owed import compare_owed
from worker.sync.reconcile_read import Area, Sides
from worker.sync.reconcile_report import NotCompared, Twin, Why
from worker.sync.reconcile_rows import MISSING_IN_ERP, NAMED, Comparer, Found, Kind, Row, by_key, sides, singles
from worker.sync.reconcile_rules import Rules

CUSTOMER, CONTACT = "customer", "contact"
_CONTACTS = Kind(CONTACT, SourceKind.CONTACT, TargetKind.CONTACT, "ImportID", "ImportID", (Area.CONTACTS,))
_CONTACT_KEY = re.compile(r"\d+-\d+")
_LEAST_CVR = 8  # letters and digits; anything shorter is no registration number


def compare_customers(found: Found, both: Sides, comparer: Comparer) -> None:
    """Rows, fields, what is owed, and companies that stand beside a customer's own."""
    rules = both.rules(CUSTOMER, SourceKind.CUSTOMER, TargetKind.COMPANY)
    found.not_compared += rules.not_compared
    key_column = company_key(rules)
    if not key_column:
        there = both.has(TargetKind.COMPANY)
        found.not_compared.append(NotCompared(CUSTOMER, "", Why.KEY if there else Why.LIST))
        return
    if not rules.profiles:
        found.not_compared.append(NotCompared(CUSTOMER, "", Why.ROWS))
    items = by_key(both.companies, key_column)
    rows = {key: Row(one, one.number, one.name) for key, one in both.customers.items()}
    sides(found, CUSTOMER, rows, _expected(both, rules, rows), items)
    pairs = [(key, rows[key], item) for key, item in singles(items) if key in rows]
    comparer.fields(found, CUSTOMER, rules.compared, pairs)
    compare_owed(found, both, comparer, rules, pairs)
    twins = _twins(both.companies, key_column, rules.column_of("CINumber", "CINumber"), items, both.customers)
    found.twins += twins[:NAMED]
    found.twins_in_all = len(twins)
    found.counts["companies without a customer number that look like a customer"] = len(twins)


def company_key(rules: Rules) -> str:
    """The column that holds the customer number."""
    return rules.column_of("Number", "CustomerID")


def _expected(both: Sides, rules: Rules, rows: Mapping[str, Row]) -> set[str]:
    """With no profile at all, every customer: a list that nobody fills any more is not what e-conomic says."""
    if not rules.profiles:
        return set(rows)
    creating = both.scope.creating(rules.profiles)
    return {key for key, row in rows.items() if any(both.scope.takes(one, row.customer_number) for one in creating)}


def _twins(
    companies: Iterable[Item],
    key_column: str,
    cvr_column: str,
    items: Mapping[str, Sequence[Item]],
    customers: Mapping[str, Customer],
) -> list[Twin]:
    """One for each company without a number, with the first customer that has its CVR number and a company."""
    known: dict[str, str] = {}
    for key in items:
        one = customers.get(key)
        if one is not None and one.cvr:
            known.setdefault(cvr(one.cvr), key)
    found = []
    for item in companies:
        text = cvr(item.values.get(cvr_column)) if cvr_column else ""
        flagged = item.values.get("ERPStatus") == MISSING_IN_ERP
        if squeezed(item.values.get(key_column)) or flagged or len(text) < _LEAST_CVR or text not in known:
            continue
        key = known[text]
        linked = tuple(one.item_id for one in items[key])
        found.append(Twin(item.item_id, squeezed(item.values.get("Title")), text, key, linked))
    return found


def compare_contacts(found: Found, both: Sides, comparer: Comparer) -> None:
    """Rows and fields, where a profile fills the list."""
    begun = _CONTACTS.rules(found, both)
    if begun is None:
        return
    rules, key_column = begun
    rows = {f"{one.customer_number}-{one.number}": Row(one, one.customer_number, one.name) for one in both.contacts}
    every = by_key(both.items(TargetKind.CONTACT), key_column)
    items = {key: theirs for key, theirs in every.items() if _CONTACT_KEY.fullmatch(key)}
    sides(found, CONTACT, rows, _expected(both, rules, rows), items)
    pairs = ((key, rows[key], item) for key, item in singles(items) if key in rows)
    comparer.fields(found, CONTACT, rules.compared, pairs)


def companies_of(both: Sides) -> Mapping[str, set[int]]:
    """Customer number -> items that carry it, for columns that point to a company."""
    found: dict[str, set[int]] = defaultdict(set)
    column = company_key(both.rules(CUSTOMER, SourceKind.CUSTOMER, TargetKind.COMPANY))
    values: Iterable[tuple[Value, int]] = ((one.values.get(column), one.item_id) for one in both.companies)
    for value, item_id in values:
        found[squeezed(value)].add(item_id)
    return found
