"""A plan on file: what `plan --out` writes and `apply` reads. JSON, complete, with digests that prove it unaltered."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from worker.domain.encode import decode_value, encode_value, plain_decimal
from worker.domain.plan import Change, ChangeKind, ControlSum, FieldChange, LeftOut, Plan, RowOutcome
from worker.errors import StalePlanError

VERSION = 1


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """One profile's plan. `profile_digest` is that of the profile it was made from; `braked` what the brake said."""

    plan: Plan
    profile_digest: str
    braked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanFile:
    """Plans of one session. `made` is aware UTC; `agreement` the e-conomic agreement they were made for."""

    made: datetime
    agreement: int
    entries: tuple[PlanEntry, ...]

    @property
    def digests(self) -> dict[str, str]:
        """Profile title -> digest of its plan."""
        return {entry.plan.profile: entry.plan.digest for entry in self.entries}


def dump_plan_file(file: PlanFile) -> str:
    """The file's text."""
    data = {
        "version": VERSION,
        "made": file.made.isoformat(),
        "agreement": file.agreement,
        "profiles": [_entry(entry) for entry in file.entries],
    }
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def load_plan_file(text: str, where: str) -> PlanFile:
    """Reads a file. Raises StalePlanError when it is no plan file, another version, or was altered."""
    try:
        data = json.loads(text)
        version = data["version"]
        entries = tuple(_read_entry(one, where) for one in data["profiles"]) if version == VERSION else ()
        file = PlanFile(datetime.fromisoformat(data["made"]), int(data["agreement"]), entries)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
        raise StalePlanError(f"{where} is not a readable plan file.", hint=_ANEW) from None
    if version != VERSION:
        raise StalePlanError(f"{where} was written by another version of the worker.", hint=_ANEW)
    return file


_ANEW = "Make a new plan: economic-sync plan --out FILE"


def plan_to_data(plan: Plan) -> dict[str, Any]:
    """A plan as JSON-ready data; values are encoded texts, see `domain.encode`."""
    return {
        "profile": plan.profile,
        "target": plan.target,
        "importType": plan.import_type,
        "asOf": plan.as_of.isoformat(),
        "sourceRows": plan.source_rows,
        "unchanged": plan.unchanged,
        "filtered": plan.filtered,
        "existing": plan.existing,
        "blanked": dict(plan.blanked),
        "filled": dict(plan.filled),
        "controls": [_control(one) for one in plan.controls],
        "stillMissing": [list(one) for one in plan.still_missing],
        "changes": [change_data(change) for change in plan.changes],
        "leftOut": [left_out_data(row) for row in plan.left_out],
    }


def _entry(entry: PlanEntry) -> dict[str, Any]:
    return {
        "profileDigest": entry.profile_digest,
        "planDigest": entry.plan.digest,
        "braked": list(entry.braked),
        "plan": plan_to_data(entry.plan),
    }


def _read_entry(data: Mapping[str, Any], where: str) -> PlanEntry:
    plan = read_plan(data["plan"])
    if plan.digest != data["planDigest"]:
        raise StalePlanError(f"{where} was altered after it was made: {plan.profile}.", hint=_ANEW)
    return PlanEntry(plan, str(data["profileDigest"]), tuple(data["braked"]))


def read_plan(data: Mapping[str, Any]) -> Plan:
    """The reverse of `plan_to_data`."""
    return Plan(
        profile=data["profile"],
        target=data["target"],
        import_type=data["importType"],
        as_of=date.fromisoformat(data["asOf"]),
        changes=tuple(read_change(one) for one in data["changes"]),
        left_out=tuple(read_left_out(one) for one in data["leftOut"]),
        source_rows=data["sourceRows"],
        unchanged=data["unchanged"],
        filtered=data["filtered"],
        existing=data["existing"],
        blanked=data["blanked"],
        filled=data["filled"],
        controls=tuple(_read_control(one) for one in data["controls"]),
        still_missing=tuple((str(key), int(item_id)) for key, item_id in data["stillMissing"]),
    )


def change_data(change: Change) -> dict[str, Any]:
    """One change as JSON-ready data."""
    return {
        "kind": change.kind.value,
        "key": change.key,
        "title": change.title,
        "itemId": change.item_id,
        "version": change.version,
        "fields": [_field(one) for one in change.fields],
    }


def _field(change: FieldChange) -> list[Any]:
    row: list[Any] = [change.column, encode_value(change.before), encode_value(change.after)]
    return [*row, True] if change.stamp else row


def read_change(data: Mapping[str, Any]) -> Change:
    """The reverse of `change_data`. Raises KeyError, ValueError or TypeError."""
    return Change(
        ChangeKind(data["kind"]),
        data["key"],
        tuple(_read_field(one) for one in data["fields"]),
        data["itemId"],
        data["version"],
        data["title"],
    )


def _read_field(row: Sequence[Any]) -> FieldChange:
    column, before, after, *stamp = row
    return FieldChange(column, decode_value(before), decode_value(after), bool(stamp))


def left_out_data(row: LeftOut) -> dict[str, Any]:
    """One row that is left out as JSON-ready data."""
    return {
        "key": row.key,
        "title": row.title,
        "outcome": row.outcome.value,
        "code": row.code,
        "facts": {name: str(value) for name, value in row.facts.items()},
        "itemIds": list(row.item_ids),
    }


def read_left_out(data: Mapping[str, Any]) -> LeftOut:
    """The reverse of `left_out_data`."""
    outcome = RowOutcome(data["outcome"])
    return LeftOut(data["key"], outcome, data["code"], data["facts"], tuple(data["itemIds"]), data["title"])


def _control(one: ControlSum) -> list[str]:
    return [one.column, one.field, plain_decimal(one.source), plain_decimal(one.left_out)]


def _read_control(row: Sequence[str]) -> ControlSum:
    column, field_name, source, left_out = row
    return ControlSum(column, field_name, Decimal(source), Decimal(left_out))
