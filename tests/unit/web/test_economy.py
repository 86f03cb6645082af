"""The economy card, the portfolio and invoices' documents: right figures, right people, right customer."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal

import pytest

from tests.fakes.fake_work import make_fake_stores
from tests.support.hosting import QUICK, HeardAlerts
from tests.unit.web.conftest import Console
from tests.unit.web.test_access import principal
from worker.engine.terms import StartRequest
from worker.settings import EngineSettings, Installation
from worker.web.app import access_for, create_app
from worker.wiring.engine import Host

NASTY = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


@pytest.fixture
def synced(console: Console) -> Console:
    """After a night."""
    return run(console)


def run(console: Console) -> Console:
    console.host.engine.start(StartRequest("default"))
    console.work()
    return console


def numbers(console: Console) -> list[int]:
    return [one["customerNumber"] for one in console.world.data.customers]


def customers(console: Console, *wanted: int, **changes: object) -> None:
    found = [one for one in console.world.data.customers if one["customerNumber"] in wanted]
    console.world.control("economic", "mutate", {"customers": [{**one, **changes} for one in found]})


def shown(text: str, label: str) -> Decimal:
    """The figure under a label of the English page."""
    found = re.search(rf"<dt>{re.escape(label)}</dt><dd[^>]*>([^<]*)<", text)
    assert found, label
    return Decimal(found[1].replace(",", "").split()[0])


class TestCard:
    """One company."""

    def test_the_card_says_what_e_conomic_says(self, synced):
        browser = synced.browser()
        with synced.world.app() as app:
            customers_there = {one.number: one for one in app.source.customers()}
        for number in numbers(synced):
            text = browser.get(f"/economy/{number}").text
            assert shown(text, "Balance") == customers_there[number].balance
            assert shown(text, "Overdue") == customers_there[number].due_amount

    def test_the_companies_add_up_to_the_ledgers_control_sums(self, synced):
        (job,) = synced.host.engine.jobs("default")
        sums = {line.column: line for one in job.runs for line in one.controls}
        text = synced.browser().get("/economy").text
        assert shown(text, "Balance") == sums["Balance"].source == sums["Balance"].target
        assert shown(text, "Overdue") == sums["OverdueAmount"].source

    def test_the_months_add_up_to_the_year(self, synced):
        """The table beside the chart has the same sales as the figure above it."""
        browser = synced.browser()
        for number in numbers(synced):
            text = browser.get(f"/economy/{number}").text
            table = text.partition("As a table")[2].partition("</table>")[0]
            now = re.findall(r'<tr><th scope="row">[^<]*</th><td class="number">([^<]*)</td>', table)
            assert len(now) == 12
            assert sum(Decimal(value.replace(",", "")) for value in now) == shown(text, "Sales this year")

    def test_a_customer_nobody_knows_is_not_found(self, synced):
        answer = synced.browser().get("/economy/999999")
        assert answer.status_code == 404
        assert "no company with Customer ID 999999" in answer.text

    @pytest.mark.parametrize("number", ["0", "-1", "x", "10" * 9, "1001%20or%201"])
    def test_a_number_that_is_none_is_refused(self, synced, number):
        assert synced.browser().get(f"/economy/{number}").status_code in (404, 422)

    def test_another_agreements_customer_is_not_shown(self, synced):
        """Two agreements can feed one site, and both count their customers from the same number."""
        first, second = numbers(synced)[:2]
        synced.world.edit("Companies", "CustomerID", str(first), {"ImportID": f"economic:999:{first}"})
        browser = synced.browser()
        assert browser.get(f"/economy/{first}").status_code == 404
        assert browser.post(f"/economy/{first}", data={"csrf": ""}).status_code == 404
        assert browser.get(f"/economy/{first}/invoices/10001.pdf").status_code == 404
        assert browser.get(f"/economy/{second}").status_code == 200
        assert f"/economy/{first}" not in browser.get("/economy").text

    def test_a_column_that_was_dropped_is_left_out(self, synced):
        """Columns are the customer's own to drop."""
        synced.world.drop_column("Companies", "SalesLast12Months")
        text = synced.browser().get(f"/economy/{numbers(synced)[0]}").text
        assert "Last 12 months" not in text
        assert shown(text, "Balance")


