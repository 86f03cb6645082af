"""Near real time: webhooks of both services come in over HTTP, and single customers are brought up to date."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import requests
from typer.testing import CliRunner

from tests.fakes.fake_work import make_fake_stores
from tests.support.hosting import QUICK, make_host, work_all
from tests.support.mortal import Killed
from tests.support.near_real_time import Live, book, browser, listening
from tests.support.world import World
from worker.cli.app import app as commands
from worker.cli.serve import listen, serving
from worker.economic.desk import EconomicDesk
from worker.engine.hints import Pending
from worker.engine.pool import Pool, PoolOptions
from worker.settings import CreateSettings
from worker.stores.sqlite import open_stores
from worker.web.app import create_app
from worker.wiring.hooks import economic_hooks, sharepoint_address

RULES = CreateSettings(allow=True, group="1", payment_terms="1", vat_zone="1", currency="DKK")


@pytest.fixture
def live(made: World) -> Iterator[Live]:
    made.restore()
    with listening(made, RULES) as served:
        yield served


def truth(world: World) -> Any:
    return json.dumps(world.truth(), sort_keys=True, default=str)


def after_a_night(world: World) -> Any:
    """What the lists hold when the night has run on what is there now."""
    world.run()
    return truth(world)


def test_both_webhooks_are_set_up_once_and_mended(live):
    assert live.set_up() == 2
    assert live.set_up() == 0
    with live.host.open("default") as app:
        hooks = economic_hooks(app, live.hook)
        assert hooks.switch_off() == 2
        assert {(hook.enabled, hook.ours) for hook in hooks.standing()} == {(False, True)}
        assert hooks.set_up() == 2
        assert {(hook.enabled, hook.ours) for hook in hooks.standing()} == {(True, True)}
        moved = economic_hooks(app, f"{live.hook}-moved")
        assert {hook.ours for hook in moved.standing()} == {False}
        assert moved.set_up() == 2


def test_a_booked_invoice_reaches_the_company_without_a_run(live):
    """And writes what a night would have written."""
    live.set_up()
    customer = book(live.world)
    live.arrive()
    assert live.pending.invoices.keys() == {"999001"}
    rows = len(live.world.rows("Sync runs"))
    work_all(live.host)
    written = truth(live.world)
    company = next(row for row in live.world.rows("Companies") if row["CustomerID"] == str(customer))
    assert any(row["InvoiceNumber"] == "999001" for row in live.world.rows("Invoices"))
    assert company["LastInvoiceDate"].startswith(live.world.clock.now().date().isoformat()[:7])
    assert len(live.world.rows("Sync runs")) == rows, "single customers leave no rows in the run list"
    assert after_a_night(live.world) == written
    assert not live.pending.waits
    assert live.pending.done[-1].written > 0


@pytest.mark.parametrize("mode", ["normal", "duplicated", "burst", "out_of_order", "lost"])
def test_however_calls_arrive_the_end_is_the_same(live, mode):
    """Twice, together, in the wrong order: the same lists. Lost: the night makes it good."""
    live.set_up()
    live.world.economic_app.state.switches.set("webhook_delivery", mode)
    customers = [row["customerNumber"] for row in live.world.data.customers[:3]]
    for at, number in enumerate(customers):
        book(live.world, 999_001 + at, number)
    live.world.control("economic", "webhooks/flush", {})
    live.arrive()
    work_all(live.host)
    soon = truth(live.world)
    night = after_a_night(live.world)
    assert (soon == night) == (mode != "lost")


def test_a_burst_is_folded_into_one_look(live):
    """A hundred calls about one customer: one message, one go."""
    customer = live.world.data.customers[0]["customerNumber"]
    for _ in range(100):
        assert live.call({"event": "CUSTOMER_UPDATED", "old": str(customer), "new": str(customer)}).status_code == 204
    assert live.host.stores.queue.waiting() == 1
    work_all(live.host)
    assert [done.customers for done in live.pending.done] == [1]
    assert live.pending.calls["CUSTOMER_UPDATED"][0] == 100


def test_an_unchanged_customer_writes_nothing(live):
    number = str(live.world.data.customers[0]["customerNumber"])
    live.world.control("sharepoint", "stats/reset", {})
    live.call({"event": "CUSTOMER_UPDATED", "old": number, "new": number})
    work_all(live.host)
    assert live.pending.done[-1].written == 0
    total = live.world.control("sharepoint", "stats")["total"]
    assert total.get("writes", 0) == 0


def test_calls_while_a_run_is_under_way_wait_for_its_end(live):
    """What the run has read is older than what the call is about."""
    from worker.engine.terms import StartRequest

    number = str(live.world.data.customers[0]["customerNumber"])
    live.host.engine.start(StartRequest("default"))
    live.call({"event": "CUSTOMER_UPDATED", "old": number, "new": number})
    verdicts = work_all(live.host)
    assert verdicts[-1] == "finished"
    assert len(live.pending.done) == 1


def test_a_deleted_customer_is_flagged_and_a_new_one_appears(live):
    """The empty number of a creation and of a deletion, in both spellings."""
    live.set_up()
    for empty in ("", "0"):
        live.world.economic_app.state.switches.set("webhook_empty_number", empty)
        body = {"name": f"Ny Kunde {empty or 'x'} A/S", "currency": "DKK", "vatZone": {"vatZoneNumber": 1}}
        references = {"customerGroup": {"customerGroupNumber": 1}, "paymentTerms": {"paymentTermsNumber": 1}}
        number = live.world.economic_call("POST", "/customers", {**body, **references})["customerNumber"]
        live.arrive()
        work_all(live.host)
        (company,) = [row for row in live.world.rows("Companies") if row["CustomerID"] == str(number)]
        assert company["ERPStatus"] == "Active"
        live.world.economic_call("DELETE", f"/customers/{number}")
        live.arrive()
        work_all(live.host)
        (company,) = [row for row in live.world.rows("Companies") if row["CustomerID"] == str(number)]
        assert company["ERPStatus"] == "Missing in ERP"


GARBAGE = [
    b"",
    b"{",
    b"[1,2]",
    b'"x"',
    b"\xff\xfe",
    b'{"event":"CUSTOMER_UPDATED"}',
    b'{"event":"CUSTOMER_UPDATED","old":"x","new":"1; DROP TABLE"}',
    b'{"event":"CUSTOMER_UPDATED","old":"-1","new":"99999999999"}',
    b'{"event":"INVOICE_BOOKED","invoice":{"a":1}}',
    b'{"event":"SOMETHING_ELSE","old":"1"}',
    b"x" * 10_000,
    b'{"event":' * 500,
]


@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_told_and_leads_to_nothing(live, body):
    answer = requests.post(live.hook, data=body, timeout=30)
    assert answer.status_code == 400
    assert "no webhook call" in answer.json()["detail"]
    assert not live.pending.waits
    assert live.pending.refused == 1
    assert live.host.stores.queue.waiting() == 0


def test_a_forged_address_is_not_there(live):
    live.hook  # noqa: B018  # there is a secret
    for kind in ("economic", "sharepoint"):
        answer = live.call({"event": "INVOICE_BOOKED", "invoice": "1"}, f"{live.address}/hooks/{kind}/guessed")
        assert answer.status_code == 404
    assert live.pending == Pending()


def test_a_true_address_with_a_made_up_invoice_changes_nothing(live):
    before = truth(live.world)
    live.call({"event": "INVOICE_BOOKED", "invoice": "123456789"})
    live.call({"event": "CUSTOMER_UPDATED", "old": "987654321", "new": "987654321"})
    work_all(live.host)
    assert truth(live.world) == before


def test_a_webhook_made_by_hand_may_put_its_names_in_the_address_or_a_form(live):
    assert requests.post(f"{live.hook}?event=INVOICE_BOOKED&invoice=7", timeout=30).status_code == 204
    form = {"event": "CUSTOMER_UPDATED", "old": "5", "new": "6"}
    assert requests.post(live.hook, data=form, timeout=30).status_code == 204
    pending = live.pending
    assert (list(pending.invoices), list(pending.customers), dict(pending.renumbered)) == (["7"], ["5", "6"], {"5": 6})


def test_the_secret_stands_in_no_answer_and_no_log(live, caplog):
    secret = live.host.hook_secrets.make("default")
    caplog.set_level("DEBUG")
    answers = [requests.post(live.hook, data=b"x", timeout=30), live.call({"event": "INVOICE_BOOKED", "invoice": "1"})]
    work_all(live.host)
    assert not any(secret in answer.text for answer in answers)
    assert not [
        record for record in caplog.records if secret in record.getMessage() and record.name.startswith("worker")
    ]


def test_a_lost_message_is_sent_again_by_the_tick(live):
    live.call({"event": "INVOICE_BOOKED", "invoice": "7"})
    delivery = live.host.stores.queue.receive(60)
    live.host.stores.queue.done(delivery)  # lost
    live.host.engine.tick()
    assert live.host.stores.queue.waiting() == 0, "not at once"
    live.world.clock.moment = live.world.clock.moment.replace(minute=live.world.clock.moment.minute + 2)
    live.host.engine.tick()
    work_all(live.host)
    assert not live.pending.waits


def test_the_secret_is_not_told_when_sharepoint_can_not_call(live, caplog):
    """SharePoint's refusal quotes the whole address."""
    caplog.set_level("INFO")
    secret = live.host.hook_secrets.make("default")
    live.host.subscriber.public = "http://127.0.0.1:9"
    faults = str(live.host.engine.tick().faults)
    answer = browser(live).get(f"{live.address}/manage/live/default", timeout=30)
    assert "calls the worker at 127.0.0.1:9" in faults + caplog.text
    told = [faults, answer.text, *(one.getMessage() for one in caplog.records if one.name.startswith("worker"))]
    assert not [text for text in told if secret in text]


