"""Customers created in e-conomic from the CRM: the rules, what waits, one company by hand, and what the CRM owns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from worker.domain.new_customer import Choices
from worker.domain.sendable import SENDABLES
from worker.domain.sending_texts import why_not
from worker.errors import ConfigError, Problem, WorkerError
from worker.sync.creating import Made
from worker.web.access import Principal
from worker.web.console.common import ConnectionName, check_unchanged, desk_of, go, host_of, known, show
from worker.web.console.creation_rules import rules_of, typed_rules
from worker.web.console.items import item_links
from worker.web.forms import Form, Posted
from worker.web.guard import Admin, Reader
from worker.web.render import texts_of
from worker.wiring.app import App
from worker.wiring.sending import approve, check_sending, last_sending
from worker.wiring.wanted import WantedBook

router = APIRouter(prefix="/manage", include_in_schema=False)


@dataclass(frozen=True, slots=True)
class _Standing:
    """What both services say."""

    choices: Choices = field(default_factory=Choices)
    wrong: str = ""
    waiting: Sequence[Made] = ()
    in_the_way: Sequence[Problem] = ()


@router.get("/create/{connection}")
def look(request: Request, connection: ConnectionName, who: Reader) -> Response:
    """The rules with e-conomic's own lists to choose from, and the companies that wait or failed."""
    return _page(request, known(request, connection), who)


@router.post("/create/{connection}/save")
def save(request: Request, connection: ConnectionName, who: Admin, form: Posted) -> Response:
    """The rules, as typed here; they win over the server's own settings, a blank one too."""
    name, live = known(request, connection), host_of(request).live
    before, version = live.own(name)
    try:
        check_unchanged(form, version)
        own = replace(before, create=typed_rules(form))
        live.check(name, own)
        live.change(name, own, version)
    except WorkerError as error:
        return _page(request, name, who, typed=form, trouble=error)
    desk_of(request).forget(name)
    return go("manage", "create", name, done="saved")


@router.post("/create/{connection}/send")
def send(request: Request, connection: ConnectionName, _who: Admin, form: Posted) -> Response:
    """What the CRM owns, by a worker in a moment. With the mark of what waits for a yes, exactly that too."""
    name, host = known(request, connection), host_of(request)
    if form.text("mark"):
        approve(host.stores.records, name, form.text("mark"))
    host.engine.ask_for_sending(name)
    return go("manage", "create", name, done="sending")


@router.post("/create/{connection}")
def create(request: Request, connection: ConnectionName, who: Admin, form: Posted) -> Response:
    """Has a worker create one company, which takes more than a dozen requests to both services. The page then says what
    became of it."""
    name, host = known(request, connection), host_of(request)
    try:
        item_id = _item(form.text("item"))
        if not host.live.of(name).create.allow:
            problem = Problem("Allow creating customers", "is switched off for this connection.")
            raise ConfigError([problem], hint="Switch it on under Rules, save, and ask again.")
    except WorkerError as error:
        return _page(request, name, who, trouble=error)
    WantedBook(host.stores.records, name).ask(item_id, host.clock.now(), anyway=form.has("anyway"))
    host.engine.ask_for_creation(name)
    return go("manage", "create", name)


def _item(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 10):
        raise ConfigError([Problem("Item", "must be the item number of a company.")], hint="See the item's address.")
    return int(text)


def _page(
    request: Request,
    name: str,
    who: Principal,
    *,
    typed: Form | None = None,
    trouble: WorkerError | None = None,
) -> Response:
    host, language = host_of(request), texts_of(request).language
    version = host.live.own(name)[1]
    standing, settings = _Standing(), None
    try:
        settings = host.live.of(name).create
        with desk_of(request).open(name) as app:
            standing = _asked(app)
    except WorkerError as error:
        trouble = trouble or error
    links = item_links(request, name)
    context: Mapping[str, Any] = {
        "rules": rules_of(settings, typed) if settings is not None else None,
        "allowed": settings is not None and settings.allow,
        "sent": settings.send if settings is not None else "",
        "sendable": tuple(SENDABLES),
        "last": last_sending(host.stores.records, name),
        "why_not": lambda clash: why_not(clash.why, clash.detail, language),
        "version": version or "",
        "choices": standing.choices,
        "wrong": standing.wrong,
        "waiting": standing.waiting,
        "in_the_way": standing.in_the_way,
        "asked": WantedBook(host.stores.records, name).read(),
        "item_link": lambda item: links.of("CRM Company", item),
    }
    return show(request, "create.html", who, name, "create", context, trouble=trouble)


def _asked(app: App) -> _Standing:
    choices = app.desk.choices()
    creator = app.creator()
    return _Standing(choices, creator.default_problems(), creator.waiting(), _in_the_way(app))


def _in_the_way(app: App) -> Sequence[Problem]:
    """What keeps the CRM's own columns from being sent."""
    try:
        check_sending(app)
    except ConfigError as error:
        return error.problems
    return ()
