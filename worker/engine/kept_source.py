"""What a job read from e-conomic, kept: each collection is fetched once, whatever number of slices need it.

Stands before the real Source. A collection that is not kept yet is fetched whole, kept, and then given; a job that is
killed or out of time goes on with what is kept. Everything a job does rests on this one reading, so its sums agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from worker.domain.encode import decode_value, encode_value, plain_decimal
from worker.domain.records import AccountingYear, Agreement, Customer, CustomerContact, Invoice
from worker.engine.packing import pack, unpack
from worker.ports import ANY_VERSION, Records, Source, Usage

Row = TypeVar("Row", AccountingYear, Customer, CustomerContact, Invoice)


class KeptSource:
    """Implements ports.Source. `before` is called before each collection that must be fetched, and may raise to leave
    it to the next slice; `kept` once it is kept."""

    def __init__(
        self, source: Source, records: Records, prefix: str, before: Callable[[], None], kept: Callable[[], None]
    ) -> None:
        self._source = source
        self._records = records
        self._prefix = prefix
        self._before = before
        self._is_kept = kept

    def agreement(self) -> Agreement:
        """See ports.Source."""
        ((number, company, cvr, currency, user, app, roles),) = self._rows("agreement", self._read_agreement)
        return Agreement(number, company, cvr, currency, user, app, tuple(roles))

    def _read_agreement(self) -> Iterator[list[Any]]:
        one = self._source.agreement()
        yield [one.number, one.company_name, one.company_cvr, one.base_currency, one.user_name, one.app_name, one.roles]

    def accounting_years(self) -> Sequence[AccountingYear]:
        """See ports.Source."""
        return list(self._kept("years", AccountingYear, self._source.accounting_years))

    def customers(self) -> Iterator[Customer]:
        """See ports.Source."""
        return self._kept("customers", Customer, self._source.customers)

    def contacts(self) -> Iterator[CustomerContact]:
        """See ports.Source."""
        return self._kept("contacts", CustomerContact, self._source.contacts)

    def invoices(self, since: date | None = None) -> Iterator[Invoice]:
        """See ports.Source."""
        return self._kept(f"invoices-{since or 'all'}", Invoice, lambda: self._source.invoices(since))

    def open_invoices(self) -> Iterator[Invoice]:
        """See ports.Source."""
        return self._kept("open-invoices", Invoice, self._source.open_invoices)

    def sales_totals(self, year: AccountingYear) -> Mapping[int, Decimal]:
        """See ports.Source."""
        name = f"totals-{year.first_day}"
        rows = self._rows(name, lambda: ([n, plain_decimal(a)] for n, a in self._source.sales_totals(year).items()))
        return {number: Decimal(amount) for number, amount in rows}

    def usage(self) -> Usage:
        """What the real source was asked."""
        return self._source.usage()

    def _kept(self, name: str, kind: type[Row], fetch: Callable[[], Iterable[Row]]) -> Iterator[Row]:
        columns = [one.name for one in fields(kind)]
        rows = self._rows(name, lambda: ([encode_value(getattr(row, c)) for c in columns] for row in fetch()))
        return (kind(*map(decode_value, row)) for row in rows)  # type: ignore[arg-type]

    def _rows(self, name: str, fetch: Callable[[], Iterable[Any]]) -> Iterator[Any]:
        kept = self._records.read(f"{self._prefix}source-{name}")
        content = kept.content if kept else b""
        if not _is_whole(content):
            self._before()
            content = pack(fetch())
            self._records.write(f"{self._prefix}source-{name}", content, ANY_VERSION)
            self._is_kept()
        return unpack(content)


def _is_whole(content: bytes) -> bool:
    """A record that was damaged is read anew from e-conomic rather than believed."""
    if not content:
        return False
    try:
        for _ in unpack(content):
            pass
    except ValueError:
        return False
    return True
