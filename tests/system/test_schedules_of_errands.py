"""What runs by a schedule of its own: the weekly comparison and the account managers' news."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.fake_work import make_fake_stores
from tests.support.hosting import QUICK, HeardAlerts, KeptSecrets, make_host, work_all, work_one
from tests.support.mortal import Killed
from tests.support.world import World
from worker.alerts import teams_card
from worker.domain.report import RunStatus
from worker.engine.errands import Errand, errand_message
from worker.engine.hints import HintBook
from worker.engine.terms import Verdict
from worker.errors import LeaseLostError
from worker.settings import EngineSettings, Installation
from worker.wiring.engine import Host
from worker.wiring.fired import FiredBook
from worker.wiring.reconciling import StartedBy, reconcile_and_keep

COPENHAGEN = ZoneInfo("Europe/Copenhagen")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, patient=False) as made:
        made.set_up()
        made.run()
        yield made


def host_of(world: World, **sync: Any) -> Host:
    installation = Installation(EngineSettings(), {"default": world.settings(**sync)})
    stores = make_fake_stores(world.clock)
    heard, kept = HeardAlerts(), KeptSecrets()
    return Host(installation, stores, clock=world.clock, alerts=heard, options=QUICK, secrets=kept, patient=False)


def heard(host: Host) -> list[Any]:
    assert isinstance(host.alerts, HeardAlerts)
    return host.alerts.heard


def next_sunday(world: World) -> None:
    """To after five on the next Sunday morning; the profiles' own nights are not what is looked at here."""
    moment = world.clock.moment.astimezone(COPENHAGEN)
    days = (6 - moment.weekday()) % 7 or 7
    day = (moment + timedelta(days=days)).date()
    world.clock.moment = datetime(day.year, day.month, day.day, 5, 1, tzinfo=COPENHAGEN)


def test_a_schedule_is_due_until_its_message_was_sent_and_once_for_each_moment(world):
    records = make_fake_stores(world.clock).records
    book = FiredBook(records, "default")
    due = lambda: book.due("reconcile", "0 5 * * 0", "Europe/Copenhagen", world.clock.now())  # noqa: E731
    assert not due(), "what is seen for the first time waits"
    next_sunday(world)
    first = due()
    assert first == due() == "2026-11-29T04:00:00+00:00", "nobody sent it yet"
    book.sent("reconcile", first)
    assert not due()
    world.clock.forward(21)
    assert due() == "2026-12-20T04:00:00+00:00", "the latest after a long rest"
    assert not book.due("reconcile", "0 6 * * 0", "Europe/Copenhagen", world.clock.now()), "a changed one waits"


def test_what_was_worked_is_worked_for_no_earlier_moment(world):
    book = FiredBook(make_fake_stores(world.clock).records, "default")
    assert not book.is_done("reconcile", "2026-11-29T04:00:00+00:00")
    book.done("reconcile", "2026-11-29T04:00:00+00:00")
    book.done("reconcile", "2026-11-22T04:00:00+00:00")
    assert book.is_done("reconcile", "2026-11-29T04:00:00+00:00")
    assert book.is_done("reconcile", "2026-11-22T04:00:00+00:00")
    assert not book.is_done("reconcile", "2026-12-06T04:00:00+00:00")
    assert not book.is_done("digest", "2026-11-22T04:00:00+00:00")


@pytest.mark.parametrize("content", [b"", b"[]", b'{"reconcile": ["0 5 * * 0", ""]}', b'{"reconcile": {"since": "x"}}'])
def test_a_damaged_record_of_schedules_starts_anew(world, content):
    records = make_fake_stores(world.clock).records
    records.write("fired/default", content, None)
    book = FiredBook(records, "default")
    assert not book.due("reconcile", "0 5 * * 0", "Europe/Copenhagen", world.clock.now())
    next_sunday(world)
    assert book.due("reconcile", "0 5 * * 0", "Europe/Copenhagen", world.clock.now())


def without_profiles(world: World) -> None:
    """The profiles' own nights are not what is looked at."""
    for row in world.rows("Mapping profiles"):
        world.merge("Mapping profiles", row["Id"], {"Enabled": False})


def comparisons(world: World) -> list[dict[str, Any]]:
    return [row for row in world.rows("Sync runs") if row["Profile"] == "Reconcile"]


@pytest.mark.parametrize("dies", ["before the message", "after the message"])
def test_a_worker_that_dies_while_it_fires_loses_no_comparison_and_makes_none_twice(world, dies, monkeypatch):
    without_profiles(world)
    host = host_of(world)
    host.engine.tick()
    work_all(host)
    next_sunday(world)
    where, name = (host.stores.queue, "send") if dies == "before the message" else (host.stores.records, "write")
    with monkeypatch.context() as patched:
        patched.setattr(where, name, Mock(side_effect=Killed))
        with pytest.raises(Killed):
            host.engine.tick()
    host.engine.tick()
    host.engine.tick()
    verdicts = [one for one in work_all(host) if one is not Verdict.WAITING]
    assert len(comparisons(world)) == 1
    assert verdicts.count(Verdict.DROPPED) == (1 if dies == "after the message" else 0)


