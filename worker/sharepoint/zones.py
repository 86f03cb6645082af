"""The site's time zone: SharePoint names it by a number, Python by an IANA name.

Numbers are those of SPTimeZone. Zones whose number is not here are told by their distance from UTC where Europe
leaves no doubt; anything else must be set by hand, since a wrong zone would move every date by a day.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from worker.errors import ConfigError, Problem

_BY_ID = {
    2: "Europe/London",
    3: "Europe/Copenhagen",
    4: "Europe/Berlin",
    5: "Europe/Athens",
    6: "Europe/Budapest",
    7: "Europe/Athens",
    10: "America/New_York",
    11: "America/Chicago",
    12: "America/Denver",
    13: "America/Los_Angeles",
    57: "Europe/Warsaw",
    59: "Europe/Helsinki",
    93: "UTC",
}
_BY_BIAS = {0: "Europe/London", -60: "Europe/Copenhagen", -120: "Europe/Helsinki"}


def site_zone(answer: Mapping[str, Any]) -> ZoneInfo:
    """The zone of a RegionalSettings/TimeZone answer. Raises ConfigError for one we can't name."""
    number, bias = answer.get("Id"), (answer.get("Information") or {}).get("Bias")
    name = _BY_ID.get(number) if isinstance(number, int) else None
    name = name or (_BY_BIAS.get(bias) if isinstance(bias, int) else None)
    if name is None:
        shown = answer.get("Description") or f"number {number}"
        raise ConfigError(
            [Problem("SharePoint site", f"Its time zone ({shown}) is not known to the worker.")],
            hint="Set SHAREPOINT_TIME_ZONE to its IANA name, such as Europe/Copenhagen.",
        )
    return ZoneInfo(name)


def named_zone(name: str) -> ZoneInfo:
    """The zone of a setting. Raises ConfigError when there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        problem = Problem("SHAREPOINT_TIME_ZONE", f"'{name}' is not a time zone name such as Europe/Copenhagen.")
        raise ConfigError([problem]) from None