def test_sharepoint_calls_shorten_the_wait_for_a_requested_customer(live):
    """Subscribed with the handshake, renewed in time, and a notice leads to one look."""
    live.host.hook_secrets.make("default")
    live.host.engine.tick()  # makes the subscription
    until = live.host.subscriber.until("default")
    assert until is not None
    assert not live.host.subscriber.is_due("default")
    item = live.world.post(
        "Companies", {"Title": "Nordlys ApS", "CINumber": "87654321", "CreateInEconomic": "Requested"}
    )
    live.world.control("sharepoint", "notices/drain", {})
    work_all(live.host)
    row = next(row for row in live.world.rows("Companies") if row["Id"] == item)
    assert row["CreateInEconomic"] == "Created"


def test_the_subscription_follows_the_address_the_worker_is_reached_at(live):
    """ENGINE_PUBLIC_URL was changed: the next tick has SharePoint call the new one, and says nothing of the old."""
    live.host.hook_secrets.make("default")
    live.host.engine.tick()
    moved = live.host.subscriber.public = live.address.replace("127.0.0.1", "localhost")
    assert live.host.subscriber.until("default") is None
    live.host.engine.tick()
    assert live.host.subscriber.until("default") is not None
    assert not live.host.subscriber.is_due("default")
    with live.host.open("default") as app:
        info = app.site.find_list("companies")
        rows = app.site.client.get_json(f"{info.path}/subscriptions")["value"]
    secret = live.host.hook_secrets.make("default")
    assert sharepoint_address(moved, secret) in [row["notificationUrl"] for row in rows]


