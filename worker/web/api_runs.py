"""Runs over HTTP: start, watch, cancel, approve, look at plans and rows."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response

from worker.domain.plan import ChangeKind
from worker.domain.plan_file import PlanEntry
from worker.domain.reasons import sentence
from worker.domain.render.values import plain
from worker.domain.report import RunMode, Trigger
from worker.engine.hints import REQUESTED, Heard
from worker.engine.terms import StartRequest
from worker.errors import ConfigError, NotFoundError, Problem
from worker.web.guard import Admin, Reader
from worker.web.models import CheckAnswer, CheckRequest, JobAnswer, Name, StartRun, job_address, job_answer
from worker.web.models import Problem as ProblemAnswer
from worker.web.problems import asking_services
from worker.wiring.checking import CheckStep, check_connection
from worker.wiring.engine import Host

_PROBLEM: dict[str, Any] = {"model": ProblemAnswer}
REFUSALS: dict[int | str, dict[str, Any]] = {
    code: {**_PROBLEM, "description": words, "content": {"application/problem+json": {}}}
    for code, words in {
        400: "Not readable",
        401: "Not signed in",
        403: "Not allowed",
        404: "Not found",
        405: "No such method",
        409: "Already running, or changed meanwhile",
        411: "Length needed",
        413: "Too large",
        421: "Wrong address",
        422: "Something must be corrected",
        429: "Too many wrong tries",
        502: "A service refused",
        503: "Not reachable, or asked to wait",
    }.items()
}
router = APIRouter(prefix="/manage/api", responses=REFUSALS)

Connection = Annotated[str, Path(max_length=60, description="Name of the connection.")]
JobId = Annotated[str, Path(max_length=60, description="Id of the job.")]
Offset = Annotated[int, Query(ge=0, le=10_000_000)]
Limit = Annotated[int, Query(ge=1, le=500)]
ProfileTitle = Annotated[Name, Query(description="Title of the profile.")]
Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$"),
]


def host_of(request: Request) -> Host:
    """The process's own."""
    host: Host = request.app.state.host
    return host


def connection_of(host: Host, name: str | None) -> str:
    """The named connection, or the only one. Raises NotFoundError, ConfigError."""
    names = host.engine.connections
    if name is None and len(names) == 1:
        return names[0]
    if name is None:
        raise ConfigError([Problem("connection", "is needed, since there are several.", tuple(names))])
    if name not in names:
        raise NotFoundError("There is no such connection.", hint=f"There are: {', '.join(names)}")
    return name


@router.post(
    "/runs",
    status_code=202,
    response_model=JobAnswer,
    summary="Start runs",
    responses={200: {"model": JobAnswer, "description": "This key was seen before; the same job"}},
)
def start(request: Request, response: Response, body: StartRun, who: Admin, key: Key = None) -> dict[str, Any]:
    """Queues a job and answers at once with its status address. The same Idempotency-Key never starts twice."""
    host = host_of(request)
    wanted = StartRequest(
        connection=connection_of(host, body.connection),
        profiles=tuple(body.profiles),
        mode=RunMode.PLAN if body.mode == "plan" else RunMode.APPLY,
        trigger=Trigger.MANUAL,
        key=key or "",
        by=who.name,
        expected=body.expected,
        override_brake=body.override_brake,
    )
    with asking_services():
        job, created = host.engine.start(wanted)
    if not created:
        response.status_code = 200
    response.headers["Location"] = job_address(job)
    return job_answer(job)


@router.get("/runs", summary="The latest runs")
def recent(
    request: Request, _who: Reader, connection: Name | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 30
) -> dict[str, Any]:
    """Newest first."""
    host = host_of(request)
    name = None if connection is None else connection_of(host, connection)
    return {"runs": [job_answer(job) for job in host.engine.jobs(name, limit)]}


@router.get("/runs/{connection}/{job_id}", response_model=JobAnswer, summary="One job")
def one(request: Request, connection: Connection, job_id: JobId, _who: Reader) -> dict[str, Any]:
    """State, progress, ledger and control sums of each profile."""
    job = host_of(request).engine.job(connection, job_id)
    if job is None:
        raise NotFoundError("There is no such run.", hint="See /manage/api/runs.")
    return job_answer(job)


