"""What a tick does beside runs: requests for customers are looked at each minute, and no errand holds up another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.fake_work import FakeQueue, make_fake_stores
from tests.support.creations import RULES, company, killed_over_sending
from tests.support.hosting import QUICK, HeardAlerts, KeptSecrets, make_host
from tests.support.world import World
from tests.unit.web.conftest import make_console
from worker.engine.errands import Errand, read_errand
from worker.settings import CreateSettings, EngineSettings, Installation
from worker.wiring.engine import Host

OFF = CreateSettings()
COMPANY = {
    "Title": "Nordlys Elektronik ApS",
    "CINumber": "87654321",
    "Country": "Danmark",
    "CreateInEconomic": "Requested",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("ticking"), patient=False) as world:
        world.set_up()
        for row in world.rows("Mapping profiles"):
            world.merge("Mapping profiles", row["Id"], {"Enabled": False})
        world.snapshot()
        yield world


@pytest.fixture
def world(made: World) -> World:
    made.restore_all()
    return made


def host_of(world: World, create: CreateSettings = RULES, **sync: Any) -> Host:
    installation = Installation(EngineSettings(), {"default": world.settings(create, **sync)})
    stores = make_fake_stores(world.clock)
    heard, kept = HeardAlerts(), KeptSecrets()
    return Host(installation, stores, clock=world.clock, alerts=heard, options=QUICK, secrets=kept, patient=False)


def sent(host: Host) -> list[Errand]:
    """Errands that wait in the queue."""
    assert isinstance(host.stores.queue, FakeQueue)
    found = [read_errand(message.body) for message in host.stores.queue.messages]
    return [one.errand for one in found if one is not None]


def requests_of(world: World, act: Any) -> int:
    """Requests that SharePoint sees while `act` is done."""
    before = world.control("sharepoint", "stats")["total"]["requests"]
    act()
    return int(world.control("sharepoint", "stats")["total"]["requests"]) - before


def profiles_read(host: Host) -> None:
    """What a tick reads anyway."""
    with host.open("default") as app:
        app.profiles.profiles()


def test_one_unusable_schedule_holds_up_neither_the_other_nor_creating(world):
    """And it is told: by the tick each time, by an alert once."""
    host = host_of(world, digest_schedule="99 99 * * *", reconcile_schedule="0 5 * * *")
    host.engine.tick()
    item = world.post("Companies", COMPANY)
    world.clock.forward()
    told = host.engine.tick().faults["default"]
    assert "SYNC_DIGEST_SCHEDULE" in told
    assert company(world, item)["CreateInEconomic"] == "Created"
    assert sent(host) == [Errand.RECONCILE]
    assert isinstance(host.alerts, HeardAlerts)
    (alert,) = host.alerts.heard
    assert "SYNC_DIGEST_SCHEDULE" in alert.text
    assert "Write it like" in alert.text


def test_an_unusable_comparison_schedule_holds_up_no_news(world):
    host = host_of(world, digest_schedule="0 7 * * *", reconcile_schedule="0 5 31 2 *")
    host.engine.tick()
    world.clock.forward()
    assert "SYNC_RECONCILE_SCHEDULE" in host.engine.tick().faults["default"]
    assert sent(host) == [Errand.DIGEST]


def test_creating_that_fails_holds_up_no_schedule(world):
    """And both faults of a connection are told: that of the errand, and that of its profiles."""
    host = host_of(world, digest_schedule="0 7 * * *")
    host.engine.tick()
    world.clock.forward()
    world.drop_column("Companies", "CreateClaim")
    faults = host.engine.tick().faults["default"]
    assert "CreateClaim" in faults
    assert Errand.DIGEST in sent(host)


def test_switched_off_a_request_gets_a_sentence_with_the_next_step(world):
    item = world.post("Companies", COMPANY)
    host_of(world, OFF).engine.tick()
    row = company(world, item)
    assert row["CreateInEconomic"] == "Failed"
    assert "switched off" in row["CreateStatus"]
    assert "choose Requested again" in row["CreateStatus"]


@pytest.mark.parametrize("made_already", [True, False])
def test_switched_off_in_the_middle_the_tick_winds_the_claim_up(world, made_already):
    item = world.post("Companies", COMPANY)
    killed_over_sending(world, arrived=made_already)
    world.clock.moment += timedelta(minutes=5)
    host_of(world, OFF).engine.tick()
    row = company(world, item)
    assert row["CreateInEconomic"] == ("Created" if made_already else "Failed")
    assert bool(row["CustomerID"]) == made_already


@pytest.mark.parametrize("rules", [RULES, OFF], ids=["on", "off"])
def test_a_look_that_finds_nothing_costs_one_request(world, rules):
    """The list is not looked for again each minute."""
    host = host_of(world, rules)
    host.engine.tick()
    profiles = requests_of(world, lambda: profiles_read(host))
    assert requests_of(world, host.engine.tick) == profiles + 1


def test_without_the_column_an_installation_that_never_asked_pays_nothing(world):
    """Until it is provisioned from the console, or an hour has passed."""
    world.drop_column("Companies", "CreateInEconomic")
    host = host_of(world, OFF)
    assert host.engine.tick().faults == {}
    profiles = requests_of(world, lambda: profiles_read(host))
    assert requests_of(world, host.engine.tick) == profiles
    with host.open("default") as app:
        app.provision(app.provision_plan())
    item = world.post("Companies", COMPANY)
    host.errands.forget("default")
    host.engine.tick()
    assert "switched off" in company(world, item)["CreateStatus"]


def test_switched_on_in_the_console_it_is_used_by_the_next_tick(world):
    host = host_of(world, OFF)
    host.engine.tick()
    own, version = host.live.own("default")
    typed = {"allow": True, "group": "1", "payment_terms": "1", "vat_zone": "1", "currency": "DKK"}
    host.live.change("default", replace(own, create=typed), version)
    item = world.post("Companies", COMPANY)
    host.engine.tick()
    assert company(world, item)["CreateInEconomic"] == "Created"


def test_wrong_settings_are_told_once_by_a_tick(world):
    host = host_of(world)
    own, version = host.live.own("default")
    host.live.change("default", replace(own, site_url="nonsense"), version)
    assert host.engine.tick().faults["default"].count("SHAREPOINT_SITE_URL") == 1


def test_two_connections_do_not_hold_each_other_up(world, tmp_path):
    stores = make_fake_stores(world.clock)
    host = make_host({"one": world, "two": world}, stores, world.clock, create=RULES)
    item = world.post("Companies", COMPANY)
    host.engine.tick()
    host.engine.tick()
    assert company(world, item)["CreateInEconomic"] == "Created"


def test_an_unusable_schedule_stands_on_the_overview(world):
    page = make_console(world, digest_schedule="99 99 * * *").browser().get("/manage/overview/default").text
    assert "SYNC_DIGEST_SCHEDULE" in page
    assert "Nothing is started by this schedule" in page
