"""The console's pages without a browser: what they refuse, what they keep, how large they grow."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import date
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from tests.fakes.fake_work import make_fake_stores
from tests.support.hosting import QUICK, HeardAlerts
from tests.unit.web.conftest import Console
from worker.cli.app import app as commands
from worker.domain.plan import Change, ChangeKind, FieldChange, Plan
from worker.domain.planning import Planned
from worker.domain.report import RunMode, RunStatus, Trigger
from worker.domain.rows import RunFacts
from worker.engine.book import Book, new_job_id
from worker.engine.jobs import Job, JobRun, JobState
from worker.engine.stored_plan import StoredPlan
from worker.engine.terms import StartRequest
from worker.settings import EngineSettings, Installation
from worker.web.app import access_for, create_app
from worker.wiring.engine import Host
from worker.wiring.reconciling import comparison_by

LARGEST = 100 * 1024  # bytes of a page


class Drawer:
    """Implements ports.Secrets."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def read(self, name: str) -> str | None:
        return self.values.get(name)

    def write(self, name: str, value: str) -> None:
        self.values[name] = value


@pytest.fixture
def drawer() -> Drawer:
    return Drawer()


@pytest.fixture
def linked(world, drawer) -> Console:
    """With an e-conomic app that has a grant page."""
    world.restore()
    settings = world.settings()
    economic = settings.economic.model_copy(update={"app_public_token": "public"})
    settings.economic = economic
    installation = Installation(EngineSettings(), {"default": settings})
    stores = make_fake_stores(world.clock)
    host = Host(
        installation, stores, clock=world.clock, alerts=HeardAlerts(), options=QUICK, secrets=drawer, patient=False
    )
    access = access_for(host)
    return Console(world, host, create_app(host, access=access), access)


def send(browser: TestClient, path: str, **fields: str):
    return browser.post(path, data={"csrf": browser.headers["X-CSRF-Token"], **fields}, follow_redirects=False)


def way_back(browser: TestClient) -> str:
    """Where e-conomic would send the browser, without the token."""
    answer = browser.get("/manage/connection/default/connect", follow_redirects=False)
    assert answer.status_code == 303
    (back,) = parse_qs(urlsplit(answer.headers["location"]).query)["redirectUrl"]
    return urlsplit(back).path


class TestGrant:
    """e-conomic's way back brings a token; nobody else may bring one."""

    def test_the_token_goes_to_the_secret_store_and_is_never_shown(self, linked, drawer, caplog):
        browser = linked.browser()
        answer = browser.get(f"{way_back(browser)}?token=a-fresh-grant-token", follow_redirects=False)
        assert answer.headers["location"] == "/manage/connection/default?done=connected"
        assert list(drawer.values.values()) == ["a-fresh-grant-token"]
        assert "a-fresh-grant-token" not in browser.get("/manage/connection/default").text
        assert "a-fresh-grant-token" not in caplog.text

    def test_a_way_back_is_good_once(self, linked, drawer):
        browser = linked.browser()
        path = way_back(browser)
        browser.get(f"{path}?token=first", follow_redirects=False)
        again = browser.get(f"{path}?token=second", follow_redirects=False)
        assert again.headers["location"].endswith("done=refused")
        assert list(drawer.values.values()) == ["first"]

    def test_another_sessions_way_back_is_no_use(self, linked, drawer):
        """Somebody who lures an administrator to a link with their own token gets nothing connected."""
        path = way_back(linked.browser())
        answer = linked.browser().get(f"{path}?token=somebody-elses", follow_redirects=False)
        assert answer.headers["location"].endswith("done=refused")
        assert drawer.values == {}

    @pytest.mark.parametrize("query", ["", "?token=", "?redirectUrl=https://evil.example", "?next=//evil.example"])
    def test_no_address_to_go_to_is_taken_from_anybody(self, linked, query):
        browser = linked.browser()
        answer = browser.get(f"{way_back(browser)}{query}", follow_redirects=False)
        assert answer.headers["location"].startswith("/manage/connection/")
        assert "evil" not in answer.headers["location"]

    def test_the_way_back_names_the_address_this_browser_uses(self, linked):
        browser = linked.browser()
        answer = browser.get("/manage/connection/default/connect", follow_redirects=False)
        (back,) = parse_qs(urlsplit(answer.headers["location"]).query)["redirectUrl"]
        assert back.startswith("http://127.0.0.1:8642/manage/grant/")

    def test_a_pasted_token_is_kept_the_same_way(self, linked, drawer):
        browser = linked.browser()
        assert send(browser, "/manage/connection/default/token", token="pasted").status_code == 303
        assert list(drawer.values.values()) == ["pasted"]

    @pytest.mark.parametrize("token", ["", "x" * 501, "two\nlines"])
    def test_what_is_no_token_is_refused(self, linked, drawer, token):
        answer = send(linked.browser(), "/manage/connection/default/token", token=token)
        assert answer.status_code == 422
        assert drawer.values == {}


