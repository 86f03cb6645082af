"""What the pages about one run share."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Request

from worker.engine.jobs import Job
from worker.errors import NotFoundError
from worker.web.console.common import host_of
from worker.web.console.plans import PlanShelf

JobId = Annotated[str, Path(max_length=60)]
Title = Annotated[str, Query(max_length=255)]
Word = Annotated[str, Query(max_length=100)]
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]


def job_of(request: Request, name: str, job_id: str) -> Job:
    """Raises NotFoundError."""
    job = host_of(request).engine.job(name, job_id)
    if job is None:
        raise NotFoundError("There is no such run.", hint="See the list of runs.")
    return job


def shelf_of(request: Request) -> PlanShelf:
    """The process's own."""
    shelf: PlanShelf = request.app.state.plans
    return shelf


def budget_of(request: Request, name: str) -> float:
    """Resource units a minute that the connection may use."""
    sharepoint = host_of(request).live.of(name).sharepoint
    return sharepoint.units_per_minute * sharepoint.units_share
