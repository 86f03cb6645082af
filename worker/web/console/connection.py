"""Both sides of a connection: e-conomic's grant, the site, the test, and provisioning with a preview."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from worker.errors import ConfigError, Problem, WorkerError
from worker.logs import also_mask
from worker.settings import Settings
from worker.web.access import Principal
from worker.web.console.common import ConnectionName, check_unchanged, desk_of, go, host_of, known, show
from worker.web.forms import Form, Posted
from worker.web.grants import Grants
from worker.web.guard import Admin, Reader
from worker.web.render import link, texts_of
from worker.web.texts import FIELDS
from worker.wiring.checking import CheckStep, check_connection
from worker.wiring.live import Own

router = APIRouter(prefix="/manage", include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Preview:
    """What provisioning would make; `mark` stands for exactly this."""

    steps: list[str]
    mark: str


_LISTS = ("companies", "contacts", "invoices", "sales-statistics")
_LOCALES = {"da": "da-DK", "en": "en-GB"}


@router.get("/connection/{connection}")
def look(request: Request, connection: ConnectionName, who: Reader) -> Response:
    """What is set, without asking either service."""
    return _page(request, known(request, connection), who)


@router.post("/connection/{connection}/save")
def save(request: Request, connection: ConnectionName, who: Admin, form: Posted) -> Response:
    """The typed settings. A blank field goes back to what the variables and files say."""
    name, live = known(request, connection), host_of(request).live
    before, version = live.own(name)
    try:
        own = _typed(form, before)
        check_unchanged(form, version)
        live.check(name, own)
        live.change(name, own, version)
    except WorkerError as error:
        if isinstance(error, ConfigError) and _only_missing_token(error):
            live.change(name, own, version)  # the rest is right; connecting comes next
        else:
            return _page(request, name, who, typed=form, trouble=_correctable(error))
    desk_of(request).forget(name)
    return go("manage", "connection", name, done="saved")


@router.get("/connection/{connection}/connect")
def connect(request: Request, connection: ConnectionName, who: Admin) -> Response:
    """To e-conomic's page where access is granted. Our own value in the way back shows that we asked."""
    name, host = known(request, connection), host_of(request)
    public, address = _grant_page(request, name)
    if not public:
        wrong = ConfigError(
            [Problem("ECONOMIC_APP_PUBLIC_TOKEN", "is not set, so e-conomic's grant page can't be opened from here.")],
            hint="Set it to your app's public token, or open the app's own link and paste the token below.",
        )
        return _page(request, name, who, trouble=wrong)
    state = Grants(host.stores.records, host.clock).issue(name, _identity(who))
    back = f"{_own_address(request)}{link('manage', 'grant', state)}"
    query = {"appPublicToken": public, "redirectUrl": back, "locale": _LOCALES[texts_of(request).language]}
    return RedirectResponse(f"{address}?{urlencode(query)}", 303)


@router.get("/grant/{state}")
def granted(request: Request, state: str, who: Admin, token: Annotated[str, Query(max_length=500)] = "") -> Response:
    """The way back from e-conomic. Goes to a fixed page; no address is taken from anybody."""
    host = host_of(request)
    name = Grants(host.stores.records, host.clock).use(state, _identity(who))
    if name is None or not token:
        return go("manage", "connection", name or host.live.names[0], done="refused")
    return _store(request, name, who, token)


@router.post("/connection/{connection}/token")
def paste(request: Request, connection: ConnectionName, who: Admin, form: Posted) -> Response:
    """A token that was copied from e-conomic."""
    return _store(request, known(request, connection), who, form.text("token"))


@router.post("/connection/{connection}/test")
def test(request: Request, connection: ConnectionName, who: Admin, _form: Posted) -> Response:
    """Both sides, rights, lists and profiles. Changes nothing."""
    name = known(request, connection)
    try:
        with desk_of(request).open(name, anew=True) as app:
            steps = list(check_connection(app))
    except WorkerError as error:
        return _page(request, name, who, trouble=error)
    return _page(request, name, who, steps=steps)


