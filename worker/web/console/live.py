"""Live updates: webhooks of both services, the last calls, and what was done about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from worker.economic.hooks import Hook
from worker.engine.hints import HintBook
from worker.errors import WorkerError
from worker.web.access import Principal
from worker.web.console.common import ConnectionName, desk_of, go, host_of, known, show
from worker.web.console.live_done import shown_done
from worker.web.forms import Posted
from worker.web.guard import Admin, Reader
from worker.web.render import texts_of
from worker.wiring.hooks import check_public, economic_address, economic_hooks

router = APIRouter(prefix="/manage", include_in_schema=False)


@router.get("/live/{connection}")
def look(request: Request, connection: ConnectionName, who: Reader) -> Response:
    """What e-conomic has of our webhooks, when they called last, and what waits."""
    return _page(request, known(request, connection), who)


@router.post("/live/{connection}")
def switch(request: Request, connection: ConnectionName, who: Admin, form: Posted) -> Response:
    """Sets the webhooks up on both sides, or switches e-conomic's off."""
    name, host = known(request, connection), host_of(request)
    try:
        public = check_public(host.settings.public_url)
        address = economic_address(public, host.hook_secrets.make(name))
        with desk_of(request).open(name) as app:
            hooks = economic_hooks(app, address)
            if form.has("off"):
                hooks.switch_off()
            else:
                hooks.set_up()
                if app.settings.create.allow:
                    host.subscriber.ensure(app)
    except WorkerError as error:
        return _page(request, name, who, trouble=error)
    return go("manage", "live", name, done="saved")


def _page(request: Request, name: str, who: Principal, *, trouble: WorkerError | None = None) -> Response:
    host = host_of(request)
    standing: Sequence[Hook] = ()
    unready: WorkerError | None = None
    secret = host.hook_secrets.of(name)
    try:
        public = check_public(host.settings.public_url)
    except WorkerError as error:
        public, unready = "", error
    if secret and public and trouble is None:
        try:
            with desk_of(request).open(name) as app:
                standing = economic_hooks(app, economic_address(public, secret)).standing()
        except WorkerError as error:
            trouble = error
    pending = HintBook(host.stores.records, name).read()
    context: Mapping[str, Any] = {
        "hooks": standing,
        "unready": unready,
        "pending": pending,
        "goes": [shown_done(done, texts_of(request)) for done in reversed(pending.done)],
        "waiting": len(pending.customers) + len(pending.invoices),
        "until": host.subscriber.until(name),
    }
    return show(request, "live.html", who, name, "live", context, trouble=trouble)
