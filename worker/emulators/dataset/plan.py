"""The invoice plan: who is invoiced on which day and what becomes of it, eight bytes per invoice.

Documents are made from the plan on demand. A list of documents was refused: 200,000 of them take over a
gigabyte.
"""

from array import array
from bisect import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from itertools import accumulate
from random import Random

from worker.emulators.dataset.buyers import Buyer, Habit, needed_days, slope, volume
from worker.emulators.dataset.chance import apportion, stream
from worker.emulators.dataset.roster import SHOWCASE

SEASON = (0.8, 0.85, 1.0, 1.0, 1.05, 1.1, 0.55, 0.9, 1.1, 1.15, 1.3, 1.2)  # January to December
SHOWCASE_AGES = (6, 45, 75, 105, 160)  # days ago; with 30 days of credit one lands in each ageing bucket
SHOWCASE_PART_AGE = 50
CREDIT_EVERY, BACKDATED_EVERY = 32, 46  # so many invoices lie between two of them
LONGEST_BACKDATE = 31


class Fate(IntEnum):
    """What becomes of an invoice: paid as its customer pays, forced open or part paid, or a credit note."""

    USUAL = 0
    OPEN = 1
    PART = 2
    CREDIT_SETTLED = 3
    CREDIT_OPEN = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """One planned invoice: position of its customer, day of booking, fate, days it is dated back."""

    customer: int
    booked: date
    fate: Fate
    backdated: int


class Plan:
    """Entries in booking order, packed as day (32 bits), customer (24), fate (3), days dated back (5)."""

    def __init__(self, words: Iterable[int]) -> None:
        self._packed = array("Q", words)

    def __len__(self) -> int:
        return len(self._packed)

    def entry(self, i: int) -> Entry:
        word = self._packed[i]
        return Entry(word >> 8 & 0xFFFFFF, date.fromordinal(word >> 32), Fate(_fate(word)), word & 31)


def build_plan(buyers: list[Buyer], count: int, seed: int, first: date, today: date) -> Plan:
    """Exactly `count` invoices between `first` and `today`, in booking order."""
    if not buyers:
        return Plan([])
    words = sorted(_showcase_words(first, today) + _usual_words(buyers, count, seed, first, today))
    return Plan(_with_events(words, first))


def _word(day: date, customer: int, fate: Fate) -> int:
    return day.toordinal() << 32 | customer << 8 | fate << 5


def _showcase_words(first: date, today: date) -> list[int]:
    ages = [(age, Fate.OPEN) for age in SHOWCASE_AGES] + [(SHOWCASE_PART_AGE, Fate.PART)]
    return [_word(_workday(today - timedelta(days=age), first), SHOWCASE, fate) for age, fate in ages]


def _usual_words(buyers: list[Buyer], count: int, seed: int, first: date, today: date) -> list[int]:
    """Needed days of every buyer first, then the rest of the count split by volume."""
    rng = stream(seed, "plan")
    words = [
        _word(_workday(day, buyer.opens), i, Fate.USUAL)
        for i, buyer in enumerate(buyers)
        for day in needed_days(rng, buyer, today)
    ]
    left = count - len(words) - len(SHOWCASE_AGES) - 1
    calendar = _Calendar(first, today)
    for i, share in enumerate(apportion(left, [volume(rng, buyer) for buyer in buyers])):
        words.extend(_word(day, i, Fate.USUAL) for day in calendar.days(rng, buyers[i], share))
    return words


def _workday(day: date, earliest: date) -> date:
    """Move a weekend day to the Friday before, unless that is too early."""
    friday = day - timedelta(days=max(0, day.weekday() - 4))
    return max(friday, earliest)


class _Calendar:
    """Draws invoice days by season and habit; keeps the month weights of the habits that share a span."""

    def __init__(self, first: date, today: date) -> None:
        self._first, self._today = first, today
        self._known: dict[tuple[Habit, date, date], tuple[list[date], list[float]]] = {}

    def days(self, rng: Random, buyer: Buyer, count: int) -> Iterator[date]:
        """`count` days inside the buyer's span."""
        key = (buyer.habit, buyer.opens, buyer.closes)
        if key not in self._known:
            self._known[key] = self._months(*key)
        starts, sums = self._known[key]
        for _ in range(count):
            month = bisect(sums, rng.random() * sums[-1], hi=len(sums) - 1)
            end = starts[month + 1] if month + 1 < len(starts) else buyer.closes + timedelta(days=1)
            day = starts[month] + timedelta(days=rng.randrange((end - starts[month]).days))
            yield _workday(day, buyer.opens)

    def _months(self, habit: Habit, opens: date, closes: date) -> tuple[list[date], list[float]]:
        """First day of each month of the span (the span's own first day at the start), and running weights."""
        starts = [opens]
        while (following := _next_month(starts[-1])) <= closes:
            starts.append(following)
        ends = [*starts[1:], closes + timedelta(days=1)]
        weights = [
            (end - start).days * SEASON[start.month - 1] * slope(habit, self.position(start))
            for start, end in zip(starts, ends, strict=True)
        ]
        return starts, list(accumulate(weights))

    def position(self, day: date) -> float:
        return position(day, self._first, self._today)


def position(day: date, first: date, today: date) -> float:
    """Where a day lies in the span of the data set: 0 at its start, 1 today."""
    return max(0.0, (day - first).days / max(1, (today - first).days))


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _with_events(words: list[int], first: date) -> Iterator[int]:
    """Turn every 33rd invoice into a credit note and date every 47th back behind its neighbour.

    When the one in turn does not fit, the next that fits is taken: a credit note needs an earlier invoice of its
    customer, and an invoice that is forced to stay open keeps its date.
    """
    seen: set[int] = set()
    credits = 0
    since_credit, since_backdated = CREDIT_EVERY // 2, BACKDATED_EVERY // 2
    for i, word in enumerate(words):
        since_credit, since_backdated = since_credit + 1, since_backdated + 1
        usual, customer = _fate(word) == Fate.USUAL, word >> 8 & 0xFFFFFF
        if usual and since_credit > CREDIT_EVERY and customer in seen:
            # Every third credit note stays open, starting with the second.
            word |= (Fate.CREDIT_OPEN if credits % 3 == 1 else Fate.CREDIT_SETTLED) << 5
            since_credit, credits = 0, credits + 1
        back = _days_back(word, words[i - 1], first) if usual and since_backdated > BACKDATED_EVERY else 0
        since_backdated = 0 if back else since_backdated
        seen.add(customer)
        yield word | back


def _fate(word: int) -> int:
    return word >> 5 & 7


def _days_back(word: int, neighbour: int, first: date) -> int:
    """Days that bring an invoice one to nine days behind the one booked before it; 0 when that is too far."""
    day = word >> 32
    back = day - (neighbour >> 32) + 1 + word % 9
    return back if back <= LONGEST_BACKDATE and day - back >= first.toordinal() else 0
