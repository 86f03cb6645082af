"""Import types as filters on decisions. Each takes what would be done about one row and says what may be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from worker.domain.plan import Change, ChangeKind, LeftOut, RowOutcome
from worker.domain.profile import ImportType


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The item already is what it should be."""

    key: str
    item_id: int
    title: str | None = None


Decision = Change | Unchanged | LeftOut
Policy = Callable[[Decision], Decision | None]


def import_and_update(decision: Decision) -> Decision | None:
    """Everything goes."""
    return decision


def import_only(decision: Decision) -> Decision | None:
    """Creates only. A matched item is never touched, not even flagged; it is reported as "exists"."""
    match decision:
        case Change(kind=ChangeKind.CREATE) | LeftOut():
            return decision
        case Change(kind=ChangeKind.FLAG):
            return None
        case _:
            ids = () if decision.item_id is None else (decision.item_id,)
            return LeftOut(decision.key, RowOutcome.SKIPPED, "exists", item_ids=ids, title=decision.title)


def update_only(decision: Decision) -> Decision | None:
    """Never creates; a row without an item is reported as unmatched."""
    if isinstance(decision, Change) and decision.kind is ChangeKind.CREATE:
        return LeftOut(decision.key, RowOutcome.SKIPPED, "unmatched", title=decision.title)
    return decision


POLICIES: Mapping[ImportType, Policy] = {
    ImportType.IMPORT: import_only,
    ImportType.IMPORT_AND_UPDATE: import_and_update,
    ImportType.UPDATE: update_only,
}
