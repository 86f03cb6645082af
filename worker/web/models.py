"""What the API takes and gives."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from worker.engine.jobs import Job, job_data

Name = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StartRun(_Strict):
    """Which runs, and how."""

    connection: Name | None = Field(None, description="May be left out when there is only one.")
    profiles: list[Name] = Field(default_factory=list, max_length=100, description="Titles; none = all enabled ones.")
    mode: Literal["plan", "apply"] = Field("apply", description="plan writes nothing.")
    expected: dict[Name, Digest] = Field(
        default_factory=dict, max_length=100, description="Profile -> digest of the plan that alone may be applied."
    )
    override_brake: bool = Field(False, alias="overrideBrake", description="Go on although the brake says stop.")


class CheckRequest(_Strict):
    """Which connection to test."""

    connection: Name | None = None


class Address(BaseModel):
    """Where to look."""

    status: str
    plan: str
    rows: str


class JobAnswer(BaseModel):
    """A job: state, and each profile with progress, ledger and control sums."""

    model_config = ConfigDict(extra="allow")

    connection: str
    id: str
    state: str
    mode: str
    runs: list[dict[str, Any]]
    links: Address


class Problem(BaseModel):
    """RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    hint: str | None = None
    running: str | None = None
    reference: str | None = None
    problems: list[dict[str, Any]] | None = None


class Step(BaseModel):
    """One step of a check."""

    step: str
    ok: bool
    text: str
    hint: str = ""


class CheckAnswer(BaseModel):
    """All steps, and whether everything is in order."""

    connection: str
    ok: bool
    steps: list[Step]


def job_answer(job: Job) -> dict[str, Any]:
    """A job as the API gives it."""
    base = job_address(job)
    links = {"status": base, "plan": f"{base}/plan", "rows": f"{base}/rows"}
    return {**job_data(job), "worst": job.worst.value, "links": links}


def job_address(job: Job) -> str:
    """Its status address."""
    return f"/manage/api/runs/{job.connection}/{job.job_id}"
