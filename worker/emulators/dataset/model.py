"""The shape of a data set: what an e-conomic agreement holds, plus the CRM's own prospects, as plain values.

Documents are dicts in the classic wire shape without links, because the emulator's store is the one place
that knows addresses; typed records were refused here since every consumer writes JSON from them at once.
Invoices are a series that is built again on each pass, so a large set costs a plan of eight bytes per
invoice and not a document each.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, Protocol, get_args

Document = dict[str, Any]
Size = Literal["empty", "tiny", "small", "typical", "large"]
Owner = Literal["CRM", "ERP"]


@dataclass(frozen=True)
class Counts:
    """How many rows a size holds."""

    customers: int
    contacts: int
    invoices: int


SIZES: dict[Size, Counts] = {
    "empty": Counts(0, 0, 0),
    "tiny": Counts(12, 15, 60),
    "small": Counts(200, 300, 2_000),
    "typical": Counts(3_000, 4_500, 25_000),
    "large": Counts(20_000, 40_000, 200_000),
}


def counts_of(size: str) -> Counts:
    """The row counts of a size; raises ValueError naming the allowed sizes."""
    for known in get_args(Size):
        if known == size:
            return SIZES[known]
    raise ValueError(f"Unknown size {size!r}. Allowed: {', '.join(get_args(Size))}.")


class InvoiceSeries(Protocol):
    """Booked invoices in ascending number: sized, iterable again and again, and readable from the end."""

    def __iter__(self) -> Iterator[Document]: ...

    def __reversed__(self) -> Iterator[Document]: ...

    def __len__(self) -> int: ...


@dataclass(frozen=True)
class Dataset:
    """One agreement and the CRM beside it, as of the morning of `today`.

    `customers` carry no balance and no dueAmount (the emulator derives both from the invoices).
    `invoices` ascend by bookedInvoiceNumber; amounts are floats of two decimals whose sums hold exactly
    once read as decimals. `prospects` are rows of the CRM's company list that have no Customer ID.
    """

    agreement: Document
    customer_groups: list[Document]
    payment_terms: list[Document]
    vat_zones: list[Document]
    employees: list[Document]
    accounting_years: list[Document]
    customers: list[Document]
    contacts: list[Document]
    invoices: InvoiceSeries
    prospects: list[Document]
    today: date


@dataclass(frozen=True)
class CrmEdit:
    """A person typed `value` into one cell of a CRM list; `owner` says whose column it is."""

    list_title: str
    key_column: str
    key: str
    column: str
    value: str
    owner: Owner


@dataclass(frozen=True)
class DayChanges:
    """What happened during the day `today`: whole documents to insert or replace, and what people did.

    `removed_contacts` are customerContactNumbers that were soft-deleted; `invoices` holds new ones and
    old ones whose remainder changed.
    """

    today: date
    customers: list[Document] = field(default_factory=list)
    contacts: list[Document] = field(default_factory=list)
    removed_contacts: list[int] = field(default_factory=list)
    invoices: list[Document] = field(default_factory=list)
    crm_edits: list[CrmEdit] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
