"""A customer's figures on a day, counted once more from its invoices for the comparison alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from worker.domain.records import Customer, Invoice
from worker.domain.values import Value
from worker.sync.reconcile_periods import ZERO, Span, Years, months_on

_DAY = timedelta(days=1)
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Books:
    """One customer's invoices on a day. `years`: None when the financial years are not e-conomic's own."""

    invoices: Sequence[Invoice]
    day: date
    years: Years

    @property
    def year(self) -> Span:
        """Of the day, which has one: figures that need it are not asked for otherwise."""
        found = self.years.holding(self.day)
        if found is None:
            raise ValueError(f"no accounting year holds {self.day}")
        return found

    def sales(self, span: Span | None) -> Decimal:
        """Net in base currency; nothing for no span."""
        return sum((one.net_base for one in self._dated(span)), ZERO)

    def count(self, span: Span) -> int:
        """Invoices and credit notes."""
        return sum(1 for _ in self._dated(span))

    def late(self, least: int, most: int) -> Decimal:
        """What is open of invoices that are so many days late; 0 is not late."""
        late = (one for one in self.invoices if one.remainder and least <= days_late(one, self.day) <= most)
        return sum((one.remainder_base for one in late), ZERO)

    def _dated(self, span: Span | None) -> Iterable[Invoice]:
        return (one for one in self.invoices if span is not None and one.invoice_date in span)


def days_late(invoice: Invoice, day: date) -> int:
    """Whole days past due; 0 without a due date."""
    return 0 if invoice.due_date is None else max(0, (day - invoice.due_date).days)


def due_on(customer: Customer, invoices: Sequence[Invoice], day: date, today: date) -> Decimal | None:
    """What e-conomic called due on an earlier day: today's amount without what fell due since. e-conomic tells that
    amount of today only, and calls nothing due where the balance is negative. None where it can't be told."""
    late = (one for one in invoices if one.remainder and days_late(one, today) and not days_late(one, day))
    fell = sum((one.remainder_base for one in late), ZERO)
    if not fell:
        return customer.due_amount
    if customer.balance < 0:
        return ZERO
    due = customer.due_amount - fell
    return due if customer.due_amount > 0 and due >= 0 else None


def _average(books: Books) -> Value:
    count = books.count(books.year)
    return (books.sales(books.year) / count).quantize(_CENT, rounding=ROUND_HALF_UP) if count else None


def _same_day_last_year(books: Books) -> Span | None:
    """Last year until the same day; years of odd lengths count days instead."""
    this = books.year
    last = books.years.before(this)
    if last is None:
        return None
    end = last.first + (books.day - this.first)
    if _is_a_year(this) and _is_a_year(last):
        end = max(last.first, months_on(books.day, -12))
    return Span(last.first, min(last.last, end))


def _is_a_year(span: Span) -> bool:
    following = span.last + _DAY
    return months_on(span.first, 12) == following or months_on(following, -12) == span.first


_MANY = 10**6  # days
# Field -> how it is counted.
FIGURES: Mapping[str, Callable[[Books], Value]] = {
    "NotDue": lambda books: books.late(0, 0),
    "Overdue1To30": lambda books: books.late(1, 30),
    "Overdue31To60": lambda books: books.late(31, 60),
    "Overdue61To90": lambda books: books.late(61, 90),
    "OverdueOver90": lambda books: books.late(91, _MANY),
    "OldestOverdueDays": lambda books: max(
        (days_late(one, books.day) for one in books.invoices if one.remainder > 0), default=0
    ),
    "SalesThisYear": lambda books: books.sales(books.year),
    "SalesLastYear": lambda books: books.sales(books.years.before(books.year)),
    "SalesLastYearToDate": lambda books: books.sales(_same_day_last_year(books)),
    "SalesLast12Months": lambda books: books.sales(Span(months_on(books.day, -12) + _DAY, books.day)),
    "InvoiceCountThisYear": lambda books: books.count(books.year),
    "AverageInvoiceThisYear": _average,
    "LastInvoiceDate": lambda books: max((one.invoice_date for one in books.invoices), default=None),
    "FirstInvoiceDate": lambda books: min((one.invoice_date for one in books.invoices), default=None),
}
# Those that rest on the day's financial year.
BY_YEAR = frozenset(
    {"SalesThisYear", "SalesLastYear", "SalesLastYearToDate", "InvoiceCountThisYear", "AverageInvoiceThisYear"}
)