def test_a_company_that_can_not_be_created_does_not_end_the_subscription(live):
    """It is renewed all the same; the list's own rule keeps the item as it is, and the round says so."""
    live.host.hook_secrets.make("default")
    live.world.post("Companies", {"Title": "Nordlys ApS", "CINumber": "87654321", "CreateInEconomic": "Requested"})
    url = f"{live.world.site_url}/_api/web/lists/getbytitle('Companies')"
    live.world.change(url, {"ValidationFormula": "=LEN([Title])<5", "ValidationMessage": "Too long a name."})
    assert "Too long a name." in str(live.host.engine.tick().faults)
    assert not live.host.subscriber.is_due("default")


def test_a_call_about_a_customer_that_is_just_being_created_makes_no_second_company(live, monkeypatch):
    """e-conomic calls about the new customer before its number stands in the company that asked for it."""
    live.set_up()
    item = live.world.post(
        "Companies", {"Title": "Nordlys ApS", "CINumber": "87654321", "CreateInEconomic": "Requested"}
    )
    created = EconomicDesk.create

    def killed(*arguments: Any) -> int:
        created(*arguments)
        raise Killed

    with monkeypatch.context() as patch, live.host.open("default") as opened:
        patch.setattr(EconomicDesk, "create", killed)
        with pytest.raises(Killed):
            opened.creator().poll()
    live.arrive()
    assert live.pending.customers
    work_all(live.host)
    rows = {row["Id"]: row["CustomerID"] for row in live.world.rows("Companies") if row["Title"] == "Nordlys ApS"}
    assert rows == {item: None}
    live.world.clock.moment += timedelta(minutes=5)
    with live.host.open("default") as opened:
        (made,) = opened.creator().poll()
    rows = {row["Id"]: row["CustomerID"] for row in live.world.rows("Companies") if row["Title"] == "Nordlys ApS"}
    assert rows == {item: str(made.number)}