class TestSettings:
    """Typed in the browser."""

    @pytest.mark.parametrize(
        ("field", "typed"),
        [
            ("site_url", "http://contoso.sharepoint.com/sites/crm"),
            ("site_url", "not an address"),
            ("agreement", "12a"),
            ("financial_year_start", "13-40"),
        ],
    )
    def test_a_mistake_is_named_and_what_was_typed_stays(self, linked, field, typed):
        browser = linked.browser()
        answer = send(browser, "/manage/connection/default/save", **{field: typed})
        assert answer.status_code == 422
        assert f'value="{typed}"' in answer.text

    def test_the_second_of_two_people_is_told(self, linked):
        browser = linked.browser()
        send(browser, "/manage/connection/default/save", agreement="1")
        answer = send(browser, "/manage/connection/default/save", agreement="2", version="")
        assert answer.status_code == 409
        assert "Somebody else saved these settings" in answer.text
        assert 'value="2"' in answer.text

    def test_a_site_that_is_not_there_is_told_by_the_test(self, linked):
        browser = linked.browser()
        wrong = linked.world.site_url.replace("/sites/crm", "/sites/nowhere")
        assert send(browser, "/manage/connection/default/save", site_url=wrong).status_code == 303
        answer = send(browser, "/manage/connection/default/test")
        assert answer.status_code == 200
        assert "There is no site at" in answer.text
        assert "Check SharePoint site (SHAREPOINT_SITE_URL)" in answer.text

    @pytest.mark.parametrize(
        ("language", "told", "step"),
        [
            (
                "en",
                "<b>SharePoint site (SHAREPOINT_SITE_URL)</b> must start with https://",
                "Correct it and save again.",
            ),
            ("da", "<b>SharePoint-websted (SHAREPOINT_SITE_URL)</b> skal begynde med", "Ret det, og gem igen."),
        ],
    )
    def test_a_mistake_is_named_by_the_fields_label_with_a_next_step_for_whoever_typed_it(
        self, linked, language, told, step
    ):
        """No variable to set and no command to run: an administrator has a browser only."""
        path = f"/manage/connection/default/save?lang={language}"
        answer = send(linked.browser(), path, site_url="http://contoso.sharepoint.com/sites/crm")
        assert told in answer.text
        assert step in answer.text
        assert "economic-sync check" not in answer.text


def test_a_mistake_that_has_a_page_of_its_own_is_told_in_danish_throughout(console):
    """Where it is, what, and the sentence above."""
    answer = send(console.browser(), "/manage/customer/default?lang=da", number="abc")
    assert answer.status_code == 422
    assert "<b>nummer</b> er intet kundenummer." in answer.text
    assert "is no customer number" not in answer.text


class TestForms:
    """Nothing acts on a request that no page of ours made."""

    PATHS = (
        "/manage/connection/default/save", "/manage/connection/default/token", "/manage/connection/default/test",
        "/manage/connection/default/provision", "/manage/profiles/default/save", "/manage/plan/default/start",
        "/economy/1001", "/manage/logout",
    )  # fmt: skip

    @pytest.mark.parametrize("path", PATHS)
    def test_a_form_without_the_pages_token_is_refused(self, console, path):
        browser = console.browser()
        del browser.headers["X-CSRF-Token"]
        for token in ("", "guessed"):
            assert browser.post(path, data={"csrf": token}).status_code == 403
        assert console.host.engine.jobs("default") == []

    @pytest.mark.parametrize("path", PATHS)
    def test_json_is_no_form(self, console, path):
        assert console.browser().post(path, json={}).status_code == 422


