"""Fault injection by name: a seeded rate, or 'the next n chances'.

Seeded rather than truly random, so a failing test can be run again and fails at the same request.
"""

import random
import threading
from collections.abc import Iterable


class Faults:
    """Named faults of one emulator.

    `known` limits the names that may be set; empty means any name is accepted.
    """

    def __init__(self, seed: int = 0, known: frozenset[str] = frozenset()) -> None:
        self.known = known
        self._random = random.Random(seed)
        self._rates: dict[str, float] = {}
        self._armed: dict[str, int] = {}
        self._lock = threading.Lock()

    def set(self, name: str, rate: float) -> None:
        """Let `name` hit with probability `rate` (0 to 1); ValueError names what is allowed."""
        self._check(name, rate, self.known)
        with self._lock:
            self._rates[name] = rate

    def once(self, name: str, count: int = 1) -> None:
        """Let the next `count` chances of `name` hit, whatever its rate."""
        self._check(name, 1.0, self.known)
        with self._lock:
            self._armed[name] = count

    def clear(self) -> None:
        """Forget every rate and everything armed."""
        with self._lock:
            self._rates.clear()
            self._armed.clear()

    def hit(self, name: str) -> bool:
        """Whether this chance of `name` is a fault."""
        with self._lock:
            left = self._armed.get(name, 0)
            if left > 0:
                self._armed[name] = left - 1
                return True
            rate = self._rates.get(name, 0.0)
            return rate > 0 and self._random.random() < rate

    def parse(self, texts: Iterable[str], known: frozenset[str] | None = None) -> None:
        """Set the rates written as `NAME=RATE`; all or nothing, ValueError names what is allowed."""
        allowed = self.known if known is None else known
        rates = dict(_parse_one(text) for text in texts)
        for name, rate in rates.items():
            self._check(name, rate, allowed)
        with self._lock:
            self._rates.update(rates)

    def as_dict(self) -> dict[str, object]:
        """Rates, and what is still armed under `once`."""
        with self._lock:
            return {**self._rates, "once": {name: n for name, n in self._armed.items() if n > 0}}

    @staticmethod
    def _check(name: str, rate: float, known: frozenset[str]) -> None:
        if known and name not in known:
            raise ValueError(f"unknown fault {name!r}; the faults are {', '.join(sorted(known))}")
        if not 0.0 <= rate <= 1.0:
            raise ValueError(f"the rate of fault {name!r} must lie between 0 and 1, not {rate}")


def _parse_one(text: str) -> tuple[str, float]:
    name, separator, rate = text.partition("=")
    try:
        return name.strip(), float(rate) if separator else 1.0
    except ValueError:
        raise ValueError(f"write a fault as NAME=RATE with a rate from 0 to 1, not {text!r}") from None
