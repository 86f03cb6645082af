"""Do both systems say the same? A full comparison by independent counting.

Nothing here, nor in the `reconcile_` modules beside it, goes through the code that plans, maps, converts and writes:
rows are read through the ports and held against each other by small tables of their own, so that a fault of the
planning shows as a difference instead of hiding itself.
"""

from __future__ import annotations

from datetime import datetime

from worker.sync.reconcile_customers import companies_of, compare_contacts, compare_customers
from worker.sync.reconcile_fields import World
from worker.sync.reconcile_read import Area, Sides
from worker.sync.reconcile_report import Report
from worker.sync.reconcile_rows import Comparer, Found
from worker.sync.reconcile_sales import compare_invoices, compare_statistics


def compare(both: Sides, now: datetime) -> Report:
    """Everything that both sides hold. Raises what reading them raises."""
    invoices = None if both.may_not_read(Area.INVOICES) else both.by_customer
    world = World(both.agreement, both.years, both.dates.today, invoices)
    comparer = Comparer(both.scope, world, companies_of(both), both.dates)
    found = Found()
    compare_customers(found, both, comparer)
    compare_contacts(found, both, comparer)
    compare_invoices(found, both, comparer)
    compare_statistics(found, both, comparer)
    return Report(
        now,
        both.agreement,
        dict(found.counts),
        found.totals,
        tuple(found.missing),
        tuple(found.doubles),
        tuple(found.differences),
        tuple(found.twins),
        tuple(found.sums),
        tuple(found.not_compared),
    )
