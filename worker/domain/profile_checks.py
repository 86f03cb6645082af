"""Checks of a profile row, cell by cell, collecting every problem."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from worker.domain import profile_words as words
from worker.domain.converters import CONVERTERS
from worker.domain.fields import CATALOGUE, default_key, resolve_field, suggest_fields
from worker.domain.profile import (
    FieldRule,
    ImportType,
    OnBlank,
    OnMissing,
    PeriodType,
    Profile,
    SourceFilter,
    SourceKind,
    WriteRule,
)
from worker.domain.schedule import check_schedule
from worker.domain.secrets_guard import find_secret
from worker.domain.values import TargetKind
from worker.errors import Problem

Found = TypeVar("Found")

# What each source can fill, and the column that joins them.
TARGETS: Mapping[SourceKind, tuple[TargetKind, str]] = {
    SourceKind.CUSTOMER: (TargetKind.COMPANY, "CustomerID"),
    SourceKind.CONTACT: (TargetKind.CONTACT, "ImportID"),
    SourceKind.INVOICE: (TargetKind.INVOICE, "InvoiceNumber"),
    SourceKind.SALES: (TargetKind.STATISTICS, "StatKey"),
}
_RULE_KEYS = ("source", "target", "rule", "converter", "default", "shorten")
_FILTER_KEYS = ("customerGroups", "includeBarred", "months", "periods")
_STATUS_COLUMN = "ERPStatus"


class Checker:
    """One row. `problems` fills up; `profile()` is None when the row can't make one."""

    def __init__(self, row: Mapping[str, Any], where: str, displays: Mapping[str, str]) -> None:
        self._row = row
        self._where = where
        self._displays = displays
        self.problems: list[Problem] = []

    def problem(self, column: str, message: str, allowed: Iterable[str] = ()) -> None:
        """Notes a problem of one column."""
        self.problem_at(f"{self._where}, column {self._displays.get(column, column)}", message, tuple(allowed))

    def problem_at(self, where: str, message: str, allowed: tuple[str, ...] = ()) -> None:
        """Notes a problem at a place of its own."""
        self.problems.append(Problem(where, message, allowed))

    def profile(self) -> Profile | None:
        """The profile, when source, target and import type are known well enough to make one."""
        if self._secrets():
            return None
        title = self._text("Title")
        if not title:
            self.problem("Title", "is blank; a profile needs a name.")
        source = self._word("Source", words.source_kind, ("Debtor", *SourceKind))
        target = self._word("Target", words.target_kind, TargetKind)
        kind = self._word("ImportType", words.import_type, ImportType, ImportType.IMPORT_AND_UPDATE)
        rest = self._rest()
        if source is None or target is None or kind is None:
            self._mapping_shape()
            return None
        if TARGETS[source][0] is not target:
            self.problem("Target", f"{source.value} can't fill {target.value}.", (TARGETS[source][0].value,))
            return None
        key_target = self._text("KeyTarget") or TARGETS[source][1]
        key_source = self._key_source(source)
        rules = self._rules(source, key_target, key_source)
        profile = Profile(
            title=title or "?",
            source=source,
            target=target,
            import_type=kind,
            key_target=key_target,
            key_source=key_source,
            rules=tuple(rules),
            source_filter=self._filter(source),
            **rest,
        )
        self._check_missing(profile)
        return profile

    def json_object(self, text: str, where: str) -> dict[str, Any] | None:
        """A JSON object, or a problem that says where it stops being one."""
        data = self._json(text, where)
        if data is not None and not isinstance(data, dict):
            self.problem_at(where, "must be a JSON object in { }.")
            return None
        return data

    def _json(self, text: str, where: str) -> Any:
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            at = f"line {error.lineno}, column {error.colno}"
            self.problem_at(where, f"is not readable JSON: {error.msg} at {at}.")
            return None

    def _secrets(self) -> bool:
        found = False
        for column, value in self._row.items():
            kind = find_secret(value if isinstance(value, str) else json.dumps(value, default=str))
            if kind:
                found = True
                self.problem(column, f"seems to hold {kind}. Secrets must not be stored in a list: take it out.")
        return found

    def _text(self, column: str) -> str:
        value = self._row.get(column)
        return "" if value is None else str(value).strip()

    def _word(
        self, column: str, read: Callable[[object], Found | None], allowed: Iterable[str], default: Found | None = None
    ) -> Found | None:
        text = self._text(column)
        if not text:
            if default is None:
                self.problem(column, "is blank.", allowed)
            return default
        found = read(text)
        if found is None:
            choices = tuple(allowed)
            self.problem(column, f"'{text}' is not known.{words.did_you_mean(text, choices)}", choices)
        return found

    def _rest(self) -> dict[str, Any]:
        """The columns that stand by themselves."""
        zone = self._text("TimeZone") or "Europe/Copenhagen"
        schedule = self._text("Schedule") or None
        wrong = check_schedule(schedule or "0 2 * * *", zone)
        if wrong:
            self.problem("TimeZone" if "time zone" in wrong else "Schedule", wrong)
        return {
            "enabled": self._yes_no("Enabled", default=True),
            "order": int(self._number("RunOrder", Decimal(100), Decimal(0), Decimal(100_000))),
            "on_blank": self._word("OnBlank", words.on_blank, OnBlank, OnBlank.KEEP) or OnBlank.KEEP,
            "on_missing": self._word("OnMissing", words.on_missing, OnMissing, OnMissing.KEEP) or OnMissing.KEEP,
            "max_change_pct": self._number("MaxChangePct", Decimal(30), Decimal(0), Decimal(100_000)),
            "schedule": schedule,
            "time_zone": zone,
        }

    def _yes_no(self, column: str, *, default: bool) -> bool:
        value = self._row.get(column)
        if value is None or value == "":
            return default
        found = words.yes_no(value)
        if found is None:
            self.problem(column, f"'{value}' is neither yes nor no.", ("Yes", "No"))
        return default if found is None else found

    def _number(self, column: str, default: Decimal, low: Decimal, high: Decimal) -> Decimal:
        text = self._text(column).removesuffix("%").strip().replace(",", ".")
        if not text:
            return default
        try:
            number = Decimal(text)
        except InvalidOperation:
            self.problem(column, f"'{text}' is not a number.")
            return default
        if not number.is_finite() or not low <= number <= high:
            self.problem(column, f"{text} is out of range; it must be {low} to {high}.")
            return default
        return number

    def _key_source(self, source: SourceKind) -> str:
        name = self._text("KeySource") or default_key(source)
        field = resolve_field(source, name)
        if field is None:
            self._unknown_field("KeySource", "", source, name)
            return default_key(source)
        return field.name

    def _unknown_field(self, column: str, at: str, source: SourceKind, name: object) -> None:
        close = suggest_fields(source, str(name))
        tail = f" Did you mean {' or '.join(close)}?" if close else ""
        self.problem(column, f"{at}{source.value} has no field '{name}'.{tail}", tuple(CATALOGUE[source]))

    def _mapping_shape(self) -> list[Any]:
        value = self._row.get("Mapping")
        where = f"{self._where}, column {self._displays.get('Mapping', 'Mapping')}"
        rows = self._json(value, where) if isinstance(value, str) and value.strip() else value
        if isinstance(rows, list) and rows:
            return rows
        if not self.problems or self.problems[-1].where != where:
            self.problem("Mapping", 'must be a JSON list of rules such as [{"source": "Name", "target": "Title"}].')
        return []

    def _rules(self, source: SourceKind, key_target: str, key_source: str) -> list[FieldRule]:
        rules: dict[str, FieldRule] = {}
        for number, row in enumerate(self._mapping_shape(), 1):
            rule = self._rule(source, f"rule {number}: ", row)
            if rule is None:
                continue
            if rule.target in rules:
                self.problem("Mapping", f"rule {number}: column {rule.target} is mapped twice.")
            rules[rule.target] = rule
        key_rule = rules.get(key_target)
        if key_rule is None:
            # Without its key an item could never be found again, so the key is always written.
            return [FieldRule(key_target, key_source), *rules.values()]
        if key_rule.source != key_source:
            self.problem("Key (CRM)", f"{key_target} is mapped from {key_rule.source}, but the key is {key_source}.")
        return list(rules.values())

    def _rule(self, source: SourceKind, at: str, row: object) -> FieldRule | None:
        if not isinstance(row, dict):
            self.problem("Mapping", f"{at}must be an object in {{ }}.")
            return None
        for key in sorted(set(row) - set(_RULE_KEYS)):
            self.problem("Mapping", f"{at}'{key}' is not known.{words.did_you_mean(key, _RULE_KEYS)}", _RULE_KEYS)
        target = str(row.get("target") or "").strip()
        if not target:
            self.problem("Mapping", f"{at}names no target column.")
        write = self._rule_word(at, row)
        default = row.get("default")
        name = self._rule_source(source, at, row)
        if name is None and default in (None, "") and "source" not in row:
            self.problem("Mapping", f"{at}has neither a source field nor a default.")
        shorten = words.yes_no(row.get("shorten", False))
        if shorten is None:
            self.problem("Mapping", f"{at}shorten is neither yes nor no.", ("true", "false"))
        return FieldRule(
            target=target,
            source=name,
            write=write,
            converter=self._converter(source, at, row, name),
            default=None if default in (None, "") else str(default),
            shorten=bool(shorten),
        )

    def _rule_word(self, at: str, row: Mapping[str, Any]) -> WriteRule:
        text = row.get("rule") or WriteRule.ERP_OWNS.value
        found = words.write_rule(text)
        if found is None:
            hint = words.did_you_mean(text, WriteRule)
            self.problem("Mapping", f"{at}write rule '{text}' is not known.{hint}", tuple(WriteRule))
        return found or WriteRule.ERP_OWNS

    def _rule_source(self, source: SourceKind, at: str, row: Mapping[str, Any]) -> str | None:
        name = row.get("source")
        if name is None or name == "":
            return None
        field = resolve_field(source, str(name))
        if field is None:
            self._unknown_field("Mapping", at, source, name)
        return field.name if field else None

    def _converter(self, source: SourceKind, at: str, row: Mapping[str, Any], field_name: str | None) -> str | None:
        name = str(row.get("converter") or "").strip()
        if not name:
            return None
        converter = CONVERTERS.get(name)
        if converter is None:
            hint = words.did_you_mean(name, CONVERTERS)
            self.problem("Mapping", f"{at}converter '{name}' is not known.{hint}", tuple(CONVERTERS))
            return None
        field = resolve_field(source, field_name) if field_name else None
        if field is not None and field.type not in converter.accepts:
            allowed = tuple(n for n, c in CONVERTERS.items() if field.type in c.accepts)
            self.problem("Mapping", f"{at}{name} can't convert {field.name}, which is {field.type.value}.", allowed)
        return name

    def _filter(self, source: SourceKind) -> SourceFilter:
        value = self._row.get("SourceFilter")
        where = f"{self._where}, column {self._displays.get('SourceFilter', 'Filter')}"
        data = self.json_object(value, where) if isinstance(value, str) and value.strip() else value or {}
        if not isinstance(data, dict):
            return SourceFilter()
        for key in sorted(set(data) - set(_FILTER_KEYS)):
            hint = words.did_you_mean(key, _FILTER_KEYS)
            self.problem("SourceFilter", f"'{key}' is not known.{hint}", _FILTER_KEYS)
        return SourceFilter(
            customer_groups=self._groups(data.get("customerGroups")),
            include_barred=self._barred(data.get("includeBarred", True)),
            months=self._months(source, data.get("months")),
            periods=self._periods(data.get("periods")),
        )

    def _groups(self, value: Any) -> frozenset[int]:
        parts = value.split(",") if isinstance(value, str) else value or []
        try:
            return frozenset(int(str(part).strip()) for part in parts)
        except (TypeError, ValueError):
            self.problem("SourceFilter", "customerGroups must be a list of group numbers such as [1, 2].")
            return frozenset()

    def _barred(self, value: Any) -> bool:
        found = words.yes_no(value)
        if found is None:
            self.problem("SourceFilter", "includeBarred must be true or false.", ("true", "false"))
        return True if found is None else found

    def _months(self, source: SourceKind, value: Any) -> int | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 600:
            self.problem("SourceFilter", f"months must be a whole number from 1 to 600, not {value!r}.")
            return None
        if source not in (SourceKind.INVOICE, SourceKind.SALES):
            self.problem("SourceFilter", f"months has no meaning for {source.value}.")
        return value

    def _periods(self, value: Any) -> tuple[PeriodType, ...]:
        if value is None:
            return SourceFilter().periods
        parts = value if isinstance(value, list) and value else [value]
        found = [words.period_type(part) for part in parts]
        if None in found:
            self.problem("SourceFilter", "periods must be a list of period types.", tuple(PeriodType))
        return tuple(kind for kind in PeriodType if kind in found)

    def _check_missing(self, profile: Profile) -> None:
        if profile.on_missing is OnMissing.KEEP:
            return
        if profile.source not in (SourceKind.CUSTOMER, SourceKind.CONTACT):
            self.problem(
                "OnMissing", f"{profile.source.value} rows can't be flagged as missing.", (OnMissing.KEEP.value,)
            )
        if profile.import_type is ImportType.IMPORT:
            self.problem("OnMissing", "Import never touches existing items, so it can't flag.", (OnMissing.KEEP.value,))
        if _STATUS_COLUMN not in {rule.target for rule in profile.rules}:
            self.problem(
                "OnMissing", f"Flag needs a rule that fills {_STATUS_COLUMN}, so that the flag goes away again."
            )
