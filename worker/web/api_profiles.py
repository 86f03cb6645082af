"""Mapping profiles over HTTP: list, read, save, validate."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response

from worker.domain.profile import Profile
from worker.domain.profile_lint import lint_profiles, profile_warnings
from worker.domain.profile_row import profile_from_json, profile_to_json
from worker.errors import ConfigError, NotFoundError, Problem
from worker.ports import ProfileRow
from worker.web.api_runs import REFUSALS, Connection, connection_of, host_of
from worker.web.guard import Admin, Reader
from worker.web.models import Name
from worker.web.problems import asking_services, problem

router = APIRouter(prefix="/manage/api/profiles", responses={**REFUSALS, 412: {"description": "Changed meanwhile"}})
Title = Annotated[Name, Path(description="Title of the profile.")]
Match = Annotated[str | None, Header(alias="If-Match", max_length=200)]


def etag(profile: Profile) -> str:
    """Of everything a person can set."""
    return f'"{hashlib.sha256(profile_to_json(profile).encode()).hexdigest()[:32]}"'


@router.get("", summary="All profiles")
def every(request: Request, _who: Reader, connection: Name | None = None) -> dict[str, Any]:
    """In run order; rows that can't be read come with what is wrong."""
    host = host_of(request)
    name = connection_of(host, connection)
    with asking_services(), host.open(name) as app:
        rows = app.profiles.profiles()
    return {"profiles": [_row(row) for row in rows]}


@router.post("/validate", summary="Check a profile")
def validate(body: dict[str, Any], _who: Reader) -> dict[str, Any]:
    """Every problem at once, and warnings. Saves nothing."""
    try:
        profile = _parsed(body)
    except ConfigError as error:
        return {"ok": False, "problems": _problems(error.problems), "warnings": []}
    return {"ok": True, "problems": [], "warnings": profile_warnings(profile)}


@router.get("/{connection}/{title}", summary="One profile")
def one(request: Request, response: Response, connection: Connection, title: Title, _who: Reader) -> dict[str, Any]:
    """With its ETag, to be sent back when it is saved."""
    row = _find(request, connection, title)
    if row.profile is not None:
        response.headers["ETag"] = etag(row.profile)
    return _row(row)


@router.put("/{connection}/{title}", summary="Save a profile")
def save(
    request: Request,
    response: Response,
    connection: Connection,
    title: Title,
    body: dict[str, Any],
    _who: Admin,
    match: Match = None,
) -> Any:
    """Creates or overwrites it. With If-Match, only while nobody else has saved it since it was read."""
    profile = _parsed({**body, "title": body.get("title", title)})
    if profile.title.casefold() != title.strip().casefold():
        raise ConfigError([Problem("title", "differs from the one in the address.")])
    host = host_of(request)
    name = connection_of(host, connection)
    with asking_services(), host.open(name) as app:
        rows = app.profiles.profiles()
        standing = next((row for row in rows if row.title.casefold() == profile.title.casefold()), None)
        if match is not None and not _matches(match, standing):
            return problem(
                412,
                "Changed meanwhile",
                "Somebody else saved this profile since you read it.",
                hint="Compare with what stands there now, then save again.",
                current=_row(standing) if standing else None,
            )
        others = [row.profile for row in rows if row.profile and row is not standing]
        problems = lint_profiles([*others, profile])
        if problems:
            raise ConfigError(problems, hint="Correct the profile and save it again.")
        app.profiles.save(profile)
    response.headers["ETag"] = etag(profile)
    return {"title": profile.title, "profile": _data(profile), "warnings": profile_warnings(profile, others)}


def _find(request: Request, connection: str, title: str) -> ProfileRow:
    host = host_of(request)
    name = connection_of(host, connection)
    with asking_services(), host.open(name) as app:
        rows = app.profiles.profiles()
    found = next((row for row in rows if row.title.casefold() == title.strip().casefold()), None)
    if found is None:
        known = ", ".join(row.title for row in rows)
        raise NotFoundError("There is no such profile.", hint=f"There are: {known}" if known else "There are none yet.")
    return found


def _matches(match: str, standing: ProfileRow | None) -> bool:
    if standing is None:
        return False
    wanted = {one.strip() for one in match.split(",")}
    return "*" in wanted or (standing.profile is not None and etag(standing.profile) in wanted)


def _parsed(body: dict[str, Any]) -> Profile:
    return profile_from_json(json.dumps(body), "the profile")


def _row(row: ProfileRow) -> dict[str, Any]:
    return {
        "title": row.title,
        "itemId": row.item_id,
        "ok": row.profile is not None,
        "profile": _data(row.profile) if row.profile else None,
        "problems": _problems(row.problems),
        "request": row.request.value,
    }


def _data(profile: Profile) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(profile_to_json(profile))
    return data


def _problems(problems: Any) -> list[dict[str, Any]]:
    return [{"where": one.where, "message": one.message, "allowed": list(one.allowed)} for one in problems]
