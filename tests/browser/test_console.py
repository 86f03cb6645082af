"""The console's work: mapping, plans, refused rows, cancelling, retrying; by mouse and by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import assert_accessible
from tests.browser.going import follow
from tests.browser.looks import Look, assert_no_sideways_scrolling, shots
from worker.domain.report import RunMode
from worker.engine.terms import StartRequest

PROFILES = "/manage/profiles/default"


def preview(page: Page, *profiles: str) -> None:
    """Makes a plan of these profiles and waits until it can be applied."""
    page.goto("/manage/plan/default")
    for box in page.get_by_role("checkbox").all():
        box.set_checked(box.get_attribute("value") in profiles)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="Apply this plan")).to_be_visible()


def customers(world, *numbers: int, **changes: object) -> None:
    """These customers of e-conomic, changed."""
    found = [c for c in world.data.customers if c["customerNumber"] in numbers]
    world.control("economic", "mutate", {"customers": [{**one, **changes} for one in found]})


def first_numbers(world, count: int) -> list[int]:
    return [c["customerNumber"] for c in world.data.customers[:count]]


def source_of(page: Page, column: str):
    """The field that a column of the mapper takes its value from."""
    return page.locator("table.mapper").get_by_role("combobox", name=re.compile(rf"^{column} (?!of)"))


def row_of(page: Page, column: str):
    """The column's row of the mapper."""
    return source_of(page, column).locator("xpath=ancestor::tr")


class TestMapper:
    """Profiles, edited."""

    def test_a_mistake_is_marked_at_its_row_and_mended(self, page, live):
        page.goto(f"{PROFILES}?title=Customers")
        source_of(page, "City").fill("Citty")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("marked below")
        row = row_of(page, "City")
        expect(row.locator(".problem")).to_contain_text("Did you mean City?")
        expect(source_of(page, "City")).to_have_value("Citty")
        assert_accessible(page)
        source_of(page, "City").fill("City")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("Saved.")).to_be_visible()

    def test_a_type_that_does_not_fit_is_told_while_it_is_typed(self, page):
        """Before anything is saved: the page asks by itself."""
        page.goto(f"{PROFILES}?title=Customers")
        field = source_of(page, "Credit limit")
        field.fill("LastUpdated")
        field.press("Tab")
        row = row_of(page, "Credit limit")
        expect(row.locator(".problem")).to_contain_text("can't hold it")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("alert")).to_be_visible()

    def test_live_values_stand_beside_the_fields(self, page, world):
        page.goto(f"{PROFILES}?title=Customers")
        shown = page.locator("[data-sample=Name]").first
        names = {c["name"] for c in world.data.customers}
        expect(shown).not_to_be_empty()
        assert shown.inner_text() in names

    def test_a_new_profile_is_suggested_and_saved(self, page, live):
        page.goto(f"{PROFILES}?new=Customer")
        page.get_by_label("Title", exact=True).first.fill("Master data, mine")
        page.get_by_role("button", name="Suggest mapping").click()
        expect(source_of(page, "City")).to_have_value("City")
        expect(source_of(page, "Zip")).to_have_value("PostalCode")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("Saved.")).to_be_visible()
        with live.host.open("default") as app:
            saved = next(row.profile for row in app.profiles.profiles() if row.title == "Master data, mine")
        assert {rule.target: rule.source for rule in saved.rules}["Zip"] == "PostalCode"
        assert not saved.enabled

    def test_a_duplicate_is_another_profile(self, page, live):
        page.goto(PROFILES)
        page.get_by_role("link", name="Duplicate Customers").click()
        expect(page.get_by_label("Title", exact=True).first).to_have_value("Customers (2)")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("link", name="Customers (2)", exact=True)).to_be_visible()

    def test_two_people_see_both_versions(self, page, new_page, live):
        """The second save does not overwrite the first unseen."""
        other = new_page()
        for one in (page, other):
            one.goto(f"{PROFILES}?title=Customers")
        other.get_by_label("Order", exact=True).fill("11")
        other.get_by_role("button", name="Save", exact=True).click()
        expect(other.get_by_text("Saved.")).to_be_visible()
        page.get_by_label("Order", exact=True).fill("12")
        page.get_by_role("button", name="Save", exact=True).click()
        conflict = page.locator("#conflict")
        expect(conflict).to_contain_text("12")
        expect(conflict).to_contain_text("11")
        expect(page.get_by_label("Order", exact=True)).to_have_value("12")
        shots(page, "profile-conflict", None)
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("Saved.")).to_be_visible()
        with live.host.open("default") as app:
            assert next(row.profile.order for row in app.profiles.profiles() if row.title == "Customers") == 12

    def test_the_next_five_runs_can_be_read(self, page):
        page.goto(f"{PROFILES}?title=Customers")
        page.get_by_label("Schedule").fill("30 6 * * 1-5")
        page.get_by_label("Schedule").press("Tab")
        coming = page.locator("#coming li")
        expect(coming.first).to_contain_text("06:30")
        expect(coming).to_have_count(5)


