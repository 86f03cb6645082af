"""The economy card and the portfolio in a browser: as a salesperson looks at them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import assert_accessible
from tests.browser.elsewhere import elsewhere
from tests.browser.going import follow
from tests.browser.looks import Look, assert_no_sideways_scrolling, shots
from tests.browser.stage import Live
from worker.engine.terms import StartRequest


@pytest.fixture(scope="module")
def history() -> Callable[[Live], None]:
    """A night."""
    return lambda live: live.finished(live.host.engine.start(StartRequest("default"))[0]) and None


@pytest.fixture
def number(live: Live) -> int:
    """The customer with most invoices."""
    rows = [row["CustomerID"] for row in live.world.rows("Invoices")]
    return int(max(set(rows), key=rows.count))


@pytest.fixture
def card(page: Page, number: int) -> Page:
    page.goto(f"/economy/{number}")
    return page


def figure(page: Page, label: str) -> str:
    return page.locator("dl.figures div", has=page.get_by_text(label, exact=True)).locator("dd").inner_text()


def danish(amount: float) -> str:
    return f"{amount:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".")


def test_the_cards_figures_are_the_lists(card, live, number):
    company = next(row for row in live.world.rows("Companies") if row["CustomerID"] == str(number))
    assert figure(card, "Balance") == f"{company['Balance']:,.2f}"
    assert figure(card, "Overdue") == f"{company['OverdueAmount']:,.2f}"
    assert figure(card, "Sales this year") == f"{company['SalesYearToDate']:,.2f}"
    assert_accessible(card)
    shots(card, "card")


def test_a_danish_card_writes_danish_numbers(new_page, live, number):
    page = new_page(Look("da", 360, dark=True))
    page.goto(f"/economy/{number}")
    company = next(row for row in live.world.rows("Companies") if row["CustomerID"] == str(number))
    expect(page.locator("dl.figures")).to_contain_text(danish(company["Balance"]))
    assert_no_sideways_scrolling(page)
    assert_accessible(page)


def test_invoices_are_sorted_and_filtered(card, live, number):
    follow(card.get_by_role("link", name="Amount"))
    amounts = [
        float(text.split()[0].replace(",", ""))
        for text in card.locator("#invoices td[data-label=Amount]").all_inner_texts()
    ]
    assert amounts == sorted(amounts, reverse=True)
    card.get_by_label("Status").select_option("Paid")
    follow(card.get_by_role("button", name="Filter"))
    states = set(card.locator("#invoices tbody .pill").all_inner_texts())
    assert states == {"Paid"}


def test_an_invoice_is_a_document_for_who_is_signed_in(card, live):
    """The link needs nothing but the session; without it there is nothing to see."""
    link = card.locator("#invoices").get_by_role("link", name="PDF").first.get_attribute("href")
    answer = card.request.get(link)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.body().startswith(b"%PDF")
    card.context.clear_cookies()
    assert card.request.get(link).status == 401


def test_e_conomic_is_looked_up_now(card, live, number):
    one = next(c for c in live.world.data.customers if c["customerNumber"] == number)
    live.world.control("economic", "mutate", {"customers": [{**one, "creditLimit": 4711.0}]})
    card.get_by_role("button", name="Look up in e-conomic now").click()
    expect(card.get_by_text("From e-conomic", exact=True)).to_be_visible()
    expect(card.get_by_role("row", name="Credit limit")).to_contain_text("4,711")
    assert_accessible(card)
    shots(card, "card-live", None)


def test_the_tenants_page_may_frame_a_card(page, live, watch, number):
    """Nobody else's: the site's own host is allowed, a stranger's is not."""
    frame = f'<iframe title="card" src="{live.address(f"/economy/{number}")}?embed=1"></iframe>'
    with elsewhere({"/": frame}) as server:
        watch.allow_origin(server.url)
        with page.expect_console_message(lambda said: "frame" in said.text):
            page.goto(server.url)
        expect(page.frame_locator("iframe").get_by_role("heading")).to_have_count(0)
    assert any("frame" in fault for fault in watch.take())
    page.goto(f"/economy/{number}?embed=1")
    expect(page.get_by_role("navigation", name="Sections")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_the_portfolio_leads_to_the_card(page):
    page.goto("/economy")
    page.get_by_label("Order").select_option("lapsed")
    follow(page.get_by_role("button", name="Show"))
    trends = set(page.locator("td[data-label=Trend]").all_inner_texts())
    assert trends == {"Lapsed"}
    page.locator("tbody th a").first.click()
    expect(page.get_by_role("button", name="Look up in e-conomic now")).to_be_visible()


@pytest.mark.parametrize("look", [Look("en", 360), Look("en", 1440, dark=True)], ids=str)
def test_the_portfolio_is_accessible(new_page, look):
    page = new_page(look)
    page.goto("/economy")
    assert_no_sideways_scrolling(page)
    assert_accessible(page)
