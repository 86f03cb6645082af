"""The values that cross the worker, and what a CRM column can hold.

A `Value` is what mapping makes and what a target reads back; both sides meet in this form before they are
compared. A look-up or person value is the item id (int) it points to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

Value = str | int | Decimal | date | datetime | bool | None


class TargetKind(StrEnum):
    """The CRM lists a profile may write to, in the product's own words."""

    COMPANY = "CRM Company"
    CONTACT = "CRM Contact"
    INVOICE = "Invoice"
    STATISTICS = "Sales statistics"


class ColumnKind(StrEnum):
    """Column types the worker can fill, named as SharePoint's TypeAsString."""

    TEXT = "Text"
    NOTE = "Note"
    NUMBER = "Number"
    CURRENCY = "Currency"
    DATE = "Date"  # a DateTime column with the format DateOnly
    DATETIME = "DateTime"
    CHOICE = "Choice"
    BOOLEAN = "Boolean"
    LOOKUP = "Lookup"
    PERSON = "User"
    URL = "URL"


@dataclass(frozen=True, slots=True)
class Column:
    """A bound column: `name` is the logical name profiles use, `internal` the list's own."""

    name: str
    internal: str
    display: str
    kind: ColumnKind
    required: bool = False
    max_length: int | None = None  # TEXT only
    decimals: int | None = None  # NUMBER and CURRENCY; None = as many as given
    choices: tuple[str, ...] = ()
    indexed: bool = False
    unique: bool = False
    read_only: bool = False
    lookup_list: str | None = None  # LOOKUP: the id of the list it points to


@dataclass(frozen=True, slots=True)
class Item:
    """One row of a target list: its own id, its version (etag as sent in IF-MATCH) and values by logical name."""

    item_id: int
    version: str
    values: dict[str, Value]
