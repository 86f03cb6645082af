"""Binds profiles to the site's lists, so that a bad profile is named without hiding or stopping the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from worker.domain.profile import Profile
from worker.domain.values import TargetKind
from worker.errors import ConfigError
from worker.ports import Site, Target
from worker.sync.planner import COMPANY_KEY, OPTIONAL_COLUMNS, target_columns


@dataclass(frozen=True, slots=True)
class Bindings:
    """`unbound`: profile title -> what is wrong with it."""

    targets: Mapping[TargetKind, Target] = field(default_factory=dict)
    unbound: Mapping[str, ConfigError] = field(default_factory=dict)

    def raise_unbound(self) -> None:
        """ConfigError with every problem of every profile that could not be bound."""
        if self.unbound:
            problems = [problem for error in self.unbound.values() for problem in error.problems]
            raise ConfigError(problems, hint=next(iter(self.unbound.values())).hint)


def bind_profiles(site: Site, profiles: Sequence[Profile]) -> Bindings:
    """One target per kind with the columns of all profiles that can be bound."""
    good: dict[str, tuple[TargetKind, Sequence[str]]] = {}
    unbound: dict[str, ConfigError] = {}
    for profile in profiles:
        wanted = _wanted(profile)
        try:
            site.bind(wanted)
        except ConfigError as error:
            unbound[profile.title] = error
        else:
            good |= wanted
    return Bindings(_bound(site, good) if good else {}, unbound)


def _bound(site: Site, good: Mapping[str, tuple[TargetKind, Sequence[str]]]) -> Mapping[TargetKind, Target]:
    """With the columns that serve where a list has them. Each is tried beside those that are needed: a site that shows
    some customers only binds no list without their number."""
    wanted = dict(good)
    bound = site.bind(wanted)
    for kind in {kind for kind, _ in good.values()}:
        for name in OPTIONAL_COLUMNS.get(kind, ()):
            more = {**wanted, f"{kind}, column {name}": (kind, (name,))}
            try:
                bound = site.bind(more)
            except ConfigError:
                continue  # a list without it
            wanted = more
    return bound


def _wanted(profile: Profile) -> dict[str, tuple[TargetKind, Sequence[str]]]:
    wanted: dict[str, tuple[TargetKind, Sequence[str]]] = {profile.title: (profile.target, target_columns(profile))}
    if profile.target is not TargetKind.COMPANY:
        wanted[f"{profile.title} (company look-up)"] = (TargetKind.COMPANY, (COMPANY_KEY,))
    return wanted
