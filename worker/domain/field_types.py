"""What a source field is: its type, where it comes from, and what must be read for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from worker.domain.values import Value


class FieldType(StrEnum):
    """Types of source fields."""

    TEXT = "text"
    WHOLE = "whole number"
    MONEY = "money"
    NUMBER = "number"
    DATE = "date"
    TIMESTAMP = "timestamp"
    BOOL = "yes/no"
    CHOICE = "choice"


class Need(StrEnum):
    """Invoice data that a computed field rests on."""

    OPEN_INVOICES = "open invoices"
    SALES_YEARS = "invoices of this and last financial year"
    SALES_ALL = "all invoices"
    PERIODS = "sales by period"


@dataclass(frozen=True, slots=True)
class SourceField:
    """One field. `stamp`: moves by itself, so it never causes a write. `control`: summed and proved after a run."""

    name: str
    type: FieldType
    meaning: str
    read: Callable[[Any], Value]
    rest_path: str = ""
    aliases: tuple[str, ...] = ()
    computed: bool = False
    stamp: bool = False
    control: bool = False
    needs: frozenset[Need] = frozenset()
    choices: tuple[str, ...] = ()