@router.post("/connection/{connection}/provision")
def provision(request: Request, connection: ConnectionName, who: Admin, form: Posted) -> Response:
    """First what would be made; with that preview's own mark, the making of exactly that."""
    name = known(request, connection)
    try:
        with desk_of(request).open(name, anew=True) as app:
            plan = app.provision_plan(economy_url=host_of(request).installation.economy_address(name))
            words = [*map(str, plan.steps), *(f"save profile '{one.title}'" for one in app.missing_profiles())]
            mark = hashlib.sha256("\n".join(words).encode()).hexdigest()
            wrong = ConfigError(plan.problems, hint="Put these right in SharePoint.") if plan.problems else None
            if wrong is None and words and form.text("mark") == mark:
                app.provision(plan)
                for profile in app.missing_profiles():
                    app.profiles.save(profile)
                desk_of(request).forget(name)
                return go("manage", "connection", name, done="provisioned")
    except WorkerError as error:
        return _page(request, name, who, trouble=error)
    return _page(request, name, who, preview=Preview(words, mark), trouble=wrong)


def _store(request: Request, name: str, who: Principal, token: str) -> Response:
    """Keeps the token, and the agreement it belongs to, so that another one's is noticed."""
    host = host_of(request)
    also_mask(token)
    try:
        host.live.save_token(name, token, host.clock.now().isoformat())
    except WorkerError as error:
        return _page(request, name, who, trouble=error)
    desk_of(request).forget(name)
    return go("manage", "connection", name, done="connected")


def _page(
    request: Request,
    name: str,
    who: Principal,
    *,
    typed: Form | None = None,
    trouble: WorkerError | None = None,
    steps: list[CheckStep] | None = None,
    preview: Preview | None = None,
) -> Response:
    host = host_of(request)
    own, version = host.live.own(name)
    problem: WorkerError | None = None
    try:
        effective: dict[str, str] = _shown(host.live.of(name))
    except WorkerError as error:
        effective, problem = {}, error
    context = {
        "own": _values(own) if typed is None else {key: typed.text(key) for key in _values(own)},
        "standing": _values(own) if typed is not None else {},
        "version": version or "",
        "effective": effective,
        "unready": problem,
        "token_saved": own.token_saved,
        "can_connect": bool(_grant_page(request, name)[0]),
        "lists": _LISTS,
        "steps": steps,
        "preview": preview,
    }
    return show(request, "connection.html", who, name, "connection", context, trouble=trouble)


def _values(own: Own) -> dict[str, str]:
    data = asdict(own)
    lists = data.pop("lists")
    for name in ("token_saved", "create"):
        data.pop(name)
    return {**{key: str(value or "") for key, value in data.items()}, **{f"list-{k}": lists.get(k, "") for k in _LISTS}}


def _typed(form: Form, before: Own) -> Own:
    """Raises ConfigError for an agreement number that is none; the rest is checked as settings."""
    agreement = form.text("agreement")
    if agreement and not (agreement.isascii() and agreement.isdecimal() and len(agreement) < 12):
        raise ConfigError([Problem("Agreement number", "must be a number.")], hint="Correct it and save again.")
    return replace(
        before,
        site_url=form.text("site_url"),
        lists={name: form.text(f"list-{name}") for name in _LISTS if form.text(f"list-{name}")},
        agreement=int(agreement) if agreement else None,
        financial_year_start=form.text("financial_year_start"),
    )


def _correctable(error: WorkerError) -> WorkerError:
    """With the next step of who typed it: whoever has a browser only can set no variables and run no command."""
    if not isinstance(error, ConfigError) or not all(_variable(one) in FIELDS for one in error.problems):
        return error
    return ConfigError(error.problems, hint="Correct it and save again.")


def _variable(problem: Problem) -> str:
    return problem.where.rpartition(" ")[2]


def _only_missing_token(error: ConfigError) -> bool:
    return {_variable(problem) for problem in error.problems} == {"ECONOMIC_GRANT_TOKEN"}


def _shown(settings: Settings) -> dict[str, str]:
    economic, sharepoint, sync = settings.economic, settings.sharepoint, settings.sync
    return {
        "site_url": sharepoint.site_url,
        "auth": sharepoint.auth,
        "agreement": str(economic.agreement or ""),
        "financial_year_start": sync.financial_year_start or "",
        "language": sync.language,
        **{f"list-{name}": sharepoint.lists.get(name, "") for name in _LISTS},
    }


def _grant_page(request: Request, name: str) -> tuple[str, str]:
    """The app's public token and the grant page's address; the token "" when it is not set."""
    return host_of(request).installation.grant_page(name)


def _own_address(request: Request) -> str:
    """Where this browser reaches us; the host name was checked before any route."""
    public: str = request.app.state.public_origin
    return public or f"{request.url.scheme}://{request.headers.get('host', '')}"


def _identity(who: Principal) -> str:
    """Who may come back: this very session, or the person as the platform names them."""
    return hashlib.sha256(f"{who.kind}:{who.csrf if who.kind == 'session' else who.name}".encode()).hexdigest()
