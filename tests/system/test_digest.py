"""Account managers' news over the CRM's lists: none is lost, and nothing old is told as new."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
import requests

from tests.fakes.fake_work import make_fake_stores
from tests.support.hosting import QUICK, HeardAlerts, KeptSecrets, work_one
from tests.support.world import TOKEN, World
from worker.engine.errands import Errand, errand_message
from worker.engine.terms import Verdict
from worker.errors import ThrottledError
from worker.ports import Stores
from worker.settings import EngineSettings, Installation
from worker.wiring.digest import send_digest
from worker.wiring.engine import Host

ANNE, PETER = 9, 10


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("digest"), patient=False) as world:
        world.set_up()
        world.run()
        for row in world.rows("Mapping profiles"):
            world.merge("Mapping profiles", row["Id"], {"Enabled": False})
        world.snapshot()
        yield world


@dataclass
class Mornings:
    """Digests of one connection, day by day. Anne and Peter have a customer each, and both have been told once."""

    world: World
    stores: Stores
    alerts: HeardAlerts = field(default_factory=HeardAlerts)
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.annes, self.peters = [row for row in self.world.rows("Companies") if row["CustomerID"]][:2]
        self.world.merge("Companies", self.annes["Id"], {"AccountManagerId": ANNE, "OverdueAmount": 0})
        self.world.merge("Companies", self.peters["Id"], {"AccountManagerId": PETER, "OverdueAmount": 0})
        assert self.look() == []

    def look(self) -> list[Any]:
        """One digest now; what was told."""
        before = len(self.alerts.heard)
        with self.world.app(self.world.settings(digest_big_order=1_000_000, **self.settings)) as app:
            send_digest(app, self.stores.records, self.alerts)
        return self.alerts.heard[before:]

    def next(self) -> list[Any]:
        self.world.clock.forward()
        return self.look()

    def both_overdue(self) -> None:
        for company in (self.annes, self.peters):
            self.world.merge("Companies", company["Id"], {"OverdueAmount": 26302.5})

    def invoice(self, company: dict[str, Any], number: int, days_ago: int = 0) -> None:
        day: date = self.world.clock.now().date() - timedelta(days=days_ago)
        row = {"Title": "x", "InvoiceNumber": str(number), "CustomerID": company["CustomerID"]}
        self.world.post("Invoices", {**row, "InvoiceDate": f"{day}T00:00:00Z", "NetAmountBase": 2_000_000})


@pytest.fixture
def mornings(made: World) -> Mornings:
    made.restore()
    return Mornings(made, make_fake_stores(made.clock))


def titles(cards: list[Any]) -> list[str]:
    return [card.title.removeprefix("News of your customers: ") for card in cards]


def test_a_card_that_was_not_sent_comes_later_and_the_others_do_not_come_twice(mornings):
    mornings.both_overdue()
    mornings.alerts.deaf = "Anne"
    with pytest.raises(ThrottledError, match="1 cards"):
        mornings.next()
    assert titles(mornings.alerts.heard) == ["Peter Lund"]
    mornings.alerts.deaf = None
    assert titles(mornings.look()) == ["Anne Holm"]
    assert mornings.look() == []


def test_what_was_not_sent_keeps_its_orders_of_that_day(mornings):
    """However many days later it can be sent, with what came meanwhile."""
    mornings.world.clock.forward()
    mornings.invoice(mornings.annes, 990_001)
    mornings.alerts.deaf = "Anne"
    for _ in range(3):
        with pytest.raises(ThrottledError):
            mornings.next()
    mornings.invoice(mornings.annes, 990_002)
    mornings.alerts.deaf = None
    (card,) = mornings.next()
    assert card.facts["Big orders"].count("2,000,000.00") == 2
    assert mornings.next() == []


def test_a_digest_is_tried_a_few_times_and_then_left_to_the_next(mornings):
    """Else messages of many days would go round while nobody answers."""
    mornings.both_overdue()
    mornings.alerts.deaf = ""
    tries = 0
    for _ in range(20):
        try:
            assert mornings.look() == []
        except ThrottledError:
            tries += 1
        else:
            break
    assert tries == 7
    mornings.alerts.deaf = None
    assert titles(mornings.next()) == ["Anne Holm", "Peter Lund"]


class DyingError(Exception):
    """The worker dies."""


def test_a_worker_that_dies_between_two_cards_repeats_none_of_those_before(mornings):
    """At worst the one that was just being sent."""
    mornings.both_overdue()
    send = mornings.alerts.send

    def dies(alert: Any) -> bool:
        if "Peter" in alert.title:
            raise DyingError
        return send(alert)

    mornings.alerts.send = dies  # type: ignore[method-assign]
    with pytest.raises(DyingError):
        mornings.next()
    assert titles(mornings.alerts.heard) == ["Anne Holm"]
    mornings.alerts.send = send  # type: ignore[method-assign]
    assert titles(mornings.look()) == ["Peter Lund"]


def test_invoices_that_are_listed_late_are_no_news(mornings):
    """The invoices' profile is switched on after the first digests: a year of them comes in one night."""
    for at in range(5):
        mornings.invoice(mornings.annes, 990_000 + at, days_ago=2 + 60 * at)
    assert mornings.next() == []
    mornings.invoice(mornings.annes, 990_100)
    assert titles(mornings.next()) == ["Anne Holm"]


