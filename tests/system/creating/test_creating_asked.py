"""One company asked for on the page *New customers*: the page only asks, a worker creates it once, and the page says
what became of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.fakes.fake_work import FakeQueue
from tests.support.creations import COMPANY, NAME, RULES, company, customers, killed_over_sending, refusing
from tests.support.hosting import HeardAlerts, work_one
from tests.support.world import World
from tests.unit.web.conftest import Console, make_console
from worker.engine.errands import Errand, errand_message
from worker.engine.terms import Verdict
from worker.wiring.creating import creating

PAGE = "/manage/create/default"
UNASKED = {**COMPANY, "CreateInEconomic": None}  # nobody chose anything in its column


@pytest.fixture
def console(world: World) -> Console:
    return make_console(world, create=RULES)


@pytest.fixture
def browser(console: Console) -> TestClient:
    return console.browser()


def ask(browser: TestClient, item: int | str, **more: str) -> Any:
    """Somebody presses the button; the page that follows."""
    answer = browser.post(PAGE, data={"item": str(item), **more})
    assert answer.status_code == 200, answer.text
    return answer


def lose_messages(console: Console) -> None:
    queue = console.host.stores.queue
    assert isinstance(queue, FakeQueue)
    queue.messages.clear()


def told(browser: TestClient, language: str = "en") -> str:
    """What the page says of those that were asked for on it."""
    page = browser.get(f"{PAGE}?lang={language}").text
    card = page.partition('id="asked"')[2].partition("</section>")[0]
    return " ".join(card.split())


def test_the_request_only_asks_and_a_worker_creates_the_customer(world, console, browser):
    item = world.post("Companies", UNASKED)
    sides = ("economic", "sharepoint")
    before = [world.control(side, "stats")["total"]["requests"] for side in sides]
    answer = browser.post(PAGE, data={"item": str(item)}, follow_redirects=False)
    assert [world.control(side, "stats")["total"]["requests"] for side in sides] == before
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    assert "It is created in a few seconds." in told(browser)
    assert not customers(world)
    console.work()
    (customer,) = customers(world)
    assert company(world, item)["CustomerID"] == str(customer["customerNumber"])
    text = told(browser)
    assert NAME in text
    assert f"Created in e-conomic as customer {customer['customerNumber']}" in text
    assert "in a few seconds" not in text


@pytest.mark.parametrize("more", [{}, {"anyway": "on"}])
def test_a_double_click_makes_one_customer(world, console, browser, more):
    """Also where e-conomic's customers like it do not matter; and once more when all is done."""
    item = world.post("Companies", UNASKED)
    ask(browser, item, **more)
    ask(browser, item, **more)
    console.work()
    number = company(world, item)["CustomerID"]
    ask(browser, item, **more)
    console.work()
    (customer,) = customers(world)
    assert str(customer["customerNumber"]) == number == company(world, item)["CustomerID"]
    assert told(browser).count(f"as customer {number}") == 1


def test_one_that_is_asked_for_in_its_column_too_is_made_once(world, console, browser):
    item = world.post("Companies", COMPANY)
    ask(browser, item)
    console.host.engine.tick()
    console.work()
    assert len(customers(world)) == 1


def test_several_are_asked_for_and_each_gets_its_answer(world, console, browser):
    items = [
        world.post("Companies", {**UNASKED, "Title": f"Nr {at}", "CINumber": f"1000000{at}", "EMail": None})
        for at in range(7)
    ]
    for item in items:
        ask(browser, item)
    console.work()
    assert all(company(world, item)["CreateInEconomic"] == "Created" for item in items)
    text = told(browser)
    assert [f"Nr {at}<" in text for at in range(7)] == [False, False, True, True, True, True, True], "the last five"


def test_a_customer_like_it_is_told_and_a_person_may_insist(world, console, browser):
    ask(browser, world.post("Companies", UNASKED))
    console.work()
    twin = world.post("Companies", UNASKED)
    ask(browser, twin)
    console.work()
    assert "with the same CVR number" in told(browser)
    assert len(customers(world)) == 1
    ask(browser, twin, anyway="on")
    console.work()
    assert "with the same CVR number" not in told(browser)
    assert len(customers(world)) == 2


def test_whoever_insists_while_it_waits_is_heard(world, console, browser):
    ask(browser, world.post("Companies", UNASKED))
    console.work()
    twin = world.post("Companies", UNASKED)
    ask(browser, twin)
    ask(browser, twin, anyway="on")
    ask(browser, twin)
    console.work()
    assert len(customers(world)) == 2
    assert company(world, twin)["CreateInEconomic"] == "Created"


def test_an_item_that_is_no_company_is_told_with_the_next_step(console, browser):
    ask(browser, 999999)
    console.work()
    assert "is no company." in told(browser)
    assert "Look at the item&#39;s address." in told(browser)
    assert "er ingen virksomhed." in told(browser, "da")
    assert "Se i elementets adresse." in told(browser, "da")


