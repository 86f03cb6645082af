"""Signing in and out with a browser, and what other sites can't do with it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.axe import assert_accessible
from tests.browser.elsewhere import by_other_name, elsewhere
from tests.browser.looks import Look, shots


def test_the_login_link_signs_in_and_leaves_the_address(page, live):
    """The token must not stay where people copy addresses from."""
    assert "token" not in page.url
    assert page.url.startswith(live.address("/manage"))
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_the_session_is_nothing_a_script_can_read(page):
    assert page.evaluate("() => document.cookie") == ""


def test_a_login_link_is_good_once(new_page, live, sizes):
    link = live.login_url()
    new_page(signed_in=False).goto(link)
    late = new_page(signed_in=False)
    answer = late.goto(link)
    assert answer.status == 401
    expect(late.get_by_role("alert")).to_contain_text("used up or too old")
    assert_accessible(late)
    shots(late, "login-used-up")
    late.goto("/manage")
    expect(late.get_by_role("alert")).to_contain_text("not signed in")
    sizes.assert_small()


@pytest.mark.parametrize("path", ["/manage", "/manage/overview/default", "/manage/connection/default", "/"])
def test_a_page_is_refused_to_who_is_not_signed_in(signed_out, path):
    answer = signed_out.goto(path)
    assert answer.status == 401
    expect(signed_out.get_by_role("alert")).to_contain_text("You are not signed in.")
    expect(signed_out.get_by_role("navigation", name="Sections")).to_have_count(0)


def test_the_refusal_is_in_the_readers_language(new_page):
    danish = new_page(Look("da"), signed_in=False)
    danish.goto("/manage")
    expect(danish.locator("html")).to_have_attribute("lang", "da")
    assert "You are not signed in." not in danish.get_by_role("alert").inner_text()


def test_signing_out_ends_the_session(page):
    with page.expect_navigation() as going:
        page.get_by_role("button", name="Sign out").click()
    assert going.value.ok
    expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
    assert page.goto("/manage").status == 401


_FORM = '<form method="post" action="{action}"><input name="csrf" value="guessed"><button>Win a prize</button></form>'


@pytest.mark.parametrize("other_site", [False, True], ids=["from another port", "from another site"])
def test_another_sites_form_is_refused(page, live, watch, other_site):
    """A port of the same machine is the same site to a browser: its cookie comes along, and still it is no use."""
    with elsewhere({"/": _FORM.format(action=live.address("/manage/logout"))}) as server:
        bait = by_other_name(server) if other_site else server.url
        watch.allow_origin(bait)
        page.goto(bait)
        with page.expect_navigation(url=live.address("/manage/logout")) as going:
            page.get_by_role("button").click()
        assert going.value.status == (401 if other_site else 403)
        expect(page.get_by_role("alert")).to_be_visible()
    assert page.goto("/manage").ok, "the session was ended from elsewhere"


def test_another_sites_script_starts_no_run(page, live, watch):
    with elsewhere({"/": "bait"}) as server:
        watch.allow_origin(server.url)
        watch.allow_status(403)
        page.goto(server.url)
        send = "url => fetch(url, {method: 'POST', mode: 'no-cors', credentials: 'include', body: '{}'}).then(() => 1)"
        page.evaluate(send, live.address("/manage/api/runs"))
    assert not live.host.engine.jobs("default")


def test_another_site_cant_frame_the_console(page, live, watch):
    with elsewhere({"/": f'<iframe src="{live.address("/manage")}"></iframe>'}) as server:
        watch.allow_origin(server.url)
        with page.expect_console_message(lambda said: "frame" in said.text):
            page.goto(server.url)
        expect(page.frame_locator("iframe").get_by_role("heading")).to_have_count(0)
    assert any("frame" in fault for fault in watch.take())


def test_a_form_with_an_old_token_is_refused(page, live):
    """Somebody else's session: the page must be loaded again."""
    page.goto("/manage")
    form = page.locator("form[action='/manage/logout']")
    form.locator("input[name=csrf]").evaluate("one => { one.value = 'stale' }")
    with page.expect_navigation() as going:
        form.evaluate("one => one.submit()")  # as without our script, which would have looked for the new token
    assert going.value.status == 403
    assert "too old" in page.get_by_role("alert").inner_text()


def test_what_was_typed_outlives_an_expired_session(page, live, new_page, watch):
    """Signed in again in another tab, the same page goes on."""
    watch.allow_status(401)
    page.goto("/manage/profiles/default?title=Customers")
    page.get_by_label("Stop if changes exceed %").fill("44")
    page.context.clear_cookies()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("You are signed out. Sign in again in another tab")).to_be_visible()
    expect(page.get_by_label("Stop if changes exceed %")).to_have_value("44")
    other = page.context.new_page()
    other.goto(live.login_url())
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    with live.host.open("default") as app:
        assert next(row.profile.max_change_pct for row in app.profiles.profiles() if row.title == "Customers") == 44
