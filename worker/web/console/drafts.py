"""A profile as it stands in the editor: what was typed, whether it can be read or not. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from worker.domain import profile_words as words
from worker.domain.encode import encode_value
from worker.domain.fields import default_key
from worker.domain.profile import ImportType, OnBlank, OnMissing, PeriodType, Profile, SourceKind
from worker.domain.profile_checks import TARGETS
from worker.domain.profile_filter import filter_data
from worker.domain.profile_json import read_json
from worker.domain.profile_row import profile_to_json, profile_to_row
from worker.domain.profile_rules import rule_data, same_column
from worker.domain.values import TargetKind
from worker.ports import ProfileRow
from worker.web.forms import Form

DEBTOR = "Debtor"  # the product's word for a customer of e-conomic
# Fields of the editor that are cells of the row as they are.
CELLS = ("Title", "RunOrder", "ImportType", "KeySource", "OnBlank", "OnMissing", "MaxChangePct", "Schedule", "TimeZone")
_RULE = ("target", "source", "rule", "converter", "default", "shorten")


NO_RULE: Mapping[str, str] = dict.fromkeys(_RULE, "")


@dataclass(frozen=True, slots=True)
class Draft:
    """`cells` are texts by column of the row, `rules` one mapping of texts for each mapped column. `version` is that of
    the row it was made from, "" for a new one. `source` and `target` as chosen."""

    source: SourceKind
    target: TargetKind
    cells: Mapping[str, str]
    enabled: bool
    rules: Sequence[Mapping[str, str]]
    groups: str = ""
    barred: bool = True
    months: str = ""
    periods: frozenset[str] = field(default_factory=frozenset)
    version: str = ""
    is_new: bool = False

    @property
    def title(self) -> str:
        """As typed."""
        return self.cells["Title"]

    def rule_of(self, column: str) -> Mapping[str, str]:
        """What is mapped to a column; all blank when nothing is."""
        return next((rule for rule in self.rules if same_column(rule["target"], column)), NO_RULE)

    def mapped(self) -> list[Mapping[str, str]]:
        """The rules that fill something."""
        return [rule for rule in self.rules if rule.get("source") or rule.get("default")]

    def row(self) -> dict[str, Any]:
        """As the checks take it. A blank key is the usual one's own column, chosen by the target."""
        return {
            **self.cells,
            "Enabled": self.enabled,
            "Source": self.source.value,
            "Target": self.target.value,
            "KeyTarget": self.cells.get("KeyTarget", ""),
            "Mapping": [{name: value for name, value in rule.items() if value} for rule in self.mapped()],
            "SourceFilter": self._filter(),
        }

    def _filter(self) -> dict[str, Any]:
        months: Any = int(self.months) if self.months.isdecimal() and len(self.months) < 6 else self.months
        wanted: dict[str, Any] = {"customerGroups": self.groups or None, "months": months or None}
        if not self.barred:
            wanted["includeBarred"] = False
        if self.source is SourceKind.SALES:
            wanted["periods"] = [kind.value for kind in PeriodType if kind.value in self.periods]
        return {name: value for name, value in wanted.items() if value is not None}


def version_of(row: ProfileRow) -> str:
    """Of everything a person can set; another one means that somebody saved meanwhile."""
    if row.profile is not None:
        return hashlib.sha256(profile_to_json(row.profile).encode()).hexdigest()[:32]
    cells = {name: encode_value(value) for name, value in sorted(row.cells.items())}
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()[:32]


def draft_of(row: ProfileRow) -> Draft:
    """A row of the list; a broken one as far as it can be read."""
    made = from_profile(row.profile) if row.profile is not None else _from_cells(row.cells)
    return replace(made, version=version_of(row))


def from_profile(profile: Profile) -> Draft:
    """A checked profile."""
    row = profile_to_row(profile)
    wanted = filter_data(profile.source_filter, profile.source)
    cells = {name: _text(row[name]) for name in (*CELLS, "KeyTarget")}
    return Draft(
        source=profile.source,
        target=profile.target,
        cells=cells,
        enabled=profile.enabled,
        rules=[_rule(rule_data(rule)) for rule in profile.rules],
        groups=", ".join(map(str, wanted.get("customerGroups", []))),
        barred=wanted.get("includeBarred", True),
        months=_text(wanted.get("months")),
        periods=frozenset(wanted.get("periods", [])),
    )


