"""A plan as one HTML page without outside assets, for the person who decides about the first run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from worker.domain.plan import Change, ChangeKind, Plan
from worker.domain.plan_file import PlanFile
from worker.domain.reasons import Language, hint, sentence
from worker.domain.render.values import counts, forecast, forecast_all, one_line, plain, shown

_STYLE = """
:root { color-scheme: light dark; --ink: #242424; --paper: #fff; --line: #d1d1d1; --soft: #f5f5f5; --mark: #0f6cbd;
  --bad: #b10e1c; --good: #0e700e; }
@media (prefers-color-scheme: dark) { :root { --ink: #f0f0f0; --paper: #1f1f1f; --line: #4d4d4d; --soft: #2b2b2b;
  --mark: #62abf5; --bad: #f1707b; --good: #6ccb6c; } }
body { font: 15px/1.45 "Segoe UI", system-ui, sans-serif; color: var(--ink); background: var(--paper);
  margin: 0 auto; max-width: 1200px; padding: 24px 16px 64px; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 36px 0 8px; border-top: 1px solid var(--line);
  padding-top: 20px; }
p { margin: 6px 0; } .small { opacity: .75; }
.counts { display: flex; flex-wrap: wrap; gap: 8px; margin: 10px 0; padding: 0; list-style: none; }
.counts li { background: var(--soft); border-radius: 6px; padding: 8px 14px; }
.counts b { display: block; font-size: 20px; }
.brake { border-left: 4px solid var(--bad); background: var(--soft); padding: 8px 12px; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; margin: 10px 0; font-size: 14px; }
th, td { text-align: left; vertical-align: top; padding: 5px 10px; border-bottom: 1px solid var(--line);
  min-width: 4em; overflow-wrap: anywhere; }
th { position: sticky; top: 0; background: var(--paper); }
td.before { color: var(--bad); } td.after { color: var(--good); }
.kind { color: var(--mark); font-weight: 600; white-space: nowrap; }
"""


def plan_html(file: PlanFile, *, limit: int, units_per_minute: float, language: Language = "en") -> str:
    """The whole page; `limit` rows of each table (0 = all)."""
    body = "".join(
        "".join(_section(entry.plan, entry.braked, limit, units_per_minute, language)) for entry in file.entries
    )
    return (
        "<!doctype html>\n<html lang=en><head><meta charset=utf-8><meta name=viewport "
        'content="width=device-width, initial-scale=1"><title>Sync plan</title>'
        f"<style>{_STYLE}</style></head><body><h1>What a run would change</h1>{_intro(file, units_per_minute)}"
        f"{body}</body></html>\n"
    )


def _intro(file: PlanFile, units_per_minute: float) -> str:
    total = forecast_all((entry.plan for entry in file.entries), units_per_minute)
    return (
        f"<p class=small>e-conomic agreement {file.agreement}, planned {file.made:%Y-%m-%d %H:%M} UTC. Nothing has "
        "been written. Columns that are not listed are not touched, but for the run's own stamps.</p>"
        f"<p>To apply all of it: {total}.</p>"
    )


def _section(
    plan: Plan, braked: Sequence[str], limit: int, units_per_minute: float, language: Language
) -> Iterator[str]:
    yield f"<h2>{_safe(plan.profile)} → {_safe(plan.target)}</h2><p>{_safe(plan.import_type)}, as of {plan.as_of}</p>"
    yield "<ul class=counts>" + "".join(f"<li><b>{n:,}</b>{name}</li>" for name, n in counts(plan)) + "</ul>"
    yield f"<p>To apply: {forecast(plan, units_per_minute)}.</p>"
    yield from (f"<p class=brake>Brake: {escape(plain(reason))}</p>" for reason in braked)
    rows = ["".join(cells) for change in plan.changes for cells in _change_rows(change)]
    yield from _table(("Change", "Key", "Title", "Column", "Before", "After"), rows, limit)
    left = [
        f"<td class=kind>{row.outcome.value}</td><td>{_safe(row.key)}</td><td>{_safe(row.title or '')}</td>"
        f"<td>{escape(plain(sentence(row.code, row.facts, language)))}</td><td>{escape(hint(row.code, language))}</td>"
        for row in plan.left_out
    ]
    yield from _table(("Left out", "Key", "Title", "Why", "Next step"), left, limit)


def _change_rows(change: Change) -> Iterator[list[str]]:
    head = [
        f"<td class=kind>{change.kind.value}</td>",
        f"<td>{_safe(change.key)}</td>",
        f"<td>{_safe(change.title or '')}</td>",
    ]
    for field in change.fields:
        if field.stamp:
            continue
        before = "" if change.kind is ChangeKind.CREATE else escape(shown(field.before))
        after = escape(shown(field.after))
        yield [*head, f"<td>{_safe(field.column)}</td><td class=before>{before}</td><td class=after>{after}</td>"]


def _table(head: Sequence[str], rows: Sequence[str], limit: int) -> Iterator[str]:
    if not rows:
        return
    some = rows if limit == 0 else rows[:limit]
    yield "<div class=scroll><table><thead><tr>" + "".join(f"<th>{name}</th>" for name in head) + "</tr></thead><tbody>"
    yield from (f"<tr>{row}</tr>" for row in some)
    yield "</tbody></table></div>"
    if len(rows) > len(some):
        yield f"<p class=small>... and {len(rows) - len(some):,} more rows (--limit 0 shows all).</p>"


def _safe(text: str) -> str:
    return escape(one_line(text))