@router.get("/runs/{connection}/{job_id}/rows", summary="Rows that need a person")
def rows(
    request: Request,
    connection: Connection,
    job_id: JobId,
    _who: Reader,
    profile: ProfileTitle,
    offset: Offset = 0,
    limit: Limit = 100,
) -> dict[str, Any]:
    """Empty until the profile has been run."""
    found = host_of(request).engine.rows_of(connection, job_id, profile)
    page = [
        {
            "key": row.key,
            "title": row.title,
            "outcome": row.outcome,
            "code": row.code,
            "reason": sentence(row.code, row.facts),
            "itemId": row.item_id,
        }
        for row in found[offset : offset + limit]
    ]
    return {"total": len(found), "offset": offset, "rows": page}


@router.get("/runs/{connection}/{job_id}/plan", summary="The plan of a profile")
def plan(
    request: Request,
    connection: Connection,
    job_id: JobId,
    _who: Reader,
    profile: ProfileTitle,
    offset: Offset = 0,
    limit: Limit = 100,
    kind: ChangeKind | None = None,
) -> dict[str, Any]:
    """Counts, and a page of changes field by field. 404 until it is made."""
    entry = host_of(request).engine.plan_of(connection, job_id, profile)
    if entry is None:
        raise NotFoundError("This profile is not planned yet.", hint="Look again when the run has got that far.")
    return _plan_page(entry, offset, limit, kind)


def _plan_page(entry: PlanEntry, offset: int, limit: int, kind: ChangeKind | None) -> dict[str, Any]:
    found = [change for change in entry.plan.changes if kind is None or change.kind is kind]
    changes = [
        {
            "kind": change.kind.value,
            "key": change.key,
            "title": change.title,
            "itemId": change.item_id,
            "fields": [
                {"column": field.column, "before": _shown(field.before), "after": _shown(field.after)}
                for field in change.fields
                if not field.stamp
            ],
        }
        for change in found[offset : offset + limit]
    ]
    counts = {one.value: entry.plan.count(one) for one in ChangeKind}
    return {
        "profile": entry.plan.profile,
        "digest": entry.plan.digest,
        "braked": list(entry.braked),
        "sourceRows": entry.plan.source_rows,
        "unchanged": entry.plan.unchanged,
        "counts": counts,
        "total": len(found),
        "offset": offset,
        "changes": changes,
    }


def _shown(value: object) -> str | None:
    return None if value is None else plain(str(value))


@router.post("/runs/{connection}/{job_id}/cancel", response_model=JobAnswer, summary="Cancel a job")
def cancel(request: Request, connection: Connection, job_id: JobId, who: Admin) -> dict[str, Any]:
    """It stops after what is in hand. One that is over stays as it is."""
    return job_answer(host_of(request).engine.cancel(connection, job_id, who.name))


@router.post(
    "/runs/{connection}/{job_id}/approve", status_code=202, response_model=JobAnswer, summary="Approve braked plans"
)
def approve(request: Request, response: Response, connection: Connection, job_id: JobId, who: Admin) -> dict[str, Any]:
    """Starts a new job that may apply exactly the plans that the brake stopped."""
    host = host_of(request)
    if host.engine.job(connection, job_id) is None:
        raise NotFoundError("There is no such run.", hint="See /manage/api/runs.")
    with asking_services():
        job = host.engine.approve(connection, job_id, who.name)
    response.headers["Location"] = job_address(job)
    return job_answer(job)


@router.post("/customers/{number}/sync", status_code=202, summary="Bring one customer up to date")
def sync_one(
    request: Request,
    number: Annotated[int, Path(ge=1, le=999_999_999)],
    _who: Admin,
    connection: Name | None = None,
) -> dict[str, Any]:
    """Has the customer read anew and synced through all enabled profiles, in a few seconds. Leaves no run."""
    host = host_of(request)
    name = connection_of(host, connection)
    host.engine.hear(name, Heard(REQUESTED, (number,)))
    return {"connection": name, "customer": number, "waiting": True}


@router.post("/check", response_model=CheckAnswer, summary="Test a connection")
def check(request: Request, body: CheckRequest, _who: Admin) -> dict[str, Any]:
    """Both sides, rights, lists, and the binding of every profile. Changes nothing."""
    host = host_of(request)
    name = connection_of(host, body.connection)
    with host.open(name) as app:
        steps = [_step(step) for step in check_connection(app)]
    return {"connection": name, "ok": all(step["ok"] for step in steps), "steps": steps}


def _step(step: CheckStep) -> dict[str, Any]:
    error = step.error
    lines = [*step.lines, *step.warnings]
    if isinstance(error, ConfigError):
        lines += map(str, error.problems)
    elif error is not None:
        lines.append(error.message)
    return {"step": step.name, "ok": error is None, "text": "\n".join(lines), "hint": error.hint if error else ""}
