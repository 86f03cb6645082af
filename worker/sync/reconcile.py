"""Do both systems say the same? A full comparison by independent counting.

Nothing here, nor in the `reconcile_` modules beside it, goes through the code that plans, maps, converts and writes:
rows are read through the ports and held against each other by small tables of their own, so that a fault of the
planning shows as a difference instead of hiding itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from worker.domain.profile import Profile
from worker.domain.values import TargetKind
from worker.ports import ComparedSource, Target
from worker.sync.reconcile_customers import companies_of, compare_contacts, compare_customers
from worker.sync.reconcile_fields import World
from worker.sync.reconcile_read import Area, Dates, Sides
from worker.sync.reconcile_report import Report
from worker.sync.reconcile_rows import Comparer, Found
from worker.sync.reconcile_sales import compare_invoices, compare_statistics


class Reconciler:
    """`targets`: the CRM's lists that there are, with the columns the profiles map and COLUMNS of reconcile_read.
    `profiles` say which columns hold which field, in the order they run."""

    def __init__(
        self,
        source: ComparedSource,
        targets: Mapping[TargetKind, Target],
        profiles: Sequence[Profile],
        dates: Dates,
    ) -> None:
        self._source = source
        self._targets = targets
        self._profiles = profiles
        self._dates = dates

    def report(self, now: datetime) -> Report:
        """Reads both sides once. Raises AccessDeniedError when not even customers may be read."""
        both = Sides(self._source, self._targets, self._profiles, self._dates)
        invoices = None if both.may_not_read(Area.INVOICES) else both.by_customer
        world = World(both.agreement, both.years, self._dates.today, invoices)
        comparer = Comparer(both.scope, world, companies_of(both), self._dates)
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
