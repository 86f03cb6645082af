"""Undoing a run: what would be taken back, and the taking back of exactly that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from worker.errors import ConflictError, NotKeptError, StalePlanError, WorkerError
from worker.sync.undo_plan import Undo, Undone
from worker.web.access import Principal
from worker.web.console.common import ConnectionName, desk_of, host_of, known, show
from worker.web.console.items import item_links
from worker.web.forms import Form, Posted
from worker.web.guard import Admin, Reader
from worker.wiring.undoing import Choice, apply_undo, digest_of, plan_undo

router = APIRouter(prefix="/manage", include_in_schema=False)
RunName = Annotated[str, Path(max_length=300)]
_SHOWN = 100
_MOST_CREATED = 1000


@router.get("/undo/{connection}/{run}")
def look(request: Request, connection: ConnectionName, run: RunName, who: Reader, bin: bool = False) -> Response:
    """What undoing a run would do now; `bin`: with the items it made. Writes nothing."""
    return _page(request, known(request, connection), who, Choice(run, remove_created=bin, most_created=_MOST_CREATED))


@router.post("/undo/{connection}/{run}")
def undo(request: Request, connection: ConnectionName, run: RunName, who: Admin, form: Posted) -> Response:
    """Does exactly what was shown."""
    name, choice = known(request, connection), Choice(run, remove_created=form.has("bin"), most_created=_MOST_CREATED)
    try:
        done = _apply(request, name, choice, form)
    except StalePlanError as error:
        return _page(request, name, who, choice, trouble=ConflictError(error.message, hint=error.hint))
    except WorkerError as error:
        return _page(request, name, who, choice, trouble=error)
    return _page(request, name, who, choice, done=done)


def _apply(request: Request, name: str, choice: Choice, form: Form) -> list[tuple[Undo, Undone]]:
    mark = form.text("mark")
    if not mark:
        raise StalePlanError("Undoing needs the mark of what was shown.", hint="Load the page again.")
    with desk_of(request).open(name) as app:
        stores = host_of(request).stores
        return apply_undo(app, stores, choice, expected=mark, override_brake=form.has("override"))


def _page(
    request: Request,
    name: str,
    who: Principal,
    choice: Choice,
    *,
    done: Sequence[tuple[Undo, Undone]] = (),
    trouble: WorkerError | None = None,
) -> Response:
    undos: list[Undo] = []
    unknown = False
    try:
        with desk_of(request).open(name) as app:
            undos = plan_undo(app, host_of(request).stores, choice)
    except NotKeptError as error:
        trouble, unknown = NotKeptError(error.message), True  # its hint names a command; the page has a link
    except WorkerError as error:
        trouble = trouble or error
    links = item_links(request, name)
    context: Mapping[str, Any] = {
        "run": choice.run,
        "bin": choice.remove_created,
        "undos": undos,
        "unknown": unknown,
        "mark": digest_of(undos),
        "empty": all(one.is_empty for one in undos),
        "braked": any(one.braked for one in undos),
        "done": done,
        "most": _SHOWN,
        "item_link": links.of,
    }
    return show(request, "undo.html", who, name, "runs", context, trouble=trouble)
