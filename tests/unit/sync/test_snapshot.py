"""Each collection is read once for a session, and only what a mapped field rests on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.fake_source import FakeSource
from worker.domain.profile import FieldRule, ImportType, Profile, SourceFilter, SourceKind
from worker.domain.records import AccountingYear, Invoice
from worker.domain.values import TargetKind
from worker.sync.snapshot import InvoiceSpool, Snapshot

TODAY = date(2026, 11, 25)
YEARS = [AccountingYear(str(y), date(y, 1, 1), date(y, 12, 31)) for y in range(2020, 2028)]


def invoice(number: int, day: date, amount: int = 100, remainder: int = 0, **more: Any) -> Invoice:
    money = Decimal(amount)
    return Invoice(
        number,
        7,
        day,
        "DKK",
        money,
        Decimal(0),
        money,
        money,
        Decimal(remainder),
        Decimal(remainder),
        due_date=day,
        **more,
    )


INVOICES = [
    invoice(1, date(2019, 5, 1), remainder=40),
    invoice(2, date(2024, 2, 1)),
    invoice(3, date(2025, 6, 1), amount=200),
    invoice(4, date(2026, 6, 1), amount=300, remainder=300),
]


class Counting(FakeSource):
    """Counts reads by name, and remembers how far back invoices were asked for."""

    def __init__(self) -> None:
        super().__init__(years=YEARS, invoices=INVOICES)
        self.asked: list[str] = []
        self.since: list[date | None] = []

    def invoices(self, since: date | None = None):
        self.since.append(since)
        return super().invoices(since)

    def _asked(self, name: str) -> None:
        self.asked.append(name)
        super()._asked(name)


def profile(source: SourceKind, fields: Sequence[str], months: int | None = None) -> Profile:
    rules = tuple(FieldRule(f"C{at}", name) for at, name in enumerate(fields))
    filter_ = SourceFilter(months=months)
    return Profile(
        source.value, source, TargetKind.COMPANY, ImportType.UPDATE, "C0", fields[0], rules, source_filter=filter_
    )


@pytest.mark.parametrize(
    ("fields", "reads"),
    [
        (["Number", "Name"], []),
        (["Number", "Overdue1To30"], ["accounting_years", "open_invoices"]),
        (["Number", "SalesThisYear"], ["accounting_years", "invoices"]),
        (["Number", "SalesThisYear", "NotDue"], ["accounting_years", "invoices", "open_invoices"]),
        (["Number", "FirstInvoiceDate", "NotDue"], ["accounting_years", "invoices"]),
    ],
)
def test_only_what_the_mapped_fields_need_is_read(fields, reads):
    """Ageing alone needs the open invoices; the whole history already has them."""
    source = Counting()
    snapshot = Snapshot(source, [profile(SourceKind.CUSTOMER, fields)], TODAY)
    if reads:
        snapshot.sales.figures(7)
        snapshot.sales.figures(7)
    assert sorted(source.asked) == sorted(reads)


def test_invoices_are_read_once_for_all_profiles_and_passed_on_from_disk():
    """Figures, rows and a second pass: one read."""
    source = Counting()
    profiles = [
        profile(SourceKind.CUSTOMER, ["Number", "SalesTrend", "OldestOverdueDays"]),
        profile(SourceKind.INVOICE, ["InvoiceNumber"], months=12),
        profile(SourceKind.SALES, ["StatKey"], months=24),
    ]
    snapshot = Snapshot(source, profiles, TODAY)
    figures = snapshot.sales.figures(7)
    assert list(snapshot.invoices()) == INVOICES
    assert list(snapshot.invoices()) == INVOICES
    assert source.asked.count("invoices") == 1
    assert "open_invoices" not in source.asked
    assert (figures.sales_this_year, figures.overdue_over_90) == (Decimal(300), Decimal(340))
    snapshot.close()


@pytest.mark.parametrize(
    ("profiles", "since"),
    [
        ([profile(SourceKind.INVOICE, ["InvoiceNumber"], months=24)], date(2024, 11, 1)),
        ([profile(SourceKind.INVOICE, ["InvoiceNumber"])], None),
        ([profile(SourceKind.CUSTOMER, ["Number", "SalesThisYear"])], date(2024, 11, 25)),
        ([profile(SourceKind.CUSTOMER, ["Number", "LastInvoiceDate"])], None),
        ([profile(SourceKind.SALES, ["StatKey"], months=12)], date(2024, 1, 1)),
    ],
)
def test_invoices_are_asked_for_no_further_back_than_needed(profiles, since):
    """The window of the profile, the years that figures compare, or everything."""
    source = Counting()
    with closing(Snapshot(source, profiles, TODAY)) as snapshot:
        list(snapshot.invoices())
    assert source.since == [since]


def test_a_narrow_window_still_ages_the_old_open_invoices():
    """What is overdue is mostly older than the window."""
    source = Counting()
    both = [profile(SourceKind.CUSTOMER, ["Number", "SalesThisYear", "OverdueOver90"])]
    assert Snapshot(source, both, TODAY).sales.figures(7).overdue_over_90 == Decimal(340)


def test_the_spool_gives_back_exactly_what_it_was_given():
    """Every field of every invoice, in order."""
    spool = InvoiceSpool()
    full = invoice(9, TODAY, exchange_rate=Decimal("746.055"), reference="Å 'quoted' \n line")
    for one in [*INVOICES, full]:
        spool.append(one)
    assert list(spool) == [*INVOICES, full]
    spool.close()
