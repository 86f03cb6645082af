"""Near real time when things go wrong: outages, customers that can't be read, failing profiles, odd calls."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import requests

from tests.fakes.fake_work import make_fake_stores
from tests.support.hosting import QUICK, KeptSecrets, make_host, work_all, work_one
from tests.support.near_real_time import Live, book, browser, listening
from tests.support.world import World
from worker.cli.serve import listen, serving
from worker.economic.source import EconomicSource
from worker.engine.hints import REQUESTED, Heard, HintBook
from worker.engine.terms import StartRequest, Verdict
from worker.errors import ConflictError, UnavailableError
from worker.web.app import create_app
from worker.wiring.engine import Host
from worker.wiring.hooks import client_state, sharepoint_address

# As it is for real; the stores' clock is a test's.
REAL = replace(QUICK, busy_delay=(5.0, 30.0), first_delay=30.0, longest_delay=900.0, fold_seconds=2.0)


@pytest.fixture
def live(made: World) -> Iterator[Live]:
    made.restore()
    with listening(made) as served:
        yield served


def unreadable(monkeypatch: pytest.MonkeyPatch, *numbers: int) -> list[int]:
    """Customers whose reading fails for good (none named: all); returns those that were tried, as they are."""
    tried: list[int] = []
    original = EconomicSource.customer

    def customer(source: EconomicSource, number: int) -> Any:
        tried.append(number)
        if not numbers or number in numbers:
            raise UnavailableError("e-conomic answered 500.")
        return original(source, number)

    monkeypatch.setattr(EconomicSource, "customer", customer)
    return tried


def minutes(host: Host, world: World, count: int) -> Iterator[int]:
    """A tick each minute, and whatever the queue gives every five seconds; yields the messages there are."""
    for _ in range(count):
        host.engine.tick()
        for _ in range(12):
            world.clock.moment += timedelta(seconds=5)
            for _ in range(20):
                if work_one(host) is None:
                    break
        yield host.stores.queue.waiting()


def test_an_outage_makes_no_messages(made, monkeypatch):
    """One goes round, ever slower, whatever is called meanwhile; afterwards the customer is looked at."""
    made.restore()
    host = make_host({"default": made}, make_fake_stores(made.clock), made.clock, REAL)
    hints = HintBook(host.stores.records, "default")
    number = made.data.customers[0]["customerNumber"]
    with monkeypatch.context() as patch:
        tried = unreadable(patch)
        host.engine.hear("default", Heard("CUSTOMER_UPDATED", (number,)))
        for waiting in minutes(host, made, 40):
            host.engine.hear("default", Heard("CUSTOMER_UPDATED", (number,)))
            assert waiting == 1
    assert 5 <= len(hints.read().done) <= 8
    assert tried
    assert {done.problem for done in hints.read().done} == {"e-conomic answered 500."}
    assert list(minutes(host, made, 20))[-1] == 0
    assert not hints.read().waits
    assert hints.read().done[-1].succeeded


def test_a_long_run_makes_no_messages(made):
    made.restore()
    host = make_host({"default": made}, make_fake_stores(made.clock), made.clock, REAL)
    job, _ = host.engine.start(StartRequest("default"))
    host.stores.queue.done(host.stores.queue.receive(60))  # type: ignore[arg-type]  # another worker has it in hand
    number = made.data.customers[0]["customerNumber"]
    host.engine.hear("default", Heard("CUSTOMER_UPDATED", (number,)))
    for _ in range(30 * 12):
        made.clock.moment += timedelta(seconds=5)
        host.engine._errands.round("default")  # type: ignore[union-attr]
        work_one(host)
        host.engine.hear("default", Heard("CUSTOMER_UPDATED", (number,)))
        assert host.stores.queue.waiting() == 1
    assert host.engine.running("default") is not None
    assert job.job_id


def test_a_message_that_was_left_is_dropped(made, monkeypatch):
    """Two were sent; after one go that failed a single one is left."""
    made.restore()
    host = make_host({"default": made}, make_fake_stores(made.clock), made.clock, REAL)
    unreadable(monkeypatch)
    host.engine.hear("default", Heard("CUSTOMER_UPDATED", (1,)))
    made.clock.moment += timedelta(seconds=61)
    host.engine.tick()
    assert host.stores.queue.waiting() == 2
    assert [work_one(host), work_one(host)] == [Verdict.WAITING, Verdict.DROPPED]
    assert host.stores.queue.waiting() == 1


def test_one_customer_that_can_not_be_read_holds_up_no_other(live, monkeypatch):
    """It is told and left to the night."""
    numbers = [one["customerNumber"] for one in live.world.data.customers]
    bad = numbers[2]
    unreadable(monkeypatch, bad)
    book(live.world, customer=numbers[-1])
    for number in numbers:
        live.host.engine.hear("default", Heard("CUSTOMER_UPDATED", (number,)))
        live.world.clock.moment += timedelta(seconds=1)
    work_all(live.host)
    assert any(row["InvoiceNumber"] == "999001" for row in live.world.rows("Invoices"))
    done = live.pending.done
    assert {number for one in done if one.succeeded for number in one.numbers} >= set(numbers) - {bad}
    assert [one.numbers for one in done if not one.succeeded][-1] == (bad,)
    assert not live.pending.waits
    assert live.host.stores.queue.waiting() == 0


def test_a_go_whose_profile_failed_is_told(live):
    """On both pages, in both languages, beside what the others wrote."""
    live.world.drop_column("Invoices", "NetAmountBase")
    customer = book(live.world)
    live.host.engine.hear("default", Heard(REQUESTED, (customer,)))
    work_all(live.host)
    done = live.pending.done[-1]
    assert not done.succeeded
    assert done.profile == "Invoices"
    assert "NetAmountBase" in done.problem
    session = browser(live)
    for page in ("/manage/live/default?lang={}", f"/manage/customer/default?number={customer}&lang={{}}"):
        for language in ("en", "da"):
            shown = session.get(live.address + page.format(language), timeout=30).text
            assert "NetAmountBase" in shown
            assert "Invoices:" in shown
    assert "Opdateringen gik galt" in shown


def test_a_go_whose_row_failed_is_told_with_the_reason(live):
    """As the reports of runs tell it."""
    customer = live.world.data.customers[0]["customerNumber"]
    (item,) = [row["Id"] for row in live.world.rows("Companies") if row["CustomerID"] == str(customer)]
    other = next(row["Id"] for row in live.world.rows("Companies") if row["CustomerID"] not in (None, str(customer)))
    live.world.merge("Companies", other, {"CustomerID": str(customer)})
    live.host.engine.hear("default", Heard(REQUESTED, (customer,)))
    work_all(live.host)
    done = live.pending.done[-1]
    assert (done.succeeded, done.failed >= 1, done.problem) == (False, True, "")
    assert {str(item), str(other)} <= set("".join(c if c.isdigit() else " " for c in str(done.facts)).split())
    page = f"{live.address}/manage/customer/default?number={customer}"
    shown = browser(live).get(f"{page}&lang=en", timeout=30).text
    assert "row failed:" in shown or "rows failed:" in shown
    assert "mislykkedes:" in browser(live).get(f"{page}&lang=da", timeout=30).text


def test_after_a_good_go_the_customer_s_page_says_so(live):
    customer = book(live.world)
    page = f"{live.address}/manage/customer/default?number={customer}&lang=en"
    live.host.engine.hear("default", Heard(REQUESTED, (customer,)))
    assert "waits to be brought up to date" in browser(live).get(page, timeout=30).text
    work_all(live.host)
    shown = browser(live).get(page, timeout=30).text
    assert "Brought up to date" in shown
    assert "waits to be brought up to date" not in shown


def test_a_renumbering_that_was_used_is_forgotten(live):
    live.host.engine.hear("default", Heard("CUSTOMER_UPDATED", (987_654, 987_655), renumbered=(987_654, 987_655)))
    standing = live.world.data.customers[0]["customerNumber"]
    live.host.engine.hear("default", Heard("CUSTOMER_UPDATED", (standing,), renumbered=(standing, 987_656)))
    work_all(live.host)
    assert live.pending.renumbered == {str(standing): 987_656}


def test_calls_side_by_side_are_all_stored_when_they_are_answered(live):
    """In far fewer writes than there were calls."""
    before = live.host.stores.records.writes  # type: ignore[attr-defined]
    numbers = range(1, 201)
    with ThreadPoolExecutor(20) as pool:
        bodies = ({"event": "CUSTOMER_UPDATED", "old": str(one), "new": str(one)} for one in numbers)
        answers = list(pool.map(live.call, bodies))
    assert {answer.status_code for answer in answers} == {204}
    assert live.pending.customers.keys() == set(map(str, numbers))
    assert live.pending.calls["CUSTOMER_UPDATED"][0] == 200
    assert live.host.stores.queue.waiting() == 1
    assert live.host.stores.records.writes - before <= 200  # type: ignore[attr-defined]


def test_a_call_that_can_not_be_stored_is_to_come_again(live, monkeypatch):
    hook = live.hook

    def refused(*_: object) -> str:
        raise ConflictError("somebody was faster")

    monkeypatch.setattr(live.host.stores.records, "write", refused)
    monkeypatch.setattr("worker.engine.json_record._FIRST_PAUSE", 0.0)
    answer = live.call({"event": "INVOICE_BOOKED", "invoice": "1"}, hook)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_a_slow_secret_store_holds_up_nothing_else(made):
    """However many strangers call meanwhile."""
    made.restore()
    go = threading.Event()
    asked = threading.Event()

    class Slow(KeptSecrets):
        def read(self, name: str) -> str | None:
            asked.set()
            assert go.wait(60)
            return super().read(name)

    listening = listen("127.0.0.1", 0)
    host = make_host({"default": made}, make_fake_stores(made.clock), made.clock)
    host.hook_secrets._store = Slow()
    with host, serving(create_app(host), listening) as address, ThreadPoolExecutor(60) as pool:
        calls = [pool.submit(requests.post, f"{address}/hooks/economic/guess", json={}, timeout=60) for _ in range(60)]
        assert asked.wait(30)
        for _ in range(5):
            assert requests.get(f"{address}/healthz", timeout=30).status_code == 200
        go.set()
        assert {call.result(60).status_code for call in calls} == {404}


def chunked(*parts: bytes) -> Iterator[bytes]:
    yield from parts


def test_a_call_may_come_in_chunks(live):
    answer = requests.post(live.hook, data=chunked(b'{"event":"INVOICE_BOOKED",', b'"invoice":"7"}'), timeout=30)
    assert answer.status_code == 204
    assert list(live.pending.invoices) == ["7"]
    state = client_state(live.host.hook_secrets.make("default"))
    notice = json.dumps({"value": [{"clientState": state}] * 40}).encode()
    url = sharepoint_address(live.address, live.host.hook_secrets.make("default"))
    assert requests.post(url, data=chunked(notice), timeout=30).status_code == 200


def test_chunks_have_a_limit_and_are_taken_by_hooks_only(live):
    assert requests.post(live.hook, data=chunked(*[b"x" * 1000] * 5), timeout=30).status_code == 400
    answer = requests.post(f"{live.address}/manage/api/runs", data=chunked(b"{}"), timeout=30)
    assert answer.status_code == 411


def test_a_byte_order_mark_before_a_call_is_read_over(live):
    body = b'\xef\xbb\xbf{"event":"INVOICE_BOOKED","invoice":"7"}'
    assert requests.post(live.hook, data=body, timeout=30).status_code == 204


def test_half_a_character_in_a_notice_is_told(live):
    url = sharepoint_address(live.address, live.host.hook_secrets.make("default"))
    answer = requests.post(url, data=b'{"value":[{"clientState":"\\ud800"}]}', timeout=30)
    assert answer.status_code == 400


@pytest.mark.parametrize("kind", ["economic", "sharepoint"])
@pytest.mark.parametrize("shape", ["/hooks/{}/{}/", "/hooks/{}/{}//", "/hooks/{}//{}", "/hooks/{}/{}/x"])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_no_answer_leads_to_an_address_with_the_secret(live, kind, shape, method):
    secret = live.host.hook_secrets.make("default")
    url = live.address + shape.format(kind, secret)
    body = {"event": "INVOICE_BOOKED", "invoice": "1"}
    answer = requests.request(method, url, json=body, timeout=30, allow_redirects=False)
    assert answer.status_code == 404
    assert secret not in str(answer.headers) + answer.text
