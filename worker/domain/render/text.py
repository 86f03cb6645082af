"""A plan as plain text, for a terminal or a log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from worker.domain.plan import Change, ChangeKind, LeftOut, Plan
from worker.domain.reasons import Language, hint, sentence
from worker.domain.render.values import counts, forecast, heading, one_line, plain, shown


def plan_text(
    plan: Plan, braked: Sequence[str], *, limit: int, units_per_minute: float, language: Language = "en"
) -> Iterator[str]:
    """Lines: counts, forecast, brake, then `limit` changes field by field and `limit` rows left out (0 = all)."""
    yield f"{one_line(plan.profile)} -> {one_line(plan.target)} ({plan.import_type}), as of {plan.as_of}"
    yield "  " + ", ".join(f"{number:,} {name}" for name, number in counts(plan))
    yield f"  to apply: {forecast(plan, units_per_minute)}"
    for reason in braked:
        yield f"  BRAKE: {plain(reason)}"
    yield from _limited([list(_change_lines(change)) for change in plan.changes], limit, "changes")
    yield from _limited([list(_left_lines(row, language)) for row in plan.left_out], limit, "rows left out")


def _change_lines(change: Change) -> Iterator[str]:
    yield f"  {heading(change)}"
    for field in change.fields:
        if field.stamp:
            continue
        before = "" if change.kind is ChangeKind.CREATE else f"{shown(field.before)} -> "
        yield f"      {one_line(field.column)}: {before}{shown(field.after)}"


def _left_lines(row: LeftOut, language: Language) -> Iterator[str]:
    name = f" {one_line(row.title)}" if row.title else ""
    yield f"  {row.outcome.value} {one_line(row.key)}{name}: {plain(sentence(row.code, row.facts, language))}"
    if advice := hint(row.code, language):
        yield f"      {advice}"


def _limited(blocks: Sequence[Sequence[str]], limit: int, what: str) -> Iterator[str]:
    some = blocks if limit == 0 else blocks[:limit]
    for block in some:
        yield from block
    if len(blocks) > len(some):
        yield f"  ... and {len(blocks) - len(some):,} more {what} (--limit 0 shows all)"
