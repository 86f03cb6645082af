"""How often a customer buys, from the dates of its invoices. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from statistics import median

_FEWEST = 3  # days with invoices; from two nobody can tell what is usual
_LATE = 1.5  # times the usual interval


@dataclass(frozen=True, slots=True)
class Rhythm:
    """`usual` is the median number of days between days with invoices; None with too few of them. `since` is days since
    the last."""

    last: date | None
    since: int | None
    usual: int | None

    @property
    def is_late(self) -> bool:
        """Half as long again as usual has passed without an order."""
        return self.usual is not None and self.since is not None and self.since > _LATE * self.usual


def rhythm(days: Iterable[date], today: date) -> Rhythm:
    """From the dates of invoices (credit notes left out by the caller), in any order; later ones than today count as
    today."""
    known = sorted({min(day, today) for day in days})
    last = known[-1] if known else None
    since = (today - last).days if last else None
    gaps = [(later - earlier).days for earlier, later in pairwise(known)]
    return Rhythm(last, since, round(median(gaps)) if len(known) >= _FEWEST else None)
