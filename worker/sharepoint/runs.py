"""The RunStore port over the lists Sync runs and Sync row results.

Requests are few: one batch when a run is about to write, one when the session ends. Row results are kept as the
current state, see `row_results`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from worker.domain.reasons import Language
from worker.domain.report import LastRun, RunReport, RunStatus
from worker.domain.values import Item, Value
from worker.ports import RunSummary, WriteStatus
from worker.sharepoint.own_list import OwnList, OwnWrite, send
from worker.sharepoint.profiles import SharePointProfiles
from worker.sharepoint.row_results import KNOWN_COLUMNS, is_judged, news
from worker.sharepoint.site import SharePointSite

_GOOD = frozenset({RunStatus.SUCCEEDED.value, RunStatus.WITH_ERRORS.value})
_LOOKED_AT = 500  # latest runs in which the last good one of each profile is looked for before asking one by one
_COUNTS = {
    "SourceRows": "source_rows",
    "CreatedRows": "created",
    "UpdatedRows": "updated",
    "UnchangedRows": "unchanged",
    "SkippedRows": "skipped",
    "FailedRows": "failed",
    "FlaggedRows": "flagged",
}
_LAST_COLUMNS = ("RunID", "Profile", "RunMode", "RunStatus", "SourceRows", "Finished")
_SUMMARY_COLUMNS = ("RunID", "Profile", "RunMode", "RunStatus", "Started", "Finished", "Message", *_COUNTS)
_INTERRUPTED = "It was interrupted. Do the same again: it goes on where it stopped."


class SharePointRuns:
    """`language` is that of the sentences in the row results."""

    def __init__(self, site: SharePointSite, profiles: SharePointProfiles, language: Language = "en") -> None:
        self._site = site
        self._runs = OwnList(site, "sync-runs")
        self._results = OwnList(site, "sync-row-results")
        self._profiles = profiles
        self._language: Language = language
        self._opened: dict[str, int] = {}

    def last_good(self, profiles: Sequence[str]) -> Mapping[str, LastRun]:
        """See ports.RunStore. One request, and one more for each profile that has no good run among the latest."""
        found: dict[str, LastRun] = {}
        for item in self._runs.newest(_LAST_COLUMNS, _LOOKED_AT):
            self._take(item, found)
        for title in profiles:
            if title not in found:
                for item in self._runs.where("Profile", title, _LAST_COLUMNS):
                    self._take(item, found)
        return {title: found[title] for title in profiles if title in found}

    @staticmethod
    def _take(item: Item, found: dict[str, LastRun]) -> None:
        """Newest first, so the first one found of a profile stays."""
        values = item.values
        finished = values["Finished"]
        if values["RunMode"] == "Apply" and values["RunStatus"] in _GOOD and isinstance(finished, datetime):
            last = LastRun(str(values["RunID"]), _whole(values["SourceRows"]), finished)
            found.setdefault(str(values["Profile"]), last)

    def approved(self, profile: str, digest: str) -> bool:
        """Whether a braked run of exactly this plan carries a person's approval."""
        rows = self._runs.where("PlanHash", digest, ("Profile", "RunStatus", "Approved"))
        wanted = (profile, RunStatus.BRAKED.value, True)
        return any((r.values["Profile"], r.values["RunStatus"], r.values["Approved"]) == wanted for r in rows)

    def opened(self, reports: Sequence[RunReport]) -> None:
        """Adds Running rows; rows that a killed run of these profiles left at Running are closed in the same batch."""
        titles = {report.profile for report in reports}
        running = list(self._runs.where("RunStatus", RunStatus.RUNNING.value, ("Profile", "RunID")))
        standing = {str(item.values["RunID"]): item.item_id for item in running}
        self._opened |= {report.run_id: standing[report.run_id] for report in reports if report.run_id in standing}
        ours = [report for report in reports if report.run_id not in standing]
        ids = {report.run_id for report in reports}
        stale = [i for i in running if i.values["Profile"] in titles and str(i.values["RunID"]) not in ids]
        ended: dict[str, Value] = {"RunStatus": RunStatus.FAILED.value, "Message": _INTERRUPTED}
        made = [self._runs.create(report.run_id, _run_row(report)) for report in ours]
        writes = [*(self._runs.update(item.item_id, ended) for item in stale), *made]
        outcomes = send(self._site, writes) if writes else []
        for report, outcome in zip(ours, outcomes[len(stale) :], strict=True):
            found = outcome.item_id if outcome.status is WriteStatus.DONE else self._item_id(report.run_id)
            if found is not None:
                self._opened[report.run_id] = found

    def resumed(self, run_ids: Sequence[str]) -> None:
        """One look-up for each."""
        found = {run_id: self._item_id(run_id) for run_id in run_ids if run_id not in self._opened}
        self._opened |= {run_id: item_id for run_id, item_id in found.items() if item_id is not None}

    def closed(self, reports: Sequence[RunReport]) -> None:
        """Final run rows, last results of the profiles, and row results that are news."""
        writes: list[OwnWrite] = []
        for report in reports:
            row, item_id = _run_row(report), self._opened.get(report.run_id)
            made = self._runs.create(report.run_id, row) if item_id is None else self._runs.update(item_id, row)
            last = {"LastRun": report.started, "LastResult": _result(report)}
            writes += [made, *self._profiles.note_run(report.profile, last)]
        send(self._site, [*writes, *self._row_results(reports)])

    def recent(self, limit: int = 20) -> Sequence[RunSummary]:
        """The latest runs, newest first."""
        return [_summary(item.values) for item in self._runs.newest(_SUMMARY_COLUMNS, limit)]

    def _item_id(self, run_id: str) -> int | None:
        return next((item.item_id for item in self._runs.where("RunID", run_id, ("RunID",))), None)

    def _row_results(self, reports: Sequence[RunReport]) -> list[OwnWrite]:
        judged = [report for report in reports if is_judged(report)]
        if not judged:
            return []
        known = {str(item.values["ResultKey"]): item for item in self._results.every(KNOWN_COLUMNS)}
        changes = [change for report in judged for change in news(report, known, self._language)]
        return [
            self._results.create(key, values) if item_id is None else self._results.update(item_id, values)
            for key, item_id, values in changes
        ]


