"""Proves a run: reads the control columns back from the list and holds them against e-conomic's rows and totals."""

from __future__ import annotations

from collections.abc import Sequence

from worker.domain.ledger import control_lines, expected_values, own_total_line
from worker.domain.plan import ChangeKind
from worker.domain.planning import Planned
from worker.domain.profile import Profile
from worker.domain.report import ControlLine
from worker.sync.applier import Applied
from worker.sync.planner import Planner
from worker.sync.snapshot import Snapshot

_OWN_TOTAL = "SalesThisYear"  # the one field e-conomic itself sums per customer and accounting year


def prove(
    profile: Profile, planned: Planned, outcomes: Sequence[Applied], planner: Planner, snapshot: Snapshot
) -> tuple[ControlLine, ...]:
    """The control lines of a run. When nothing was written, the plan's own comparison with the live values is the
    proof and nothing is read again."""
    controls = planned.plan.controls
    if not controls:
        return ()
    undone = {o.change.key for o in outcomes if not o.done and o.change.kind in (ChangeKind.CREATE, ChangeKind.UPDATE)}
    expected = {key: text for key, text in planned.expected.items() if key not in undone}
    if outcomes:
        columns = [control.column for control in controls]
        lines = control_lines(controls, expected, planner.standing(profile, columns))
    else:
        lines = [ControlLine(c.column, c.source, c.source, left_out=c.left_out) for c in controls]
    return tuple(
        _with_own_total(line, expected, position, snapshot) if control.field == _OWN_TOTAL else line
        for position, (line, control) in enumerate(zip(lines, controls, strict=True))
    )


def _with_own_total(line: ControlLine, expected: dict[str, str], position: int, snapshot: Snapshot) -> ControlLine:
    theirs = snapshot.sales_totals
    if theirs is None:
        return line
    ours = expected_values(expected, position)
    return own_total_line(line, ours, {str(number): amount for number, amount in theirs.items()})
