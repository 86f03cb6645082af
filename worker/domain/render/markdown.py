"""A plan as Markdown, for a ticket or a mail."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from worker.domain.plan import Change, ChangeKind, LeftOut, Plan
from worker.domain.reasons import Language, hint, sentence
from worker.domain.render.values import counts, forecast, one_line, plain, shown


def plan_markdown(
    plan: Plan, braked: Sequence[str], *, limit: int, units_per_minute: float, language: Language = "en"
) -> Iterator[str]:
    """Lines of one section; `limit` rows of each table (0 = all)."""
    yield f"## {_cell(plan.profile)} → {_cell(plan.target)} ({_cell(plan.import_type)}), {plan.as_of}"
    yield ""
    names, numbers = zip(*counts(plan), strict=True)
    yield from _table(names, [list(map(str, numbers))], 0)
    yield f"To apply: {forecast(plan, units_per_minute)}."
    yield ""
    for reason in braked:
        yield f"> **Brake:** {_cell(reason)}"
        yield ""
    rows = [row for change in plan.changes for row in _change_rows(change)]
    yield from _table(("Change", "Key", "Title", "Column", "Before", "After"), rows, limit)
    left = [_left_out_row(row, language) for row in plan.left_out]
    yield from _table(("Left out", "Key", "Title", "Why", "Next step"), left, limit)


def _change_rows(change: Change) -> Iterator[list[str]]:
    for field in change.fields:
        if not field.stamp:
            yield [
                change.kind.value,
                one_line(change.key),
                one_line(change.title or ""),
                field.column,
                "" if change.kind is ChangeKind.CREATE else shown(field.before),
                shown(field.after),
            ]


def _left_out_row(row: LeftOut, language: Language) -> list[str]:
    why = sentence(row.code, row.facts, language)
    return [row.outcome.value, one_line(row.key), one_line(row.title or ""), why, hint(row.code, language)]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], limit: int) -> Iterator[str]:
    if not rows:
        return
    some = rows if limit == 0 else rows[:limit]
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in some:
        yield "| " + " | ".join(_cell(cell) for cell in row) + " |"
    yield ""
    if len(rows) > len(some):
        yield f"... and {len(rows) - len(some):,} more rows."
        yield ""


def _cell(text: str) -> str:
    """One line, with everything that Markdown or HTML would read as a mark taken literally."""
    return re.sub(r"([\\`*_{}\[\]<>()#|!~])", r"\\\1", plain(text)).replace("&", "&amp;")
