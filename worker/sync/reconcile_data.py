"""A comparison as JSON-ready data, for `--json` and for keeping it.

The shape, which programs may rely on (README, "Comparison and news"): `agrees` is the verdict; `totals` count every
difference there is, while `missing`, `doubles`, `differences` and `twins` name the first 200 of each kind of row;
`sums` and other amounts are texts in the base currency with a decimal point; moments are ISO 8601 in UTC, days ISO
8601; a difference's `saved` names who gave the CRM's column its value (`what`: column), or where that is not known who
saved the item last, maybe another column of it (`what`: item), and `updated` when e-conomic's row was changed last;
`notCompared` says what was left out, `why` being a word of reconcile_report.Why. A change of the shape that
breaks a reader raises `shape`.
"""

from __future__ import annotations

from typing import Any

from worker.domain.encode import plain_decimal
from worker.domain.render.json import json_value
from worker.sync.reconcile_report import Difference, Report, Saved, Sum

SHAPE = 3  # of what is kept; a page shows no other


def report_data(report: Report) -> dict[str, Any]:
    """Everything that the report names, and the counts of everything that it found."""
    return {
        "shape": SHAPE,
        "made": report.made.isoformat(),
        "agreement": report.agreement,
        "agrees": report.agrees,
        "totals": {
            "missing": report.totals.missing,
            "doubles": report.totals.doubles,
            "differences": report.totals.differences,
            "twins": report.totals.twins,
        },
        "counts": dict(report.counts),
        "sums": [_sum(one) for one in report.sums],
        "missing": [
            {"kind": one.kind, "onlyIn": one.side, "key": one.key, "name": one.name, "item": one.item_id}
            for one in report.missing
        ],
        "doubles": [{"kind": one.kind, "key": one.key, "items": list(one.items)} for one in report.doubles],
        "differences": [_difference(one) for one in report.differences],
        "twins": [
            {"item": one.item_id, "name": one.name, "cvr": one.cvr, "customer": one.key, "linked": list(one.linked)}
            for one in report.twins
        ],
        "notCompared": [
            {"kind": one.kind, "column": one.column, "why": one.why.value, "detail": one.detail}
            for one in report.not_compared
        ],
    }


def _sum(one: Sum) -> dict[str, Any]:
    return {
        "name": one.name,
        "what": one.what.value,
        "year": one.year,
        "since": one.since.isoformat() if one.since else None,
        "economic": plain_decimal(one.economic),
        "crm": plain_decimal(one.crm),
        "own": None if one.own is None else plain_decimal(one.own),
        "outside": plain_decimal(one.outside),
        "agrees": one.agrees,
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "key": one.key,
        "item": one.item_id,
        "column": one.column,
        "economic": json_value(one.economic),
        "crm": json_value(one.crm),
        "updated": one.updated.isoformat() if one.updated else None,
        "saved": _saved(one.saved) if one.saved else None,
    }


def _saved(one: Saved) -> dict[str, Any]:
    return {"moment": one.moment.isoformat(), "by": one.by, "what": "column" if one.column else "item"}
