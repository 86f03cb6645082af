"""The RunStore port over the lists Sync runs and Sync row results.

Requests are few: one batch when a run is about to write, one batch when the session ends. Row results are the current
state, one row per profile and source key: an old failure that is still there is no news and is not written again, and a
row that is well again turns to Healed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from worker.domain.reasons import Language, hint, sentence
from worker.domain.report import LastRun, RowResult, RunReport, RunStatus
from worker.ports import RunSummary
from worker.sharepoint.admin_list import AdminList, moment, send
from worker.sharepoint.batch import Part
from worker.sharepoint.client import text_literal
from worker.sharepoint.profiles import SharePointProfiles
from worker.sharepoint.site import SharePointSite

RUNS_LIST = "Sync runs"
RESULTS_LIST = "Sync row results"
_HEALED = "Healed"
_GOOD = frozenset({RunStatus.SUCCEEDED.value, RunStatus.WITH_ERRORS.value})
_RECENT = 200  # runs looked at for the last good one of each profile
_COUNTS = {
    "SourceRows": "source_rows",
    "CreatedRows": "created",
    "UpdatedRows": "updated",
    "UnchangedRows": "unchanged",
    "SkippedRows": "skipped",
    "FailedRows": "failed",
    "FlaggedRows": "flagged",
}
_INTERRUPTED = "The run was interrupted. A later run went on where it stopped."


class SharePointRuns:
    """`language` is that of the sentences in the row results."""

    def __init__(self, site: SharePointSite, profiles: SharePointProfiles, language: Language = "en") -> None:
        self._runs = AdminList(site, RUNS_LIST)
        self._results = AdminList(site, RESULTS_LIST)
        self._profiles = profiles
        self._language = language
        self._opened: dict[str, int] = {}

    def last_good(self, profiles: Sequence[str]) -> Mapping[str, LastRun]:
        """From the latest runs; a profile whose good run is older than these reads one page more."""
        found: dict[str, LastRun] = {}
        columns = ["RunID", "Profile", "RunMode", "RunStatus", "SourceRows", "Finished"]
        for row in self._latest(columns):
            if row.get("RunMode") == "Apply" and row.get("RunStatus") in _GOOD and row.get("Finished"):
                found.setdefault(str(row["Profile"]), _last(row))
        for title in profiles:
            if title not in found:
                for row in self._of_profile(title, columns):
                    if row.get("RunMode") == "Apply" and row.get("RunStatus") in _GOOD and row.get("Finished"):
                        found[title] = _last(row)
        return {title: found[title] for title in profiles if title in found}

    def approved(self, profile: str, digest: str) -> bool:
        """Whether a braked run of exactly this plan carries a person's approval."""
        query = f"&$filter=PlanHash%20eq%20{text_literal(digest)}"
        rows = self._runs.rows(["Profile", "RunStatus", "Approved"], query)
        return any(
            row.get("Profile") == profile
            and row.get("RunStatus") == RunStatus.BRAKED.value
            and row.get("Approved") is True
            for row in rows
        )

    def opened(self, reports: Sequence[RunReport]) -> None:
        """Adds Running rows; rows that a killed run of these profiles left at Running are closed in the same batch."""
        titles = {report.profile for report in reports}
        query = f"&$filter=RunStatus%20eq%20{text_literal(RunStatus.RUNNING.value)}"
        stale = [row for row in self._runs.rows(["Profile"], query) if row.get("Profile") in titles]
        closing = {"RunStatus": RunStatus.FAILED.value, "Message": _INTERRUPTED}
        parts = [self._runs.update(int(row["Id"]), closing) for row in stale]
        send(self._runs.client, [*parts, *(self._runs.create(_run_row(report)) for report in reports)])
        for report in reports:
            self._opened[report.run_id] = self._item_id(report.run_id)

    def closed(self, reports: Sequence[RunReport]) -> None:
        """One batch (of 100 rows each): final run rows, last results of the profiles, row results that are news."""
        parts: list[Part] = []
        for report in reports:
            item_id = self._opened.get(report.run_id)
            row = _run_row(report)
            parts.append(self._runs.create(row) if item_id is None else self._runs.update(item_id, row))
        parts += self._last_results(reports)
        parts += self._row_results(reports)
        send(self._runs.client, parts)

    def recent(self, limit: int = 20) -> Sequence[RunSummary]:
        """The latest runs, newest first."""
        columns = ["RunID", "Profile", "RunMode", "RunStatus", "Started", "Finished", "Message", *_COUNTS]
        rows = list(self._latest(columns))[:limit]
        return [summary for summary in map(_summary, rows) if summary is not None]

    def _latest(self, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        # By ID, which is in the order of creation and never meets the view threshold. One page is enough.
        query = f"&$orderby=ID%20desc&$top={_RECENT}"
        for at, row in enumerate(self._runs.rows(columns, query), 1):
            yield row
            if at >= _RECENT:
                return

    def _of_profile(self, title: str, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        return self._runs.rows(columns, f"&$filter=Profile%20eq%20{text_literal(title)}")

    def _item_id(self, run_id: str) -> int:
        rows = self._runs.rows([], f"&$filter=RunID%20eq%20{text_literal(run_id)}")
        return int(next(rows)["Id"])

    def _last_results(self, reports: Sequence[RunReport]) -> list[Part]:
        results = {report.profile: {"LastRun": report.started, "LastResult": _result(report)} for report in reports}
        ids = {row.title: row.item_id for row in self._profiles.profiles()}
        return [self._profiles.list.update(ids[title], row) for title, row in results.items() if title in ids]

    def _row_results(self, reports: Sequence[RunReport]) -> list[Part]:
        judged = [report for report in reports if report.status.value in _GOOD or report.rows]
        if not judged:
            return []
        known = {
            str(row["ResultKey"]): row for row in self._results.rows(["ResultKey", "Profile", "Outcome", "Reason"])
        }
        parts: list[Part] = []
        for report in judged:
            parts += self._news(report, known)
        return parts

    def _news(self, report: RunReport, known: Mapping[str, Mapping[str, Any]]) -> Iterator[Part]:
        seen: set[str] = set()
        for result in report.rows:
            key = _result_key(report.profile, result.key)
            row = self._result_row(report, result, key)
            if key in seen:
                continue
            seen.add(key)
            there = known.get(key)
            if there is None:
                yield self._results.create({**row, "SeenFirst": report.started})
            elif (there.get("Outcome"), there.get("Reason")) != (row["Outcome"], row["Reason"]):
                again = {"SeenFirst": report.started} if there.get("Outcome") == _HEALED else {}
                yield self._results.update(int(there["Id"]), {**row, **again})
        if report.status.value in _GOOD:
            yield from self._healed(report, known, seen)

    def _healed(self, report: RunReport, known: Mapping[str, Mapping[str, Any]], seen: set[str]) -> Iterator[Part]:
        for key, there in known.items():
            if there.get("Profile") == report.profile and key not in seen and there.get("Outcome") != _HEALED:
                yield self._results.update(int(there["Id"]), {"Outcome": _HEALED, "RunID": report.run_id})

    def _result_row(self, report: RunReport, result: RowResult, key: str) -> dict[str, Any]:
        return {
            "ResultKey": key,
            "Title": (result.title or result.key or "?")[:255],
            "RunID": report.run_id,
            "Profile": report.profile,
            "SourceKey": result.key[:255],
            "TargetItemID": result.item_id,
            "Outcome": result.outcome,
            "ReasonCode": result.code,
            "Reason": sentence(result.code, result.facts, self._language),
            "Hint": hint(result.code, self._language),
        }


def _result_key(profile: str, key: str) -> str:
    """Profile and source key; a digest when that would not fit a unique column."""
    text = f"{profile}|{key}"
    return text if len(text) <= 200 else hashlib.sha256(text.encode()).hexdigest()


def _run_row(report: RunReport) -> dict[str, Any]:
    source = (
        sum((line.source for line in report.controls), start=report.controls[0].source * 0) if report.controls else None
    )
    target = (
        sum((line.target for line in report.controls), start=report.controls[0].target * 0) if report.controls else None
    )
    counts = {column: getattr(report.ledger, name) for column, name in _COUNTS.items()}
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
        "SourceTotal": source,
        "TargetTotal": target,
        "SourceCalls": report.source_requests,
        "SharePointCalls": report.target_requests,
        "ThrottleSeconds": round(report.waited_seconds),
        "ProfileHash": report.profile_digest,
        "PlanHash": report.plan_digest,
        "Message": report.message or None,
    }


def _result(report: RunReport) -> str:
    ledger = report.ledger
    counts = f"{ledger.created} created, {ledger.updated} updated, {ledger.unchanged} unchanged, {ledger.failed} failed"
    return f"{report.status.value}: {counts}"[:255]


def _last(row: Mapping[str, Any]) -> LastRun:
    finished = moment(row["Finished"])
    if finished is None:
        raise ValueError("a finished run has a time")
    return LastRun(str(row["RunID"]), int(row.get("SourceRows") or 0), finished)


def _summary(row: Mapping[str, Any]) -> RunSummary | None:
    started = moment(row.get("Started"))
    if started is None:
        return None
    return RunSummary(
        run_id=str(row.get("RunID") or ""),
        profile=str(row.get("Profile") or ""),
        mode=str(row.get("RunMode") or ""),
        status=str(row.get("RunStatus") or ""),
        started=started,
        finished=moment(row.get("Finished")),
        counts={name: int(row.get(column) or 0) for column, name in _COUNTS.items()},
        message=str(row.get("Message") or ""),
    )
