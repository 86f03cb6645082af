"""What stands before the routes: tokens, demo, the token bucket, faults, consent, counting."""

from collections.abc import Callable
from email.utils import parsedate_to_datetime

import pytest
import requests
from emu_economic_support import TOKENS, Served

CONSENT = "/secure/api1/requestaccess.aspx"
DEMO = {"X-AppSecretToken": "demo", "X-AgreementGrantToken": "demo"}


@pytest.mark.parametrize("headers", [{}, {"X-AppSecretToken": "wrong"}, {"X-AgreementGrantToken": "demo"}])
def test_wrong_tokens(emu: Served, headers: dict[str, str]) -> None:
    """Without both right tokens everything is 401, in the shape of the API asked."""
    wrong = headers and {**TOKENS, **headers}
    classic = requests.get(f"{emu.url}/self", headers=wrong, timeout=10)
    assert (classic.status_code, classic.json()["httpStatusCode"]) == (401, 401)
    flat = requests.get(f"{emu.url}/customersapi/v3.1.0/Contacts", headers=wrong, timeout=10)
    assert (flat.status_code, flat.headers["Content-Type"]) == (401, "application/problem+json")


@pytest.mark.parametrize("shape", ["empty", "html"])
def test_unauthorized_body_is_a_switch(emu: Served, shape: str) -> None:
    """A 401 may carry no JSON."""
    emu.switch(unauthorized_body=shape)
    answer = requests.get(f"{emu.url}/self", timeout=10)
    assert answer.status_code == 401
    assert not answer.text.startswith("{")


def test_demo_reads_only(emu: Served) -> None:
    """The demo tokens, or ?demo=true on classic paths, read and never write."""
    assert requests.get(f"{emu.url}/customers", headers=DEMO, timeout=10).status_code == 200
    assert requests.get(f"{emu.url}/self?demo=true", timeout=10).status_code == 200
    assert requests.get(f"{emu.url}/customersapi/v3.1.0/Contacts?demo=true", timeout=10).status_code == 401
    assert requests.post(f"{emu.url}/customers", json={}, headers=DEMO, timeout=10).status_code == 403


def test_writes_may_be_closed(emu: Served) -> None:
    """A plan without API writes answers 403 to them and reads on."""
    emu.switch(writes_allowed="no")
    assert emu.send("DELETE", "/customers/5").status_code == 403
    assert emu.get("/customers/5").status_code == 200


def test_other_tokens(serve: Callable[..., Served]) -> None:
    """The accepted tokens are the options'."""
    other = serve(grant_token="mine")
    assert other.get("/self").status_code == 401
    assert other.get("/self", headers={"X-AgreementGrantToken": "mine"}).status_code == 200


# -- rate limit ----------------------------------------------------------------------------------------------------


def test_cost_headers(emu: Served) -> None:
    """Each answer, errors too, says its cost and what is used; a list page costs 3."""
    answer = emu.get("/customers")
    assert answer.headers["X-CallCost"] == "3"
    assert answer.headers["X-RateLimiting"] == "token-limit-10000-per-60-seconds: 3/10000"
    assert emu.get("/customers/77").headers["X-RateLimiting"].endswith(" 4/10000")
    emu.switch(call_cost_letter="yes")
    assert not emu.get("/self").headers["X-CallCost"].isdigit()


def test_empty_bucket_until_the_window_turns(serve: Callable[..., Served]) -> None:
    """When the tokens are used up every call is 429 with Retry-After, until the window turns."""
    now = [0.0]
    small = serve(token_limit=5, clock=lambda: now[0])
    assert [small.get("/customers").status_code for _ in range(3)] == [200, 200, 429]
    now[0] = 20.0
    refused = small.get("/customersapi/v3.1.0/Contacts")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "41")
    assert refused.json()["errorCode"] == "TooManyRequests"
    small.switch(retry_after="date", rate_limit_body="empty")
    dated = small.get("/self")
    assert parsedate_to_datetime(dated.headers["Retry-After"]).year >= 2024
    assert dated.text == ""
    small.switch(retry_after="none")
    assert "Retry-After" not in small.get("/self").headers
    now[0] = 60.0
    assert small.get("/self").status_code == 200


# -- faults --------------------------------------------------------------------------------------------------------


def test_429_with_and_without_retry_after(emu: Served) -> None:
    """Both kinds of 429 can be made."""
    emu.app.state.faults.once("429")
    assert "Retry-After" in emu.get("/self").headers
    emu.app.state.faults.once("429-no-retry-after")
    answer = emu.get("/self")
    assert (answer.status_code, "Retry-After" in answer.headers) == (429, False)
    assert emu.get("/self").status_code == 200


@pytest.mark.parametrize("status", [500, 503])
def test_server_errors(emu: Served, status: int) -> None:
    """Server errors come before anything is done."""
    emu.app.state.faults.once(str(status))
    assert emu.send("DELETE", "/customers/5").status_code == status
    assert emu.get("/customers/5").status_code == 200


def test_html_page(emu: Served) -> None:
    """A page of HTML can come with 200."""
    emu.app.state.faults.once("html")
    answer = emu.get("/self")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_cut_connection(emu: Served) -> None:
    """The connection can break in the middle of a body."""
    emu.app.state.faults.once("cut")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        emu.get("/customers")
    assert emu.get("/customers").status_code == 200


