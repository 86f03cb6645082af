"""Words of the engine: what it is asked, what it answers, and its limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from worker.domain.report import RunMode, Trigger
from worker.engine.jobs import Job


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Limits, in seconds unless a name says otherwise."""

    slice_seconds: float = 300.0  # of work per message
    patience: float | None = None  # that one call may spend on retries and waits; default half a slice
    chunk: int = 200  # changes that are begun at once; what a killed worker leaves to be looked up
    slots: int = 4  # workers at one tenant
    lease_seconds: float = 30.0
    renew_seconds: float = 10.0
    busy_delay: tuple[float, float] = (5.0, 30.0)
    first_delay: float = 30.0  # after an error that may pass; doubles
    longest_delay: float = 900.0
    queued_stale: float = 120.0  # a queued job without a message is sent again after this
    running_stale: float = 1800.0  # a running one without a heartbeat
    profiles_refresh: float = 60.0
    fold_seconds: float = 2.0  # after a webhook, before anybody looks: what comes meanwhile is looked at with it
    keep_days: int = 30
    public_url: str = ""  # for links in alerts

    @property
    def look_seconds(self) -> float:
        """How old what a tick knows may be. Less than a refresh, since a timer that fires each minute is a moment early
        half of the time, and would then look each other minute only."""
        return 0.75 * self.profiles_refresh

    def delay_after(self, failures: int) -> float:
        """How long to wait after so many failures in a row for what may pass; at least one is counted."""
        return min(self.longest_delay, self.first_delay * 2.0 ** min(max(failures, 1) - 1, 20))


@dataclass(frozen=True, slots=True)
class StartRequest:
    """A person or a program asks for runs. `profiles` empty = all enabled. `key`: the same key never starts twice.

    `expected` (profile -> plan digest) lets nothing but exactly those plans be applied. `approved` are digests of
    plans that pass the brake; `override_brake` lets every plan pass. `plan_of` is the id of a job that planned: row by
    row, only what its plans showed and what is still the same is written. `keys` are the rows of the one profile that
    are written, and no others.
    """

    connection: str
    profiles: tuple[str, ...] = ()
    mode: RunMode = RunMode.APPLY
    trigger: Trigger = Trigger.MANUAL
    key: str = ""
    by: str = ""
    expected: Mapping[str, str] = field(default_factory=dict)
    approved: tuple[str, ...] = ()
    override_brake: bool = False
    plan_of: str = ""
    keys: tuple[str, ...] = ()


class Verdict(StrEnum):
    """What `handle` did with a message. After each of them the message may be removed."""

    DROPPED = "dropped"  # stale, a duplicate, or no message of ours
    WAITING = "waiting"  # busy or told to wait: sent again with a delay
    CONTINUED = "continued"  # the time budget was over: sent again
    FINISHED = "finished"
    FAILED = "failed"  # a known, permanent error ended the job


@dataclass(frozen=True, slots=True)
class Ticked:
    """What a tick did: jobs started, and connections that could not be asked, with the sentence."""

    started: tuple[Job, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
