"""Schedules in local time, over both days on which the clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from worker.domain.schedule import check_schedule, next_runs

ZONE = "Europe/Copenhagen"


@pytest.mark.parametrize(
    ("text", "zone", "says"),
    [
        ("0 2 * * *", ZONE, None),
        ("*/15 6-18 * * 1-5", "UTC", None),
        ("0 2 * *", ZONE, "five fields"),
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
    ("after", "utc_hours"),
    [
        (datetime(2026, 3, 27, 12, tzinfo=UTC), [1, 1, 0]),  # 29 March: 02:00 does not exist and comes at 03:00
        (datetime(2026, 10, 23, 12, tzinfo=UTC), [0, 0, 1]),  # 25 October: 02:00 comes twice and runs once
    ],
)
def test_a_nightly_run_comes_once_each_night_when_the_clock_changes(after, utc_hours):
    """Neither skipped in spring nor doubled in autumn."""
    runs = next_runs("0 2 * * *", ZONE, after, 3)
    assert [run.hour for run in runs] == utc_hours
    assert all(timedelta(hours=22) < b - a < timedelta(hours=26) for a, b in pairwise(runs))
    assert all(run.tzinfo is UTC for run in runs)
