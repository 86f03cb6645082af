"""One customer: found by number, name or CVR number, and explained field by field."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from worker.domain.profile import Profile
from worker.domain.records import Customer
from worker.domain.values import TargetKind
from worker.engine.hints import REQUESTED, Heard, HintBook
from worker.errors import ConfigError, NotFoundError, Problem, WorkerError
from worker.sharepoint.definitions import LIST_OF
from worker.sharepoint.last_change import LastChange, last_change
from worker.sync.explain import CustomerStory
from worker.web.console.common import ConnectionName, desk_of, go, host_of, known, show
from worker.web.console.items import item_links
from worker.web.console.live_done import last_of
from worker.web.forms import Posted
from worker.web.guard import Admin, Reader
from worker.web.render import texts_of
from worker.wiring.app import App
from worker.wiring.explaining import explained

router = APIRouter(prefix="/manage", include_in_schema=False)
_FOUND = 20


@router.get("/customer/{connection}")
def customer(
    request: Request,
    connection: ConnectionName,
    who: Reader,
    q: Annotated[str, Query(max_length=255)] = "",
    number: Annotated[int | None, Query(ge=1, le=999_999_999)] = None,
) -> Response:
    """A search, its hits, and the story of the one that was chosen or is alone."""
    name = known(request, connection)
    hits: Sequence[Customer] = ()
    story: CustomerStory | None = None
    targets: Mapping[str, TargetKind] = {}
    changes: Mapping[int, LastChange] = {}
    broken = 0
    trouble: WorkerError | None = None
    try:
        if q.strip() or number is not None:
            with desk_of(request).open(name) as app:
                if number is None:
                    hits = app.source.find_customers(q.strip(), _FOUND)
                    number = hits[0].number if len(hits) == 1 else None
                if number is not None:
                    profiles, broken = _profiles(app)
                    story = explained(app, number, profiles, texts_of(request).language)
                    targets = {profile.title: profile.target for profile in profiles}
                    changes = _changes(app, story, targets)
            if number is not None and story is None:
                raise NotFoundError(f"e-conomic has no customer {number}.", hint="Check the number in e-conomic.")
    except WorkerError as error:
        trouble = error
    links = item_links(request, name) if story is not None else None
    pending = HintBook(host_of(request).stores.records, name).read()
    context = {
        "q": q,
        "hits": hits if len(hits) != 1 else (),
        "asked": bool(q.strip()) and trouble is None and number is None,
        "story": story,
        "broken": broken,
        "changes": changes,
        "waits": str(number) in pending.customers,
        "last": last_of(pending, number, texts_of(request)),
        "item_link": lambda title, item: links.of(targets.get(title, ""), item) if links else "",
    }
    return show(request, "customer.html", who, name, "customer", context, trouble=trouble)


@router.post("/customer/{connection}")
def bring_up_to_date(request: Request, connection: ConnectionName, _who: Admin, form: Posted) -> Response:
    """Has one customer synced at once, through the same profiles as at night."""
    name, number = known(request, connection), form.text("number")
    if not re.fullmatch(r"[1-9][0-9]{0,8}", number):
        raise ConfigError([Problem("number", "is no customer number.")], hint="Load the page again.")
    host_of(request).engine.hear(name, Heard(REQUESTED, (int(number),)))
    return go("manage", "customer", name, number=number, done="asked")


def _profiles(app: App) -> tuple[list[Profile], int]:
    """The enabled profiles, and how many can't be read."""
    if app.site.find_list("mapping-profiles") is None:
        raise NotFoundError("The site has no list of profiles yet.", hint="Make the lists on the page Connection.")
    rows = app.profiles.profiles()
    good = [row.profile for row in rows if row.profile is not None and row.profile.enabled]
    there = [profile for profile in good if app.site.find_list(LIST_OF[profile.target]) is not None]
    return there, sum(1 for row in rows if row.profile is None)


def _changes(app: App, story: CustomerStory | None, targets: Mapping[str, TargetKind]) -> Mapping[int, LastChange]:
    """Who saved the customer's company items last; other lists are not the customer's own."""
    stories = story.profiles if story else ()
    items = {item for one in stories if targets[one.profile] is TargetKind.COMPANY for item in one.item_ids}
    found = {item: last_change(app.site, "companies", item) for item in sorted(items)}
    return {item: change for item, change in found.items() if change is not None}
