"""The brake: the check that stops a plan that changes too much, with its numbers in the message.

Three dangers, each seen in the field: a wrong key or mapping that rewrites or re-creates everything; a source that
answers with half its rows or none; a mapped field that suddenly is blank everywhere. Filling blank columns does not
count as change, and a profile that never had a good run may create as many items as it likes: that is the first load.
"""

from __future__ import annotations

from decimal import Decimal

from worker.domain.plan import Change, ChangeKind, Plan
from worker.domain.report import LastRun

MINIMUM_ITEMS = 20
BLANKED_SHARE = Decimal("0.9")
MOST_REMOVED = Decimal(30)  # per cent of a list that an undo may move to the recycle bin, whatever the profile's limit


def brake_reasons(plan: Plan, max_change_pct: Decimal, last: LastRun | None) -> list[str]:
    """Sentences that say why the plan must not run by itself; empty = go."""
    reasons = [_too_many(plan, max_change_pct, last), _too_few_rows(plan, last), *_blanked(plan)]
    return [reason for reason in reasons if reason]


def undo_brake_reasons(plan: Plan, removed: int, max_change_pct: Decimal) -> list[str]:
    """The same for undoing a run: `removed` items go to the recycle bin beside the plan's changes. A limit that lets
    every figure change says nothing about items that go."""
    if plan.existing < MINIMUM_ITEMS:
        return []
    changed = sum(1 for change in plan.changes if overwrites(change))
    limit = min(max_change_pct, MOST_REMOVED) if removed else max_change_pct
    share = Decimal(100) * (changed + removed) / plan.existing
    if share <= max_change_pct and Decimal(100) * removed / plan.existing <= limit:
        return []
    return [
        f"{changed + removed} of {plan.existing} existing items would be changed or moved ({share:.0f} %, "
        f"limit {limit:.0f} %): {changed} set back, {removed} to the recycle bin."
    ]


def overwrites(change: Change) -> bool:
    """Whether a change replaces or clears something that stood there."""
    return any(field.before is not None and not field.stamp for field in change.fields)


def _too_many(plan: Plan, limit: Decimal, last: LastRun | None) -> str:
    if plan.existing < MINIMUM_ITEMS:
        return ""
    creates = plan.count(ChangeKind.CREATE) if last else 0
    changed = sum(1 for change in plan.changes if change.kind is not ChangeKind.CREATE and overwrites(change))
    share = Decimal(100) * (creates + changed) / plan.existing
    if share <= limit:
        return ""
    return (
        f"{creates + changed} of {plan.existing} existing items would be changed or added ({share:.0f} %, "
        f"limit {limit:.0f} %): {changed} overwritten or flagged, {creates} created."
    )


def _too_few_rows(plan: Plan, last: LastRun | None) -> str:
    if plan.source_rows == 0 and (plan.existing > 0 or (last is not None and last.source_rows > 0)):
        return f"e-conomic returned no rows at all, but the list holds {plan.existing} items."
    if last is not None and plan.source_rows * 2 < last.source_rows:
        return f"e-conomic returned {plan.source_rows} rows; the last good run saw {last.source_rows}."
    return ""


def _blanked(plan: Plan) -> list[str]:
    return [
        f"Column {column} would go blank on {count} of {plan.filled[column]} items."
        for column, count in sorted(plan.blanked.items())
        if plan.filled.get(column, 0) >= MINIMUM_ITEMS and count >= BLANKED_SHARE * plan.filled[column]
    ]
