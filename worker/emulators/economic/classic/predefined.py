"""The predefined periods of invoice totals (`thisMonth`, `lastSevenDays`, ...), seen from the agreement's day."""

from datetime import date, timedelta

from worker.emulators.economic.errors import not_found

PREDEFINED = (
    "thisMonth",
    "lastMonth",
    "thisWeek",
    "lastWeek",
    "thisYear",
    "lastYear",
    "lastSevenDays",
    "lastFifteenDays",
    "lastThirtyDays",
)
_LAST_DAYS = {"lastSevenDays": 7, "lastFifteenDays": 15, "lastThirtyDays": 30}


def predefined_period(name: str, today: date) -> tuple[date, date]:
    """First and last day of a predefined period; 404 for a name that is none."""
    if name in _LAST_DAYS:
        return today - timedelta(days=_LAST_DAYS[name] - 1), today
    starts = {
        "Month": today.replace(day=1),
        "Week": today - timedelta(days=today.weekday()),
        "Year": today.replace(month=1, day=1),
    }
    word, unit = name[:4], name[4:]
    if name not in PREDEFINED:
        raise not_found()
    start = starts[unit]
    if word == "this":
        return start, today
    last = start - timedelta(days=1)
    return {"Month": last.replace(day=1), "Week": last - timedelta(days=6), "Year": last.replace(month=1, day=1)}[
        unit
    ], last
