"""Fixtures of the browser tests.

    live        the product over both emulators, from the same start for each test
    page        a wide English page, signed in
    signed_out  the same, not signed in
    new_page    makes pages: new_page(Look("da", 360, dark=True), signed_in=False)
    watch       what went wrong behind the pages; allows what a test causes on purpose
    sizes       how large the pages were

A module changes what its tests start from by overriding `world`, `connections`, `engine_settings` or `history`.
Every test here is slow. A page whose test failed is pictured in build/screenshots/failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.looks import FOLDER, Look, shot
from tests.browser.stage import Live, Stage
from tests.browser.watch import Sizes, Watch
from tests.support.browser import needed_chromium
from tests.support.world import World
from worker.settings import EngineSettings, Installation, Settings

KEY = "a-key-for-programs"
_HERE = Path(__file__).parent
_TIMEOUT_MS = 15_000  # of an action or an expectation: only a fault takes so long, even on a busy machine
# No sound of the browser's own in the network: everything but the loopback goes to a proxy that is not there.
_QUIET = (
    "--proxy-server=http://127.0.0.1:9",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-gpu",
)
_FAILED = pytest.StashKey[bool]()
NewPage = Callable[..., Page]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browsers are slow, all of them."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """So that pages can be pictured when their test failed."""
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
    return report


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One for this process, started when it is first wanted. It ends with this folder's tests: Playwright keeps an
    event loop running in this thread, in which nobody else could run one."""
    executable = needed_chromium()
    expect.set_options(timeout=_TIMEOUT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=_QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An agreement, and a site with lists and the shipped profiles."""
    with World(tmp_path_factory.mktemp("browser"), patient=False) as made:
        made.set_up()
        yield made


@pytest.fixture(scope="module")
def connections(world: World) -> Mapping[str, Settings]:
    """By name."""
    return {"default": world.settings()}


@pytest.fixture(scope="module")
def engine_settings() -> EngineSettings:
    """Of the whole installation."""
    return EngineSettings(api_key=KEY)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def history() -> Callable[[Live], None]:
    """What has happened before each test; done once."""
    return lambda _live: None


@pytest.fixture(scope="module")
def stage(
    world: World,
    connections: Mapping[str, Settings],
    engine_settings: EngineSettings,
    history: Callable[[Live], None],
) -> Stage:
    """Set, with its history."""
    made = Stage(world, Installation(engine_settings, connections, folder=world.folder / "data"))
    with made.serving() as live:
        history(live)
    made.snapshot()
    return made


@pytest.fixture
def live(stage: Stage) -> Iterator[Live]:
    """The product serving, from where the stage was set."""
    stage.restore()
    with stage.serving() as served:
        yield served


@pytest.fixture
def watch(live: Live) -> Iterator[Watch]:
    """Fails the test at its end for every fault that it did not allow or take."""
    made = Watch({live.url})
    yield made
    assert not made.faults, "behind the pages:\n" + "\n".join(made.faults)


@pytest.fixture
def sizes(watch: Watch) -> Sizes:
    """Of the documents that were seen."""
    return Sizes(watch)


@pytest.fixture
def new_page(request: pytest.FixtureRequest, browser: Browser, live: Live, watch: Watch) -> Iterator[NewPage]:
    """Makes pages in contexts of their own: as if each were somebody else's browser."""
    contexts: list[tuple[Look, BrowserContext]] = []

    def make(look: Look | None = None, *, signed_in: bool = True) -> Page:
        look = look or Look()
        context = browser.new_context(base_url=live.url, service_workers="block", **look.options())
        context.set_default_timeout(_TIMEOUT_MS)
        contexts.append((look, context))
        watch.hear(context)
        page = context.new_page()
        if signed_in:
            page.goto(live.login_url())
        return page

    yield make
    for look, context in contexts:
        if request.node.stash.get(_FAILED, False):
            _picture(request.node.name, look, context)
        context.close()


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """On the start page."""
    return new_page()


@pytest.fixture
def signed_out(new_page: NewPage) -> Page:
    """On no page yet."""
    return new_page(signed_in=False)


def _picture(test: str, look: Look, context: BrowserContext) -> None:
    for number, page in enumerate(context.pages):
        shot(page, test, f"{look}-{number}", FOLDER / "failed")
