"""What comes after a night's run comes too when the worker dies between the run's end and that: people are told how it
went, and what the CRM owns is sent to e-conomic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest

from tests.fakes.fake_work import make_fake_stores
from tests.support.hosting import HeardAlerts, make_host, work_all, work_one
from tests.support.mortal import Killed, Mortal, mortal_stores
from tests.support.sendings import crm_owns_email, email, only_customers, some_customers, type_email
from tests.support.world import World
from worker.engine.terms import Verdict
from worker.ports import Stores
from worker.settings import CreateSettings
from worker.wiring.engine import Host
from worker.wiring.sending import last_sending

RULES = CreateSettings(send="EMail")
BEFORE_THE_END = 8  # calls to the store, of which the last ones end the run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Filled; one profile is left, which leaves the e-mail to the CRM, and one of its rows fails each night."""
    with World(tmp_path_factory.mktemp("end"), patient=False) as world:
        crm_owns_email(world)
        only_customers(world)
        world.control("economic", "mutate", {"customers": [{**world.data.customers[-1], "name": "x" * 300}]})
        world.snapshot()
        yield world


@pytest.fixture
def world(made: World) -> World:
    made.restore_all()
    return made


def begun(world: World) -> tuple[Stores, int]:
    """Stores with a night's run to be worked, and a customer whose e-mail was changed in the CRM."""
    stores = make_fake_stores(world.clock)
    host = host_of(world, stores)
    host.engine.ask_for_sending("default")
    work_all(host)  # the first look, which settles nothing
    (number,) = some_customers(world, 1)
    type_email(world, number, "new@crm.example")
    host.engine.tick()
    world.clock.forward()
    host.engine.tick()
    return stores, number


def host_of(world: World, stores: Stores) -> Host:
    return make_host({"default": world}, stores, world.clock, create=RULES)


def ended(world: World, mortal: Mortal, stores: Stores) -> HeardAlerts:
    """The run is worked to its end, or to the worker's."""
    host = host_of(world, mortal_stores(stores, mortal))
    with suppress(Killed):
        while work_one(host) is not Verdict.FINISHED:
            pass
    assert isinstance(host.alerts, HeardAlerts)
    return host.alerts


@pytest.fixture(scope="module")
def calls(made: World) -> int:
    """Calls to the store until the run's message is done with."""
    made.restore_all()
    stores, _ = begun(made)
    mortal = Mortal()
    ended(made, mortal, stores)
    return mortal.calls


@pytest.mark.parametrize("before", [True, False], ids=["before the call", "after it"])
@pytest.mark.parametrize("left", range(BEFORE_THE_END))
def test_a_worker_that_dies_at_a_runs_end_is_followed_all_the_same(world, calls, left, before):
    stores, number = begun(world)
    heard = ended(world, Mortal(calls - left, before=before), stores).heard
    world.clock.moment += timedelta(minutes=15)  # leases and hidden messages run out
    host = host_of(world, stores)
    work_all(host)
    assert isinstance(host.alerts, HeardAlerts)
    assert [one.title for one in heard] + [one.title for one in host.alerts.heard], "people must hear of the failed row"
    last = last_sending(stores.records, "default")
    assert last is not None
    assert [one.number for one in last.sendings] == [number]
    assert email(world, number) == "new@crm.example"


def test_a_night_is_told_and_followed_once(world):
    """Also where its message comes again."""
    stores, _ = begun(world)
    host = host_of(world, stores)
    (body,) = [one.body for one in stores.queue.messages]  # type: ignore[attr-defined]
    work_all(host)
    told, last = list(host.alerts.heard), last_sending(stores.records, "default")  # type: ignore[attr-defined]
    stores.queue.send(body)
    assert work_all(host) == [Verdict.DROPPED]
    assert (host.alerts.heard, last_sending(stores.records, "default")) == (told, last)  # type: ignore[attr-defined]
    assert len(told) == 1
