"""Plans as JSON-ready data, for programs: plain values, sentences beside codes. What `apply` reads is another form."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from worker.domain.encode import plain_decimal
from worker.domain.plan import Change, LeftOut
from worker.domain.plan_file import PlanEntry, PlanFile
from worker.domain.reasons import Language, hint, sentence
from worker.domain.render.values import counts, forecast, forecast_all
from worker.domain.values import Value


def plan_json(file: PlanFile, *, units_per_minute: float, language: Language = "en") -> dict[str, Any]:
    """All plans of a session, complete. Money is text, so that no reader rounds it; times are ISO 8601 in UTC."""
    total = forecast_all((entry.plan for entry in file.entries), units_per_minute)
    return {
        "agreement": file.agreement,
        "made": file.made.isoformat(),
        "writeRequests": total.write_requests,
        "resourceUnits": total.units,
        "minutes": round(total.minutes, 1),
        "profiles": [_profile(entry, units_per_minute, language) for entry in file.entries],
    }


def json_value(value: Value) -> str | int | bool | None:
    """A value as JSON has it."""
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal():
            return plain_decimal(value)
        case datetime() | date():
            return value.isoformat()


def _profile(entry: PlanEntry, units_per_minute: float, language: Language) -> dict[str, Any]:
    plan = entry.plan
    cost = forecast(plan, units_per_minute)
    return {
        "profile": plan.profile,
        "target": plan.target,
        "importType": plan.import_type,
        "asOf": plan.as_of.isoformat(),
        "planDigest": plan.digest,
        "brake": list(entry.braked),
        "sourceRows": plan.source_rows,
        "existing": plan.existing,
        "counts": dict(counts(plan)),
        "writeRequests": cost.write_requests,
        "resourceUnits": cost.units,
        "changes": [_change(change) for change in plan.changes],
        "leftOut": [_left_out(row, language) for row in plan.left_out],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind.value,
        "key": change.key,
        "title": change.title,
        "itemId": change.item_id,
        "fields": [
            {
                "column": one.column,
                "before": json_value(one.before),
                "after": json_value(one.after),
                "stamp": one.stamp,
            }
            for one in change.fields
        ],
    }


def _left_out(row: LeftOut, language: Language) -> dict[str, Any]:
    return {
        "key": row.key,
        "title": row.title,
        "outcome": row.outcome.value,
        "code": row.code,
        "why": sentence(row.code, row.facts, language),
        "hint": hint(row.code, language),
        "itemIds": list(row.item_ids),
    }