def test_what_is_missing_is_told_and_asked_for_again_once_it_is_right(world, console, browser):
    item = world.post("Companies", {**UNASKED, "CINumber": ""})
    ask(browser, item)
    console.work()
    assert "CI Number is blank" in told(browser)
    world.merge("Companies", item, {"CINumber": "87654321"})
    ask(browser, item)
    console.work()
    assert "CI Number is blank" not in told(browser)
    assert len(customers(world)) == 1


def test_while_e_conomic_does_not_answer_it_waits_and_says_why(world, console, browser):
    item = world.post("Companies", UNASKED)
    ask(browser, item)
    world.economic_app.state.faults.set("503", 1.0)
    assert work_one(console.host) is Verdict.WAITING
    world.economic_app.state.faults.clear()
    text = told(browser)
    assert "It is tried again by itself." in text
    assert "in a few seconds" not in text
    console.work()
    assert len(customers(world)) == 1
    assert "as customer" in told(browser)


def test_one_that_has_to_wait_holds_up_no_other(world, console, browser):
    items = [world.post("Companies", {**UNASKED, "CINumber": f"2000000{at}"}) for at in range(2)]
    for item in items:
        ask(browser, item, anyway="on")
    with refusing(world, 1, 503):
        console.work()
    assert [company(world, item)["CreateInEconomic"] for item in items] == ["Created", "Created"]


def test_refused_tokens_leave_it_waiting_until_they_are_right(world, console, browser):
    item = world.post("Companies", UNASKED)
    ask(browser, item)
    with refusing(world, 1, 401, always=True):
        assert work_one(console.host) is Verdict.FAILED
    assert "It is tried again by itself." in told(browser)
    console.host.engine.tick()
    assert company(world, item)["CreateInEconomic"] == "Created"


def test_while_another_worker_creates_customers_it_waits(world, console, browser):
    item = world.post("Companies", UNASKED)
    ask(browser, item)
    with creating(console.host.stores.leases, "default"):
        assert work_one(console.host) is Verdict.WAITING
    assert not customers(world)
    console.work()
    assert company(world, item)["CreateInEconomic"] == "Created"


def test_a_message_that_is_lost_is_made_good_by_the_tick(world, console, browser):
    item = world.post("Companies", UNASKED)
    ask(browser, item)
    lose_messages(console)
    console.host.engine.tick()
    assert company(world, item)["CreateInEconomic"] == "Created"
    assert "as customer" in told(browser)


def test_a_worker_that_dies_over_it_makes_no_second_customer(world, console, browser):
    """It made the customer and heard nothing of it; the company still waits."""
    item = world.post("Companies", COMPANY)
    killed_over_sending(world)
    ask(browser, item)
    console.work()
    (customer,) = customers(world)
    assert f"as customer {customer['customerNumber']}" in told(browser)


def test_where_creating_is_switched_off_nothing_is_asked_for(world):
    console = make_console(world, create=RULES.model_copy(update={"allow": False}))
    item = world.post("Companies", UNASKED)
    answer = console.browser().post(PAGE, data={"item": str(item)})
    assert answer.status_code == 422
    assert "is switched off for this connection." in answer.text
    assert "Switch it on under Rules" in answer.text
    lose_messages(console)
    console.host.engine.tick()
    assert company(world, item)["CreateInEconomic"] is None


def test_switched_off_before_a_worker_came_is_told(world, console, browser):
    item = world.post("Companies", UNASKED)
    ask(browser, item)
    live = console.host.live
    own, version = live.own("default")
    live.change("default", replace(own, create={"allow": False}), version)
    console.work()
    console.host.engine.tick()
    assert not customers(world)
    assert "Creating customers is switched off for this connection." in told(browser)


def test_a_list_without_the_columns_is_told(world, console, browser):
    item = world.post("Companies", UNASKED)
    world.drop_column("Companies", "CreateClaim")
    browser.post(PAGE, data={"item": str(item)}, follow_redirects=False)
    console.work()
    assert "CreateClaim" in told(browser)
    assert "Make it on the page Connection" in told(browser)


def test_what_failed_too_often_for_unknown_reasons_is_told(world, console, browser):
    ask(browser, world.post("Companies", UNASKED))
    console.host.engine.buried(errand_message("default", Errand.CREATE))
    text = told(browser)
    assert "It failed several times for an unexpected reason." in text
    assert "Look at the log, then ask again." in text
    assert isinstance(console.host.alerts, HeardAlerts)
    assert console.host.alerts.heard == [], "whoever asked reads it on the page"


def test_a_name_is_text_on_the_page(world, console, browser):
    ask(browser, world.post("Companies", {**UNASKED, "Title": "<b>x</b>"}))
    console.work()
    assert "&lt;b&gt;x&lt;/b&gt;" in told(browser)
    assert "<b>x</b>" not in told(browser)
