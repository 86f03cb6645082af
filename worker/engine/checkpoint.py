"""The checkpoint of the job a connection is at: how far it is, so that any worker can go on.

It is the content of the record that is leased while somebody works (`work/<connection>`), so the store itself refuses
the write of a worker whose lease is gone. Small: what is planned and what was settled stand in records of their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Phase(StrEnum):
    """What the profile in hand is at."""

    PLAN = "plan"
    WRITE = "write"
    PROVE = "prove"


@dataclass(slots=True)
class Checkpoint:
    """Mutable: the worker that holds the lease changes it and saves it."""

    job: str = ""
    profile: str = ""  # the one in hand
    phase: Phase = Phase.PLAN
    position: int = 0  # its changes that are settled
    in_hand: int = 0  # up to where changes were begun; above `position` they may or may not have been done
    segments: int = 0  # records of outcomes so far
    replans: int = 0
    plans: dict[str, str] = field(default_factory=dict)  # profile -> SHA-256 of its stored plan
    rests: dict[str, str] = field(default_factory=dict)  # profile -> SHA-256 of the re-planned rest
    opened: list[str] = field(default_factory=list)  # profiles that have a Running row in the run list
    closing: bool = False  # the run list is being written
    fruitless: int = 0  # messages in a row that brought nothing

    def next_profile(self, profile: str) -> None:
        """Begins another profile."""
        self.profile, self.phase = profile, Phase.PLAN
        self.position = self.in_hand = self.segments = self.replans = 0

    def dump(self) -> bytes:
        """As stored."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()


def load_checkpoint(content: bytes) -> Checkpoint:
    """Reads one; empty content is a fresh one. Raises ValueError when it is damaged."""
    if not content:
        return Checkpoint()
    try:
        data: Mapping[str, Any] = json.loads(content)
        found = Checkpoint(**{**data, "phase": Phase(data["phase"])})
    except (ValueError, TypeError, KeyError, UnicodeDecodeError) as error:
        raise ValueError(f"no checkpoint: {type(error).__name__}") from None
    tables = (found.plans, found.rests)
    numbers = (found.position, found.in_hand, found.segments, found.replans, found.fruitless)
    texts = (found.job, found.profile)
    if (
        all(isinstance(n, int) and n >= 0 for n in numbers)
        and all(isinstance(t, str) for t in texts)
        and all(isinstance(t, dict) for t in tables)
        and isinstance(found.opened, list)
    ):
        return found
    raise ValueError("no checkpoint: a value is of the wrong kind")
