"""The rate headers: what calls cost, and slowing down before the bucket is empty."""

from __future__ import annotations

import pytest

from worker.economic.limits import RateWatch
from worker.transport import Waits


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def watch(slept: list[float]) -> RateWatch:
    return RateWatch(Waits(sleep=slept.append))


def bucket(used: str, limit: int = 10_000) -> dict[str, str]:
    return {"X-RateLimiting": f"token-limit-{limit}-per-60-seconds: {used}/{limit}"}


def test_costs_add_up_and_a_letter_counts_nothing(watch: RateWatch) -> None:
    """X-CallCost is a number of units; a letter, nonsense or nothing is no reason to stop."""
    for cost in ("3", "2.5", "B", "", "nan"):
        watch.seen({"X-CallCost": cost})
    watch.seen({})
    assert watch.cost == 5.5


@pytest.mark.parametrize("used", ["0", "147", "8999", "8999.5"])
def test_below_nine_tenths_nothing_waits(watch: RateWatch, slept: list[float], used: str) -> None:
    """A bucket with room is no reason to wait."""
    watch.seen(bucket(used))
    watch.before_call()
    assert slept == []


@pytest.mark.parametrize("used", ["9000", "9001.5", "10000", "12000"])
def test_from_nine_tenths_on_the_next_call_waits_once(watch: RateWatch, slept: list[float], used: str) -> None:
    """A nearly full bucket makes one call wait a tenth of its window."""
    watch.seen(bucket(used))
    watch.before_call()
    watch.before_call()
    assert slept == [6.0]


def test_a_bucket_with_room_again_ends_the_waiting(watch: RateWatch, slept: list[float]) -> None:
    """The newest answer counts."""
    watch.seen(bucket("9999"))
    watch.seen(bucket("3"))
    watch.before_call()
    assert slept == []


@pytest.mark.parametrize("text", ["", "nonsense", "token-limit-0-per-60-seconds: 0/0", "token-limit-x-per-y: 1/2"])
def test_unreadable_headers_count_as_room(watch: RateWatch, slept: list[float], text: str) -> None:
    """Whatever can't be read is ignored: a 429 would still be obeyed."""
    watch.seen({"X-RateLimiting": text})
    watch.before_call()
    assert slept == []
