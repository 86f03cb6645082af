"""How each customer buys and pays: habits by exact shares, a price level, and what they were called before."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Literal

from worker.emulators.dataset.chance import quota, stream
from worker.emulators.dataset.model import Document
from worker.emulators.dataset.naming import company_name
from worker.emulators.dataset.pools import Pools
from worker.emulators.dataset.roster import SHOWCASE

Habit = Literal["growing", "stable", "declining", "lapsed", "new", "never"]
Payer = Literal["prompt", "slow", "bad"]
HABITS: dict[Habit, float] = {"growing": 20, "stable": 28, "declining": 18, "lapsed": 13, "new": 9, "never": 12}
PAYERS: dict[Payer, float] = {"prompt": 60, "slow": 30, "bad": 10}
BUYING: frozenset[Habit] = frozenset({"growing", "stable", "new"})
QUIET: frozenset[Habit] = frozenset({"lapsed", "never", "declining"})


@dataclass(frozen=True, slots=True)
class Buyer:
    """One customer's behaviour.

    `level` is a usual invoice's net in base-currency cents. `opens` and `closes` bound the days on which the
    customer buys. Invoices dated before `moved` show `former` (name and address) instead of today's data.
    """

    habit: Habit
    payer: Payer
    level: int
    opens: date
    closes: date
    moved: date
    former: Document | None


def draw_buyers(customers: list[Document], seed: int, first: date, today: date, pools: Pools) -> list[Buyer]:
    """One buyer per customer; barred customers tend to be quiet, the showcase firm is a stable buyer."""
    rng = stream(seed, "buyers")
    habits = quota(rng, len(customers), HABITS)
    _quieten_barred(habits, customers)
    _keep_showcase_stable(habits)
    return [
        _buyer(stream(seed, "buyer", row["customerNumber"]), habit, first, today, pools)
        for row, habit in zip(customers, habits, strict=True)
    ]


def _quieten_barred(habits: list[Habit], customers: list[Document]) -> None:
    """Let barred customers who buy change habits with others who do not; the shares stay."""
    barred = {i for i, row in enumerate(customers) if row.get("barred")}
    quiet = iter([i for i, habit in enumerate(habits) if habit in QUIET and i not in barred])
    for i in sorted(barred):
        other = next(quiet, None) if habits[i] in BUYING else None
        if other is not None:
            habits[i], habits[other] = habits[other], habits[i]


def _keep_showcase_stable(habits: list[Habit]) -> None:
    if "stable" in habits:
        other = habits.index("stable")
        habits[SHOWCASE], habits[other] = habits[other], habits[SHOWCASE]


def _buyer(rng: Random, habit: Habit, first: date, today: date, pools: Pools) -> Buyer:
    opens, closes = _season(rng, habit, first, today)
    [payer] = rng.choices(list(PAYERS), list(PAYERS.values()))
    # Powers by multiplication only: pow() may differ in its last bit from one system to the next.
    roll = rng.random()
    level = round(60_000 * (1 + 59 * roll * roll * roll))  # 600 to 36,000 in base currency, mostly small
    if rng.random() >= 0.04:
        return Buyer(habit, payer, level, opens, closes, date.min, None)
    former = {"name": company_name(rng, pools), "address": f"{rng.choice(pools.streets)} {rng.randrange(1, 99)}"}
    return Buyer(habit, payer, level, opens, closes, today - timedelta(days=rng.randrange(60, 900)), former)


def _season(rng: Random, habit: Habit, first: date, today: date) -> tuple[date, date]:
    """Lapsed customers stopped more than a year ago; new ones began within five months."""
    if habit == "lapsed":
        return first, max(first, today - timedelta(days=rng.randrange(400, 850)))
    if habit == "new":
        return today - timedelta(days=rng.randrange(20, 150)), today
    return first, today


def volume(rng: Random, buyer: Buyer) -> float:
    """How many invoices this buyer gets, relative to the others."""
    share: dict[Habit, float] = {"new": 0.3, "lapsed": 0.5, "never": 0.0}
    roll = rng.random()
    return share.get(buyer.habit, 1.0) * (1 + 5 * roll * roll)


def slope(habit: Habit, position: float) -> float:
    """Tendency of frequency and of amounts at `position` (0 = first day, 1 = today); 1 on average."""
    if habit == "growing":
        return 0.45 + 1.1 * position
    if habit == "declining":
        return 1.55 - 1.1 * position
    return 1.0


def needed_days(rng: Random, buyer: Buyer, today: date) -> Iterator[date]:
    """Days on which a habit must show, whatever chance says: recently bought, and bought a year before."""
    if buyer.habit in ("new", "lapsed"):
        yield buyer.opens + timedelta(days=rng.randrange(max(1, (buyer.closes - buyer.opens).days)))
    elif buyer.habit != "never":
        yield today - timedelta(days=rng.randrange(5, 150))
        yield today - timedelta(days=rng.randrange(400, 700))
