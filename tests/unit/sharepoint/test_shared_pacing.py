"""The pacer beside others: it pays from the tenant's purse, tells of pauses, and does not sit out long waits."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from worker.errors import ThrottledError
from worker.sharepoint.pacing import Pacer
from worker.transport import Waits


@dataclass
class Purse:
    """Implements ports.Budget; the next waits are given by the test."""

    waits: list[float] = field(default_factory=list)
    spent: float = 0.0
    held: list[float] = field(default_factory=list)

    def take(self, units: float) -> float:
        self.spent += units
        return self.waits.pop(0) if self.waits else 0.0

    def hold(self, seconds: float) -> None:
        self.held.append(seconds)


def pacer(purse: Purse, waited: list[float], patience: float = 30.0) -> Pacer:
    return Pacer(6000, 0.5, Waits(waited.append), lambda: 0.0, budget=purse, patience=patience)


def test_it_pays_from_the_tenants_purse_and_waits_as_long_as_that_says():
    purse, waited = Purse([0.0, 2.5]), []
    made = pacer(purse, waited)
    made.take(10)
    made.take(4)
    assert purse.spent == 14
    assert waited == [2.5]


def test_a_wait_beyond_its_patience_is_raised_before_anything_is_sent():
    purse, waited = Purse([31.0]), []
    with pytest.raises(ThrottledError) as caught:
        pacer(purse, waited).take(2)
    assert caught.value.retry_after == 31.0
    assert waited == []


def test_a_pause_that_is_told_is_told_to_all():
    purse = Purse()
    pacer(purse, []).hold(17)
    assert purse.held == [17]
