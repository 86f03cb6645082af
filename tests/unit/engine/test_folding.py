"""Calls that come together are worked together."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from worker.engine.folding import Folding
from worker.errors import UnavailableError

MANY = 12


class Slow:
    """Doubles numbers. The first lot is in hand until somebody lets it go."""

    def __init__(self) -> None:
        self.lots: list[list[int]] = []
        self.begun = threading.Event()
        self.go = threading.Event()
        self.fault: Exception | None = None

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.lots.append(list(numbers))
        self.begun.set()
        assert self.go.wait(30)
        if self.fault is not None and 0 not in numbers:
            raise self.fault
        return [2 * number for number in numbers]


@pytest.fixture
def slow() -> Slow:
    return Slow()


def results(slow: Slow) -> list[int | Exception]:
    """Of one call that is in hand and many that come meanwhile."""
    folding: Folding[int, int] = Folding(slow)
    with ThreadPoolExecutor(MANY + 1) as pool:
        first = pool.submit(folding, 0)
        assert slow.begun.wait(30)
        others = [pool.submit(folding, number) for number in range(1, MANY + 1)]
        while len(folding._waiting) < MANY:
            threading.Event().wait(0.001)
        slow.go.set()
        return [one.exception(30) or one.result() for one in (first, *others)]  # type: ignore[misc]


def test_what_comes_while_one_is_in_hand_is_one_lot(slow):
    """And each caller gets its own result."""
    assert results(slow) == [2 * number for number in range(MANY + 1)]
    assert [len(lot) for lot in slow.lots] == [1, MANY]


def test_a_lot_that_fails_fails_for_all_in_it(slow):
    """Nobody takes what is not done for done."""
    slow.fault = UnavailableError("The store is away.")
    first, *others = results(slow)
    assert first == 0
    assert others == [slow.fault] * MANY
    assert [len(lot) for lot in slow.lots] == [1, MANY]


def test_after_a_fault_of_ours_nobody_waits_for_ever(slow):
    slow.fault = RuntimeError("a bug")
    first, *others = results(slow)
    assert first == 0
    assert others == [slow.fault] * MANY
