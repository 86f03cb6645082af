"""Schedules: five-field cron in an IANA time zone, by the cronsim library, which follows Debian cron on DST days."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError


def check_schedule(text: str, zone: str) -> str | None:
    """What is wrong with a schedule, as a sentence; None when nothing is."""
    if zone not in available_timezones():
        return f"'{zone}' is not a time zone name such as Europe/Copenhagen."
    if len(text.split()) != 5:
        return f"'{text}' is not a cron text of five fields such as '0 2 * * *' (every night at two)."
    try:
        next(CronSim(text, datetime(2026, 1, 1, tzinfo=ZoneInfo(zone))))
    except CronSimError as error:
        return f"'{text}' is not a valid cron text: {error}."
    except StopIteration:
        return f"'{text}' never comes."
    return None


def next_runs(text: str, zone: str, after: datetime, count: int) -> list[datetime]:
    """The next `count` times after `after` (aware), in UTC. The schedule must have passed `check_schedule`."""
    local = after.astimezone(ZoneInfo(zone))
    return [moment.astimezone(UTC) for moment in islice(CronSim(text, local), count)]
