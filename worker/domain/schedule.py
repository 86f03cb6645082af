"""Schedules: five-field cron in an IANA time zone, by the cronsim library, which follows Debian cron on DST days."""

from __future__ import annotations

import difflib
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError


def check_zone(zone: str) -> str | None:
    """What is wrong with a time zone name, as a sentence; None when nothing is."""
    # The names are compared, not opened: on Windows and macOS a file opens in any letter case.
    if zone in _zones():
        return None
    close = difflib.get_close_matches(zone.casefold(), _zones_by_word(), n=1, cutoff=0.75)
    tail = f" Did you mean '{_zones_by_word()[close[0]]}'?" if close else ""
    return f"'{zone}' is not a time zone name such as Europe/Copenhagen.{tail}"


def check_schedule(text: str, zone: str) -> str | None:
    """What is wrong with a schedule or its zone, as a sentence; None when nothing is."""
    wrong = check_zone(zone)
    if wrong:
        return wrong
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
    if after.tzinfo is None:
        raise ValueError("a schedule counts from an aware time")
    local = after.astimezone(ZoneInfo(zone))
    return [moment.astimezone(UTC) for moment in islice(CronSim(text, local), count)]


def last_due(text: str, zone: str, now: datetime) -> datetime | None:
    """The latest moment of the schedule that is not after `now` (aware), in UTC; None when there was none in a year.
    The schedule must have passed `check_schedule`."""
    if now.tzinfo is None:
        raise ValueError("a schedule counts from an aware time")
    # Backwards cron steps over the moment it starts from, so it starts a minute later; it knows nothing of seconds.
    local = (now + timedelta(minutes=1)).astimezone(ZoneInfo(zone))
    for moment in islice(CronSim(text, local, reverse=True), 3):
        if moment.astimezone(UTC) <= now:
            return moment.astimezone(UTC)
    return None


def due_name(text: str, zone: str, due: datetime) -> str:
    """The local date of a due moment; with the time of day when the schedule comes more than once that day."""
    local = due.astimezone(ZoneInfo(zone))
    start = local.replace(hour=0, minute=0, second=0, microsecond=0)
    same_day = [m for m in islice(CronSim(text, start - timedelta(minutes=1)), 2) if m.date() == local.date()]
    return f"{local:%Y-%m-%d}" if len(same_day) == 1 else f"{local:%Y-%m-%dT%H:%M}"


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def _zones_by_word() -> dict[str, str]:
    """Zone names by their whole name and by their town, case-folded."""
    towns = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(_zones(), reverse=True)}
    return {**towns, **{zone.casefold(): zone for zone in _zones()}}
