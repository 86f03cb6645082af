"""The harness sees what it is there to see: each kind of fault is put before it."""

from __future__ import annotations

import pytest

from tests.browser.axe import serious_findings
from tests.browser.elsewhere import elsewhere
from tests.browser.looks import LOOKS, Look, shots, sideways
from tests.browser.watch import Sizes
from worker.engine.terms import StartRequest

# The page's own icon is data.
POLICY = {"Content-Security-Policy": "default-src 'none'; img-src data:; script-src 'self'; style-src 'self'"}


@pytest.fixture
def see(signed_out, watch):
    """Opens a page with such a body; gives what the watch heard."""

    def opened(body: str, status: int = 200, then=lambda: None, **headers: str) -> list[str]:
        with elsewhere({"/": body}, status, **headers) as server:
            watch.allow_origin(server.url)
            signed_out.goto(server.url)
            signed_out.evaluate("() => new Promise(done => setTimeout(done))")  # what was thrown has been told by then
            then()
        return watch.take()

    return opened


def test_a_quiet_page_has_no_faults(see):
    assert see("<h1>Hej</h1>") == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("<script>missing()</script>", "uncaught error"),
        ("<script>Promise.reject(new Error('lost'))</script>", "uncaught error"),
        ("<script>console.error('so it is')</script>", "so it is"),
        ("<img src='http://images.example/one.png' alt=''>", "request to elsewhere: GET http://images.example/one.png"),
        ("<img src='http://192.0.2.1/one.png' alt=''>", "request to elsewhere"),
        ("<img src='/missing.png' alt=''>", "answer 404 to GET"),
    ],
)
def test_a_fault_behind_a_page_is_heard(see, body, told):
    faults = see(body)
    assert any(told in fault for fault in faults), faults


def test_what_the_policy_stops_is_heard(see):
    assert any("Content Security Policy" in fault for fault in see("<script>1</script>", **POLICY))
    assert any("Content Security Policy" in fault for fault in see("<p style='color: red'>Hej</p>", **POLICY))


def test_a_failed_page_is_heard_unless_the_test_means_it(see, watch):
    assert see("Sorry", 503)
    watch.allow_status(503)
    assert see("Sorry", 503) == []


def test_accessibility_is_judged_under_a_strict_policy(see, signed_out):
    found: list[str] = []
    see("<h1>Hej</h1><img src='data:,'><button></button>", then=lambda: found.extend(serious_findings(signed_out)))
    see("<h1>Hej</h1><button></button>", then=lambda: found.extend(serious_findings(signed_out)), **POLICY)
    rules = [one.split(": ")[1] for one in found]
    assert rules == ["button-name", "image-alt", "button-name"], found
    assert "<button></button>" in found[0]


def test_what_is_wider_than_the_window_is_named(see, signed_out):
    signed_out.set_viewport_size({"width": 360, "height": 740})
    wide: list[str] = []
    see(f"<pre id='wide'>{'x' * 200}</pre>", then=lambda: wide.extend(sideways(signed_out)))
    assert "wide" in wide[1]
    see("<p>narrow</p>", then=lambda: wide.clear() or wide.extend(sideways(signed_out)))
    assert wide == []


def test_large_pages_are_named(see, watch):
    see("x" * 2000)
    Sizes(watch).assert_small()
    with pytest.raises(AssertionError, match="over 1000 bytes"):
        Sizes(watch).assert_small(1000)


def test_our_pages_say_how_long_the_server_took(page, sizes):
    assert page.url
    assert [one.server_ms is not None for one in sizes.documents] == [True] * len(sizes.documents)


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_page_looks_as_asked(new_page, look):
    page = new_page(look)
    seen = page.evaluate(
        "() => [document.documentElement.lang, innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]"
    )
    assert seen == [look.language, look.width, look.dark]


def test_pictures_leave_a_page_as_it_was(new_page):
    page = new_page(Look("da", 360, dark=True))
    before = page.url
    made = shots(page, "harness/start page")
    assert [one.name for one in made] == [f"harness-start-page-{look}.png" for look in LOOKS]
    assert all(one.stat().st_size for one in made)
    assert page.viewport_size == {"width": 360, "height": 740}
    assert page.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches")
    assert (page.url, page.locator("html").get_attribute("lang")) == (before, "da")


def test_what_was_asked_for_is_worked(live, world):
    job, _ = live.host.engine.start(StartRequest("default", profiles=("Customers",)))
    assert live.finished(job).state.value == "Done"
    assert any(row.get("CustomerID") for row in world.rows("Companies"))


def test_the_next_test_starts_from_the_same(live, world):
    """Whichever of the two comes first."""
    assert not live.host.engine.jobs("default")
    assert not any(row.get("CustomerID") for row in world.rows("Companies"))
    live.access.new_link_token()
