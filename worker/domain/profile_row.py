"""Mapping profiles as people type them: a list row or a JSON file -> a checked Profile, and back.

Every problem is collected before any is raised, each with row, column and the allowed values. Rows and files share the
same words; a row holds the mapping and the filter as JSON texts, a file as JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from worker.domain.profile import Profile
from worker.domain.profile_cells import Cells
from worker.domain.profile_checks import check_profile
from worker.domain.profile_filter import filter_data
from worker.domain.profile_json import read_json, rule_lines, shown
from worker.domain.profile_rules import rule_data
from worker.domain.profile_words import did_you_mean
from worker.domain.secrets_guard import find_secret
from worker.errors import ConfigError, Problem

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
_FILE_KEYS = {column: key for column, (_, key) in COLUMNS.items()}
_COLUMN_OF = {key: column for column, key in _FILE_KEYS.items()}
_IN_FILES = tuple(column for column in COLUMNS if column != "Mapping")
_FILE_HINT = "Correct the file and import it again."


def parse_profile(row: Mapping[str, Any], where: str) -> Profile:
    """The profile a row describes. `where` names the row for messages. Raises ConfigError with every problem."""
    cells = Cells(row, where, {column: display for column, (display, _) in COLUMNS.items()})
    profile = check_profile(cells)
    if profile is None:
        raise ConfigError(
            cells.problems,
            hint="Correct the profile in the list Mapping profiles; the other profiles run without it.",
        )
    return profile


def profile_to_row(profile: Profile) -> dict[str, Any]:
    """The row as it stands in the list: logical column -> text, number or yes/no."""
    wanted = filter_data(profile.source_filter, profile.source)
    return {
        "Title": profile.title,
        "Enabled": profile.enabled,
        "RunOrder": profile.order,
        "Source": profile.source.value,
        "Target": profile.target.value,
        "ImportType": profile.import_type.value,
        "KeyTarget": profile.key_target,
        "KeySource": profile.key_source,
        "Mapping": rule_lines([rule_data(rule) for rule in profile.rules]),
        "SourceFilter": json.dumps(wanted, ensure_ascii=False) if wanted else None,
        "OnBlank": profile.on_blank.value,
        "OnMissing": profile.on_missing.value,
        "MaxChangePct": profile.max_change_pct,
        "Schedule": profile.schedule,
        "TimeZone": profile.time_zone,
    }


def profile_to_json(profile: Profile) -> str:
    """The file form, with the same words as the list: one line per column, one per rule, the mapping last."""
    row = profile_to_row(profile)
    data = {_FILE_KEYS[column]: row[column] for column in _IN_FILES}
    data["filter"] = filter_data(profile.source_filter, profile.source)
    data["maxChangePct"] = _json_number(profile.max_change_pct)
    lines = json.dumps({key: value for key, value in data.items() if value != {}}, ensure_ascii=False, indent=2)
    mapping = rule_lines([rule_data(rule) for rule in profile.rules], indent="  ")
    return f'{lines.removesuffix("}").rstrip()},\n  "mapping": {mapping}\n}}\n'


def profile_from_json(text: str, where: str) -> Profile:
    """A profile from a file. A key "note" is for people and not read. Raises ConfigError with every problem."""
    data, wrong = read_json(text)
    problems = [Problem(where, message) for message in wrong]
    if data is not None and not isinstance(data, dict):
        problems.append(Problem(where, "must be a JSON object in { }."))
    if not isinstance(data, dict):
        raise ConfigError(problems, hint=_FILE_HINT)
    problems += [_unknown(where, key) for key in sorted(set(data) - set(_COLUMN_OF) - {"note"})]
    try:
        profile = parse_profile({_COLUMN_OF[key]: value for key, value in data.items() if key in _COLUMN_OF}, where)
    except ConfigError as error:
        raise ConfigError([*problems, *error.problems], hint=_FILE_HINT) from None
    if problems:
        raise ConfigError(problems, hint=_FILE_HINT)
    return profile


def profile_digest(profile: Profile) -> str:
    """SHA-256 over what decides a plan; when and whether the profile runs is left out."""
    data = json.loads(profile_to_json(profile))
    for key in ("enabled", "order", "schedule", "timeZone"):
        data.pop(key)
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _unknown(where: str, key: str) -> Problem:
    name = "(hidden)" if find_secret(key) else shown(key)
    return Problem(f"{where}, key {name}", f"is not known.{did_you_mean(key, _COLUMN_OF)}", tuple(_COLUMN_OF))


def _json_number(number: Decimal) -> int | float:
    """As short as it can be: 30 for 30.0."""
    return int(number) if number == int(number) else float(number)
