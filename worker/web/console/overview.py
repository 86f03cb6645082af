"""The start page: what is set up, what ran last, what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from worker.domain.report import RunStatus
from worker.domain.schedule import next_runs
from worker.errors import ConfigError, WorkerError
from worker.ports import ProfileRow, RunSummary
from worker.web.console import run_views
from worker.web.console.common import ConnectionName, desk_of, go, host_of, known, show
from worker.web.console.run_views import Line
from worker.web.guard import Reader

router = APIRouter(prefix="/manage", include_in_schema=False)
_NEXT = 5
_LATEST = 5
_WENT = frozenset({RunStatus.SUCCEEDED.value, RunStatus.WITH_ERRORS.value})


@dataclass(frozen=True, slots=True)
class SetUpStep:
    """One thing to do before the first night. `section` is the page where it is done."""

    words: str
    done: bool
    section: str


@router.get("")
def home(request: Request, who: Reader) -> Response:
    """All connections; the only one's own page when there is one."""
    host = host_of(request)
    names = host.live.names
    if len(names) == 1:
        return go("manage", "overview", names[0])
    states = [(name, _settings_error(request, name), next(iter(host.engine.jobs(name, 1)), None)) for name in names]
    return show(request, "home.html", who, "", "overview", {"states": states})


@router.get("/overview/{connection}")
def overview(request: Request, connection: ConnectionName, who: Reader) -> Response:
    """One connection."""
    host, name = host_of(request), known(request, connection)
    jobs = host.engine.jobs(name, _LATEST)
    rows: Sequence[ProfileRow] = ()
    summaries: Sequence[RunSummary] = ()
    unused: Sequence[ConfigError] = ()
    trouble: WorkerError | None = _settings_error(request, name)
    if trouble is None:
        try:
            unused = host.errands.wrong_schedules(name)
            with desk_of(request).open(name) as app:
                if app.has_profiles_list():
                    rows, summaries = app.profiles.profiles(), app.runs.recent(_LATEST)
        except WorkerError as error:
            trouble = error
    lines = run_views.latest(jobs, summaries, _LATEST)
    steps = _steps(settings_ok=_settings_error(request, name) is None, rows=rows, lines=lines)
    context = {"steps": steps, "lines": lines, "coming": _coming(rows, host.clock.now()), "unused": unused}
    ready = all(step.done for step in steps)
    return show(request, "overview.html", who, name, "overview", {**context, "ready": ready},
                trouble=trouble if ready or steps[0].done else None)  # fmt: skip


def _settings_error(request: Request, connection: str) -> WorkerError | None:
    try:
        host_of(request).live.of(connection)
    except WorkerError as error:
        return error
    return None


def _steps(*, settings_ok: bool, rows: Sequence[ProfileRow], lines: Sequence[Line]) -> list[SetUpStep]:
    enabled = any(row.profile is not None and row.profile.enabled for row in rows)
    return [
        SetUpStep("Name the SharePoint site and connect e-conomic", settings_ok, "connection"),
        SetUpStep("Make the lists and profiles that are missing", bool(rows), "connection"),
        SetUpStep("Enable at least one profile", enabled, "profiles"),
        SetUpStep("Look at a plan, and apply it", any(line.verdict in _WENT for line in lines), "plan"),
    ]


def _coming(rows: Sequence[ProfileRow], now: datetime) -> list[tuple[datetime, str]]:
    """The next runs of all enabled profiles, earliest first."""
    found = [
        (moment, row.profile.title)
        for row in rows
        if row.profile is not None and row.profile.enabled and row.profile.schedule
        for moment in next_runs(row.profile.schedule, row.profile.time_zone, now, 1)
    ]
    return sorted(found)[:_NEXT]
