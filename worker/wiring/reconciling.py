"""The comparison of both systems over real ones, with who saved last what differs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from zoneinfo import ZoneInfo

from worker.domain.profile import Profile
from worker.domain.render.values import some
from worker.domain.report import RunMode, RunReport, RunStatus, Trigger
from worker.domain.values import ColumnKind, TargetKind
from worker.engine.json_record import JsonRecord
from worker.errors import LeaseLostError
from worker.ports import ANY_VERSION, Records, Target
from worker.sharepoint.definitions import ListKey
from worker.sharepoint.last_change import column_changes, last_change
from worker.sync.reconcile import compare
from worker.sync.reconcile_data import report_data
from worker.sync.reconcile_read import COLUMNS, Dates, Sides
from worker.sync.reconcile_report import Difference, NotCompared, Report, Saved, Sum, Why
from worker.wiring.app import App

ASKED = 20  # items of which who saved them is looked up; one request each, or two
TARGETS: Mapping[str, TargetKind] = {
    "customer": TargetKind.COMPANY,
    "contact": TargetKind.CONTACT,
    "invoice": TargetKind.INVOICE,
    "statistics row": TargetKind.STATISTICS,
}
_LISTS: Mapping[str, ListKey] = {
    "customer": "companies",
    "contact": "contacts",
    "invoice": "invoices",
    "statistics row": "sales-statistics",
}
_DAYS = 31  # back to the last run at most, for figures that move with the day
_LATEST = 200  # runs of which is looked up when they began
_ID = "compare"
_LOST = timedelta(hours=1)  # asked so long ago that another message may be sent
COMPARISON = "Comparison"  # what a row of the run list is, beside the modes of a run


class StartedBy(StrEnum):
    """Who asked for a comparison."""

    TIMER = "Timer"
    COMMAND = "Command"
    CONSOLE = "Console"


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
    dates = _dates(app, [one for one in profiles if one.enabled])
    now = app.clock.now()
    report = compare(Sides(app.source, targets, profiles, dates), now)
    broken = tuple(NotCompared("profile", "", Why.BROKEN, row.title) for row in rows if row.profile is None)
    not_compared = (*broken, *report.not_compared)
    return replace(report, not_compared=not_compared, differences=_told(app, targets, report.differences))


def reconcile_and_keep(app: App, records: Records, by: StartedBy) -> Report:
    """Compares, keeps the result for the console, and puts a row in the run list: one that agrees succeeded.

    Raises LeaseLostError when it was to stop meanwhile: another worker may have written while it read, which would show
    as differences.
    """
    started = app.clock.now()
    report = reconcile(app)
    if app.stop.is_set():
        raise LeaseLostError("The comparison was stopped.")
    content = json.dumps(report_data(report)).encode()
    records.write(reconcile_record(app.settings.name), content, ANY_VERSION)
    if app.has_profiles_list():
        app.runs.closed([_listed(app, report, by, started)])
    return report


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for. `at`: when (ISO, UTC), "" when nothing waits; `problem`: why the last one that was asked
    for could not be made, or not yet."""

    at: str = ""
    problem: str = ""


class AskedBook:
    """Whether somebody waits for a comparison. Thread- and process-safe, as the store is."""

    def __init__(self, records: Records, connection: str) -> None:
        self._record = JsonRecord(
            records, f"comparison-asked/{connection}", Asked(), lambda data: Asked(**data), asdict
        )

    def read(self) -> Asked:
        """A damaged record counts as none."""
        return self._record.read()

    def ask(self, now: datetime) -> bool:
        """True when somebody must be sent: nobody waits, or has waited so long that the message must be lost."""
        asks = False

        def change(before: Asked) -> Asked:
            nonlocal asks
            asks = not before.at or now - datetime.fromisoformat(before.at) >= _LOST
            return Asked(now.isoformat()) if asks else before

        self._record.change(change)
        return asks

    def waits(self, problem: str) -> None:
        """It could not be made yet."""
        self._record.change(lambda before: replace(before, problem=problem))

    def over(self, problem: str = "") -> None:
        """It was made, or can't be."""
        self._record.change(lambda _: Asked("", problem))


def reconcile_record(connection: str) -> str:
    """Where the last comparison is kept."""
    return f"reconcile/{connection}"


