"""Profiles: the list, and an editor with the mapper. Nothing is saved that a run would refuse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from worker.domain import profile_words as words
from worker.domain.profile import Profile, SourceKind
from worker.domain.profile_lint import lint_profiles
from worker.domain.profile_row import parse_profile
from worker.errors import ConfigError, ConflictError, NotFoundError, Problem, WorkerError
from worker.ports import ProfileRow
from worker.web.access import Principal
from worker.web.console import mapper
from worker.web.console.common import ConnectionName, desk_of, go, host_of, known, show
from worker.web.console.drafts import (
    Draft,
    copy_of,
    draft_of,
    from_form,
    new_draft,
    version_of,
)
from worker.web.console.editor import Edit, editor, listed
from worker.web.console.profile_site import Site, read_for, read_site
from worker.web.console.samples import samples
from worker.web.forms import Posted
from worker.web.guard import Admin, Reader
from worker.web.render import texts_of

router = APIRouter(prefix="/manage", include_in_schema=False)
Title = Annotated[str, Query(max_length=255)]
_COMING = 5
_LOOKED_AT = 100  # rows of the run list in which each profile's last result is looked for


@router.get("/profiles/{connection}")
def every(
    request: Request,
    connection: ConnectionName,
    who: Reader,
    title: Title = "",
    copy: Title = "",
    new: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """The list; with a title that one to edit, with `copy` another of the same, with `new` an empty one."""
    name = known(request, connection)
    site = read_site(request, name)
    trouble = site.error
    draft: Draft | None = None
    try:
        draft = _chosen(site.rows, title, copy, new) if trouble is None else None
    except WorkerError as error:
        trouble = error
    if draft is not None:
        site = read_for(request, name, draft, site)
        trouble = site.error
    return _page(request, name, who, site, Edit(draft, trouble) if draft else None, trouble)


@router.post("/profiles/{connection}/save")
def save(request: Request, connection: ConnectionName, who: Admin, form: Posted) -> Response:
    """Checks what was typed, and with the button Save saves it. Nothing typed is lost by a mistake."""
    name = known(request, connection)
    draft = from_form(form)
    site = read_for(request, name, draft)
    if site.error is not None:
        return _page(request, name, who, site, Edit(draft, site.error))
    action = form.text("action")
    if action == "suggest":
        draft = mapper.suggested(draft, site.slots, site.shipped)
        return _page(request, name, who, read_for(request, name, draft), Edit(draft, checked=True))
    if action != "save":
        return _page(request, name, who, site, Edit(draft, checked=True))
    try:
        profile = _judged(draft, site)
        with desk_of(request).open(name) as app:
            app.profiles.save(profile)
    except ConflictError as error:
        theirs = draft_of(_row_of(site.rows, draft.title) or ProfileRow(0, draft.title, None))
        newer = replace(draft, version=theirs.version, is_new=False)
        return _page(request, name, who, site, Edit(newer, error, checked=True, theirs=theirs))
    except WorkerError as error:
        return _page(request, name, who, site, Edit(draft, error, checked=True))
    return go("manage", "profiles", name, title=profile.title, done="saved")


@router.get("/profiles/{connection}/samples")
def live_values(
    request: Request, connection: ConnectionName, _who: Reader, source: Annotated[str, Query(max_length=40)]
) -> Response:
    """Field name -> a value that stands in e-conomic now."""
    kind = words.source_kind(source) or SourceKind.CUSTOMER
    with desk_of(request).open(known(request, connection)) as app:
        found = samples(app, kind, texts_of(request))
    return JSONResponse(found)


def _chosen(rows: Sequence[ProfileRow], title: str, copy: str, new: str) -> Draft | None:
    if new:
        return new_draft(words.source_kind(new) or SourceKind.CUSTOMER)
    wanted = copy or title
    if not wanted:
        return None
    row = _row_of(rows, wanted)
    if row is None:
        raise NotFoundError("There is no such profile.", hint="Choose one of the list.")
    draft = draft_of(row)
    return copy_of(draft, _free_title(rows, row.title)) if copy else draft


def _free_title(rows: Sequence[ProfileRow], title: str) -> str:
    taken = {row.title.casefold() for row in rows}
    names = (f"{title} ({number})" for number in range(2, len(rows) + 3))
    return next(name for name in names if name.casefold() not in taken)


def _row_of(rows: Sequence[ProfileRow], title: str) -> ProfileRow | None:
    return next((row for row in rows if row.title.casefold() == title.casefold()), None)


def _judged(draft: Draft, site: Site) -> Profile:
    """The profile, when it may be saved. Raises ConfigError with everything that is wrong, ConflictError."""
    profile = parse_profile(draft.row(), mapper.DRAFT)
    standing = _row_of(site.rows, draft.title)
    if draft.is_new and standing is not None:
        raise ConfigError(
            [Problem(f"{mapper.DRAFT}, column Title", "is another profile's title.")],
            hint="Give this one a name of its own.",
        )
    if not draft.is_new and (standing is None or version_of(standing) != draft.version):
        raise ConflictError(
            "Somebody else saved this profile since you opened it. Nothing of theirs was overwritten.",
            hint="Compare both below. Saving again keeps yours.",
        )
    others = [row.profile for row in site.rows if row.profile is not None and row is not standing]
    problems = [*mapper.type_problems(profile, site.slots), *site.bound, *lint_profiles([*others, profile])]
    if problems:
        raise ConfigError(problems, hint="Correct what is marked, then save again.")
    return profile


def _page(
    request: Request, name: str, who: Principal, site: Site, edit: Edit | None, trouble: WorkerError | None = None
) -> Response:
    now = host_of(request).clock.now()
    context: dict[str, object] = {"listed": listed(site, now), "draft": edit.draft if edit else None}
    if edit is not None:
        part, trouble = editor(edit, site, now)
        context |= part
    return show(request, "profiles.html", who, name, "profiles", context, trouble=trouble)