def test_a_comparison_that_a_service_keeps_from_being_made_alerts_once_and_is_made_later(world):
    without_profiles(world)
    host = host_of(world)
    host.engine.tick()
    work_all(host)
    next_sunday(world)
    host.engine.tick()
    world.control("economic", "faults", {"503": 1.0})
    assert [work_one(host) for _ in range(3)] == [Verdict.WAITING] * 3
    (alert,) = heard(host)
    assert "could not be compared" in alert.title
    assert "It is tried again by itself" in alert.text
    assert alert.severity == "error"
    world.control("economic", "faults", {})
    assert Verdict.FINISHED in work_all(host)
    assert len(comparisons(world)) == 1
    assert len([one for one in heard(host) if "could not be compared" in one.title]) == 1


def test_a_comparison_that_was_to_stop_claims_nothing(world):
    """Its connection may have been somebody else's meanwhile."""
    records = make_fake_stores(world.clock).records
    world.stop.set()
    with world.app() as app, pytest.raises(LeaseLostError):
        reconcile_and_keep(app, records, StartedBy.TIMER)
    assert records.read("reconcile/default") is None
    assert comparisons(world) == []


def test_a_comparison_that_fails_for_unknown_reasons_alerts(world):
    host = host_of(world)
    host.engine.buried(errand_message("default", Errand.RECONCILE, "2026-11-29T04:00:00+00:00"))
    (alert,) = heard(host)
    assert "could not be compared" in alert.title


def compared(world: World, host: Host) -> list[dict[str, Any]]:
    """Ticks until next Sunday has passed; the rows of comparisons in the run list."""
    host.engine.tick()
    work_all(host)
    next_sunday(world)
    host.engine.tick()
    work_all(host)
    host.engine.tick()
    work_all(host)
    return [row for row in world.rows("Sync runs") if row["Profile"] == "Reconcile"]


def test_the_weekly_comparison_is_listed_and_kept(world):
    for name in ("Customers", "Contacts", "Balances", "Sales history", "Invoices", "Sales statistics by period"):
        row = next(row for row in world.rows("Mapping profiles") if row["Title"] == name)
        world.merge("Mapping profiles", row["Id"], {"Enabled": False})
    host = host_of(world)
    (row,) = compared(world, host)
    assert row["RunStatus"] in (RunStatus.SUCCEEDED, RunStatus.WITH_ERRORS)
    assert host.stores.records.read("reconcile/default") is not None


def test_a_difference_alerts_in_numbers(world):
    company = next(row for row in world.rows("Companies") if row["CustomerID"])
    for row in world.rows("Mapping profiles"):
        world.merge("Mapping profiles", row["Id"], {"Enabled": False})
    world.merge("Companies", company["Id"], {"Balance": 123456})
    host = host_of(world)
    (row,) = compared(world, host)
    assert row["RunStatus"] == RunStatus.WITH_ERRORS
    (alert,) = heard(host)
    assert "differ" in alert.title
    assert "e-conomic" in alert.text


def test_switched_off_it_never_runs(world):
    host = host_of(world, reconcile_schedule="off")
    assert compared(world, host) == []


def test_news_are_off_by_default_and_told_to_each_manager(world):
    """Nothing the first time; then what happened since, once."""
    quiet, host = host_of(world), host_of(world, digest_schedule="0 7 * * *", digest_big_order=1_000)
    first, second = [row for row in world.rows("Companies") if row["CustomerID"]][:2]
    world.merge("Companies", first["Id"], {"AccountManagerId": 9, "OverdueAmount": 0})
    world.merge("Companies", second["Id"], {"AccountManagerId": 10, "SalesTrend": "Stable"})
    for row in world.rows("Mapping profiles"):
        world.merge("Mapping profiles", row["Id"], {"Enabled": False})

    def morning() -> list[Any]:
        before = len(heard(host))
        world.clock.forward()
        for one in (quiet, host):
            one.engine.tick()
            work_all(one)
        return heard(host)[before:]

    assert morning() == []
    assert morning() == []
    world.merge("Companies", first["Id"], {"OverdueAmount": 1234.5})
    world.merge("Companies", second["Id"], {"SalesTrend": "Lapsed"})
    world.post(
        "Invoices",
        {
            "Title": "x",
            "InvoiceNumber": "990001",
            "CustomerID": second["CustomerID"],
            "InvoiceDate": world.clock.now().date().isoformat() + "T00:00:00Z",
            "NetAmountBase": 2_000_000,
        },
    )
    anne, peter = morning()
    assert "Anne Holm" in anne.title
    assert anne.facts == {"Newly overdue": f"{first['Title']} (1,234.50)"}
    assert peter.facts == {
        "Big orders": f"{second['Title']} (2,000,000.00)",
        "No longer buying": second["Title"],
    }
    assert morning() == []
    assert heard(quiet) == []
    assert "Anne Holm" in str(teams_card(anne))


@pytest.mark.parametrize("text", ["", "nonsense", "61 * * *", "* * * * * *"])
def test_a_schedule_that_is_none_is_refused(text, world):
    from pydantic import ValidationError

    with pytest.raises(ValidationError):
        world.settings(digest_schedule=text or " ")


def test_a_schedule_no_calendar_knows_is_told_by_the_tick(world):
    host = host_of(world, digest_schedule="99 99 * * *")
    faults = host.engine.tick().faults
    assert "SYNC_DIGEST_SCHEDULE" in faults["default"]


def test_hints_and_schedules_share_a_queue_without_getting_in_each_others_way(world):
    host = make_host({"default": world}, make_fake_stores(world.clock), world.clock)
    number = world.data.customers[0]["customerNumber"]
    from worker.engine.hints import Heard

    host.engine.hear("default", Heard("REQUESTED", (number,)))
    compared(world, host)
    assert not HintBook(host.stores.records, "default").read().waits