@pytest.fixture
def large(console: Console) -> tuple[Console, str]:
    """A plan of 20,000 changes, and the address of its page."""
    fields = tuple(FieldChange(f"Column{at:02}", f"before {at}", f"after {at}" * 3) for at in range(22))
    changes = tuple(
        Change(ChangeKind.CREATE if at % 2 else ChangeKind.UPDATE, str(at), fields, at, "1", f"Company {at} A/S")
        for at in range(20_000)
    )
    plan = Plan("Customers", "CRM Company", "Import & Update", date(2026, 11, 25), changes, source_rows=20_000)
    now = console.world.clock.now()
    run = JobRun("Customers", "x.0", RunStatus.SUCCEEDED, plan_digest=plan.digest, started=now, finished=now)
    job = Job(
        "default", new_job_id(now), RunMode.PLAN, Trigger.MANUAL, now, (run,), JobState.DONE, started=now, finished=now
    )
    book = Book(console.host.stores.records)
    book.begin(job)
    stored = StoredPlan(Planned(plan, {}), RunFacts("x.0", now, date(2026, 11, 25)), "digest")
    book.shelf(job).put_plan(0, stored)
    return console, f"/manage/runs/default/{job.job_id}/plan"


class TestLargePlan:
    """The server does the paging."""

    def test_each_page_is_small_and_together_they_are_all(self, large):
        console, path = large
        browser = console.browser()
        seen = 0
        for page in (1, 2, 700, 10_000):
            answer = browser.get(f"{path}?page={page}")
            assert answer.status_code == 200
            assert len(answer.content) < LARGEST
            seen += len(re.findall('<tr class="head">', answer.text))
        assert seen > 4
        last = re.search(r"Page (\d+) of (\d+)", answer.text)
        assert last is not None
        assert last[1] == last[2], "a page beyond the last is the last"

    def test_one_column_of_all_changes_has_more_on_a_page(self, large):
        console, path = large
        text = console.browser().get(f"{path}?column=Column01&kind=Update").text
        assert "10,000 changes" in text
        assert set(re.findall(r"<td>(Column\d+)</td>", text)) == {"Column01"}

    def test_a_change_is_found_by_its_number(self, large):
        console, path = large
        text = console.browser().get(f"{path}?text=19999").text
        assert "1 change " in text
        assert "Company 19999 A/S" in text

    def test_the_download_has_every_field(self, large):
        console, path = large
        content = console.browser().get(f"{path}.csv?profile=Customers&column=Column01").content.decode("utf-8-sig")
        assert sum(1 for _ in csv.DictReader(io.StringIO(content))) == 20_000


def test_a_formula_is_no_formula_in_a_plans_download(console):
    number = console.world.data.customers[0]["customerNumber"]
    one = {**console.world.data.customers[0], "name": "=HYPERLINK(1)", "city": "@SUM(1)"}
    console.world.control("economic", "mutate", {"customers": [one]})
    job, _ = console.host.engine.start(StartRequest("default", ("Customers",), RunMode.PLAN))
    console.work()
    answer = console.browser().get(f"/manage/runs/default/{job.job_id}/plan.csv?profile=Customers")
    rows = [row for row in csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))) if row["key"] == str(number)]
    cells = {row["column"]: row["after"] for row in rows}
    assert cells["Title"] == "'=HYPERLINK(1)"
    assert cells["City"] == "'@SUM(1)"
    assert {row["title"] for row in rows} == {"'=HYPERLINK(1)"}
    assert Decimal(cells["CustomerID"]) == number


def test_typical_pages_are_small(console):
    job, _ = console.host.engine.start(StartRequest("default"))
    console.work()
    browser = console.browser()
    paths = [
        "/manage/overview/default", "/manage/connection/default", "/manage/profiles/default?title=Customers",
        "/manage/profiles/default?new=Customer", "/manage/plan/default", "/manage/runs/default",
        f"/manage/runs/default/{job.job_id}", f"/manage/runs/default/{job.job_id}/plan",
        "/manage/customer/default?number=1001", "/economy", "/economy/1001",
    ]  # fmt: skip
    sizes = {path: len(browser.get(path).content) for path in paths}
    assert max(sizes.values()) < LARGEST, sizes


