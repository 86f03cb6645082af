"""What the store asks of a data set and of a day's changes; all documents plain (see documents.py).

Protocols rather than the data set's own classes, so that a test or a recording can fill a store with its own values.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Protocol

from worker.emulators.economic.documents import Plain


class SourceData(Protocol):
    """What `load` needs of a data set."""

    @property
    def agreement(self) -> Plain: ...
    @property
    def customer_groups(self) -> Sequence[Plain]: ...
    @property
    def payment_terms(self) -> Sequence[Plain]: ...
    @property
    def vat_zones(self) -> Sequence[Plain]: ...
    @property
    def employees(self) -> Sequence[Plain]: ...
    @property
    def accounting_years(self) -> Sequence[Plain]: ...
    @property
    def customers(self) -> Sequence[Plain]: ...
    @property
    def contacts(self) -> Sequence[Plain]: ...
    @property
    def invoices(self) -> Iterable[Plain]: ...
    @property
    def prospects(self) -> Sequence[Plain]: ...


class Changes(Protocol):
    """What `apply` needs of a day's changes: whole documents to insert or replace, and contacts to remove."""

    @property
    def customers(self) -> Sequence[Plain]: ...
    @property
    def contacts(self) -> Sequence[Plain]: ...
    @property
    def today(self) -> date: ...
    @property
    def removed_contacts(self) -> Sequence[int]: ...
    @property
    def invoices(self) -> Sequence[Plain]: ...