class TestPlanAndRun:
    """Looking at a plan, and what it does when the world goes on meanwhile."""

    def test_a_row_that_somebody_edited_in_between_is_refused(self, page, live, world):
        live.finished(live.host.engine.start(StartRequest("default", ("Customers",)))[0])
        first, second = first_numbers(world, 2)
        customers(world, first, second, name="Renamed in e-conomic")
        preview(page, "Customers")
        world.edit("Companies", "CustomerID", str(first), {"Title": "A person's own words"})
        page.get_by_role("button", name="Apply this plan").click()
        expect(page.get_by_text("Rows that need a person")).to_be_visible()
        expect(page.get_by_role("row", name=re.compile(rf"^{first} "))).to_contain_text("Failed")
        titles = {row["CustomerID"]: row["Title"] for row in world.rows("Companies")}
        assert titles[str(first)] == "A person's own words"
        assert titles[str(second)] == "Renamed in e-conomic"
        shots(page, "run-with-refused-row")
        assert_accessible(page)

    def test_a_plan_is_filtered_and_downloaded(self, page):
        preview(page, "Customers")
        page.get_by_role("link", name="Every change, field by field").click()
        page.get_by_label("Field", exact=True).select_option("City")
        follow(page.get_by_role("button", name="Filter"))
        cells = page.locator("table.changes td:first-of-type").all_inner_texts()
        assert set(cells) == {"City"}
        with page.expect_download() as loading:
            page.get_by_role("link", name="Download as CSV").click()
        lines = loading.value.path().read_text(encoding="utf-8-sig").splitlines()
        assert lines[0].startswith("profile,kind,key")
        assert all(",City," in line for line in lines[1:])
        assert len(lines) == len(cells) + 1

    def test_a_run_is_cancelled(self, page, live, world):
        """While its first write is held; nothing after it is written."""
        live.finished(live.host.engine.start(StartRequest("default", ("Customers",), RunMode.PLAN))[0])
        world.control("sharepoint", "hold", {"at": 22, "when": "after"})
        page.goto("/manage/plan/default")
        page.get_by_role("button", name="Run", exact=True).click()
        assert world.control("sharepoint", "hold/wait")["holding"]
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_text("The run stops after what is in hand.")).to_be_visible()
        world.release("sharepoint")
        expect(page.locator("#live")).to_contain_text("Cancelled")
        expect(page.get_by_role("button", name="Cancel")).to_have_count(0)

    def test_a_row_is_tried_again(self, page, live, world):
        (number,) = first_numbers(world, 1)
        customers(world, number, name="x" * 300)
        live.finished(live.host.engine.start(StartRequest("default", ("Customers",)))[0])
        page.goto("/manage/runs/default")
        page.get_by_role("row").nth(1).get_by_role("link").click()
        row = page.get_by_role("row", name=re.compile(rf"^{number} "))
        expect(row).to_contain_text("300 characters")
        shots(page, "run-with-failed-row")
        customers(world, number, name="Short enough")
        row.get_by_role("button", name=re.compile("Retry row")).click()
        expect(page.get_by_text("Only 1 row is written again.")).to_be_visible()
        expect(page.locator("#live")).to_contain_text("Succeeded")
        assert "Short enough" in {row["Title"] for row in world.rows("Companies")}

    def test_a_second_run_is_refused_and_leads_to_the_first(self, page, live, world):
        live.host.stop.set()  # nobody works, so that the first one stays
        job, _ = live.host.engine.start(StartRequest("default", ("Customers",)))
        page.goto("/manage/plan/default")
        page.get_by_role("checkbox").first.set_checked(False)
        page.get_by_role("button", name="Run", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("under way already")
        expect(page.get_by_role("checkbox").first).not_to_be_checked()
        page.get_by_role("link", name="Show the run that is under way").click()
        expect(page).to_have_url(re.compile(job.job_id))


class TestOneCustomer:
    """Found and explained."""

    def test_found_by_a_part_of_the_name(self, page, world):
        one = world.data.customers[0]
        page.goto("/manage/customer/default")
        page.get_by_label("Number, name or CVR number").fill(one["name"][:8])
        page.get_by_role("button", name="Search").click()
        expect(page.locator("main")).to_contain_text(str(one["customerNumber"]))

    def test_explained_field_by_field(self, page, world):
        one = world.data.customers[0]
        page.goto(f"/manage/customer/default?number={one['customerNumber']}")
        row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="City", exact=True))
        expect(row.first).to_contain_text(one["city"])
        expect(row.first).to_contain_text("ERP owns")