def new_draft(source: SourceKind) -> Draft:
    """A new profile: nothing mapped but the key, not enabled, so that it is looked at before it runs."""
    target, key = TARGETS[source]
    can_flag = source in (SourceKind.CUSTOMER, SourceKind.CONTACT)
    cells = {
        "Title": "",
        "RunOrder": "100",
        "ImportType": ImportType.IMPORT_AND_UPDATE.value,
        "KeySource": default_key(source),
        "KeyTarget": key,
        "OnBlank": OnBlank.KEEP.value,
        "OnMissing": (OnMissing.FLAG if can_flag else OnMissing.KEEP).value,
        "MaxChangePct": "30",
        "Schedule": "",
        "TimeZone": "Europe/Copenhagen",
    }
    periods = frozenset({PeriodType.FINANCIAL_YEAR.value, PeriodType.QUARTER.value})
    key_rule = _rule({"target": key, "source": default_key(source)})
    return Draft(source, target, cells, enabled=False, rules=[key_rule], periods=periods, is_new=True)


def copy_of(draft: Draft, title: str) -> Draft:
    """Another one of the same; not enabled, since both would write the same columns."""
    cells = {**draft.cells, "Title": title}
    return replace(draft, cells=cells, enabled=False, version="", is_new=True)


def from_form(form: Form) -> Draft:
    """What the editor sent."""
    source = words.source_kind(form.text("Source")) or SourceKind.CUSTOMER
    target = words.target_kind(form.text("Target")) or TARGETS[source][0]
    rules = [_rule(row) for row in form.rows("rule") if row.get("target")]
    draft = _as_sent(form, source, target, rules)
    was = words.source_kind(form.text("was"))
    return draft if was in (None, source) else _for_source(draft, source)


def _for_source(draft: Draft, source: SourceKind) -> Draft:
    """Another source fills another list by another key: what was mapped before means nothing there."""
    fresh = new_draft(source)
    keys = {name: fresh.cells[name] for name in ("KeyTarget", "KeySource", "OnMissing")}
    return replace(
        draft, target=fresh.target, cells={**draft.cells, **keys}, rules=fresh.rules, periods=fresh.periods, months=""
    )


def _as_sent(form: Form, source: SourceKind, target: TargetKind, rules: Sequence[Mapping[str, str]]) -> Draft:
    return Draft(
        source=source,
        target=target,
        cells={name: form.text(name) for name in (*CELLS, "KeyTarget")},
        enabled=form.has("Enabled"),
        rules=rules,
        groups=form.text("groups"),
        barred=form.has("barred"),
        months=form.text("months"),
        periods=frozenset(form.every("periods")),
        version=form.text("version"),
        is_new=form.has("new"),
    )


def differences(mine: Draft, theirs: Draft) -> list[tuple[str, str, str]]:
    """What differs: name, mine, theirs. For two people who edited the same profile."""
    pairs = [(name, mine.cells[name], theirs.cells[name]) for name in mine.cells]
    pairs += [("Enabled", str(mine.enabled), str(theirs.enabled)), ("Source", mine.source, theirs.source)]
    pairs += [("Filter", json.dumps(mine.row()["SourceFilter"]), json.dumps(theirs.row()["SourceFilter"]))]
    ours = {rule["target"]: _rule_text(rule) for rule in mine.mapped()}
    others = {rule["target"]: _rule_text(rule) for rule in theirs.mapped()}
    pairs += [(name, ours.get(name, ""), others.get(name, "")) for name in dict.fromkeys([*ours, *others])]
    return [(name, one, other) for name, one, other in pairs if one != other]


def _rule_text(rule: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {rule[name]}" for name in _RULE[1:] if rule.get(name))


def _rule(data: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(data.get(name)) for name in _RULE}


def _from_cells(cells: Mapping[str, Any]) -> Draft:
    source = words.source_kind(cells.get("Source")) or SourceKind.CUSTOMER
    target = words.target_kind(cells.get("Target")) or TARGETS[source][0]
    rules, _ = read_json(_text(cells.get("Mapping")) or "[]")
    wanted, _ = read_json(_text(cells.get("SourceFilter")) or "{}")
    wanted = wanted if isinstance(wanted, dict) else {}
    groups = wanted.get("customerGroups") or []
    return Draft(
        source=source,
        target=target,
        cells={name: _text(cells.get(name)) for name in (*CELLS, "KeyTarget")},
        enabled=bool(words.yes_no(cells.get("Enabled"))),
        rules=[_rule(one) for one in rules if isinstance(one, dict)] if isinstance(rules, list) else [],
        groups=", ".join(map(str, groups)) if isinstance(groups, list) else _text(groups),
        barred=words.yes_no(wanted.get("includeBarred", True)) is not False,
        months=_text(wanted.get("months")),
        periods=frozenset(map(str, wanted.get("periods") or []))
        if isinstance(wanted.get("periods"), list)
        else frozenset(),
    )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else ""
    return "" if value is None else str(value).strip()
