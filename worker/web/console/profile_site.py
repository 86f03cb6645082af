"""What the page of profiles needs of the site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request

from worker.domain.profile import Profile
from worker.domain.profile_row import parse_profile
from worker.domain.values import TargetKind
from worker.errors import ConfigError, NotFoundError, Problem, WorkerError
from worker.ports import ProfileRow, RunSummary
from worker.sharepoint.binding import ColumnNames
from worker.sharepoint.definitions import LIST_OF, load_definitions
from worker.sync.bindings import bind_profiles
from worker.web.console import mapper
from worker.web.console.common import desk_of
from worker.web.console.drafts import Draft
from worker.web.console.mapper import Slot
from worker.wiring.app import SHIPPED, App

_LOOKED_AT = 100  # rows of the run list in which each profile's last result is looked for


@dataclass(slots=True)
class Site:
    """What the page needs of the site; what can't be asked stays empty."""

    rows: Sequence[ProfileRow] = ()
    results: Sequence[RunSummary] = ()
    slots: Sequence[Slot] = ()
    shipped: Sequence[Profile] = ()
    bound: tuple[Problem, ...] = ()
    error: WorkerError | None = None


def read_site(request: Request, name: str) -> Site:
    """The profiles with their last results."""
    found = Site()
    try:
        with desk_of(request).open(name) as app:
            found.rows = _rows(app)
            found.results = app.runs.recent(_LOOKED_AT)
    except WorkerError as error:
        found.error = error
    return found


def read_for(request: Request, name: str, draft: Draft, site: Site | None = None) -> Site:
    """`site` (None = read the profiles now) with the columns of the draft's target, and whether they can be bound."""
    found = site or Site()
    try:
        with desk_of(request).open(name) as app:
            if site is None:
                found.rows = _rows(app)
            found.shipped = app.shipped_profiles()
            found.slots = _slots(app, draft.target)
            found.bound = _bound(app, draft)
    except WorkerError as error:
        found.error = error
        found.slots = _shipped_slots(draft.target)
    return found


def _rows(app: App) -> Sequence[ProfileRow]:
    if not app.has_profiles_list():
        raise NotFoundError(
            "The site has no list of profiles yet.", hint="Make what is missing on the page Connection."
        )
    return app.profiles.profiles()


def _slots(app: App, target: TargetKind) -> Sequence[Slot]:
    key = LIST_OF[target]
    info = app.site.find_list(key)
    fields = app.site.lists.fields(info) if info is not None else ()
    return mapper.slots(app.definitions[key], fields, app.site.names_for(key))


def _shipped_slots(target: TargetKind) -> Sequence[Slot]:
    """The columns as the worker would make them, when the site can't be asked: what was typed stays on the page."""
    folder = next((path for path in SHIPPED if path.is_dir()), SHIPPED[0])
    return mapper.slots(load_definitions(folder / "lists")[LIST_OF[target]], (), ColumnNames())


def _bound(app: App, draft: Draft) -> tuple[Problem, ...]:
    """What is wrong with the list's columns; nothing while the draft itself can't be read."""
    try:
        profile = parse_profile(draft.row(), mapper.DRAFT)
    except ConfigError:
        return ()
    try:
        error = bind_profiles(app.site, [profile]).unbound.get(profile.title)
    except ConfigError as wrong:
        error = wrong
    return tuple(error.problems) if error else ()