def test_what_the_brake_stopped_is_approved_on_its_page(console):
    """The page says why it was stopped; approving starts a run that may go on."""
    console.host.engine.start(StartRequest("default", ("Customers",)))
    console.work()
    world = console.world
    for at, prospect in enumerate((world.data.prospects * 10)[:10]):  # the brake counts from a score of items on
        world.post("Companies", {**prospect, "CustomerID": str(90_000 + at), "ImportID": "economic:1:1"})
    renamed = [{**one, "name": f"Renamed {at}"} for at, one in enumerate(world.data.customers)]
    world.control("economic", "mutate", {"customers": renamed})
    job, _ = console.host.engine.start(StartRequest("default", ("Customers",)))
    console.work()
    browser = console.browser()
    text = browser.get(f"/manage/runs/default/{job.job_id}").text
    assert "Stopped by brake" in text
    assert "existing items would be changed" in text
    answer = send(browser, f"/manage/runs/default/{job.job_id}/approve")
    assert answer.status_code == 303
    console.work()
    after = browser.get(answer.headers["location"]).text
    assert "Succeeded" in after
    assert "Renamed 0" in {row["Title"] for row in world.rows("Companies")}


def test_runs_of_commands_stand_on_the_start_page(console, monkeypatch, tmp_path):
    """With none of ours; the first steps are over then too."""
    before = console.browser().get("/manage/overview/default").text
    assert "Nothing has run here yet" in before
    console.world.commands_here(monkeypatch, tmp_path)
    result = CliRunner().invoke(commands, ["run", "Customers"])
    assert result.exit_code == 0, result.output
    after = console.browser().get("/manage/overview/default").text
    assert "Nothing has run here yet" not in after
    assert "Succeeded" in after
    assert "Look at a plan, and apply it" not in after


def test_what_a_run_would_do_is_said_in_the_readers_language(console):
    """Of a customer that was changed, and of one that waits for a person."""
    world = console.world
    world.run()
    first, second = (one["customerNumber"] for one in world.data.customers[:2])
    world.control("economic", "mutate", {"customers": [{**world.data.customers[0], "city": "Ny By", "zip": "9999"}]})
    world.post("Companies", {"Title": "Twin", "CustomerID": str(second)})
    browser = console.browser()
    changed = browser.get(f"/manage/customer/default?number={first}&lang=da").text
    assert "Opdater: 3 kolonner" in changed
    failed = browser.get(f"/manage/customer/default?number={second}").text
    assert f"Fejlet: Flere elementer har nøglen {second}" in failed


def test_another_source_has_another_list_and_key(console):
    """What was mapped before is not carried into a list that it means nothing in."""
    browser = console.browser()
    form = {"was": "Customer", "Source": "Booked invoice", "Target": "CRM Company", "KeyTarget": "CustomerID",
            "KeySource": "Number", "new": "1", "Title": "Mine", "action": "check",
            "rule.0.target": "City", "rule.0.source": "City"}  # fmt: skip
    text = send(browser, "/manage/profiles/default/save", **form).text
    assert 'value="InvoiceNumber"' in text
    assert "can't fill" not in text.partition('id="editor"')[2].partition("Which rows")[0]
    assert 'name="KeyTarget" value="InvoiceNumber"' in text


@pytest.mark.parametrize("what", ["apply", "approve", "cancel", "retry"])
def test_a_run_nobody_knows_is_not_found(console, what):
    """It is no fault of a service."""
    answer = send(
        console.browser(), f"/manage/runs/default/20260101T000000-aaaaaa/{what}", profile="Customers", key="1"
    )
    assert answer.status_code == 404


def compared(console: Console, browser: TestClient):
    """Asked for on the page, and made."""
    answer = send(browser, "/manage/reconcile/default")
    console.work()
    return answer


def test_a_comparison_is_made_kept_and_shown(console):
    console.host.engine.start(StartRequest("default"))
    console.work()
    browser = console.browser()
    assert "Nothing has been compared yet." in browser.get("/manage/reconcile/default").text
    assert compared(console, browser).status_code == 303
    assert "Both say the same" in browser.get("/manage/reconcile/default").text
    number = str(console.world.data.customers[0]["customerNumber"])
    console.world.edit("Companies", "CustomerID", number, {"City": "Elsewhere"})
    compared(console, browser)
    text = browser.get("/manage/reconcile/default?lang=da").text
    assert "Afviger" in text
    assert "Elsewhere" in text


