"""What undoing is about, as values: the run, what would be done, and what became of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

from worker.domain.plan import Change, Plan
from worker.domain.profile import Profile


@dataclass(frozen=True, slots=True)
class Ran:
    """One profile's run as it was kept."""

    run_id: str
    profile: Profile
    changes: tuple[Change, ...]
    existing: int = 0  # items that the list held then; what the brake compares with
    unsure: frozenset[int] = frozenset()  # items whose change may never have been sent, as the run was killed over it


@dataclass(frozen=True, slots=True)
class Left:
    """Something that is not taken back. `why`: changed (its value, since), gone, taken (the number, by another item),
    number (it goes with one that stays), made (by the run) or touched."""

    key: str
    item_id: int | None
    why: str
    column: str = ""


@dataclass(frozen=True, slots=True)
class Removal:
    """An item of the run that goes to the recycle bin."""

    key: str
    item_id: int
    version: str
    title: str | None = None


@dataclass(slots=True)
class Undone:
    """What became of one profile's undo; `failed` are sentences by key, `open` the items it has not come to."""

    reverted: int = 0
    removed: int = 0
    left: list[Left] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Undo:
    """The reverse of one profile's run."""

    ran: Ran
    plan: Plan
    removals: tuple[Removal, ...] = ()
    left: tuple[Left, ...] = ()
    braked: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Stands for exactly this: changes, removals and versions."""
        gone = [[one.item_id, one.version] for one in self.removals]
        return hashlib.sha256(json.dumps([self.plan.digest, gone]).encode()).hexdigest()

    @property
    def is_empty(self) -> bool:
        """Nothing is left to take back."""
        return not self.plan.changes and not self.removals

    def begun(self) -> Undone:
        """Of which nothing is done yet."""
        ids = {one.item_id for one in self.removals} | {one.item_id for one in self.plan.changes if one.item_id}
        return Undone(left=list(self.left), open=ids)
