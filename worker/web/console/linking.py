"""Which company is which debtor: certain ones at once, the others one by one."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from worker.domain.matching import REASONS
from worker.errors import WorkerError
from worker.sync.linking import Link, Linked, Suggestions
from worker.web.access import Principal
from worker.web.console.common import ConnectionName, desk_of, go, host_of, known, show
from worker.web.console.items import item_links
from worker.web.console.job_parts import PageNumber
from worker.web.forms import Posted
from worker.web.guard import Admin, Reader
from worker.web.render import link
from worker.wiring.decisions import DecisionBook

router = APIRouter(prefix="/manage", include_in_schema=False)
_PER_PAGE = 50


@router.get("/link/{connection}")
def look(request: Request, connection: ConnectionName, who: Reader, page: PageNumber = 1) -> Response:
    """What is offered. Writes nothing."""
    return _page(request, known(request, connection), who, page=page)


@router.post("/link/{connection}")
def decide(request: Request, connection: ConnectionName, who: Admin, form: Posted) -> Response:
    """Yes to what was ticked, which writes the customer number and nothing else; or no to one pair, for good."""
    name = known(request, connection)
    book = DecisionBook(host_of(request).stores.records, name)
    if refused := _links(form.every("refuse")):
        book.refuse((one.item_id, one.number) for one in refused)
        return go("manage", "link", name)
    links = _links(form.every("pair"))
    try:
        with desk_of(request).open(name) as app:
            done = app.link_assistant().accept(links)
        written = [(one.link.item_id, one.link.number) for one in done if not one.problem]
        book.accept(written, who.name, host_of(request).clock.now().isoformat())
    except WorkerError as error:
        return _page(request, name, who, trouble=error)
    return _page(request, name, who, done=done)


def _links(values: Sequence[str]) -> list[Link]:
    """Boxes and buttons hold item, number and the version that was looked at; what can't be read is nobody's choice."""
    found = []
    for text in values:
        item, _, rest = text.partition(":")
        number, _, version = rest.partition(":")
        if item.isdecimal() and number.isdecimal() and version:
            found.append(Link(int(item), int(number), version))
    return found


def _page(
    request: Request,
    name: str,
    who: Principal,
    *,
    page: int = 1,
    done: Sequence[Linked] = (),
    trouble: WorkerError | None = None,
) -> Response:
    found = Suggestions((), 0, 0, 0)
    try:
        refused = DecisionBook(host_of(request).stores.records, name).read().refused
        with desk_of(request).open(name) as app:
            found = app.link_assistant().suggestions(refused)
    except WorkerError as error:
        trouble = trouble or error
    last = max(1, -(-len(found.matches) // _PER_PAGE))
    at = min(page, last)
    links = item_links(request, name)
    context = {
        "found": found,
        "matches": found.matches[(at - 1) * _PER_PAGE : at * _PER_PAGE],
        "reasons": REASONS,
        "written": sum(1 for one in done if not one.problem),
        "failed": [one for one in done if one.problem],
        "page_number": at,
        "last": last,
        "address": lambda number: link("manage", "link", name, page=number),
        "item_link": lambda item: links.of("CRM Company", item),
    }
    return show(request, "link.html", who, name, "link", context, trouble=trouble)