def comparison_by(run_id: str) -> StartedBy | None:
    """Who asked for the comparison that stands in the run list under this id; None for the id of a run."""
    word, _, rest = run_id.partition(":")
    name = rest.partition(":")[0]
    return next((one for one in StartedBy if word == _ID and one.value.casefold() == name), None)


def summary(report: Report) -> str:
    """What differs, in one text; "" when nothing does."""
    if report.agrees:
        return ""
    found = report.totals
    counts = (
        f"{some(found.missing, 'row')} on one side only, {some(found.differences, 'field')} that differ, "
        f"{some(found.doubles, 'number')} carried twice."
    )
    return " ".join([counts, *(_off(one) for one in report.sums if not one.agrees), *_twins(report)])


def _off(one: Sum) -> str:
    own = "" if one.own is None else f", e-conomic's own total {one.own:,}"
    return f"{one.name}: e-conomic {one.economic:,}, CRM {one.crm:,}{own}."


def _twins(report: Report) -> list[str]:
    if not report.twins:
        return []
    return [f"Companies without a customer number that have the CVR number of a customer: {report.totals.twins}."]


def _listed(app: App, report: Report, by: StartedBy, started: datetime) -> RunReport:
    return RunReport(
        run_id=f"{_ID}:{by.value.casefold()}:{app.new_run_id()}",
        profile="Reconcile",
        mode=RunMode.PLAN,
        trigger=Trigger.TIMER if by is StartedBy.TIMER else Trigger.MANUAL,
        status=RunStatus.SUCCEEDED if report.agrees else RunStatus.WITH_ERRORS,
        started=started,
        finished=app.clock.now(),
        message=summary(report) or " ".join(["Both systems say the same.", *_twins(report)]),
    )


def _dates(app: App, profiles: Sequence[Profile]) -> Dates:
    """From today back to the day on which every profile's last run began: days overdue and the like are of that day,
    also where the run went on after midnight."""
    today, sync = app.today, app.settings.sync
    zone = ZoneInfo(sync.time_zone)
    runs = _begun(app, profiles) if app.site.find_list("sync-runs") else []
    first = min((moment.astimezone(zone).date() for moment in runs), default=today)
    days = [today - timedelta(days=back) for back in range(min(max(0, (today - first).days), _DAYS) + 1)]
    start = sync.financial_year_start
    year_start = None if start is None else (int(start[:2]), int(start[3:]))
    return Dates(days, zone, ran=bool(runs), year_start=year_start)


def _begun(app: App, profiles: Sequence[Profile]) -> list[datetime]:
    """When each profile's last good run began; of one that is not among the latest runs only its end is known."""
    begun = {one.run_id: one.started for one in app.runs.recent(_LATEST)}
    runs = app.runs.last_good([one.title for one in profiles])
    return [begun.get(one.run_id, one.finished) for one in runs.values()]


def _told(
    app: App, targets: Mapping[TargetKind, Target], differences: tuple[Difference, ...]
) -> tuple[Difference, ...]:
    """With who saved the first items that differ: the column itself where the item's versions tell, else the item."""
    columns: dict[tuple[str, int], set[str]] = defaultdict(set)
    for one in differences:
        columns[one.kind, one.item_id].add(one.column)
    known: dict[tuple[str, int, str], Saved] = {}
    for (kind, item_id), names in islice(columns.items(), ASKED):
        for name, saved in _saved(app, targets, kind, item_id, names).items():
            known[kind, item_id, name] = saved
    return tuple(replace(one, saved=known.get((one.kind, one.item_id, one.column))) for one in differences)


def _saved(
    app: App, targets: Mapping[TargetKind, Target], kind: str, item_id: int, names: Collection[str]
) -> Mapping[str, Saved]:
    """Column -> who saved it. How versions write look-ups is unconfirmed, so of those only the item's save is told."""
    key, bound = _LISTS[kind], targets[TARGETS[kind]].columns
    internal = {name: bound[name].internal for name in names if bound[name].kind is not ColumnKind.LOOKUP}
    made = column_changes(app.site, key, item_id, internal.values()) if internal else {}
    found = {
        name: Saved(change.moment, change.by, column=True)
        for name, one in internal.items()
        if (change := made.get(one)) is not None
    }
    last = last_change(app.site, key, item_id) if len(found) < len(names) else None
    if last is None:
        return found
    return {name: found.get(name) or Saved(last.moment, last.by, column=False) for name in names}
