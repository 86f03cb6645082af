"""The plan of a run: by the page, filtered, and as a download."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from worker.domain.render.values import forecast_all
from worker.engine.jobs import Job
from worker.errors import NotFoundError
from worker.web.console import plans, run_views
from worker.web.console.common import ConnectionName, known, show
from worker.web.console.items import item_links
from worker.web.console.job_parts import JobId, PageNumber, Title, Word, budget_of, job_of, shelf_of
from worker.web.console.plans import Wanted
from worker.web.guard import Reader
from worker.web.render import link, texts_of

router = APIRouter(prefix="/manage", include_in_schema=False)
_ROWS = 50


def _wanted(kind: Word = "", column: Word = "", text: Word = "") -> Wanted:
    return Wanted(kind, column, text.strip())


Filter = Annotated[Wanted, Depends(_wanted)]


@router.get("/runs/{connection}/{job_id}/plan")
def plan(
    request: Request,
    connection: ConnectionName,
    job_id: JobId,
    who: Reader,
    wanted: Filter,
    profile: Title = "",
    page: PageNumber = 1,
) -> Response:
    """One profile's changes, field by field."""
    name = known(request, connection)
    job = job_of(request, name, job_id)
    entry = shelf_of(request).entry(name, job_id, profile or _first_planned(job))
    links = item_links(request, name)
    base = {"profile": entry.plan.profile, **asdict(wanted)}
    context = {
        "job": job,
        "entry": entry,
        "view": plans.page_of(entry.plan, wanted, page),
        "wanted": wanted,
        "counts": plans.counts_of(entry.plan),
        "forecast": forecast_all([entry.plan], budget_of(request, name)),
        "left_out": plans.left_out(entry.plan.left_out, texts_of(request).language, _ROWS),
        "item_link": lambda item: links.of(entry.plan.target, item),
        "address": lambda number: link("manage", "runs", name, job_id, "plan", **base, page=number),
        "download": lambda ending: link("manage", "runs", name, job_id, f"plan.{ending}", **base),
        "can_apply": run_views.can_apply(job),
    }
    return show(request, "plan.html", who, name, "plan", context)


@router.get("/runs/{connection}/{job_id}/plan.csv")
def plan_csv(
    request: Request,
    connection: ConnectionName,
    job_id: JobId,
    _who: Reader,
    profile: Title,
    wanted: Filter,
) -> Response:
    """The same changes, all of them, for a spreadsheet."""
    entry = shelf_of(request).entry(known(request, connection), job_id, profile)
    # The mark at the beginning tells Excel that the letters are UTF-8.
    body = "\ufeff" + plans.as_csv(entry.plan, wanted)
    return _download(body, "text/csv; charset=utf-8", "plan.csv")


@router.get("/runs/{connection}/{job_id}/plan.json")
def plan_json(
    request: Request,
    connection: ConnectionName,
    job_id: JobId,
    _who: Reader,
    profile: Title,
    wanted: Filter,
) -> Response:
    """The same changes as data."""
    entry = shelf_of(request).entry(known(request, connection), job_id, profile)
    body = plans.as_json(entry.plan, wanted)
    return _download(body, "application/json", "plan.json")


def _first_planned(job: Job) -> str:
    found = next((run.profile for run in job.runs if run.plan_digest), None)
    if found is None:
        raise NotFoundError("This run has no plan yet.", hint="Look again when it has got that far.")
    return found


def _download(body: str, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=media_type, headers=headers)
