"""What the console's pages share: where they are, what they tell, and how an error becomes part of a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Path, Request
from starlette.responses import HTMLResponse, RedirectResponse

from worker.errors import ConfigError, ConflictError, NotFoundError, Problem, WorkerError
from worker.web.access import Principal, Role
from worker.web.desk import Desk
from worker.web.forms import Form
from worker.web.problems import status_of, title_of
from worker.web.render import link, page, texts_of
from worker.wiring.engine import Host

ConnectionName = Annotated[str, Path(max_length=60)]
# What a page says after something was done; a page's address names it, never its text.
NOTICES: Mapping[str, tuple[str, str]] = {
    "saved": ("good", "Saved."),
    "connected": ("good", "e-conomic is connected. The token is stored and is not shown again."),
    "provisioned": ("good", "Everything that was missing has been made."),
    "asked": ("good", "The customer is brought up to date in a few seconds. Load the page again to see it."),
    "sending": ("good", "It is sent in a few seconds. Load the page again to see what became of it."),
    "cancelled": ("warn", "The run stops after what is in hand."),
    "refused": ("error", "e-conomic gave no token: access was not granted, or the way back took too long. Try again."),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """A line at the top of a page."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error as part of a page that still shows what was typed."""

    title: str
    text: str
    hint: str = ""
    problems: tuple[Problem, ...] = ()


def host_of(request: Request) -> Host:
    """The process's own."""
    host: Host = request.app.state.host
    return host


def desk_of(request: Request) -> Desk:
    """The pages' open connections."""
    desk: Desk = request.app.state.desk
    return desk


def known(request: Request, connection: str) -> str:
    """The connection of an address. Raises NotFoundError."""
    names = host_of(request).live.names
    if connection not in names:
        raise NotFoundError("There is no such connection.", hint=f"There are: {', '.join(names)}")
    return connection


def check_unchanged(form: Form, version: str | None) -> None:
    """Raises ConflictError when the settings of a connection are no longer those that a page was made from."""
    if form.text("version") != (version or ""):
        raise ConflictError(
            "Somebody else saved these settings since you opened the page.",
            hint="Compare with what stands there now, then save again.",
        )


def trouble_of(error: WorkerError) -> Trouble:
    """An error for a page."""
    problems = tuple(error.problems) if isinstance(error, ConfigError) else ()
    text = "Some things must be corrected." if problems else error.message
    return Trouble(title_of(error), text, error.hint, problems)


def show(  # a page is all of this
    request: Request,
    name: str,
    who: Principal,
    connection: str,
    section: str,
    context: Mapping[str, Any] | None = None,
    *,
    trouble: WorkerError | None = None,
) -> HTMLResponse:
    """A page of the console. With `trouble` its status says so too, for programs and caches."""
    told = NOTICES.get(request.query_params.get("done", ""))
    texts = texts_of(request)
    shared = {
        "connection": connection,
        "connections": host_of(request).live.names,
        "section": section,
        "may_act": who.may(Role.ADMIN),
        "notice": Notice(told[0], texts(told[1])) if told else None,
        "trouble": trouble_of(trouble) if trouble else None,
    }
    status = 200 if trouble is None else status_of(trouble)
    return page(request, name, who, {**shared, **(context or {})}, status=status)


def go(*parts: str, **query: object) -> RedirectResponse:
    """After a form: to a page of ours, so that a reload does not send the form again."""
    return RedirectResponse(link(*parts, **query), 303)
