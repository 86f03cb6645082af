"""A comparison as JSON-ready data, for `--json` and for keeping it. Amounts are texts in the base currency."""

from __future__ import annotations

from typing import Any

from worker.domain.encode import plain_decimal
from worker.domain.render.json import json_value
from worker.sync.reconcile import Report


def report_data(report: Report) -> dict[str, Any]:
    """Everything that the report names, and the counts of everything that it found."""
    return {
        "made": report.made.isoformat(),
        "agreement": report.agreement,
        "agrees": report.agrees,
        "counts": dict(report.counts),
        "sums": [
            {
                "name": one.name,
                "economic": plain_decimal(one.economic),
                "crm": plain_decimal(one.crm),
                "own": None if one.own is None else plain_decimal(one.own),
                "agrees": one.agrees,
            }
            for one in report.sums
        ],
        "missing": [
            {"kind": one.kind, "onlyIn": one.side, "key": one.key, "name": one.name, "item": one.item_id}
            for one in report.missing
        ],
        "doubles": [{"key": key, "items": list(items)} for key, items in report.doubles],
        "differences": [
            {
                "kind": one.kind,
                "key": one.key,
                "item": one.item_id,
                "column": one.column,
                "economic": json_value(one.economic),
                "crm": json_value(one.crm),
                "changed": one.changed.isoformat() if one.changed else None,
                "by": one.by,
            }
            for one in report.differences
        ],
    }