def test_a_new_customer_that_people_have_as_a_prospect_makes_no_second_company(live):
    """The row waits for a person, in a single sync as at night."""
    live.set_up()
    item = live.world.post("Companies", {"Title": "Nordlys ApS", "CINumber": "DK 87 65 43 21"})
    body = {
        "name": "Nordlys ApS",
        "corporateIdentificationNumber": "87654321",
        "currency": "DKK",
        "customerGroup": {"customerGroupNumber": 1},
        "paymentTerms": {"paymentTermsNumber": 1},
        "vatZone": {"vatZoneNumber": 1},
    }
    number = live.world.economic_call("POST", "/customers", body)["customerNumber"]
    live.arrive()
    work_all(live.host)
    rows = {row["Id"]: row["CustomerID"] for row in live.world.rows("Companies") if row["Title"] == "Nordlys ApS"}
    assert rows == {item: None}
    (report,) = live.world.run(["Customers"]).reports
    (row,) = [row for row in report.rows if row.code == "maybe-known"]
    assert (row.key, row.facts["items"]) == (str(number), str(item))


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"value":1}', b'{"value":[{"clientState":"guessed"}]}', b'{"value":[3]}']
)
def test_a_forged_notice_is_told(live, body):
    secret = live.host.hook_secrets.make("default")
    answer = requests.post(sharepoint_address(live.address, secret), data=body, timeout=30)
    assert answer.status_code == 400
    assert live.host.stores.queue.waiting() == 0


def test_the_validation_call_is_answered_as_text(live):
    url = sharepoint_address(live.address, live.host.hook_secrets.make("default"))
    answer = requests.post(f"{url}?validationtoken=<script>1</script>", timeout=30)
    assert (answer.status_code, answer.text) == (200, "<script>1</script>")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_one_customer_by_command(live, tmp_path, monkeypatch):
    live.world.commands_here(monkeypatch, tmp_path)
    customer = book(live.world)
    result = CliRunner().invoke(commands, ["run", "--customer", str(customer), "--json"])
    assert result.exit_code == 0, result.output
    assert any(row["InvoiceNumber"] == "999001" for row in live.world.rows("Invoices"))
    before = truth(live.world)
    again = CliRunner().invoke(commands, ["run", "--customer", str(customer)])
    assert again.exit_code == 0, again.output
    assert "no row in the run list" in again.output
    assert truth(live.world) == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--customer", "0"], "Invalid value for '--customer'"),
        (["--customer", "1", "--all"], "--customer"),
        ([word for number in range(1, 23) for word in ("--customer", str(number))], "20 customers at most"),
    ],
)
def test_what_is_no_choice_of_customers_is_told(words, told):
    result = CliRunner().invoke(commands, ["run", *words])
    assert result.exit_code == 2
    assert told in " ".join(re.sub("[│╭╮╯╰─]", " ", result.output).split())