def test_truncated_json(emu: Served) -> None:
    """A body can be whole for HTTP and half for JSON."""
    emu.app.state.faults.once("truncated-json")
    answer = emu.get("/customers")
    assert answer.status_code == 200
    with pytest.raises(ValueError):
        answer.json()


def test_slow_and_timeout(serve: Callable[..., Served]) -> None:
    """A slow answer comes; one held longer than the client waits does not, and then ends by itself."""
    held = serve(slow_ms=10.0, timeout_s=30.0)
    held.app.state.faults.once("slow")
    assert held.get("/self").status_code == 200
    held.app.state.faults.once("timeout")
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(f"{held.url}/self", headers=TOKENS, timeout=0.05)
    assert held.get("/self").status_code == 200
    short = serve(timeout_s=0.01)
    short.app.state.faults.once("timeout")
    assert short.get("/self").status_code == 504


def test_revoked_until_granted_again(emu: Served) -> None:
    """A revoked token is 401 from now on, until the control route grants it again."""
    emu.app.state.faults.once("revoked")
    assert [emu.get("/self").status_code for _ in range(2)] == [401, 401]
    assert emu.send("POST", "/_emulator/grant").status_code == 200
    assert emu.get("/self").status_code == 200


def test_unknown_fault_is_named(emu: Served) -> None:
    """A fault that does not exist is refused with the list of those that do."""
    answer = emu.send("POST", "/_emulator/faults", {"explode": 1})
    assert answer.status_code == 400
    assert "truncated-json" in answer.json()["error"]


# -- counting and control ------------------------------------------------------------------------------------------


def test_meter_counts_by_caller_route_and_cost(emu: Served) -> None:
    """Requests are counted per caller with route, target and cost; control calls are not."""
    emu.get("/customers/1")
    emu.get("/invoices/booked?pagesize=5")
    emu.get("/customersapi/v3.1.0/Contacts")
    emu.send("POST", "/customers", {})
    counts = emu.json("/_emulator/stats")["callers"]["tester/1.0"]
    assert (counts["requests"], counts["writes"], counts["cost"]) == (4, 1, 12)
    assert counts["by_target"]["customers"] == {"reads": 1, "writes": 1}
    assert counts["by_route"]["GET /customersapi/contacts"] == 1
    assert counts["by_status"] == {"200": 3, "400": 1}


def test_switches_over_http(emu: Served) -> None:
    """Every switch is listed with its meaning, and can be set over HTTP."""
    listed = emu.json("/_emulator/switches")
    assert all(each["meaning"] and each["default"] in each["allowed"] for each in listed.values())
    emu.send("POST", "/_emulator/switches", {"lines_in_booked_list": "yes"})
    assert emu.app.state.switches.get("lines_in_booked_list") == "yes"
    assert emu.send("POST", "/_emulator/switches", {"lines_in_booked_list": "maybe"}).status_code == 400


# -- consent -------------------------------------------------------------------------------------------------------


def test_consent_page_and_redirect(emu: Served) -> None:
    """The page asks; approving goes back to the redirect address with the token added to what it had."""
    query = {"appPublicToken": "public", "redirectUrl": "http://127.0.0.1:1/back?state=x", "locale": "da-DK"}
    page = requests.get(emu.url + CONSENT, params=query, timeout=10)
    assert page.status_code == 200
    assert "Prøvefirma A/S" in page.text
    answer = requests.post(emu.url + CONSENT, params=query, allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://127.0.0.1:1/back?state=x&token=test-token")


def test_consent_without_redirect_shows_the_token(emu: Served) -> None:
    """Without a redirect address the token is shown to copy."""
    answer = requests.post(emu.url + CONSENT, params={"appPublicToken": "public"}, timeout=10)
    assert "test-token" in answer.text


def test_consent_for_an_unknown_app(emu: Served) -> None:
    """An unknown public token gets nowhere."""
    for call in (requests.get, requests.post):
        assert call(emu.url + CONSENT, params={"appPublicToken": "other"}, timeout=10).status_code == 400


@pytest.mark.parametrize(
    ("role", "allowed", "refused"),
    [
        (
            "Sales",
            ("/self", "/customers", "/invoices/totals/booked/unpaid", "/currencies", "/customersapi/v3.1.0/Contacts"),
            ("/accounting-years", "/accounting-years/2026/periods"),
        ),
        (
            "Bookkeeping",
            ("/accounting-years", "/currencies", "/vat-zones"),
            ("/self", "/customers/1", "/customer-groups", "/invoices/booked", "/customersapi/v3.1.0/Contacts"),
        ),
    ],
)
def test_a_role_opens_what_the_vendors_table_says(
    emu: Served, role: str, allowed: tuple[str, ...], refused: tuple[str, ...]
) -> None:
    """Everything else is 403, to reads too; SuperUser, the default, may all."""
    assert {emu.get(path).status_code for path in (*allowed, *refused)} <= {200, 404}
    emu.switch(granted_role=role)
    assert 403 not in {emu.get(path).status_code for path in allowed}
    assert {emu.get(path).status_code for path in refused} == {403}
    if role == "Sales":
        assert emu.json("/self")["application"]["requiredRoles"] == [{"roleNumber": 4, "name": "Sales"}]
