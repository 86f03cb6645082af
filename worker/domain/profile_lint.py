"""What can be wrong between profiles, and what is allowed but seldom meant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from worker.domain.profile import FieldRule, Profile, SourceKind, WriteRule
from worker.domain.values import TargetKind
from worker.errors import Problem

_USUALLY_PEOPLES = frozenset({"AccountManager", "JobTitle"})


def lint_profiles(profiles: Sequence[Profile]) -> list[Problem]:
    """Problems between profiles: double titles, order, and columns that two profiles would overwrite in turn."""
    return [*_double_titles(profiles), *_order(profiles), *_ping_pong(profiles)]


def profile_warnings(profile: Profile) -> list[str]:
    """Sentences about what a profile is allowed to do but seldom means."""
    by_target = {rule.target: rule for rule in profile.rules}
    found = [
        f"{column} is usually people's own column; this profile overwrites it."
        for column in sorted(_USUALLY_PEOPLES & set(by_target))
        if by_target[column].write is WriteRule.ERP_OWNS
    ]
    if by_target[profile.key_target].write is not WriteRule.ERP_OWNS:
        found.append(f"The key {profile.key_target} should be owned by the ERP.")
    if profile.max_change_pct >= 100 and profile.import_type.value != "Update":
        found.append("The brake is off: a wrong mapping could rewrite every item.")
    return found


def _double_titles(profiles: Sequence[Profile]) -> list[Problem]:
    titles: dict[str, int] = defaultdict(int)
    for profile in profiles:
        titles[profile.title.casefold()] += 1
    return [
        Problem(f"profile '{profile.title}'", "has the same title as another profile.")
        for profile in profiles
        if titles[profile.title.casefold()] > 1
    ]


def _order(profiles: Sequence[Profile]) -> list[Problem]:
    enabled = [profile for profile in profiles if profile.enabled]
    companies = [p.order for p in enabled if p.target is TargetKind.COMPANY and p.import_type.value != "Update"]
    if not companies:
        return []
    return [
        Problem(
            f"profile '{profile.title}', column Order",
            f"is {profile.order}: {profile.source.value} rows need companies, which are made at {min(companies)}.",
        )
        for profile in enabled
        if profile.source is not SourceKind.CUSTOMER and profile.order < min(companies)
    ]


def _ping_pong(profiles: Sequence[Profile]) -> list[Problem]:
    owners: dict[tuple[TargetKind, str], list[tuple[Profile, FieldRule]]] = defaultdict(list)
    for profile in profiles:
        if profile.enabled:
            for rule in profile.rules:
                if rule.write is WriteRule.ERP_OWNS:
                    owners[profile.target, rule.target].append((profile, rule))
    return [
        Problem(
            f"profiles '{first.title}' and '{second.title}'",
            f"both own column {rule.target} but fill it differently: each run would overwrite the other's value.",
        )
        for users in owners.values()
        for (first, rule), (second, other) in pairwise(users)
        if _content(rule) != _content(other)
    ]


def _content(rule: FieldRule) -> tuple[str | None, str | None, str | None, bool]:
    return rule.source, rule.converter, rule.default, rule.shorten
