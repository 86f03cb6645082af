"""Seeded chance: one named stream per purpose, and exact shares instead of rolled ones.

Streams are seeded by text, which `random.Random` hashes with SHA-512, so they are equal in every process and
on every supported Python; the built-in hash() of text is salted per process and was refused for that.
"""

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def stream(seed: int, *scope: object) -> Random:
    """An own source of chance for one purpose, so that a change in one part never moves another."""
    return Random("/".join(str(part) for part in (seed, *scope)))


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Split `total` by weight into whole numbers that sum to it exactly (largest remainder method)."""
    whole = sum(weights)
    if not weights or whole <= 0:
        return [0] * len(weights)
    ideal = [total * weight / whole for weight in weights]
    given = [int(value) for value in ideal]
    by_rest = sorted(range(len(weights)), key=lambda i: (given[i] - ideal[i], i))
    for i in by_rest[: total - sum(given)]:
        given[i] += 1
    return given


def quota(rng: Random, n: int, shares: Mapping[T, float]) -> list[T]:
    """`n` values in random order whose counts meet the shares exactly, up to rounding."""
    values: list[T] = []
    for value, count in zip(shares, apportion(n, list(shares.values())), strict=True):
        values.extend([value] * count)
    rng.shuffle(values)
    return values


def pick(rng: Random, candidates: Iterable[int], count: int) -> set[int]:
    """`count` of the candidates without repetition; all of them when there are fewer."""
    pool = sorted(candidates)
    return set(rng.sample(pool, min(max(count, 0), len(pool))))