class TestInvoices:
    """The list on the card."""

    def test_sorted_filtered_and_by_the_page(self, synced):
        number = numbers(synced)[0]
        browser = synced.browser()
        up = re.findall(r'<th scope="row">(\d+)</th>', browser.get(f"/economy/{number}?sort=number&up=1").text)
        down = re.findall(r'<th scope="row">(\d+)</th>', browser.get(f"/economy/{number}?sort=number").text)
        assert up == sorted(up, key=int)
        assert down == up[::-1]
        paid = browser.get(f"/economy/{number}?status=Paid").text.partition('id="invoices"')[2]
        assert set(re.findall(r'<span class="pill \w+">([^<]+)</span>', paid)) == {"Paid"}

    def test_a_document_comes_through_us(self, synced):
        number = numbers(synced)[0]
        browser = synced.browser()
        links = re.findall(r'href="(/economy/\d+/invoices/\d+\.pdf)"', browser.get(f"/economy/{number}").text)
        answer = browser.get(links[0], follow_redirects=False)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF")
        assert "token" not in answer.headers["content-disposition"]

    def test_another_customers_document_is_not_given(self, synced):
        first, *others = numbers(synced)
        browser = synced.browser()
        strange = next(
            found[0]
            for number in others
            if (found := re.findall(r"/invoices/(\d+)\.pdf", browser.get(f"/economy/{number}").text))
        )
        assert browser.get(f"/economy/{first}/invoices/{strange}.pdf").status_code == 404

    @pytest.mark.parametrize(
        "odd", ["..%2F..%2Fself", "1.pdf%3Fx=1", "http:%2F%2F127.0.0.1%2F", "%00", "0", "1e3", "9" * 20]
    )
    def test_a_document_leads_nowhere_else(self, synced, odd):
        answer = synced.browser().get(f"/economy/{numbers(synced)[0]}/invoices/{odd}.pdf", follow_redirects=False)
        assert answer.status_code in (400, 404, 422)


class TestLive:
    """e-conomic, looked up now."""

    def test_what_changed_since_the_night_is_marked(self, synced):
        number = numbers(synced)[0]
        customers(synced, number, creditLimit=123456.78)
        browser = synced.browser()
        before = synced.world.truth()
        text = browser.post(f"/economy/{number}", data={"csrf": browser.headers["X-CSRF-Token"]}).text
        news = text.partition("What is newer in e-conomic")[2].partition("</table>")[0]
        assert "Credit limit" in news
        assert "123,456.78" in news
        assert "1 figure is newer than in the CRM" in text
        assert synced.world.truth() == before, "a look-up writes nothing"

    def test_a_customer_barred_since_the_night_is_marked(self, synced):
        """The word beside the name is e-conomic's then, and the CRM does not say the same."""
        number = numbers(synced)[1]
        customers(synced, number, barred=True)
        browser = synced.browser()
        assert "Barred" not in browser.get(f"/economy/{number}").text
        text = browser.post(f"/economy/{number}", data={"csrf": browser.headers["X-CSRF-Token"]}).text
        assert '<span class="pill warn">Barred</span> <small class="warn">in the CRM: Active</small>' in text
        assert "ERP status" in text.partition("What is newer in e-conomic")[2].partition("</table>")[0]
        assert "the CRM says the same" not in text

    def test_how_long_it_takes_to_pay_comes_from_the_ledger(self, synced):
        """The emulator's payments are made on the day an invoice is due."""
        browser = synced.browser()
        asked = [
            browser.post(f"/economy/{number}", data={"csrf": browser.headers["X-CSRF-Token"]}).text
            for number in numbers(synced)
        ]
        assert any(re.search(r"\d+ days on average", text) for text in asked)

    def test_where_the_ledger_may_not_be_read_the_card_says_so(self, synced):
        browser = synced.browser()
        synced.world.economic_app.state.switches.set("missing_modules", "bookedentriesapi")
        try:
            answer = browser.post(f"/economy/{numbers(synced)[0]}", data={"csrf": browser.headers["X-CSRF-Token"]})
        finally:
            synced.world.economic_app.state.switches.reset()
        assert answer.status_code == 200
        assert "may not read the ledger" in answer.text

    def test_unchanged_figures_are_told_to_be_the_same(self, synced):
        browser = synced.browser()
        for number in numbers(synced):
            text = browser.post(f"/economy/{number}", data={"csrf": browser.headers["X-CSRF-Token"]}).text
            assert "the CRM says the same" in text, number

    def test_without_e_conomic_the_crms_figures_stay(self, synced):
        number = numbers(synced)[0]
        browser = synced.browser()
        standing = shown(browser.get(f"/economy/{number}").text, "Balance")
        synced.world.control("economic", "faults", {"503": 1.0})
        try:
            answer = browser.post(f"/economy/{number}", data={"csrf": browser.headers["X-CSRF-Token"]})
            again = browser.get(f"/economy/{number}")
        finally:
            synced.world.control("economic", "faults", {})
        assert answer.status_code == 503
        assert "e-conomic" in answer.text.partition('role="alert"')[2]
        assert shown(answer.text, "Balance") == standing
        assert again.status_code == 200, "the card itself needs no e-conomic"

    def test_without_sharepoint_the_page_says_so(self, synced):
        synced.world.control("sharepoint", "faults", {"503": 1.0})
        try:
            answer = synced.browser().get("/economy")
        finally:
            synced.world.control("sharepoint", "faults", {})
        assert answer.status_code == 503
        assert "SharePoint" in answer.text


