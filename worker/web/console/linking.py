"""Which company is which debtor: certain ones at once, the others one by one."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from worker.domain.matching import REASONS, RULES
from worker.errors import BusyError, ConflictError, WorkerError
from worker.sync.linking import Link, Linked, Suggestions, excluding, link_of
from worker.web.access import Principal
from worker.web.console.common import ConnectionName, desk_of, go, host_of, known, show
from worker.web.console.items import item_links
from worker.web.console.job_parts import PageNumber
from worker.web.console.link_shelf import LinkShelf, Seen
from worker.web.forms import Form, Posted
from worker.web.guard import Admin, Reader
from worker.web.render import link
from worker.wiring.decisions import DecisionBook
from worker.wiring.holding import connection_held
from worker.wiring.linking import accept_links
from worker.wiring.pairs import accept_pairs
from worker.wiring.renumbered import RenumberBook

router = APIRouter(prefix="/manage", include_in_schema=False)
_PER_PAGE = 50
_LONGEST = 150.0  # seconds that one form may write; Azure cuts an answer off after 230


@dataclass(frozen=True, slots=True)
class _Answer:
    """What became of a form. `left`: certain matches that there was no time for."""

    chosen: Sequence[Link] = ()
    done: Sequence[Linked] = ()
    left: int = 0


@router.get("/link/{connection}")
def look(
    request: Request, connection: ConnectionName, who: Reader, page: PageNumber = 1, anew: bool = False
) -> Response:
    """What is offered. `anew`: by both sides as they stand now. Writes nothing."""
    name = known(request, connection)
    if anew:
        _shelf(request).forget(name)
        return go("manage", "link", name)
    return _page(request, name, who, page=page)


@router.post("/link/{connection}")
def decide(request: Request, connection: ConnectionName, who: Admin, form: Posted) -> Response:
    """Yes to what was ticked, or to all that is certain, which writes the customer number and nothing else; or no to
    one pair, for good."""
    name, page = known(request, connection), _number(form.text("page"))
    if refused := _links(form.every("refuse")):
        DecisionBook(host_of(request).stores.records, name).refuse((one.item_id, one.number) for one in refused)
        return go("manage", "link", name, page=page)
    if moved := _numbers(form):
        return _answered(request, name, who, moved, same=form.has("same"))
    try:
        answer = _accepted(request, name, who, form)
    except (BusyError, ConflictError) as error:
        return _page(request, name, who, page=page, trouble=error)
    except WorkerError as error:
        _shelf(request).forget(name)  # some may have been written
        return _page(request, name, who, page=page, trouble=error)
    if any(one.problem for one in answer.done):
        _shelf(request).forget(name)
    return _page(request, name, who, page=page, answer=answer)


def _answered(request: Request, name: str, who: Principal, moved: tuple[str, int], *, same: bool) -> Response:
    """Yes or no to a changed number; a yes that can't be true is refused as the command refuses it."""
    book = RenumberBook(host_of(request).stores.records, name)
    if not same:
        book.refuse(*moved)
        return go("manage", "link", name, done="saved")
    try:
        with desk_of(request).open(name) as app:
            accept_pairs(app, book, [moved])
    except WorkerError as error:
        _shelf(request).forget(name)  # what it showed is no longer so
        return _page(request, name, who, trouble=error)
    return go("manage", "link", name, done="saved")


def _accepted(request: Request, name: str, who: Principal, form: Form) -> _Answer:
    """Alone at the connection, as a command is: a run beside it would make companies for the same customers."""
    chosen, mark = _links(form.every("pair")), form.text("certain")
    if not chosen and not mark:
        return _Answer()
    host, begun = host_of(request), time.monotonic()
    with desk_of(request).open(name) as app, connection_held(host.stores, name):
        seen = _shelf(request).look(app)
        if mark:
            chosen = _all_certain(seen, mark)
        wrong = {} if excluding(chosen) else _not_offered(seen.found, chosen)
        right = [one for one in chosen if one not in wrong]
        book = DecisionBook(host.stores.records, name)
        done = accept_links(app, book, right, who.name, lambda: time.monotonic() - begun > _LONGEST)
    left = len(right) - len(done) if mark else 0
    return _Answer(chosen, [*done, *(Linked(one, problem) for one, problem in wrong.items())], left)


def _all_certain(seen: Seen, mark: str) -> list[Link]:
    """Exactly those whose number was shown. Raises ConflictError when it would be others."""
    if mark != seen.mark:
        raise ConflictError(
            "The certain matches are no longer those that were counted: nothing was written.",
            hint="Look at their number now, and link them again.",
        )
    return [link_of(match, match.candidates[0].number) for match in seen.found.certain]


def _not_offered(found: Suggestions, chosen: Sequence[Link]) -> dict[Link, str]:
    """Those that a page showed once and none would show now, each with a sentence."""
    offered = found.offered
    wrong = {}
    for one in chosen:
        now = offered.get((one.item_id, one.number))
        if now is None:
            wrong[one] = f"Customer {one.number} is not offered for this company any more."
        elif now.version != one.version:
            wrong[one] = "Somebody saved the company meanwhile; look at it again."
    return wrong


def _shelf(request: Request) -> LinkShelf:
    shelf: LinkShelf = request.app.state.links
    return shelf


def _number(text: str) -> int:
    """Of a page; the first for what is none."""
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 1


def _numbers(form: Form) -> tuple[str, int] | None:
    """Old and new number of a decision about a renumbering; the old one may be any text."""
    found = re.fullmatch(r"(.{1,255}):([0-9]{1,9})", form.text("same") or form.text("other"))
    return None if found is None else (found[1], int(found[2]))


def _links(values: Sequence[str]) -> list[Link]:
    """Boxes and buttons hold item, number and the version that was looked at; what can't be read is nobody's choice."""
    found = []
    for text in values:
        match = re.fullmatch(r"([0-9]{1,9}):([0-9]{1,9}):(.+)", text)
        if match:
            found.append(Link(int(match[1]), int(match[2]), match[3]))
    return found


def _page(
    request: Request,
    name: str,
    who: Principal,
    *,
    page: int = 1,
    answer: _Answer = _Answer(),
    trouble: WorkerError | None = None,
) -> Response:
    seen = Seen(Suggestions((), 0, 0, 0), host_of(request).clock.now())
    try:
        with desk_of(request).open(name) as app:
            seen = _shelf(request).look(app)
    except WorkerError as error:
        trouble = trouble or error
    found = seen.found
    last = max(1, -(-len(found.matches) // _PER_PAGE))
    at = min(max(1, page), last)
    links = item_links(request, name)
    failed = [one for one in answer.done if one.problem]
    context = {
        "found": found,
        "matches": found.matches[(at - 1) * _PER_PAGE : at * _PER_PAGE],
        "reasons": REASONS,
        "rules": RULES,
        "mark": seen.mark,
        "read": seen.moment,
        "written": sum(1 for one in answer.done if not one.problem),
        "failed": failed,
        "left": answer.left,
        # What could not be written stays as it was ticked; else certain ones are.
        "ticked": {(one.link.item_id, one.link.number) for one in failed},
        "page_number": at,
        "last": last,
        "address": lambda number: link("manage", "link", name, page=number),
        "item_link": lambda item: links.of("CRM Company", item),
    }
    return show(request, "link.html", who, name, "link", context, trouble=trouble)
