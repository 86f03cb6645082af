"""The tenant's units are one purse for all workers, and its gate is one gate."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.fake_work import make_fake_stores
from tests.support.world import MovableClock
from worker.engine.names import tenant_name
from worker.engine.tenant import Keeper, TenantBudget, take_slot
from worker.ports import ANY_VERSION


class Purse:
    """Several workers in one time that a test moves."""

    def __init__(self, per_minute: float = 600, burst: float = 100, workers: int = 4) -> None:
        self.clock = MovableClock(datetime(2026, 11, 25, tzinfo=UTC))
        self.stores = make_fake_stores(self.clock)
        now = lambda: self.clock.now().timestamp()  # noqa: E731
        self.workers = [TenantBudget(self.stores.records, "contoso", per_minute, burst, now) for _ in range(workers)]

    def pass_time(self, seconds: float) -> None:
        self.clock.moment += timedelta(seconds=seconds)


@pytest.fixture
def purse() -> Purse:
    return Purse()


def spend_for(purse: Purse, seconds: float, cost: float = 10.0) -> float:
    """All workers send as fast as they may; returns the units that were sent."""
    ready = [0.0] * len(purse.workers)
    spent, now = 0.0, 0.0
    while now < seconds:
        for number, worker in enumerate(purse.workers):
            if ready[number] <= now:
                ready[number] = now + worker.take(cost)
                spent += cost if ready[number] <= seconds else 0
        purse.pass_time(0.25)
        now += 0.25
    return spent


@pytest.mark.parametrize("workers", [1, 4])
def test_any_number_of_workers_spends_what_one_may(workers):
    spent = spend_for(Purse(workers=workers), 120)
    allowed = 100 + 2 * 600
    assert spent <= allowed + workers * 12  # each may have drawn one portion ahead
    assert spent >= allowed * 0.9


def test_a_pause_told_to_one_holds_for_all(purse):
    purse.workers[0].hold(30)
    assert purse.workers[1].take(2) >= 30
    assert purse.workers[2].closed_for() == pytest.approx(30)
    purse.pass_time(31)
    assert purse.workers[3].closed_for() == 0


def test_a_shorter_pause_does_not_open_the_gate_early(purse):
    purse.workers[0].hold(60)
    purse.workers[1].hold(5)
    assert purse.workers[2].closed_for() == pytest.approx(60)


def test_units_drawn_ahead_are_given_up_at_a_pause(purse):
    assert purse.workers[0].take(2) == 0
    purse.workers[0].hold(10)
    assert purse.workers[0].take(2) >= 10


def test_a_clock_that_jumps_back_stops_nobody_for_long(purse):
    for _ in range(200):
        purse.workers[0].take(2)
    purse.pass_time(-86_400)
    assert purse.workers[1].take(2) <= 60


def test_a_damaged_record_starts_with_a_full_purse(purse):
    purse.stores.records.write(tenant_name("contoso"), b"{broken", ANY_VERSION)
    assert purse.workers[0].take(2) == 0


def test_threads_that_draw_at_once_lose_no_unit(purse):
    """Compare-and-swap: the purse holds exactly what was not drawn."""
    budgets = [TenantBudget(purse.stores.records, "one", 600, 10_000, lambda: 0.0) for _ in range(4)]
    threads = [threading.Thread(target=lambda b=b: [b.take(12) for _ in range(25)]) for b in budgets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    record = purse.stores.records.read(tenant_name("one"))
    assert record is not None
    assert b'"units": 8800.0' in record.content


def test_places_are_limited_and_come_free(purse):
    leases = purse.stores.leases
    holds = [take_slot(leases, "contoso", 2, 30) for _ in range(3)]
    assert [hold is not None for hold in holds] == [True, True, False]
    assert holds[0] is not None
    leases.release(holds[0])
    assert take_slot(leases, "contoso", 2, 30) is not None


def test_a_lease_that_was_taken_over_is_noticed(purse):
    leases = purse.stores.leases
    hold = leases.acquire("work/a", 30)
    assert hold is not None
    purse.pass_time(31)
    assert leases.acquire("work/a", 30) is not None
    with Keeper(leases, [hold], 30, 0.01) as keeper:
        assert keeper.lost.wait(5)
