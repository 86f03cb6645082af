"""The worker keeps within its share of the resource units."""

from __future__ import annotations

import pytest

from worker.sharepoint.batch import Part, compose
from worker.sharepoint.pacing import Pacer, estimate
from worker.transport import Waits


class Time:
    """A clock that moves when somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits = Waits(self.pass_)

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


def pacer(time: Time, units: float = 1250, share: float = 0.7) -> Pacer:
    return Pacer(units, share, time.waits, time)


def test_no_minute_exceeds_the_tenants_budget():
    """Burst and steady flow together stay below what the tenant allows, in every window of sixty seconds."""
    time = Time()
    paced = pacer(time)
    sent: list[float] = []
    for _ in range(40):
        paced.take(200)
        sent.append(time.now)
    most = max(sum(200 for later in sent if start <= later < start + 60) for start in sent)
    assert most <= 1250


def test_a_burst_within_the_reserve_does_not_wait():
    """The first batch of a run goes out at once."""
    time = Time()
    pacer(time).take(200)
    assert time.waits.seconds == 0


def test_what_the_service_says_is_left_is_spread_over_its_minute():
    """Half of what is left may be used in half of the time that is left; nothing left means waiting for the reset."""
    time = Time()
    paced = pacer(time, units=10**9)
    assert paced.seen({"RateLimit-Limit": "1250", "RateLimit-Remaining": "200", "RateLimit-Reset": "30"}) == 30
    paced.take(100)
    assert time.waits.seconds == pytest.approx(15)
    paced.take(100)
    assert time.waits.seconds == pytest.approx(30)
    paced.take(100)
    assert time.waits.seconds == pytest.approx(30)


def test_odd_or_missing_budget_headers_change_nothing():
    """They are best effort."""
    time = Time()
    paced = pacer(time, units=10**9)
    assert paced.seen({}) == 0
    assert paced.seen({"RateLimit-Remaining": "many", "RateLimit-Reset": "30"}) == 0
    paced.take(2)
    assert time.waits.seconds == 0


def test_a_hold_stops_everybody():
    """One thread was told to wait; the others wait with it."""
    time = Time()
    paced = pacer(time, units=10**9)
    paced.hold(17)
    paced.take(2)
    assert time.waits.seconds == 17


@pytest.mark.parametrize(
    ("method", "path", "units"),
    [
        ("GET", "web/lists(guid'x')/items?$top=5000", 2),
        ("GET", "web/lists(guid'x')/items(7)?$select=Id", 1),
        ("POST", "web/lists(guid'x')/items(7)", 2),
        ("POST", "contextInfo", 1),
        ("GET", "web", 2),
    ],
)
def test_the_price_list(method, path, units):
    """One item 1, other reads 2, writes 2."""
    assert estimate(method, f"https://h/_api/{path}", None) == units


def test_each_part_of_a_batch_has_its_price():
    """A batch saves requests, not units, and words in its texts cost nothing."""
    parts = [Part("https://h/_api/items", '{"Title":"GET x HTTP/1.1\\r\\n"}') for _ in range(100)]
    assert estimate("POST", "https://h/_api/$batch", compose(parts)[1]) == 200
