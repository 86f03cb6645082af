"""From nothing to the first applied plan, with a browser and nothing else: a new administrator's first hour."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest
from playwright.sync_api import expect

from tests.browser.axe import assert_accessible
from tests.browser.looks import shot
from tests.browser.stage import Stage
from tests.support.world import World
from worker.settings import load_installation

# What an operator sets; the site and the grant are typed in the console.
_GIVEN = ("ECONOMIC_APP_SECRET", "ECONOMIC_BASE_URL", "ECONOMIC_OPENAPI_URL", "SHAREPOINT_AUTH", "SHAREPOINT_TOKEN",
          "SHAREPOINT_UNITS_PER_MINUTE", "SYNC_DATA_DIR", "SYNC_AS_OF")  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An agreement, and a site without any list of ours."""
    with World(tmp_path_factory.mktemp("first"), patient=False) as made:
        yield made


@pytest.fixture(scope="module")
def environment(world: World) -> Iterator[Mapping[str, str]]:
    """Of the server, which has no site and no grant yet."""
    given = world.environment()
    values = {name: given[name] for name in _GIVEN}
    with world.app() as app:
        public = app.source.client.get("/self")["application"]["appPublicToken"]
    consent = f"{world.economic.url}/secure/api1/requestaccess.aspx"
    values |= {"ECONOMIC_APP_PUBLIC_TOKEN": public, "ECONOMIC_GRANT_URL": consent}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ECONOMIC_GRANT_TOKEN", "SHAREPOINT_SITE_URL"):
            patch.delenv(name, raising=False)
        for name, value in values.items():
            patch.setenv(name, value)
        patch.chdir(world.folder)
        yield values


@pytest.fixture(scope="module")
def stage(world: World, environment: Mapping[str, str]) -> Stage:
    """Nothing has happened yet."""
    made = Stage(world, load_installation())
    made.snapshot()
    return made


def test_from_nothing_to_the_first_applied_plan(page, live, watch, world):
    watch.allow_origin(world.economic.url)
    watch.allow_status(503)
    # The start page says what is to be done, and leads there.
    expect(page.get_by_role("heading", name="First steps")).to_be_visible()
    shot(page, "first-steps", "en-1440-light")
    page.get_by_role("link", name="Name the SharePoint site and connect e-conomic").click()
    # The site, with a typing mistake first: what was typed stays.
    page.get_by_label("SharePoint site").fill("http://contoso.sharepoint.com/sites/crm")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("SharePoint site (SHAREPOINT_SITE_URL)")
    expect(page.get_by_label("SharePoint site")).to_have_value("http://contoso.sharepoint.com/sites/crm")
    page.get_by_label("SharePoint site").fill(world.site_url)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("Saved.")
    # To e-conomic and back.
    page.get_by_role("link", name="Connect e-conomic").click()
    expect(page).to_have_url(re.compile(f"^{re.escape(world.economic.url)}"))
    page.get_by_role("button").first.click()
    expect(page.get_by_text("e-conomic is connected.")).to_be_visible()
    assert "token" not in page.url
    # The test says that lists are missing; provisioning makes them.
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#test-result")).to_contain_text("Agreement number")
    shot(page, "connection-tested", "en-1440-light")
    page.get_by_role("button", name="Preview what is missing").click()
    expect(page.locator("#preview")).to_contain_text("things are missing")
    page.get_by_role("button", name="Make exactly these").click()
    expect(page.get_by_text("Everything that was missing has been made.")).to_be_visible()
    # A plan, looked at and applied.
    page.get_by_role("link", name="Plan and run").click()
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="Apply this plan")).to_be_visible()
    page.get_by_role("link", name="Every change, field by field").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Customers")
    changes = int(page.locator(".figures b").first.inner_text())
    assert changes == len(world.data.customers)
    page.get_by_role("link", name="To apply this plan").click()
    page.get_by_role("button", name="Apply this plan").click()
    expect(page.get_by_text("Applies exactly what this plan showed:")).to_be_visible()
    expect(page.get_by_text("Every row is accounted for").first).to_be_visible()
    assert_accessible(page)
    assert len(world.rows("Companies")) == changes
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", name="First steps")).to_have_count(0)
