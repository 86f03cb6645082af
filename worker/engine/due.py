"""Which profiles of a connection are due. Pure.

A profile is due when its schedule, in its own time zone, had a moment since it last fired. Only the latest moment
counts: after a night's downtime it runs once, not for each moment missed. A profile that is seen for the first time, or
whose schedule was changed, waits for its next moment: saving a profile at noon must not start it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from worker.domain.profile import Profile
from worker.domain.schedule import due_name, last_due
from worker.ports import ProfileRow


@dataclass(frozen=True, slots=True)
class DueRun:
    """A profile whose time has come. `run_id` is the same for everybody who finds it due."""

    profile: Profile
    moment: datetime
    run_id: str


@dataclass(frozen=True, slots=True)
class Found:
    """`seen` is the new state of what is known; equal to the old one when nothing is new."""

    due: tuple[DueRun, ...] = ()
    seen: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def find_due(
    rows: Sequence[ProfileRow],
    fired: Mapping[str, str],
    seen: Mapping[str, tuple[str, str]],
    now: datetime,
) -> Found:
    """`fired`: profile -> last moment that was started, ISO; `seen`: profile -> schedule with zone, and since when."""
    due: list[DueRun] = []
    known: dict[str, tuple[str, str]] = {}
    for row in rows:
        profile = row.profile
        if profile is None:
            if row.title in seen:  # a typing error must not make it run at once when it is mended
                known[row.title] = seen[row.title]
            continue
        if not profile.enabled or not profile.schedule:
            continue
        text = f"{profile.schedule} {profile.time_zone}"
        before = seen.get(profile.title)
        since = before[1] if before and before[0] == text else now.isoformat()
        known[profile.title] = (text, since)
        moment = last_due(profile.schedule, profile.time_zone, now)
        last = max(datetime.fromisoformat(since), _moment(fired.get(profile.title)) or datetime.fromisoformat(since))
        if moment is not None and moment > last:
            name = due_name(profile.schedule, profile.time_zone, moment)
            due.append(DueRun(profile, moment, f"{profile.title}:{name}"))
    order = sorted(due, key=lambda one: (one.profile.order, one.profile.title))
    return Found(tuple(order), known)


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
