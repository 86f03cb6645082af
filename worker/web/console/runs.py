"""Runs: starting them, watching them, what came of them, and what a person can do about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from worker.domain.reasons import Language, hint, sentence
from worker.domain.render.values import Forecast, forecast_sizes
from worker.domain.report import RowResult, RunMode
from worker.engine.jobs import Job
from worker.engine.terms import StartRequest
from worker.errors import BusyError, ConfigError, Problem, WorkerError
from worker.ports import ProfileRow, RunSummary
from worker.web.access import Principal
from worker.web.console import run_views
from worker.web.console.common import ConnectionName, desk_of, go, host_of, known, show
from worker.web.console.items import item_links
from worker.web.console.job_parts import JobId, PageNumber, Title, budget_of, job_of
from worker.web.console.plans import ShownRow
from worker.web.forms import Posted
from worker.web.guard import Admin, Reader
from worker.web.problems import asking_services
from worker.web.render import fragment, link, texts_of

router = APIRouter(prefix="/manage", include_in_schema=False)

_HISTORY = 30
_ROWS = 50


@router.get("/plan/{connection}")
def choose(request: Request, connection: ConnectionName, who: Reader) -> Response:
    """Which profiles to preview or run."""
    return _choose(request, known(request, connection), who)


@router.post("/plan/{connection}/start")
def start(request: Request, connection: ConnectionName, who: Admin, form: Posted) -> Response:
    """Queues a preview or a run and shows it."""
    name = known(request, connection)
    chosen = tuple(dict.fromkeys(form.every("profile")))
    mode = RunMode.PLAN if form.text("mode") == "plan" else RunMode.APPLY
    try:
        if not chosen:
            raise ConfigError([Problem("profiles", "none is chosen.")], hint="Tick at least one.")
        with asking_services():
            job, _ = host_of(request).engine.start(StartRequest(name, chosen, mode, by=who.name))
    except WorkerError as error:
        return _choose(request, name, who, chosen=chosen, trouble=error)
    return go("manage", "runs", name, job.job_id)


@router.get("/runs/{connection}")
def history(request: Request, connection: ConnectionName, who: Reader) -> Response:
    """The latest runs: jobs of this installation, and runs that commands made."""
    name = known(request, connection)
    jobs = host_of(request).engine.jobs(name, _HISTORY)
    summaries: Sequence[RunSummary] = ()
    trouble: WorkerError | None = None
    try:
        with desk_of(request).open(name) as app:
            if app.has_profiles_list():
                summaries = app.runs.recent(_HISTORY)
    except WorkerError as error:
        trouble = error
    lines = run_views.latest(jobs, summaries, _HISTORY)
    applied = [line for line in lines if line.mode == RunMode.APPLY.value]
    context = {
        "lines": lines,
        "bars": run_views.bars(lines),
        "applied": applied,
        "width": _HISTORY * run_views.CHART_STEP,
        "height": run_views.CHART_HEIGHT,
    }
    return show(request, "history.html", who, name, "runs", context, trouble=trouble)


@router.get("/runs/{connection}/{job_id}")
def look(
    request: Request, connection: ConnectionName, job_id: JobId, who: Reader, profile: Title = "", page: PageNumber = 1
) -> Response:
    """One run: how far it is, or what came of it."""
    return _job_page(request, known(request, connection), job_id, who, profile=profile, page=page)


@router.get("/runs/{connection}/{job_id}/live")
def live(request: Request, connection: ConnectionName, job_id: JobId, _who: Reader) -> Response:
    """The part of the page that moves; a header says when it moves no more."""
    job = job_of(request, known(request, connection), job_id)
    answer = fragment(request, "progress.html", _moving(request, job))
    if job.state.is_over:
        answer.headers["X-Over"] = "1"
    return answer


@router.post("/runs/{connection}/{job_id}/apply")
def apply(request: Request, connection: ConnectionName, job_id: JobId, who: Admin, form: Posted) -> Response:
    """Writes what the plan showed, and nothing else."""
    name = known(request, connection)
    engine = host_of(request).engine
    return _acted(
        request,
        name,
        job_id,
        who,
        lambda: engine.apply_plan(name, job_id, who.name, override_brake=form.has("override")),
    )


@router.post("/runs/{connection}/{job_id}/approve")
def approve(request: Request, connection: ConnectionName, job_id: JobId, who: Admin, _form: Posted) -> Response:
    """Lets braked plans go on."""
    name = known(request, connection)
    return _acted(request, name, job_id, who, lambda: host_of(request).engine.approve(name, job_id, who.name))


@router.post("/runs/{connection}/{job_id}/cancel")
def cancel(request: Request, connection: ConnectionName, job_id: JobId, who: Admin, _form: Posted) -> Response:
    """It stops after what is in hand."""
    name = known(request, connection)
    host_of(request).engine.cancel(name, job_of(request, name, job_id).job_id, who.name)
    return go("manage", "runs", name, job_id, done="cancelled")


@router.post("/runs/{connection}/{job_id}/retry")
def retry(request: Request, connection: ConnectionName, job_id: JobId, who: Admin, form: Posted) -> Response:
    """One row again, or all that failed."""
    name, engine = known(request, connection), host_of(request).engine
    profile = form.text("profile")

    failed = [row.key for row in engine.rows_of(name, job_id, profile) if row.outcome == "Failed"]
    keys = failed if form.has("all") else [key for key in failed if key == form.text("key")]
    return _acted(request, name, job_id, who, lambda: engine.retry(name, profile, keys, who.name))


def _acted(request: Request, name: str, job_id: str, who: Principal, act: Callable[[], Job]) -> Response:
    """Does it and shows the new run; what is in the way is said on the page. Raises NotFoundError without a job."""
    job_of(request, name, job_id)
    try:
        with asking_services():
            job = act()
    except WorkerError as error:
        return _job_page(request, name, job_id, who, trouble=error)
    return go("manage", "runs", name, job.job_id)


def _choose(
    request: Request,
    name: str,
    who: Principal,
    *,
    chosen: Sequence[str] | None = None,
    trouble: WorkerError | None = None,
) -> Response:
    host = host_of(request)
    rows: Sequence[ProfileRow] = ()
    try:
        with desk_of(request).open(name) as app:
            rows = app.profiles.profiles() if app.has_profiles_list() else ()
    except WorkerError as error:
        trouble = trouble or error
    jobs = host.engine.jobs(name, 10)
    enabled = [row.title for row in rows if row.profile is not None and row.profile.enabled]
    context = {
        "rows": rows,
        "chosen": enabled if chosen is None else chosen,
        "running": next((job for job in jobs if not job.state.is_over), None),
        "planned": next((job for job in jobs if run_views.can_apply(job)), None),
        "in_the_way": _in_the_way(trouble),
    }
    return show(request, "choose.html", who, name, "plan", context, trouble=trouble)


def _in_the_way(trouble: WorkerError | None) -> str:
    """The address of the run that is going already."""
    running = trouble.running if isinstance(trouble, BusyError) else ""
    connection, _, job_id = running.partition("/")
    return link("manage", "runs", connection, job_id) if job_id else ""


def _job_page(
    request: Request,
    name: str,
    job_id: str,
    who: Principal,
    *,
    profile: str = "",
    page: int = 1,
    trouble: WorkerError | None = None,
) -> Response:
    job = job_of(request, name, job_id)
    # Rows that need a person are part of the page once there are any; the links cost a look at the site then only.
    rows = {run.profile: _rows_of(request, job, run.profile) for run in job.runs if job.state.is_over}
    links = item_links(request, name) if any(rows.values()) else None
    language = texts_of(request).language
    kinds = _targets(request, name) if links else {}
    shown = {
        title: [_row(one, language) for one in _slice(found, page if title == profile else 1)]
        for title, found in rows.items()
    }
    context = {
        **_moving(request, job),
        "rows": shown,
        "found": {title: len(found) for title, found in rows.items()},
        "failed": {title: sum(row.outcome == "Failed" for row in found) for title, found in rows.items()},
        "pages": {title: max(1, -(-len(found) // _ROWS)) for title, found in rows.items()},
        "at": {title: page if title == profile else 1 for title in rows},
        "address": lambda title, number: link("manage", "runs", name, job_id, profile=title, page=number),
        "item_link": lambda title, item: links.of(kinds.get(title, ""), item) if links else "",
        "can_apply": run_views.can_apply(job),
        "braked": run_views.is_braked(job),
        "source": _forecast(request, job),
        "in_the_way": _in_the_way(trouble),
    }
    section = "plan" if job.mode is RunMode.PLAN else "runs"
    return show(request, "job.html", who, name, section, context, trouble=trouble)


def _moving(request: Request, job: Job) -> dict[str, object]:
    now = host_of(request).clock.now()
    paces = {run.profile: run_views.pace_of(run, now) for run in job.runs}
    return {"job": job, "paces": paces, "verdict": run_views.verdict_of(job), "total": run_views.total(job.runs)}


def _forecast(request: Request, job: Job) -> Forecast | None:
    """What applying all of a preview's plans would cost; None when there is nothing to apply. From the ledgers, since
    the plans themselves may be large."""
    if not run_views.can_apply(job):
        return None
    ledgers = [run.ledger for run in job.runs if run.plan_digest]
    sizes = [one.created + one.updated + one.flagged for one in ledgers]
    return forecast_sizes(sizes, budget_of(request, job.connection))


def _targets(request: Request, name: str) -> dict[str, str]:
    """Profile -> target, as the list of profiles has it now; nothing while the site can't be asked."""
    try:
        with desk_of(request).open(name) as app:
            rows = app.profiles.profiles()
    except WorkerError:
        return {}
    return {row.title: row.profile.target.value for row in rows if row.profile is not None}


def _rows_of(request: Request, job: Job, profile: str) -> Sequence[RowResult]:
    return host_of(request).engine.rows_of(job.connection, job.job_id, profile)


def _slice(rows: Sequence[RowResult], page: int) -> Sequence[RowResult]:
    return rows[(page - 1) * _ROWS : page * _ROWS]


def _row(row: RowResult, language: Language) -> ShownRow:
    words = sentence(row.code, row.facts, language), hint(row.code, language)
    return ShownRow(row.key, row.title or "", row.outcome, *words, row.item_id, row.outcome == "Failed")
