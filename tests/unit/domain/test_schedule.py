"""Schedules in local time, over both days on which the clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from worker.domain.schedule import check_schedule, check_zone, next_runs

ZONE = "Europe/Copenhagen"


@pytest.mark.parametrize(
    ("text", "zone", "says"),
    [
        ("0 2 * * *", ZONE, None),
        ("*/15 6-18 * * 1-5", "UTC", None),
        ("0 2 * * MON-FRI", ZONE, None),
        ("0 2 29 2 *", ZONE, None),
        ("0 2 * *", ZONE, "five fields"),
        ("0 0 2 * * *", ZONE, "five fields"),
        ("@daily", ZONE, "five fields"),
        ("61 2 * * *", ZONE, "not a valid cron text"),
        ("0 2 31 2 *", ZONE, "not a valid cron text"),
        ("0 2 * * *", "Mars/Base", "not a time zone name"),
    ],
)
def test_a_wrong_schedule_is_explained(text, zone, says):
    """One sentence, or None."""
    found = check_schedule(text, zone)
    assert (found is None) if says is None else (found is not None and says in found)


@pytest.mark.parametrize(
    ("zone", "meant"),
    [("Copenhagen", ZONE), ("europe/copenhagen", ZONE), ("Europe/Copenhagn", ZONE), ("london", "Europe/London")],
)
def test_a_time_zone_that_is_nearly_right_is_answered_with_the_right_one(zone, meant):
    """Town alone, wrong case, a letter lost."""
    assert check_zone(zone) == (f"'{zone}' is not a time zone name such as Europe/Copenhagen. Did you mean '{meant}'?")


def test_a_zone_like_no_other_gets_no_suggestion():
    """A guess would only confuse."""
    assert check_zone("Mars/Base") == "'Mars/Base' is not a time zone name such as Europe/Copenhagen."


SPRING = datetime(2026, 3, 27, 12, tzinfo=UTC)  # 29 March: the hour from 02:00 does not exist
AUTUMN = datetime(2026, 10, 23, 12, tzinfo=UTC)  # 25 October: the hour from 02:00 comes twice


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("0 2 * * *", SPRING, ["28 01:00", "29 01:00", "30 00:00"]),
        ("30 2 * * *", SPRING, ["28 01:30", "29 01:00", "30 00:30"]),
        ("0 2 * * *", AUTUMN, ["24 00:00", "25 00:00", "26 01:00"]),
        ("30 2 * * *", AUTUMN, ["24 00:30", "25 00:30", "26 01:30"]),
    ],
)
def test_a_nightly_run_comes_once_each_night_when_the_clock_changes(text, after, expected):
    """Neither skipped in spring, when it comes as the clock jumps, nor doubled in autumn."""
    runs = next_runs(text, ZONE, after, 3)
    assert [f"{run:%d %H:%M}" for run in runs] == expected
    assert all(run.tzinfo is UTC for run in runs)


def test_an_hourly_run_comes_every_hour_that_passes():
    """Twenty-three hours on the short day, twenty-five on the long one."""
    for start in (datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)):
        runs = next_runs("0 * * * *", ZONE, start - timedelta(seconds=1), 25)
        assert all(b - a == timedelta(hours=1) for a, b in pairwise(runs))


def test_a_schedule_needs_to_know_where_its_clock_stands():
    """A time without a zone would mean the machine's."""
    with pytest.raises(ValueError, match="aware"):
        next_runs("0 2 * * *", ZONE, datetime(2026, 1, 1), 1)  # noqa: DTZ001
