"""Mapping profiles as people type them: a list row or a JSON file -> a checked Profile, and back.

Every problem is collected before any is raised, each with row, column and the allowed values. Rows and files share the
same words; a row holds the mapping and the filter as JSON texts, a file as JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from worker.domain.profile import FieldRule, Profile, SourceFilter, WriteRule
from worker.domain.profile_checks import Checker
from worker.errors import ConfigError

# Logical column -> (display name, key in a profile file).
COLUMNS: Mapping[str, tuple[str, str]] = {
    "Title": ("Title", "title"),
    "Enabled": ("Enabled", "enabled"),
    "RunOrder": ("Order", "order"),
    "Source": ("Source", "source"),
    "Target": ("Target", "target"),
    "ImportType": ("Import type", "importType"),
    "KeyTarget": ("Key (CRM)", "keyTarget"),
    "KeySource": ("Key (ERP)", "keySource"),
    "Mapping": ("Mapping", "mapping"),
    "SourceFilter": ("Filter", "filter"),
    "OnBlank": ("Blank source", "onBlank"),
    "OnMissing": ("Missing in ERP", "onMissing"),
    "MaxChangePct": ("Stop if changes exceed %", "maxChangePct"),
    "Schedule": ("Schedule", "schedule"),
    "TimeZone": ("Time zone", "timeZone"),
}
_FILE_KEYS = {key: column for column, (_, key) in COLUMNS.items()}


def parse_profile(row: Mapping[str, Any], where: str) -> Profile:
    """The profile a row describes. `where` names the row for messages. Raises ConfigError with every problem."""
    checker = Checker(row, where, {column: display for column, (display, _) in COLUMNS.items()})
    profile = checker.profile()
    if checker.problems or profile is None:
        raise ConfigError(
            checker.problems,
            hint="Correct the profile in the list Mapping profiles; the other profiles run without it.",
        )
    return profile


def profile_to_row(profile: Profile) -> dict[str, Any]:
    """The row as it stands in the list: logical column -> text, number or yes/no."""
    return {
        "Title": profile.title,
        "Enabled": profile.enabled,
        "RunOrder": profile.order,
        "Source": profile.source.value,
        "Target": profile.target.value,
        "ImportType": profile.import_type.value,
        "KeyTarget": profile.key_target,
        "KeySource": profile.key_source,
        "Mapping": _lines([_rule(rule) for rule in profile.rules]),
        "SourceFilter": json.dumps(_filter(profile.source_filter), ensure_ascii=False) or None,
        "OnBlank": profile.on_blank.value,
        "OnMissing": profile.on_missing.value,
        "MaxChangePct": profile.max_change_pct,
        "Schedule": profile.schedule,
        "TimeZone": profile.time_zone,
    }


def profile_to_json(profile: Profile) -> str:
    """The file form, with the same words as the list."""
    row = profile_to_row(profile)
    data = {_key(column): value for column, value in row.items()}
    data["mapping"] = [_rule(rule) for rule in profile.rules]
    data["filter"] = _filter(profile.source_filter)
    data["maxChangePct"] = float(profile.max_change_pct)
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def profile_from_json(text: str, where: str) -> Profile:
    """A profile from a file. A key "note" is for people and not read. Raises ConfigError."""
    checker = Checker({}, where, {})
    data = checker.json_object(text, where)
    if data is None:
        raise ConfigError(checker.problems, hint="Correct the file and import it again.")
    unknown = sorted(set(data) - set(_FILE_KEYS) - {"note"})
    for key in unknown:
        checker.problem_at(f"{where}, key {key}", "is not known.", tuple(_FILE_KEYS))
    row = {_FILE_KEYS[key]: value for key, value in data.items() if key in _FILE_KEYS}
    try:
        profile = parse_profile(row, where)
    except ConfigError as error:
        checker.problems += error.problems
        profile = None
    if checker.problems or profile is None:
        raise ConfigError(checker.problems, hint="Correct the file and import it again.")
    return profile


def profile_digest(profile: Profile) -> str:
    """SHA-256 over what decides a plan; when and whether the profile runs is left out."""
    data = json.loads(profile_to_json(profile))
    for key in ("enabled", "order", "schedule", "timeZone"):
        data.pop(key)
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _key(column: str) -> str:
    return COLUMNS[column][1]


def _rule(rule: FieldRule) -> dict[str, Any]:
    full = {
        "source": rule.source,
        "target": rule.target,
        "rule": rule.write.value if rule.write is not WriteRule.ERP_OWNS else None,
        "converter": rule.converter,
        "default": rule.default,
        "shorten": rule.shorten or None,
    }
    return {key: value for key, value in full.items() if value is not None}


def _filter(source_filter: SourceFilter) -> dict[str, Any]:
    plain = SourceFilter()
    full = {
        "customerGroups": sorted(source_filter.customer_groups) or None,
        "includeBarred": None if source_filter.include_barred else False,
        "months": source_filter.months,
        "periods": [kind.value for kind in source_filter.periods] if source_filter.periods != plain.periods else None,
    }
    return {key: value for key, value in full.items() if value is not None}


def _lines(rules: Sequence[dict[str, Any]]) -> str:
    """One rule per line: a person reads and edits this in a list form."""
    body = ",\n".join("  " + json.dumps(rule, ensure_ascii=False) for rule in rules)
    return f"[\n{body}\n]"
