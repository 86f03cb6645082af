"""When a profile is due: its own zone, once, after downtime, on both days when the clocks change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.profile import Profile
from worker.domain.profile_row import profile_from_json
from worker.engine.due import find_due
from worker.ports import ProfileRow

FILE = Path(__file__).parents[3] / "config" / "profiles" / "10-customers.json"
CUSTOMERS = replace(profile_from_json(FILE.read_text(), "file"), schedule="30 2 * * *")


def rows(*profiles: Profile) -> list[ProfileRow]:
    return [ProfileRow(number, profile.title, profile) for number, profile in enumerate(profiles, 1)]


class Days:
    """Ticks as they come; each due run is fired at once."""

    def __init__(self, *profiles: Profile) -> None:
        self.rows = rows(*profiles)
        self.fired: dict[str, str] = {}
        self.seen: dict[str, tuple[str, str]] = {}
        self.ids: list[str] = []

    def tick(self, now: datetime) -> list[str]:
        found = find_due(self.rows, self.fired, self.seen, now)
        self.seen = dict(found.seen)
        for one in found.due:
            self.fired[one.profile.title] = one.moment.isoformat()
        self.ids += [one.run_id for one in found.due]
        return [one.run_id for one in found.due]

    def ticks(self, start: datetime, end: datetime, every: timedelta) -> list[str]:
        moment, ids = start, []
        while moment <= end:
            ids += self.tick(moment)
            moment += every
        return ids


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_a_nightly_profile_starts_once_each_local_day():
    ids = Days(CUSTOMERS).ticks(at(20, 12), at(23, 12), timedelta(minutes=5))
    assert ids == [f"Customers:2026-11-{day}" for day in (21, 22, 23)]


def test_a_new_profile_waits_for_its_next_moment():
    days = Days(CUSTOMERS)
    assert days.tick(at(20, 12)) == []
    assert days.tick(at(21, 1, 29)) == []
    assert days.tick(at(21, 1, 30)) == ["Customers:2026-11-21"]


def test_after_three_days_of_downtime_it_runs_once():
    days = Days(CUSTOMERS)
    days.tick(at(20, 12))
    assert days.tick(at(24, 9)) == ["Customers:2026-11-24"]
    assert days.tick(at(24, 10)) == []


def test_a_changed_schedule_counts_from_the_change():
    days = Days(CUSTOMERS)
    days.tick(at(20, 12))
    days.rows = rows(replace(CUSTOMERS, schedule="0 11 * * *"))
    assert days.tick(at(20, 13)) == []
    assert days.tick(at(21, 10)) == ["Customers:2026-11-21"]


def test_a_row_that_is_mistyped_for_a_while_does_not_run_at_once_when_mended():
    days = Days(CUSTOMERS)
    days.tick(at(20, 12))
    good = days.rows
    days.rows = [ProfileRow(1, "Customers", None)]
    assert days.tick(at(20, 13)) == []
    days.rows = good
    assert days.tick(at(20, 14)) == []
    assert days.tick(at(21, 2)) == ["Customers:2026-11-21"]


@pytest.mark.parametrize("change", [{"enabled": False}, {"schedule": None}])
def test_disabled_or_unscheduled_profiles_are_never_due(change):
    assert Days(replace(CUSTOMERS, **change)).ticks(at(20, 12), at(23, 12), timedelta(hours=1)) == []


def test_the_order_of_the_profiles_is_kept():
    first, second = replace(CUSTOMERS, title="B", order=1), replace(CUSTOMERS, title="A", order=2)
    days = Days(second, first)
    days.tick(at(20, 12))
    assert days.tick(at(21, 2)) == ["B:2026-11-21", "A:2026-11-21"]


@pytest.mark.parametrize(("day", "month"), [(29, 3), (25, 10)], ids=["spring forward", "fall back"])
def test_a_moment_in_the_hour_that_is_skipped_or_comes_twice_runs_once(day, month):
    """02:30 does not exist on the last Sunday of March and comes twice on that of October."""
    start = at(day, 0, month=month) - timedelta(days=1, hours=12)
    ids = Days(CUSTOMERS).ticks(start, start + timedelta(days=3), timedelta(minutes=10))
    dates = [(start + timedelta(days=one)).date() for one in (1, 2, 3)]
    assert ids == [f"Customers:{date}" for date in dates]


def test_several_times_a_day_are_named_with_their_time():
    days = Days(replace(CUSTOMERS, schedule="0 */6 * * *"))
    ids = days.ticks(at(20, 12), at(21, 12), timedelta(minutes=30))
    assert ids == [f"Customers:2026-11-{text}" for text in ("20T18:00", "21T00:00", "21T06:00", "21T12:00")]


def test_a_clock_that_jumps_back_runs_nothing_twice():
    days = Days(CUSTOMERS)
    days.tick(at(20, 12))
    days.tick(at(21, 2))
    assert days.tick(at(20, 23)) == []
    assert days.tick(at(21, 3)) == []
    assert days.tick(at(22, 3)) == ["Customers:2026-11-22"]


@given(
    zone=st.sampled_from(["Europe/Copenhagen", "America/Nuuk", "Atlantic/Faroe", "UTC", "Australia/Lord_Howe"]),
    schedule=st.sampled_from(["0 2 * * *", "30 2 * * *", "0 0 * * *", "59 23 * * *", "15 3 * * 1-5"]),
    start=st.integers(0, 700 * 24 * 60).map(lambda minutes: at(1, 0, month=1) + timedelta(minutes=minutes)),
    gaps=st.lists(st.integers(1, 60 * 40), max_size=40),
)
def test_whenever_the_ticks_come_no_run_starts_twice_and_no_day_is_lost_for_good(zone, schedule, start, gaps):
    """A run's name is never given twice, and a tick finds at most one run due."""
    days = Days(replace(CUSTOMERS, schedule=schedule, time_zone=zone))
    now = start
    for gap in gaps:
        now += timedelta(minutes=gap)
        assert len(days.tick(now)) <= 1
    assert len(days.ids) == len(set(days.ids))
    days.tick(now)
    assert days.tick(now) == []
