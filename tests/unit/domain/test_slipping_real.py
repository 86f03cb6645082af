"""The rule for slipping customers on real buying data: the CDNOW sample, as the package Lifetimes ships it.

2,357 people who first bought records in early 1997, with every purchase until June 1998. At a day in the middle the
rule says of each who has bought often enough whether the usual purchase is overdue; the rest says who came back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from importlib import metadata

import pytest

from worker.domain.buying import rhythm

CUTS = [date(1997, 10, 1), date(1997, 12, 1), date(1998, 2, 1)]


@pytest.fixture(scope="module")
def purchases() -> dict[str, list[date]]:
    """Customer -> days of purchase."""
    try:
        files = metadata.files("lifetimes") or ()
    except metadata.PackageNotFoundError:
        pytest.skip("the package Lifetimes, which ships the data, is not installed: make test installs it")
    file = next(one for one in files if one.name == "CDNOW_sample.txt")
    days: dict[str, list[date]] = defaultdict(list)
    for line in file.locate().read_text().splitlines():  # type: ignore[attr-defined]
        parts = line.split()
        days[parts[1]].append(date.fromisoformat(f"{parts[2][:4]}-{parts[2][4:6]}-{parts[2][6:]}"))
    assert len(days) == 2357
    return days


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_who_slips_comes_back_clearly_less_often(
    purchases: dict[str, list[date]], cut: date, record_property: Callable[[str, object], None]
) -> None:
    """Both groups are of some size, and the late ones return at most four fifths as often."""
    came_back: dict[bool, list[bool]] = {True: [], False: []}
    for days in purchases.values():
        before = [day for day in days if day < cut]
        found = rhythm(before, cut)
        if found.usual is not None:
            came_back[found.is_late].append(any(day >= cut for day in days))
    late, on_time = came_back[True], came_back[False]
    share = {name: sum(group) / len(group) for name, group in (("late", late), ("on time", on_time))}
    print(f"{cut}: late {len(late)}, came back {share['late']:.0%}; on time {len(on_time)}, {share['on time']:.0%}")
    record_property("returned", share)
    assert min(len(late), len(on_time)) >= 50
    assert share["late"] <= 0.8 * share["on time"]