def test_a_comparison_is_downloaded_as_it_was_kept(console):
    browser = console.browser()
    address = "/manage/reconcile/default/comparison.json"
    assert browser.get(address).status_code == 404
    compared(console, browser)
    assert f'href="{address}"' in browser.get("/manage/reconcile/default").text
    answer = browser.get(address)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="comparison.json"'
    kept = console.host.stores.records.read("reconcile/default")
    assert answer.json() == json.loads(kept.content)
    assert answer.json()["totals"]["missing"] > 0


def test_a_comparison_waits_until_no_run_is_under_way(console):
    """Half a run's work would show as differences. Asked for twice it is made once."""
    console.host.engine.start(StartRequest("default"))
    browser = console.browser()
    assert send(browser, "/manage/reconcile/default").status_code == 303
    send(browser, "/manage/reconcile/default")
    waiting = browser.get("/manage/reconcile/default").text
    assert "It is made as soon as no run is under way" in waiting
    assert "Nothing has been compared yet." in waiting
    console.work()
    after = browser.get("/manage/reconcile/default").text
    assert "Both say the same" in after
    assert "as soon as no run is under way" not in after
    with console.host.open("default") as app:
        assert sum(1 for row in app.runs.recent() if comparison_by(row.run_id)) == 1


def test_a_comparison_that_can_not_be_made_says_why(console):
    """On the page where it was asked for; nobody is alerted of what somebody looks at."""
    browser = console.browser()
    console.world.control("economic", "faults", {"revoked": 1.0})
    try:
        compared(console, browser)
    finally:
        console.world.control("economic", "faults", {})
        console.world.control("economic", "grant", {})
    text = browser.get("/manage/reconcile/default").text
    assert "e-conomic refused the tokens" in text
    assert 'class="message warn" role="status">' in text
    assert "as soon as no run is under way" not in text
    assert not [one for one in console.host.alerts.heard if "compared" in one.title]  # type: ignore[attr-defined]
    compared(console, browser)
    assert 'class="message warn" role="status">' not in browser.get("/manage/reconcile/default").text


def test_doubles_and_second_companies_are_linked_with_the_next_step(console):
    console.host.engine.start(StartRequest("default"))
    console.work()
    linked = next(row for row in console.world.rows("Companies") if row["CustomerID"] and row["CINumber"])
    double = console.world.post("Companies", {"Title": "A double", "CustomerID": linked["CustomerID"]})
    every = console.world.rows("Companies")
    other = next(row for row in every if row["CINumber"] and row["CustomerID"] not in (None, linked["CustomerID"]))
    twin = console.world.post("Companies", {"Title": "A twin", "CINumber": other["CINumber"]})
    browser = console.browser()
    compared(console, browser)
    text = browser.get("/manage/reconcile/default").text
    for item in (linked["Id"], double, twin, other["Id"]):
        assert f"/Companies/DispForm.aspx?ID={item}" in text
    assert "Keep one item of each number" in text
    assert "Merge the two items or delete one" in text
    assert "SalesTrend" in text.partition("What was not compared")[2]
    danish = browser.get("/manage/reconcile/default?lang=da").text
    assert "Dubletter" in danish
    assert "Flet de to elementer" in danish


def test_a_comparison_that_an_earlier_version_kept_is_not_shown(console):
    console.host.stores.records.write("reconcile/default", b'{"made": "2026-01-01T00:00:00+00:00"}', None)
    assert "Nothing has been compared yet." in console.browser().get("/manage/reconcile/default").text


def test_history_calls_a_comparison_and_who_asked_by_their_names(console):
    browser = console.browser()
    compared(console, browser)
    (row,) = re.findall(r"<tr>.*?</tr>", browser.get("/manage/runs/default").text.partition("<tbody>")[2], re.DOTALL)
    assert "Comparison" in row
    assert "Console" in row
    assert "Preview" not in row
    assert "Reconcile" not in row
    danish = browser.get("/manage/runs/default?lang=da").text
    assert "Sammenligning" in danish
    assert "Konsol" in danish