def test_the_page_sets_up_shows_and_switches_off(live):
    """And never shows the address."""
    session, page = browser(live), f"{live.address}/manage/live/default"
    assert "None is set up." in session.get(page, timeout=30).text
    assert session.post(page, data={"on": ""}, timeout=30).status_code == 200
    live.call({"event": "INVOICE_BOOKED", "invoice": "1"})
    shown = session.get(page, timeout=30).text
    assert shown.count("In order") == 2
    assert "1 hint waits" in shown
    assert live.host.hook_secrets.make("default") not in shown
    live.world.economic_call("DELETE", "/webhooksapi/v1.0.0/webhooks/INVOICE_BOOKED")
    missing = session.get(page, timeout=30).text
    assert missing.count("In order") == 1
    assert "Not there</span> Set it up again below." in missing
    assert session.post(page, data={"on": ""}, timeout=30).text.count("In order") == 2
    assert "Switched off" in session.post(page, data={"off": ""}, timeout=30).text


def test_one_customer_is_asked_for_by_program_and_by_page(live):
    customer = book(live.world)
    session = browser(live)
    answer = session.post(f"{live.address}/manage/api/customers/{customer}/sync", timeout=30)
    assert answer.status_code == 202, answer.text
    work_all(live.host)
    assert any(row["InvoiceNumber"] == "999001" for row in live.world.rows("Invoices"))
    asked = session.post(f"{live.address}/manage/customer/default", data={"number": str(customer)}, timeout=30)
    assert "brought up to date in a few seconds" in asked.text
    assert live.pending.waits


def test_without_a_public_address_the_page_says_what_is_missing(made):
    host = make_host({"default": made}, make_fake_stores(made.clock), made.clock)
    listening = listen("127.0.0.1", 0)
    with host, serving(create_app(host), listening) as address:
        live = Live(made, host, address)
        page = browser(live).get(f"{address}/manage/live/default", timeout=30)
    assert "ENGINE_PUBLIC_URL" in page.text


def test_hooks_by_command(live, tmp_path, monkeypatch):
    live.world.commands_here(monkeypatch, tmp_path, ENGINE_PUBLIC_URL=live.address, SYNC_DATA_DIR=str(tmp_path))
    run = lambda *words: CliRunner().invoke(commands, ["hooks", *words])  # noqa: E731
    assert "No webhook is set up" in run().output
    assert "2 written" in run("--set-up").output
    shown = run().output
    assert "CUSTOMER_UPDATED: 0 calls" in shown
    assert "/hooks/" not in shown
    assert "Next:" not in shown
    live.world.economic_call("DELETE", "/webhooksapi/v1.0.0/webhooks/INVOICE_BOOKED")
    missing = run().output
    assert "INVOICE_BOOKED: 0 calls (not there)" in missing
    assert "Next: economic-sync hooks --set-up" in missing
    assert "1 written" in run("--set-up").output
    assert "2 written" in run("--off").output
    assert "switched off" in run().output
    monkeypatch.setenv("ENGINE_PUBLIC_URL", "http://worker.example")
    refused = run("--set-up")
    assert refused.exit_code == 2
    assert "ENGINE_PUBLIC_URL" in refused.output


@pytest.mark.slow
def test_from_booking_to_the_company_in_seconds(made, tmp_path):
    """Over real stores, with the worker's own threads and its own waits. The limit is asserted by giving up."""
    made.restore()
    listening = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    options = replace(QUICK, fold_seconds=2.0, busy_delay=(5.0, 30.0), profiles_refresh=60.0)
    host = make_host({"default": made}, open_stores(tmp_path / "work.sqlite"), made.clock, options, public_url=address)
    stop = threading.Event()
    with host, serving(create_app(host), listening) as served:
        pool = Pool(host.engine, host.stop, PoolOptions(tick=None, idle=0.2))
        pool.start()
        live = Live(made, host, served)
        live.set_up()
        begun = time.monotonic()
        book(made)
        while not any(row["InvoiceNumber"] == "999001" for row in made.rows("Invoices")):
            assert time.monotonic() - begun < 10, live.pending
            stop.wait(0.1)
        print(f"seconds from booking to the list: {time.monotonic() - begun:.1f}")
        host.stop.set()
        assert pool.join(30)
