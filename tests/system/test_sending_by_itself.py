"""What the CRM owns goes to e-conomic after each night's run and when somebody asks; the console says how it went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.support.hosting import HeardAlerts
from tests.support.sendings import crm_owns_email, email, only_customers, some_customers, type_email
from tests.support.world import World
from tests.unit.web.conftest import Console, make_console
from worker.settings import CreateSettings
from worker.wiring.sending import last_sending


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Filled; one profile is left, which leaves the e-mail to the CRM."""
    with World(tmp_path_factory.mktemp("sending"), patient=False) as world:
        crm_owns_email(world)
        only_customers(world)
        world.snapshot()
        yield world


@pytest.fixture
def world(made: World) -> Iterator[World]:
    made.restore_all()
    moment = made.clock.moment
    yield made
    made.clock.moment = moment
    made.economic_app.state.switches.reset()


@pytest.fixture
def console(world: World) -> Console:
    made = make_console(world, create=CreateSettings(send="EMail"))
    made.host.engine.ask_for_sending("default")
    made.work()  # the first look, which settles nothing
    heard(made).clear()
    return made


def heard(console: Console) -> list[Any]:
    assert isinstance(console.host.alerts, HeardAlerts)
    return console.host.alerts.heard


def night(world: World, console: Console) -> None:
    console.host.engine.tick()
    world.clock.forward()
    console.host.engine.tick()
    console.work()


def test_a_nights_run_is_followed_by_the_way_back(world, console):
    (number,) = some_customers(world, 1)
    type_email(world, number, "new@crm.example")
    night(world, console)
    assert email(world, number) == "new@crm.example"
    last = last_sending(console.host.stores.records, "default")
    assert last is not None
    assert (last.sent, [one.number for one in last.sendings]) == (1, [number])
    row = next(row for row in world.rows("Companies") if row["CustomerID"] == str(number))
    assert row["EMail"] == "new@crm.example"


def test_without_a_named_column_no_night_sends(world):
    console = make_console(world)
    night(world, console)
    assert last_sending(console.host.stores.records, "default") is None
    assert "Columns the CRM owns" in console.browser().get("/manage/create/default").text


def test_somebody_asks_on_the_page_and_sees_what_became_of_it(world, console):
    (number,) = some_customers(world, 1)
    type_email(world, number, "new@crm.example")
    browser = console.browser()
    assert "is sent in a few seconds" in browser.post("/manage/create/default/send", data={"mark": ""}).text
    console.work()
    page = browser.get("/manage/create/default").text
    assert "Nothing can be sent" not in page
    assert "1 customer was sent." in page
    assert "new@crm.example" in page
    assert email(world, number) == "new@crm.example"


def test_what_a_person_must_settle_stands_on_the_page_and_is_told_once(world, console):
    one, two = some_customers(world, 2)
    type_email(world, one, "nobody")
    twin = world.post("Companies", {"Title": "Twin", "CustomerID": str(two)})
    for _ in range(2):
        console.host.engine.ask_for_sending("default")
        console.work()
    (alert,) = heard(console)
    assert "2 values" in alert.text
    page = console.browser().get("/manage/create/default").text
    assert "It is no e-mail address. Correct it in the CRM." in page
    assert "Several companies have this customer number" in page
    assert f"Item {twin}" in page
    danish = console.browser()
    danish.get("/manage/create/default?lang=da")
    assert "Det er ingen e-mailadresse" in danish.get("/manage/create/default").text


def test_a_failure_in_between_makes_no_news_of_what_waits(world, console):
    (number,) = some_customers(world, 1)
    type_email(world, number, "nobody")
    own = console.host.live.own("default")[0]
    for columns in ("EMail", "EMail, Phone", "EMail"):  # a profile writes phones
        changed = replace(own, create={"send": columns})
        console.host.live.change("default", changed, console.host.live.own("default")[1])
        console.host.engine.ask_for_sending("default")
        console.work()
    assert [alert.severity for alert in heard(console)] == ["warning", "error"]


def test_a_profile_in_the_way_is_told_and_stands_on_the_page(world):
    console = make_console(world, create=CreateSettings(send="Phone"))
    assert "Nothing can be sent" in console.browser().get("/manage/create/default").text, "before it was tried too"
    console.host.engine.ask_for_sending("default")
    console.work()
    (alert,) = heard(console)
    assert "column Phone" in alert.text
    page = console.browser().get("/manage/create/default").text
    assert "column Phone" in page
    assert "On create only in the profile" in page


def test_a_great_many_at_once_wait_for_a_persons_yes(world, console, monkeypatch):
    """Somebody emptied the column: e-conomic keeps its addresses until a person has looked."""
    monkeypatch.setattr("worker.wiring.sending._MANY", 2)
    numbers = some_customers(world, 3)
    for number in numbers:
        type_email(world, number, "")
    console.host.engine.ask_for_sending("default")
    console.work()
    assert all(email(world, number) for number in numbers)
    assert "customers would be changed in e-conomic at once" in heard(console)[0].text
    browser = console.browser()
    page = browser.get("/manage/create/default").text
    assert "Yes, send all of these" in page
    last = last_sending(console.host.stores.records, "default")
    assert last is not None
    browser.post("/manage/create/default/send", data={"mark": "something else"})
    console.work()
    assert all(email(world, number) for number in numbers)
    browser.post("/manage/create/default/send", data={"mark": last.mark})
    console.work()
    assert not any(email(world, number) for number in numbers)
