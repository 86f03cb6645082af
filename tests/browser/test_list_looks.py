"""The CRM's own lists as people see them in SharePoint, with what provisioning put there."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import Look, assert_no_sideways_scrolling, shot
from tests.browser.stage import Live
from worker.engine.terms import StartRequest
from worker.settings import EngineSettings

_WIDTHS = [Look("en", 1440), Look("en", 360)]


@pytest.fixture(scope="module")
def engine_settings() -> EngineSettings:
    return EngineSettings(public_url="https://sync.contoso.example")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def history() -> Callable[[Live], None]:
    """Links to the card, and a night."""

    def happened(live: Live) -> None:
        with live.host.open("default") as app:
            app.provision(app.provision_plan(economy_url=live.host.installation.economy_address("default")))
        live.finished(live.host.engine.start(StartRequest("default"))[0])

    return happened


@pytest.fixture(params=_WIDTHS, ids=str)
def site(request, new_page, live, watch) -> Page:
    """On the site's start page."""
    watch.allow_origin(live.world.site_url)
    page = new_page(request.param)
    page.goto(live.world.site_url)
    return page


def opened(site: Page, name: str, view: str = "") -> Page:
    for link in filter(None, (name, view)):
        with site.expect_navigation():
            site.get_by_role("link", name=link, exact=True).click()
    assert_no_sideways_scrolling(site)
    shot(site, f"list {name} {view}", f"{site.viewport_size['width']}-light")
    return site


def company(site: Page, live: Live, column: str, largest: Callable[[float], float]) -> dict:
    rows = [row for row in live.world.rows("Companies") if row.get(column)]
    return max(rows, key=lambda row: largest(row[column]))


def test_money_stands_out(site, live):
    """Overdue first, in a pill, with its age as a bar; the trend with its arrow."""
    opened(site, "Companies", "Money")
    worst = company(site, live, "OverdueAmount", lambda amount: amount)
    first = site.locator("table.list tbody tr").first
    expect(first).to_contain_text(worst["Title"][:20])
    pill = first.locator("td", has_text=re.compile(r"^[\d.]+,\d\d$")).locator("div[class*=Bg], span[class*=Bg]").first
    expect(pill).to_be_visible()
    expect(first).to_contain_text(f"{int(worst['OldestOverdueDays'])} days")
    assert set("↗→↘↓") & set(site.locator("table.list").inner_text())


def test_slipping_customers_are_only_those(site, live):
    opened(site, "Companies", "Slipping customers")
    wanted = {row["Title"] for row in live.world.rows("Companies") if row["SalesTrend"] in ("Declining", "Lapsed")}
    shown = site.locator("table.list tbody tr td.title a").all_inner_texts()
    assert len(shown) == len(wanted) > 0


def test_numbers_lead_to_the_card(site, live):
    opened(site, "Companies", "Money")
    links = site.locator("a[href^='https://sync.contoso.example/economy/']:visible")
    assert links.count() == sum(1 for row in live.world.rows("Companies") if row["CustomerID"])
    expect(links.first).to_have_attribute("href", re.compile(r"/economy/\d+"))


def test_open_invoices_stand_below_their_company(site, live):
    opened(site, "Invoices", "Open by company")
    groups = site.locator("tr.group")
    rows = live.world.rows("Invoices")
    owing = {row["CompanyId"] for row in rows if row["InvoiceStatus"] in ("Overdue", "Not due")}
    assert groups.count() == len(owing)
    expect(groups.first).to_contain_text(re.compile(r"\d"))


def test_runs_say_how_they_went(site):
    opened(site, "Sync runs")
    expect(site.locator("table.list tbody tr").first).to_contain_text("Succeeded")


def test_a_companys_form_has_its_sections(site, live):
    item = live.world.rows("Companies")[-1]
    site.goto(f"{live.world.site_url}/Lists/Companies/DispForm.aspx?ID={item['Id']}")
    for title in ("Master data", "Money", "Sales"):
        expect(site.get_by_role("heading", name=title, exact=True)).to_be_visible()
    assert_no_sideways_scrolling(site)
    shot(site, "list form company", f"{site.viewport_size['width']}-light")