class TestPortfolio:
    """All companies."""

    def test_overdue_first(self, synced):
        rows = lines(synced.browser().get("/economy/companies.csv").content)
        amounts = [Decimal(row["OverdueAmount"] or 0) for row in rows]
        assert amounts == sorted(amounts, reverse=True)
        assert len(rows) == len(numbers(synced))

    def test_lapsed_and_declining_show_only_those(self, synced):
        browser = synced.browser()
        lapsed = lines(browser.get("/economy/companies.csv?order=lapsed").content)
        assert {row["SalesTrend"] for row in lapsed} <= {"Lapsed"}
        falling = lines(browser.get("/economy/companies.csv?order=decline").content)
        assert all(Decimal(row["SalesYearToDate"]) < Decimal(row["SalesLastYearToDate"]) for row in falling)

    def test_a_formula_is_no_formula_in_the_download(self, console):
        number = numbers(console)[0]
        customers(console, number, name="=cmd|' /C calc'!A0")
        rows = lines(run(console).browser().get("/economy/companies.csv").content)
        named = next(row for row in rows if row["CustomerID"] == str(number))
        assert named["Title"] == "'=cmd|' /C calc'!A0"

    def test_danes_get_semicolons_and_decimal_commas(self, synced):
        text = synced.browser().get("/economy/companies.csv?lang=da").content.decode("utf-8-sig")
        assert text.startswith("CustomerID;Title;Balance")
        assert re.search(r";-?\d+,\d{2};", text)

    def test_the_list_is_read_once_a_minute(self, synced):
        browser = synced.browser()
        browser.get("/economy")
        before = synced.world.control("sharepoint", "stats")["total"]["requests"]
        for order in ("overdue", "decline", "lapsed", "name"):
            browser.get(f"/economy?order={order}")
        assert synced.world.control("sharepoint", "stats")["total"]["requests"] == before


class TestSafety:
    """Names are data, frames are the tenant's, and roles are roles."""

    def test_names_are_never_markup(self, console):
        """Every text field of e-conomic, on every page that shows one."""
        number = numbers(console)[0]
        texts = ("name", "address", "city", "email", "telephoneAndFaxNumber", "website", "country")
        customers(console, number, **dict.fromkeys(texts, NASTY))
        run(console)
        job = console.host.engine.jobs("default")[0]
        browser = console.browser()
        base = f"/manage/runs/default/{job.job_id}"
        pages = [
            "/economy", f"/economy/{number}", base, f"{base}/plan", "/manage/customer/default?q=script",
            f"/manage/customer/default?number={number}", "/manage/profiles/default?title=Customers",
            f"/economy?q={NASTY}", f"/manage/customer/default?q={NASTY}", f"{base}/plan?text={NASTY}",
        ]  # fmt: skip
        seen = ""
        for path in pages:
            answer = browser.get(path)
            assert answer.status_code == 200, path
            assert "<script>alert" not in answer.text, path
            assert "<img src=x" not in answer.text, path
            seen += answer.text
        assert "&lt;script&gt;" in seen

    def test_only_the_tenants_pages_may_frame_a_card(self, synced):
        number = numbers(synced)[0]
        policy = synced.browser().get(f"/economy/{number}").headers["content-security-policy"]
        ancestors = policy.rpartition("frame-ancestors")[2].split()
        site = synced.world.site_url
        assert "'self'" in ancestors
        assert site.startswith(next(one for one in ancestors if one.startswith("http://127.0.0.1")))
        assert not {"*", "https:", "http:"} & set(ancestors)
        console_page = synced.browser().get("/manage/overview/default").headers["content-security-policy"]
        assert console_page.rpartition("frame-ancestors")[2].strip() == "'none'"

    def test_a_frame_has_no_navigation_and_stays_one(self, synced):
        text = synced.browser().get(f"/economy/{numbers(synced)[0]}?embed=1").text
        assert "/manage" not in text
        inside = re.findall(r'href="(/economy[^"]*)"', text)
        assert inside
        assert all("embed=1" in address for address in inside)

    def test_salespeople_see_no_way_into_the_console(self, world):
        """They may see figures, and nothing else is shown to them."""
        made = hosted(world, "role")
        client = made.client(**{"x-ms-client-principal": principal("Sync.Economy")})
        answer = client.get("/economy")
        assert answer.status_code == 200
        assert "/manage/profiles" not in answer.text

    @pytest.mark.parametrize(("economy_for", "status"), [("role", 403), ("everyone", 200)])
    def test_who_sees_cards_is_a_setting(self, world, economy_for, status):
        client = hosted(world, economy_for).client(**{"x-ms-client-principal": principal("Another.Role")})
        assert client.get("/economy").status_code == status


def hosted(world, economy_for: str) -> Console:
    """The app as the platform runs it."""
    engine = EngineSettings(economy_for=economy_for)  # type: ignore[arg-type]
    installation = Installation(engine, {"default": world.settings()}, platform_sign_in=True)
    stores = make_fake_stores(world.clock)
    host = Host(installation, stores, clock=world.clock, alerts=HeardAlerts(), options=QUICK, patient=False)
    access = access_for(host)
    return Console(world, host, create_app(host, access=access), access)


def lines(content: bytes) -> list[dict[str, str]]:
    """Rows of an English download."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
