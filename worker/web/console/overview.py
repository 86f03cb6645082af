"""The start page: what is set up, what ran last, what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from worker.domain.schedule import next_runs
from worker.engine.jobs import Job
from worker.errors import WorkerError
from worker.ports import ProfileRow
from worker.web.console.common import ConnectionName, desk_of, go, host_of, known, show
from worker.web.guard import Reader

router = APIRouter(prefix="/manage", include_in_schema=False)
_NEXT = 5


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
    jobs = host.engine.jobs(name, 5)
    rows: Sequence[ProfileRow] = ()
    trouble: WorkerError | None = _settings_error(request, name)
    if trouble is None:
        try:
            with desk_of(request).open(name) as app:
                rows = app.profiles.profiles() if app.has_profiles_list() else ()
        except WorkerError as error:
            trouble = error
    steps = _steps(settings_ok=_settings_error(request, name) is None, rows=rows, jobs=jobs)
    context = {"steps": steps, "jobs": jobs, "coming": _coming(rows, host.clock.now())}
    ready = all(step.done for step in steps)
    return show(request, "overview.html", who, name, "overview", {**context, "ready": ready},
                trouble=trouble if ready or steps[0].done else None)  # fmt: skip


def _settings_error(request: Request, connection: str) -> WorkerError | None:
    try:
        host_of(request).live.of(connection)
    except WorkerError as error:
        return error
    return None


def _steps(*, settings_ok: bool, rows: Sequence[ProfileRow], jobs: Sequence[Job]) -> list[SetUpStep]:
    enabled = any(row.profile is not None and row.profile.enabled for row in rows)
    return [
        SetUpStep("Name the SharePoint site and connect e-conomic", settings_ok, "connection"),
        SetUpStep("Make the lists and profiles that are missing", bool(rows), "connection"),
        SetUpStep("Enable at least one profile", enabled, "profiles"),
        SetUpStep("Look at a plan, and apply it", any(job.state.value == "Done" for job in jobs), "plan"),
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
