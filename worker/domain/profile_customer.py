"""Which column of a profile's list says whose an item is. Pure."""

from __future__ import annotations

from worker.domain.fields import default_key
from worker.domain.profile import Profile, SourceKind

COMPANY_COLUMN = "Company"  # the look-up to the company's item; all others hold the number


def customer_column(profile: Profile) -> str | None:
    """The profile's column that holds the customer's number; None when its items are not one customer's by key."""
    if profile.key_source != default_key(profile.source):
        return None
    wanted = "Number" if profile.source is SourceKind.CUSTOMER else "CustomerNumber"
    for rule in profile.rules:
        if rule.source == wanted and rule.converter is None and rule.target != COMPANY_COLUMN:
            return rule.target
    return None


def key_separator(profile: Profile) -> str | None:
    """What stands between the customer's number and the rest in a key of this profile; None when the number is no part
    of it. By the catalogue: contacts "5-12", statistics "5|Month|2026-01-01"."""
    if profile.key_source != default_key(profile.source):
        return None
    return {SourceKind.CONTACT: "-", SourceKind.SALES: "|"}.get(profile.source)
