"""The plan: the exact list of field changes that would make a target list true.

A value: sorted, counted, printable, hashable, empty when nothing differs. There is no Delete kind, so no bug
can produce one; absence in e-conomic becomes Flag.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from worker.domain.encode import encode_value
from worker.domain.values import Value


class ChangeKind(StrEnum):
    """What is done to an item."""

    CREATE = "Create"
    UPDATE = "Update"
    FLAG = "Flag"


class RowOutcome(StrEnum):
    """What became of one source row; every source row ends in exactly one."""

    CREATED = "Created"
    UPDATED = "Updated"
    UNCHANGED = "Unchanged"
    SKIPPED = "Skipped"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One column, before and after. A stamp (figures as of, run id) rides along and never causes a change."""

    column: str
    before: Value
    after: Value
    stamp: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One item to create, update or flag. `version` is the etag the plan saw; None for a create."""

    kind: ChangeKind
    key: str
    fields: tuple[FieldChange, ...]
    item_id: int | None = None
    version: str | None = None
    title: str | None = None

    @property
    def values(self) -> dict[str, Value]:
        """What is sent: logical column -> new value."""
        return {change.column: change.after for change in self.fields}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A source row that is not written, and why. `code` is a key of `domain.reasons`."""

    key: str
    outcome: RowOutcome  # SKIPPED or FAILED
    code: str
    facts: Mapping[str, object] = field(default_factory=dict)
    item_ids: tuple[int, ...] = ()
    title: str | None = None


@dataclass(frozen=True, slots=True)
class ControlSum:
    """One money column summed over source rows: `source` those that are written or already right, `left_out` those
    that fail or have no item. Rows the profile's filter leaves out count in neither."""

    column: str
    field: str
    source: Decimal
    left_out: Decimal = Decimal(0)


@dataclass(frozen=True)
class Plan:
    """All of it for one profile. Rows: source_rows = creates + updates + unchanged + filtered + left out."""

    profile: str
    target: str
    import_type: str
    as_of: date
    changes: tuple[Change, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    source_rows: int = 0
    unchanged: int = 0
    filtered: int = 0  # rows the profile's own filter leaves out; counted as skipped
    existing: int = 0  # items of the target list that carry a key
    blanked: Mapping[str, int] = field(default_factory=dict)  # column -> filled values that would go blank
    filled: Mapping[str, int] = field(default_factory=dict)  # column -> filled values seen among matched items
    controls: tuple[ControlSum, ...] = ()
    still_missing: tuple[tuple[str, int], ...] = ()  # key and id of items that were flagged by an earlier run

    def count(self, kind: ChangeKind) -> int:
        """How many changes of this kind."""
        return sum(1 for change in self.changes if change.kind is kind)

    @property
    def is_empty(self) -> bool:
        """Nothing would be written."""
        return not self.changes

    @cached_property
    def digest(self) -> str:
        """SHA-256 over what would be done: kinds, keys, columns, before, after. Stamps and etags are left out,
        so the same change planned twice has the same digest."""
        digest = hashlib.sha256(f"{self.profile}\n{self.target}\n{self.import_type}\n".encode())
        for change in self.changes:
            row = [change.kind.value, change.key, change.item_id] + [
                [f.column, encode_value(f.before), encode_value(f.after)] for f in change.fields if not f.stamp
            ]
            digest.update(json.dumps(row, ensure_ascii=False).encode())
        return digest.hexdigest()
