"""What can be wrong between profiles, and what is allowed but seldom meant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

from worker.domain.fields import resolve_field
from worker.domain.profile import FieldRule, ImportType, Profile, SourceKind, WriteRule
from worker.domain.values import TargetKind
from worker.errors import Problem

_USUALLY_PEOPLES = frozenset({"AccountManager", "JobTitle"})
_STAMP = "FiguresAsOf"
_BRAKE_OFF = 100


def lint_profiles(profiles: Sequence[Profile]) -> list[Problem]:
    """Problems between profiles: double titles, order, and columns that two profiles would overwrite in turn."""
    return [*_double_titles(profiles), *_order(profiles), *_ping_pong(profiles)]


def profile_warnings(profile: Profile, others: Sequence[Profile] | None = None) -> list[str]:
    """Sentences about what a profile is allowed to do but seldom means.

    `others` are the profiles it runs with; None = not known, and then nothing is said that they could settle.
    """
    return [*_columns(profile), *_brake(profile), *_import_id(profile), *_undated(profile, others)]


def _columns(profile: Profile) -> Iterator[str]:
    by_target = {rule.target: rule for rule in profile.rules}
    for column in sorted(_USUALLY_PEOPLES & set(by_target)):
        if by_target[column].write is WriteRule.ERP_OWNS:
            yield f"{column} is usually people's own column; this profile overwrites it."
    if by_target[profile.key_target].write is not WriteRule.ERP_OWNS:
        yield f"The key {profile.key_target} should be owned by the ERP."


def _brake(profile: Profile) -> Iterator[str]:
    if profile.max_change_pct >= _BRAKE_OFF and profile.import_type is not ImportType.UPDATE:
        yield "The brake is off: a wrong mapping could rewrite every item."


def _import_id(profile: Profile) -> Iterator[str]:
    """Companies that change their number are found again by it."""
    creates = profile.target is TargetKind.COMPANY and profile.import_type is not ImportType.UPDATE
    if creates and "ImportID" not in {rule.target for rule in profile.rules}:
        yield "ImportID is not filled: new items don't say which agreement they came from."


def _undated(profile: Profile, others: Sequence[Profile] | None) -> Iterator[str]:
    """Figures are copies; without a date nobody sees how old they are."""
    if others is None or not _figures(profile):
        return
    on_the_list = (
        one for one in (profile, *others) if one is profile or (one.enabled and one.target is profile.target)
    )
    if not any(rule.target == _STAMP for one in on_the_list for rule in one.rules):
        yield f"{', '.join(_figures(profile))} without {_STAMP}: nobody sees how old the figures are."


def _figures(profile: Profile) -> list[str]:
    """Columns that hold money figures of a customer."""
    if profile.source is not SourceKind.CUSTOMER:
        return []
    fields = ((rule.target, resolve_field(profile.source, rule.source or "")) for rule in profile.rules)
    return [target for target, field in fields if field is not None and (field.control or field.needs)]


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
    companies = [p for p in enabled if p.target is TargetKind.COMPANY and p.import_type is not ImportType.UPDATE]
    if not companies:
        return []
    first = min(companies, key=_turn)
    return [
        Problem(
            f"profile '{profile.title}', column Order",
            f"is {profile.order}: {profile.source.value} rows need companies, which '{first.title}' makes at "
            f"{first.order}.",
        )
        for profile in enabled
        if profile.source is not SourceKind.CUSTOMER and _turn(profile) < _turn(first)
    ]


def _turn(profile: Profile) -> tuple[int, str]:
    """Profiles run by order, then by title."""
    return profile.order, profile.title


def _ping_pong(profiles: Sequence[Profile]) -> list[Problem]:
    owners: dict[tuple[TargetKind, str], list[tuple[Profile, FieldRule]]] = defaultdict(list)
    for profile in profiles:
        if profile.enabled and profile.import_type is not ImportType.IMPORT:  # Import never touches what exists
            for rule in profile.rules:
                if rule.write is WriteRule.ERP_OWNS:
                    owners[profile.target, rule.target].append((profile, rule))
    return [
        Problem(
            f"profiles '{first.title}' and '{second.title}'",
            f"both own column {rule.target} but fill it differently: each run would overwrite the other's value.",
        )
        for users in owners.values()
        for (first, rule), (second, other) in combinations(users, 2)
        if _content(rule) != _content(other) and not _apart(first, second)
    ]


def _apart(first: Profile, second: Profile) -> bool:
    """Whether two profiles take customers of different groups, and so never meet on an item."""
    one, other = first.source_filter.customer_groups, second.source_filter.customer_groups
    return bool(one) and bool(other) and not one & other


def _content(rule: FieldRule) -> tuple[str | None, str | None, str | None, bool]:
    return rule.source, rule.converter, rule.default, rule.shorten
