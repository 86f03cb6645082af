"""Every route, by everybody who might try it."""

from __future__ import annotations

import base64
import json
import logging

import pytest
from fastapi.routing import APIRoute

from tests.fakes.fake_work import make_fake_stores
from tests.support.world import MovableClock
from tests.unit.web.conftest import KEY, Console
from worker.errors import AuthenticationError
from worker.web import economy, pages
from worker.web.access import Access
from worker.web.console import routers as console_routers
from worker.web.links import Links

# The address of a hook is its own secret, which no role opens.
OPEN = {
    "/healthz",
    "/readyz",
    "/manage/login",
    "/static/{name}",
    "/hooks/economic/{secret}",
    "/hooks/sharepoint/{secret}",
}
# Posts that change nothing: a look into e-conomic, a check, the end of one's own session.
HARMLESS = {"/economy/{number}", "/manage/api/profiles/validate", "/manage/logout"}
FOR_SALES = "/economy"  # what people without a role in the console may see
# Addresses that a browser is sent to, and that act.
ACTING_GETS = {"/manage/connection/{connection}/connect", "/manage/grant/{state}"}
VALUES = {
    "{connection}": "default",
    "{job_id}": "20260101T000000-aaaaaa",
    "{title}": "Customers",
    "{run}": "20260101T000000-aaaaaa",
    "{number}": "1001",
    "{invoice}": "10001",
    "{state}": "x",
    "{name}": "icon.svg",
}


def acts(method: str, path: str) -> bool:
    """Whether the route changes something."""
    return path in ACTING_GETS if method == "GET" else path not in HARMLESS


def routes(console: Console) -> list[tuple[str, str]]:
    """Of the routers by the app's own document, and those of the pages, which it leaves out."""
    documented = [
        (method.upper(), path) for path, methods in console.app.openapi()["paths"].items() for method in methods
    ]
    rooms = (*console_routers, economy.router, pages.router)
    others = [
        (method, route.path)
        for route in [*console.app.routes, *(route for room in rooms for route in room.routes)]
        if isinstance(route, APIRoute)
        for method in sorted(route.methods - {"HEAD"})
    ]
    found = sorted({*documented, *others})
    assert len(found) >= 40
    return found


def call(client, method: str, path: str):
    address = path
    for name, value in VALUES.items():
        address = address.replace(name, value)
    return client.request(method, address, json={} if method != "GET" else None, follow_redirects=False)


def principal(*roles: str, **more: str) -> str:
    claims = [{"typ": "roles", "val": role} for role in roles]
    return base64.b64encode(json.dumps({"role_typ": "roles", "claims": claims, **more}).encode()).decode()


def test_no_route_begins_where_the_platform_answers_itself(console):
    assert not [path for _, path in routes(console) if path.startswith(("/admin", "/runtime"))]


def test_nobody_gets_in_anywhere_but_at_the_doors(console):
    for method, path in routes(console):
        status = call(console.client(), method, path).status_code
        if path in OPEN:
            assert status in (200, 401), path  # the login without a link is refused
        else:
            assert status == 401, (method, path)


def test_who_may_read_may_not_act(on_azure):
    client = on_azure.client(**{"x-ms-client-principal": principal("Sync.Reader")})
    for method, path in routes(on_azure):
        if path in OPEN:
            continue
        status = call(client, method, path).status_code
        assert (status == 403) is acts(method, path), (method, path, status)
        assert status != 401


def test_who_has_no_role_is_refused_everywhere(on_azure):
    client = on_azure.client(**{"x-ms-client-principal": principal("Something.Else")})
    refused = {call(client, *one).status_code for one in routes(on_azure) if one[1] not in OPEN}
    assert refused == {403}


def test_salespeople_see_the_figures_and_nothing_of_the_console(on_azure):
    client = on_azure.client(**{"x-ms-client-principal": principal("Sync.Economy")})
    for method, path in routes(on_azure):
        if path not in OPEN:
            status = call(client, method, path).status_code
            assert (status == 403) is not path.startswith(FOR_SALES), (method, path, status)


def test_an_admin_and_a_program_may_do_everything(console, on_azure):
    admin = on_azure.client(**{"x-ms-client-principal": principal("Sync.Admin")})
    for owner, client in ((on_azure, admin), (console, console.program)):
        statuses = {one: call(client, *one).status_code for one in routes(owner) if one[1] not in OPEN}
        assert not [one for one, status in statuses.items() if status in (401, 403)]


@pytest.mark.parametrize("roles", [("Sync.Admin",), ("Sync.Reader",)])
def test_the_platforms_headers_are_worth_nothing_where_its_sign_in_is_off(console, roles):
    forged = {"x-ms-client-principal": principal(*roles), "x-ms-client-principal-name": "Mallory"}
    for method, path in routes(console):
        if path not in OPEN:
            assert call(console.client(**forged), method, path).status_code == 401


