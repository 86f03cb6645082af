"""The comparison of both systems over real ones, with who saved last what differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from worker.domain.values import TargetKind
from worker.ports import Target
from worker.sharepoint.definitions import ListKey
from worker.sharepoint.last_change import last_change
from worker.sync.reconcile import COLUMNS, Difference, Reconciler, Report
from worker.wiring.app import App

_ASKED = 20  # items of which the last change is looked up; one request each
_LISTS: Mapping[str, ListKey] = {"customer": "companies", "contact": "contacts", "invoice": "invoices"}


def reconcile(app: App) -> Report:
    """Both systems compared by independent counting. Reads everything, writes nothing."""
    rows = app.profiles.profiles() if app.has_profiles_list() else ()
    profiles = [row.profile for row in rows if row.profile is not None]
    targets: dict[TargetKind, Target] = {}
    for kind in TargetKind:
        columns = {rule.target for one in profiles if one.target is kind for rule in one.rules}
        target = app.site.view_of(kind, sorted(columns | set(COLUMNS)))
        if target is not None:
            targets[kind] = target
    report = Reconciler(app.source, targets, profiles).report(app.clock.now())
    return replace(report, differences=_told(app, report.differences))


def _told(app: App, differences: tuple[Difference, ...]) -> tuple[Difference, ...]:
    """With moment and name for the first items that differ."""
    items = list(dict.fromkeys((one.kind, one.item_id) for one in differences))[:_ASKED]
    known = {item: last_change(app.site, _LISTS[item[0]], item[1]) for item in items}
    found = []
    for one in differences:
        change = known.get((one.kind, one.item_id))
        found.append(one if change is None else replace(one, changed=change.moment, by=change.by))
    return tuple(found)
