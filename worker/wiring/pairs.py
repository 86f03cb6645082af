"""A person's word that a company is a customer under another number: kept only when it can be true."""

from __future__ import annotations

from collections.abc import Iterable

from worker.domain.renumbering import Party, party_of, seems_same
from worker.errors import ConfigError, Problem
from worker.sync.planner import COMPANY_KEY
from worker.wiring.app import App
from worker.wiring.earlier import PARTY_COLUMNS, is_customer_number, item_party
from worker.wiring.renumbered import RenumberBook


def accept_pairs(app: App, book: RenumberBook, pairs: Iterable[tuple[str, int]]) -> None:
    """Old number of a company, number of a customer. Raises ConfigError with every pair that can't be true as both
    sides stand, and keeps none then: nothing would ever be done about it, and nobody would hear why."""
    wanted = [(old, str(new)) for old, new in pairs]
    numbers = sorted({number for pair in wanted for number in pair})
    if not numbers:
        return
    found = app.source.customers_numbered([int(one) for one in numbers if is_customer_number(one)])
    customers = {str(one.number): party_of(one) for one in found}
    target = app.companies(PARTY_COLUMNS)
    companies = {party.number: party for party in map(item_party, target.find(COMPANY_KEY, numbers, [*target.columns]))}
    if problems := [one for pair in wanted if (one := _problem(*pair, customers, companies)) is not None]:
        raise ConfigError(
            problems, hint="See which numbers may have been changed: page Link companies, or economic-sync link."
        )
    for old, new in wanted:
        book.accept(old, customers[new])


def _problem(old: str, new: str, customers: dict[str, Party], companies: dict[str, Party]) -> Problem | None:
    """A number whose company or customer is somebody else's counts as free."""
    if old not in companies:
        return Problem(f"{old}={new}", f"no company carries the number {old}.")
    if new not in customers:
        return Problem(f"{old}={new}", f"e-conomic has no customer {new}.")
    if old in customers and seems_same(companies[old], customers[old]):
        return Problem(f"{old}={new}", f"e-conomic still has the customer {old}.")
    if old != new and new in companies and seems_same(companies[new], customers[new]):
        return Problem(f"{old}={new}", f"customer {new} has a company already.")
    return None
