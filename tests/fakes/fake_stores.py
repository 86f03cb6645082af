"""The profiles list and the run list in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from worker.domain.profile import Profile, RunRequest
from worker.domain.report import LastRun, RowResult, RunMode, RunReport, RunStatus
from worker.ports import ProfileRow, RunSummary

_GOOD = frozenset({RunStatus.SUCCEEDED, RunStatus.WITH_ERRORS})


@dataclass
class FakeProfileStore:
    """Implements ports.ProfileStore. `rows` is open: a row with problems is put there by hand. `writes` counts."""

    rows: list[ProfileRow] = field(default_factory=list)
    writes: int = 0

    def profiles(self) -> Sequence[ProfileRow]:
        return sorted(self.rows, key=lambda row: (row.profile.order if row.profile else 0, row.title))

    def save(self, profile: Profile) -> None:
        for index, row in enumerate(self.rows):
            if row.title.casefold() == profile.title.casefold():
                if row.profile != profile:
                    self.rows[index] = ProfileRow(row.item_id, profile.title, profile)
                    self.writes += 1
                return
        self.rows.append(ProfileRow(len(self.rows) + 1, profile.title, profile))
        self.writes += 1

    def clear_requests(self, rows: Sequence[ProfileRow]) -> None:
        ids = {row.item_id for row in rows}
        self.rows = [replace(row, request=RunRequest.NONE) if row.item_id in ids else row for row in self.rows]
        self.writes += bool(rows)


@dataclass
class FakeRunStore:
    """Implements ports.RunStore. `reports` are the rows of the run list, oldest first; `approvals` holds run ids a
    person approved; `row_results` is what stands now, by profile and source key."""

    reports: dict[str, RunReport] = field(default_factory=dict)
    approvals: set[str] = field(default_factory=set)
    row_results: dict[tuple[str, str], RowResult] = field(default_factory=dict)

    def last_good(self, profiles: Sequence[str]) -> Mapping[str, LastRun]:
        found: dict[str, LastRun] = {}
        for report in self.reports.values():
            if report.mode is RunMode.APPLY and report.status in _GOOD and report.finished is not None:
                found[report.profile] = LastRun(report.run_id, report.ledger.source_rows, report.finished)
        return {title: found[title] for title in profiles if title in found}

    def approved(self, profile: str, digest: str) -> bool:
        return any(
            report.run_id in self.approvals
            and (report.profile, report.plan_digest, report.status) == (profile, digest, RunStatus.BRAKED)
            for report in self.reports.values()
        )

    def opened(self, reports: Sequence[RunReport]) -> None:
        titles = {report.profile for report in reports}
        ids = {report.run_id for report in reports}
        for run_id, report in self.reports.items():
            if run_id in ids:
                continue
            if report.status is RunStatus.RUNNING and report.profile in titles:
                self.reports[run_id] = replace(report, status=RunStatus.FAILED, message="The run was interrupted.")
        self.reports |= {report.run_id: report for report in reports}

    def resumed(self, run_ids: Sequence[str]) -> None:
        """Everything is remembered here."""

    def closed(self, reports: Sequence[RunReport]) -> None:
        for report in reports:
            self.reports[report.run_id] = report
            if report.status in _GOOD:
                self.row_results = {key: row for key, row in self.row_results.items() if key[0] != report.profile}
            self.row_results |= {(report.profile, row.key): row for row in report.rows}

    def recent(self, limit: int = 20) -> Sequence[RunSummary]:
        return [_summary(report) for report in reversed(self.reports.values())][:limit]


def _summary(report: RunReport) -> RunSummary:
    ledger = report.ledger
    names = ("source_rows", "created", "updated", "unchanged", "skipped", "failed", "flagged")
    return RunSummary(
        run_id=report.run_id,
        profile=report.profile,
        mode=report.mode.value,
        status=report.status.value,
        started=report.started,
        finished=report.finished,
        counts={name: getattr(ledger, name) for name in names},
        message=report.message,
    )