def test_numbers_and_dates_are_written_as_danes_write_them(new_page, live):
    live.finished(live.host.engine.start(StartRequest("default"))[0])
    page = new_page(Look("da"))
    page.goto("/manage/runs/default")
    page.get_by_role("row").nth(1).get_by_role("link").click()
    expect(page.locator("html")).to_have_attribute("lang", "da")
    expect(page.locator("main")).to_contain_text(re.compile(r"\d\.\d{3},\d{2}"))


def test_a_dane_reads_danish(new_page, live, world):
    """Pages, what is wrong, and why a row failed."""
    (number,) = first_numbers(world, 1)
    customers(world, number, name="x" * 300)
    job = live.finished(live.host.engine.start(StartRequest("default", ("Customers",)))[0])
    page = new_page(Look("da"))
    page.goto(f"/manage/runs/default/{job.job_id}")
    expect(page.get_by_role("link", name="Historik")).to_be_visible()
    row = page.get_by_role("row", name=re.compile(rf"^{number} "))
    expect(row).to_contain_text("Teksten til")
    expect(row.get_by_role("button", name=re.compile("Prøv rækken igen"))).to_be_visible()
    page.goto("/manage/customer/default?number=424242")
    expect(page.get_by_role("alert")).to_contain_text("e-conomic har ingen kunde 424242.")
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("alert")).to_contain_text("e-conomic has no customer 424242.")


def test_everything_can_be_done_with_the_keyboard(page):
    """From the navigation to a plan, without a mouse: what has the focus is seen."""
    page.goto("/manage/overview/default")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Plan and run":
            break
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Plan and run")
    for _ in range(40):
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", page.evaluate("document.activeElement.outerHTML")
        if page.evaluate("document.activeElement.value") == "plan":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Apply this plan")).to_be_visible()


@pytest.mark.parametrize("path", [f"{PROFILES}?title=Customers", "/manage/customer/default?number=1001"])
def test_wide_pages_fit_a_telephone(new_page, path):
    page = new_page(Look("en", 360))
    page.goto(path)
    assert_no_sideways_scrolling(page)
    assert_accessible(page)


@pytest.mark.parametrize("side", ["economic", "sharepoint"])
def test_a_service_that_is_down_is_told_and_what_was_typed_stays(page, world, watch, side):
    watch.allow_status(502, 503)
    page.goto(f"{PROFILES}?title=Customers")
    page.get_by_label("Stop if changes exceed %").fill("77")
    world.control(side, "faults", {"503": 1.0})
    try:
        page.get_by_role("button", name="Save", exact=True).click()
        if side == "sharepoint":
            expect(page.get_by_role("alert")).to_be_visible()
            expect(page.get_by_label("Stop if changes exceed %")).to_have_value("77")
        else:  # a profile is saved without e-conomic; explaining a customer is not
            expect(page.get_by_text("Saved.")).to_be_visible()
            page.goto("/manage/customer/default?q=Berg")
            expect(page.get_by_role("alert")).to_contain_text("e-conomic")
            expect(page.get_by_label("Number, name or CVR number")).to_have_value("Berg")
    finally:
        world.control(side, "faults", {})


def test_the_console_works_without_script(browser, live, watch):
    """A plan is made and applied by forms and reloading alone."""
    context = browser.new_context(base_url=live.url, java_script_enabled=False, locale="en-GB")
    watch.hear(context)
    page = context.new_page()
    page.goto(live.login_url())
    page.get_by_role("link", name="Plan and run").first.click()
    page.get_by_role("button", name="Preview").click()
    for _ in range(100):  # the page says how it is to be loaded again; a test need not wait for it
        if page.get_by_role("heading", name="Apply this plan").count():
            break
        page.reload()
    page.get_by_role("button", name="Apply this plan").click()
    expect(page.get_by_text("Applies exactly what this plan showed:")).to_be_visible()
    page.goto("/manage/profiles/default?title=Customers")
    page.get_by_label("Stop if changes exceed %").fill("41")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    context.close()
