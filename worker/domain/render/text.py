"""A plan as plain text, for a terminal or a log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from worker.domain.plan import Change, ChangeKind, Plan
from worker.domain.reasons import Language, hint, sentence
from worker.domain.render.values import counts, forecast, heading, one_line, shown


def plan_text(
    plan: Plan, braked: Sequence[str], *, limit: int, units_per_minute: float, language: Language = "en"
) -> Iterator[str]:
    """Lines: counts, forecast, brake, then `limit` changes field by field and `limit` rows left out (0 = all)."""
    yield f"{one_line(plan.profile)} -> {one_line(plan.target)} ({plan.import_type}), as of {plan.as_of}"
    yield "  " + ", ".join(f"{number} {name}" for name, number in counts(plan))
    yield f"  to apply: {forecast(plan, units_per_minute)}"
    for reason in braked:
        yield f"  BRAKE: {reason}"
    yield from _limited([list(_change_lines(change)) for change in plan.changes], limit, "changes")
    left = [_left_line(row.key, row.title, row.outcome.value, row.code, row.facts, language) for row in plan.left_out]
    yield from _limited([[line] for line in left], limit, "rows left out")


def _change_lines(change: Change) -> Iterator[str]:
    yield f"  {heading(change)}"
    for field in change.fields:
        if change.kind is ChangeKind.CREATE:
            yield f"      {field.column}: {shown(field.after)}"
        elif not field.stamp:
            yield f"      {field.column}: {shown(field.before)} -> {shown(field.after)}"


def _left_line(key: str, title: str | None, outcome: str, code: str, facts: object, language: Language) -> str:
    name = f" {one_line(title)}" if title else ""
    words = sentence(code, facts if isinstance(facts, dict) else {}, language)
    return f"  {outcome} {one_line(key)}{name}: {one_line(words)} {hint(code, language)}"


def _limited(blocks: Sequence[Sequence[str]], limit: int, what: str) -> Iterator[str]:
    some = blocks if limit == 0 else blocks[:limit]
    for block in some:
        yield from block
    if len(blocks) > len(some):
        yield f"  ... and {len(blocks) - len(some)} more {what} (--limit 0 shows all)"