def _run_row(report: RunReport) -> dict[str, Value]:
    counts = {column: Decimal(getattr(report.ledger, name)) for column, name in _COUNTS.items()}
    sums = [
        f"{line.column}: e-conomic {line.source}, list {line.target}"
        + ("" if line.own_total is None else f", e-conomic's own total {line.own_total}")
        for line in report.controls
    ]
    return {
        "Title": f"{report.profile} {report.started:%Y-%m-%d %H:%M}"[:255],
        "RunID": report.run_id,
        "Profile": report.profile,
        "RunMode": report.mode.value,
        "RunTrigger": report.trigger.value,
        "RunStatus": report.status.value,
        "Started": report.started,
        "Finished": report.finished,
        **counts,
        "SourceTotal": report.controls[0].source if report.controls else None,
        "TargetTotal": report.controls[0].target if report.controls else None,
        "ControlSums": "\n".join(sums) or None,
        "SourceCalls": Decimal(report.source_requests),
        "SharePointCalls": Decimal(report.target_requests),
        "ResourceUnits": Decimal(round(report.units)),
        "ThrottleSeconds": Decimal(round(report.waited_seconds)),
        "ProfileHash": report.profile_digest or None,
        "PlanHash": report.plan_digest or None,
        "Message": report.message or None,
    }


def _result(report: RunReport) -> str:
    ledger = report.ledger
    counts = f"{ledger.created} created, {ledger.updated} updated, {ledger.unchanged} unchanged, {ledger.failed} failed"
    return f"{report.status.value}: {counts}"


def _summary(values: Mapping[str, Value]) -> RunSummary:
    started, finished = values["Started"], values["Finished"]
    return RunSummary(
        run_id=str(values["RunID"] or ""),
        profile=str(values["Profile"] or ""),
        mode=str(values["RunMode"] or ""),
        status=str(values["RunStatus"] or ""),
        started=started if isinstance(started, datetime) else datetime.fromtimestamp(0, UTC),
        finished=finished if isinstance(finished, datetime) else None,
        counts={name: _whole(values[column]) for column, name in _COUNTS.items()},
        message=str(values["Message"] or ""),
    )


def _whole(value: Value) -> int:
    return int(value) if isinstance(value, Decimal) else 0
