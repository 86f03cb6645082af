"""The ledger: every source row counted once, and sums that must agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from worker.domain.encode import decode_value
from worker.domain.plan import ChangeKind, ControlSum, Plan, RowOutcome
from worker.domain.report import ControlLine, Ledger
from worker.domain.values import Value
from worker.errors import LedgerError

_NAMED = 50  # customers named in a difference; more would bury the message


def planned_ledger(plan: Plan) -> Ledger:
    """Rows by outcome as the plan has it, before anything is written."""
    out = [row.outcome for row in plan.left_out]
    return Ledger(
        source_rows=plan.source_rows,
        created=plan.count(ChangeKind.CREATE),
        updated=plan.count(ChangeKind.UPDATE),
        unchanged=plan.unchanged,
        skipped=out.count(RowOutcome.SKIPPED) + plan.filtered,
        failed=out.count(RowOutcome.FAILED),
        flagged=plan.count(ChangeKind.FLAG),
    )


def applied_ledger(plan: Plan, undone: Mapping[ChangeKind, tuple[int, int]]) -> Ledger:
    """The plan's ledger after applying. `undone`: kind -> (failed, stopped) changes of that kind.

    Raises LedgerError when a row is lost or counted twice.
    """
    ledger = planned_ledger(plan)
    creates, updates = undone.get(ChangeKind.CREATE, (0, 0)), undone.get(ChangeKind.UPDATE, (0, 0))
    ledger = replace(
        ledger,
        created=ledger.created - sum(creates),
        updated=ledger.updated - sum(updates),
        failed=ledger.failed + creates[0] + updates[0],
        skipped=ledger.skipped + creates[1] + updates[1],
        flagged=ledger.flagged - sum(undone.get(ChangeKind.FLAG, (0, 0))),
    )
    if not ledger.balances:
        raise LedgerError(
            f"The ledger of profile {plan.profile!r} does not add up: {ledger}.",
            hint="This is a fault of the worker: keep the run's log and report it.",
        )
    return ledger


def control_lines(
    controls: Sequence[ControlSum], expected: Mapping[str, str], standing: Iterable[tuple[str, Sequence[Value]]]
) -> list[ControlLine]:
    """What e-conomic says against what stands in the list.

    `expected`: key -> encoded control values of the rows that were to be written. `standing`: key and control values
    of every item read back, normalised. Keys that are not expected (other people's items) do not count.
    """
    targets = [Decimal(0)] * len(controls)
    sources = [Decimal(0)] * len(controls)
    off: list[list[str]] = [[] for _ in controls]
    unseen = set(expected)
    for key, values in standing:
        if key not in unseen:
            continue
        unseen.discard(key)
        _add(sources, targets, off, key, _decoded(expected[key]), values)
    for key in sorted(unseen):
        _add(sources, targets, off, key, _decoded(expected[key]), [None] * len(controls))
    return [
        ControlLine(control.column, source, target, tuple(rows[:_NAMED]), left_out=control.left_out)
        for control, source, target, rows in zip(controls, sources, targets, off, strict=True)
    ]


def own_total_line(line: ControlLine, ours: Mapping[str, Decimal], theirs: Mapping[str, Decimal]) -> ControlLine:
    """`line` with e-conomic's own total of the same rows beside it. `ours` are the expected values by key; a key that
    only one side has counts as zero on the other. Customers that differ are named."""
    total = sum((theirs.get(key, Decimal(0)) for key in ours), Decimal(0))
    differ = sorted(key for key in ours if ours[key] != theirs.get(key, Decimal(0)))
    rows = tuple(dict.fromkeys([*line.rows_off, *differ]))[:_NAMED]
    return replace(line, own_total=total, rows_off=rows)


def expected_values(expected: Mapping[str, str], position: int) -> dict[str, Decimal]:
    """One control column of `expected`, decoded."""
    values = {key: _decoded(text)[position] for key, text in expected.items()}
    return {key: value for key, value in values.items() if isinstance(value, Decimal)}


def _decoded(text: str) -> list[Value]:
    return [decode_value(part) for part in text.split("|")]


def _add(
    sources: list[Decimal],
    targets: list[Decimal],
    off: list[list[str]],
    key: str,
    wanted: Sequence[Value],
    found: Sequence[Value],
) -> None:
    for position, (want, have) in enumerate(zip(wanted, found, strict=True)):
        sources[position] += want if isinstance(want, Decimal) else 0
        targets[position] += have if isinstance(have, Decimal) else 0
        if want != have:
            off[position].append(key)