def test_a_company_that_is_new_to_the_list_brings_no_old_news(mornings):
    mornings.world.post("Companies", {"Title": "Ny A/S", "CustomerID": "987654", "OverdueAmount": 10})
    mornings.invoice({"CustomerID": "987654"}, 990_001)
    mornings.invoice({"CustomerID": "987654"}, 990_002, days_ago=30)
    assert mornings.next() == []
    mornings.world.clock.forward()
    mornings.invoice({"CustomerID": "987654"}, 990_003)
    (card,) = mornings.look()
    assert card.facts == {"Big orders": "Ny A/S (2,000,000.00)"}


def test_a_danish_connection_is_told_in_danish(mornings):
    mornings.settings = {"language": "da"}
    mornings.both_overdue()
    anne, _ = mornings.next()
    assert anne.facts == {"Nyligt forfaldne": f"{mornings.annes['Title']} (26.302,50)"}
    assert anne.mail.splitlines()[0] == "Én ting siden sidst."


def test_the_manager_may_be_a_text(mornings):
    """Many CRM lists hold the name instead of a person."""
    world = mornings.world
    world.drop_column("Companies", "AccountManager")
    fields = f"{world.site_url}/_api/web/lists/getbytitle('Companies')/fields"
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json;odata=nometadata"}
    body = {"Title": "AccountManager", "FieldTypeKind": 2}
    requests.post(fields, json=body, headers=headers, timeout=30).raise_for_status()
    world.merge("Companies", mornings.annes["Id"], {"AccountManager": " Karla Bo "})
    mornings.both_overdue()
    assert "Karla Bo" in titles(mornings.next())


def host_of(world: World) -> Host:
    installation = Installation(EngineSettings(), {"default": world.settings()})
    stores, heard = make_fake_stores(world.clock), HeardAlerts()
    return Host(
        installation, stores, clock=world.clock, alerts=heard, options=QUICK, secrets=KeptSecrets(), patient=False
    )


@pytest.mark.parametrize("role", ["none", "full"])
def test_a_digest_that_fails_for_good_is_told(mornings, role):
    """As a comparison is: the right to the site was taken away."""
    host = host_of(mornings.world)
    roles = mornings.world.sharepoint_app.state.roles
    before = roles[TOKEN]
    roles[TOKEN] = role if role == "none" else before
    try:
        host.stores.queue.send(errand_message("default", Errand.DIGEST))
        assert work_one(host) == (Verdict.FAILED if role == "none" else Verdict.FINISHED)
    finally:
        roles[TOKEN] = before
    assert isinstance(host.alerts, HeardAlerts)
    told = [(alert.severity, alert.title) for alert in host.alerts.heard]
    title = "e-conomic sync: the account managers' news could not be made (default)"
    assert told == ([("error", title)] if role == "none" else [])


def test_a_card_that_was_not_sent_is_sent_by_the_errands_own_retry(mornings):
    host = host_of(mornings.world)
    assert isinstance(host.alerts, HeardAlerts)
    host.stores.queue.send(errand_message("default", Errand.DIGEST))
    assert work_one(host) is Verdict.FINISHED
    mornings.both_overdue()
    host.alerts.deaf = "Anne"
    host.stores.queue.send(errand_message("default", Errand.DIGEST))
    assert work_one(host) is Verdict.WAITING
    host.alerts.deaf = None
    assert work_one(host) is None, "not at once"
    mornings.world.clock.moment += timedelta(minutes=16)
    assert work_one(host) is Verdict.FINISHED
    assert titles(host.alerts.heard) == ["Peter Lund", "Anne Holm"]