@pytest.mark.parametrize(
    "header",
    ["", "nonsense", base64.b64encode(b"[]").decode(), base64.b64encode(b'{"claims": 1}').decode(), "A" * 70000],
)
def test_a_broken_header_of_the_platform_is_nobody(on_azure, header):
    assert on_azure.client(**{"x-ms-client-principal": header}).get("/manage/api/runs").status_code == 401


def test_a_link_signs_in_once(console):
    link = f"/manage/login?token={console.access.new_link_token()}"
    first = console.client().get(link, follow_redirects=False)
    assert (first.status_code, first.headers["location"]) == (303, "/manage")
    cookie = first.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    again = console.client().get(link, follow_redirects=False)
    assert again.status_code == 401
    assert "login-link" in again.text


def test_an_address_to_go_to_is_taken_from_nobody(console):
    link = f"/manage/login?token={console.access.new_link_token()}&next=https://evil.example&redirect=//evil.example"
    assert console.client().get(link, follow_redirects=False).headers["location"] == "/manage"


def test_there_is_no_login_link_where_the_platform_signs_in(on_azure):
    token = Links(on_azure.host.stores.records).issue()
    answer = on_azure.client().get(f"/manage/login?token={token}", follow_redirects=False)
    assert answer.headers["location"] == "/.auth/login/aad?post_login_redirect_uri=/manage/login"
    assert "set-cookie" not in answer.headers


def test_a_session_acts_only_with_the_pages_token_and_from_our_own_site(console):
    browser = console.browser()
    token = browser.headers.pop("X-CSRF-Token")
    check = lambda **headers: browser.post("/manage/api/check", json={}, headers=headers).status_code  # noqa: E731
    assert check() == 403
    assert check(**{"X-CSRF-Token": "wrong"}) == 403
    assert check(**{"X-CSRF-Token": token, "Origin": "https://evil.example"}) == 403
    assert check(**{"X-CSRF-Token": token, "Sec-Fetch-Site": "cross-site"}) == 403
    assert check(**{"X-CSRF-Token": token, "Origin": "http://127.0.0.1:8642"}) == 200


def test_after_the_logout_the_cookie_is_worth_nothing(console):
    browser = console.browser()
    cookies = dict(browser.cookies)
    assert browser.post("/manage/logout", data={"csrf": browser.headers["X-CSRF-Token"]}).status_code == 200
    again = console.client()
    again.cookies.update(cookies)
    assert again.get("/manage/api/runs").status_code == 401


def test_a_key_in_the_address_is_not_looked_at(console):
    assert console.client().get(f"/manage/api/runs?code={KEY}").status_code == 401


def test_who_guesses_keys_is_stopped(console):
    guesser = console.client(**{"x-functions-key": "guess"})
    statuses = [guesser.get("/manage/api/runs").status_code for _ in range(12)]
    assert statuses[:10] == [401] * 10
    assert statuses[10:] == [429, 429]


def test_another_name_for_this_machine_does_not_get_through(console):
    answer = console.program.get("/healthz", headers={"host": "rebound.example"})
    assert answer.status_code == 421


def test_every_answer_forbids_what_it_does_not_need(console):
    for answer in (
        console.client().get("/healthz"),
        console.program.get("/manage/api/docs"),
        console.client().get("/x"),
    ):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-frame-options"] == "DENY"


def test_sessions_end_when_nobody_uses_them():
    moment = [0.0]
    access = Access(Links(make_fake_stores(MovableClock()).records), platform=False, now=lambda: moment[0])
    session = access.login(access.new_link_token())
    moment[0] = 7 * 3600.0
    assert access.principal({}, {"sync-session": session}) is not None
    moment[0] = 16 * 3600.0
    assert access.principal({}, {"sync-session": session}) is None


def test_a_link_ends_after_a_quarter_of_an_hour():
    moment = [0.0]
    links = Links(make_fake_stores(MovableClock()).records, lambda: moment[0])
    access = Access(links, platform=False)
    token = access.new_link_token()
    moment[0] = 901.0
    with pytest.raises(AuthenticationError, match="too old"):
        access.login(token)


def test_neither_keys_nor_links_are_logged(console, caplog):
    with caplog.at_level(logging.DEBUG):
        token = console.access.new_link_token()
        console.client().get(f"/manage/login?token={token}")
        console.program.post("/manage/api/runs", json={})
    ours = "".join(record.getMessage() for record in caplog.records if record.name.startswith("worker"))
    assert token not in ours
    assert KEY not in ours
