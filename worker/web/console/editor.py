"""The editor of one profile, and the lines of the list, as the page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from worker.domain.profile import ImportType, OnBlank, OnMissing, PeriodType, SourceKind, WriteRule
from worker.domain.profile_lint import profile_warnings
from worker.domain.profile_row import COLUMNS, parse_profile
from worker.domain.schedule import check_schedule, next_runs
from worker.domain.values import TargetKind
from worker.errors import ConfigError, Problem, WorkerError
from worker.ports import ProfileRow, RunSummary
from worker.web.console import mapper
from worker.web.console.drafts import DEBTOR, Draft, differences
from worker.web.console.profile_site import Site

_COMING = 5
# Sentences a person chooses by; {source} and {target} are the product's words.
IMPORT_SAYS = {
    ImportType.IMPORT: "Makes items for rows that the list does not have yet. Items that exist are never touched.",
    ImportType.IMPORT_AND_UPDATE: "Makes items for rows that the list does not have yet, and keeps the mapped columns "
    "of existing items true to e-conomic.",
    ImportType.UPDATE: "Keeps the mapped columns of existing items true to e-conomic. Makes no items.",
}
SCHEDULES = {
    "0 2 * * *": "Every night at two",
    "0 2 * * 1-5": "Nights before working days at two",
    "0 6,12,18 * * *": "At six, twelve and eighteen",
    "0 * * * *": "Every hour",
    "0 3 * * 0": "Sunday nights at three",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the list. `coming` is the next run by the timer."""

    row: ProfileRow
    last: RunSummary | None
    coming: datetime | None


@dataclass(frozen=True, slots=True)
class Edit:
    """A draft on the page. `checked`: a person asked for it, so that an empty new one is not blamed at once. `theirs`:
    what somebody else saved meanwhile."""

    draft: Draft
    trouble: WorkerError | None = None
    checked: bool = False
    theirs: Draft | None = None


def editor(edit: Edit, site: Site, now: datetime) -> tuple[dict[str, object], WorkerError | None]:
    """The page's part, and what is in the way as far as no row or cell says it."""
    draft, trouble = edit.draft, edit.trouble
    told = _told(draft, site, trouble) if edit.checked or not draft.is_new else []
    rows, rest = mapper.rows_of(draft, site.slots, told)
    if isinstance(trouble, ConfigError):
        some = [one for one in rest if not mapper.cell_of(one)]
        trouble = ConfigError(
            some or [Problem(mapper.DRAFT, "has mistakes; they are marked below.")], hint=trouble.hint
        )
    context = {
        **_words(draft),
        **_mapping(draft, rows),
        "cell_problems": _by_cell(rest),
        "coming": coming_runs(draft.cells["Schedule"], draft.cells["TimeZone"] or "Europe/Copenhagen", now, _COMING),
        "warnings": _warnings(draft, site),
        "theirs": differences(draft, edit.theirs) if edit.theirs else [],
    }
    return context, trouble


def _mapping(draft: Draft, rows: Sequence[mapper.MapperRow]) -> dict[str, object]:
    return {"rows": rows, "fields": mapper.source_fields(draft), "converters_for": mapper.converters_for}


def _by_cell(problems: Sequence[Problem]) -> dict[str, list[Problem]]:
    found: dict[str, list[Problem]] = {}
    for problem in problems:
        found.setdefault(mapper.cell_of(problem), []).append(problem)
    return found


def _words(draft: Draft) -> dict[str, object]:
    return {
        "sources": {kind.value: DEBTOR if kind is SourceKind.CUSTOMER else kind.value for kind in SourceKind},
        "targets": [kind.value for kind in TargetKind],
        "import_says": {kind.value: text for kind, text in IMPORT_SAYS.items()},
        "write_rules": [rule.value for rule in WriteRule],
        "on_blank": [one.value for one in OnBlank],
        "on_missing": [one.value for one in OnMissing],
        "period_types": [one.value for one in PeriodType] if draft.source is SourceKind.SALES else [],
        "schedules": SCHEDULES,
        "labels": {column: display for column, (display, _) in COLUMNS.items()},
    }


def _told(draft: Draft, site: Site, trouble: WorkerError | None) -> list[Problem]:
    """Everything that is wrong with the draft as it is."""
    found = list(site.bound)
    try:
        parse_profile(draft.row(), mapper.DRAFT)
    except ConfigError as error:
        found += error.problems
    if isinstance(trouble, ConfigError):
        types = {f"column {slot.name}" for slot in site.slots}
        found += [one for one in trouble.problems if one not in found and one.where not in types]
    return found


def _warnings(draft: Draft, site: Site) -> Sequence[str]:
    try:
        profile = parse_profile(draft.row(), mapper.DRAFT)
    except ConfigError:
        return ()
    others = [row.profile for row in site.rows if row.profile is not None and row.title != draft.title]
    return profile_warnings(profile, others)


def listed(site: Site, now: datetime) -> list[Listed]:
    """The list with last results and next runs."""
    last: dict[str, RunSummary] = {}
    for one in site.results:
        last.setdefault(one.profile, one)
    return [Listed(row, last.get(row.title), _next(row, now)) for row in site.rows]


def _next(row: ProfileRow, now: datetime) -> datetime | None:
    profile = row.profile
    if profile is None or not profile.enabled or not profile.schedule:
        return None
    return next(iter(coming_runs(profile.schedule, profile.time_zone, now, 1)), None)


def coming_runs(schedule: str, zone: str, now: datetime, count: int) -> list[datetime]:
    """The next runs; none without a schedule or with one that can't be read."""
    text = " ".join(schedule.split())
    return next_runs(text, zone, now, count) if text and check_schedule(text, zone) is None else []
