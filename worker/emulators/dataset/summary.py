"""A short table of what a data set holds, for the README and for a person about to choose a size."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date

from worker.emulators.dataset.model import Dataset, Document

Row = tuple[str, int]


def summary(data: Dataset) -> list[Row]:
    """Label and count, in reading order; passes once over the invoices."""
    return [*_customer_rows(data), *_contact_rows(data), *_invoice_rows(data), ("prospects", len(data.prospects))]


def as_text(rows: Iterable[Row]) -> str:
    """Two aligned columns, one row per line."""
    return "".join(f"{label:<34}{number:>9,}\n" for label, number in rows)


def _count(rows: Iterable[Document], test: Callable[[Document], object]) -> int:
    return sum(1 for row in rows if test(row))


def _customer_rows(data: Dataset) -> list[Row]:
    rows = data.customers
    return [
        ("customers", len(rows)),
        ("  barred", _count(rows, lambda r: r.get("barred"))),
        ("  with CVR", _count(rows, lambda r: r.get("corporateIdentificationNumber"))),
        ("  with EAN", _count(rows, lambda r: r.get("ean"))),
        ("  with e-mail", _count(rows, lambda r: r.get("email"))),
        ("  in EUR", _count(rows, lambda r: r["currency"] == "EUR")),
        ("  in another foreign currency", _count(rows, lambda r: r["currency"] not in ("DKK", "EUR"))),
    ]


def _contact_rows(data: Dataset) -> list[Row]:
    rows = data.contacts
    return [
        ("contacts", len(rows)),
        ("  soft-deleted", _count(rows, lambda r: r.get("isDeleted"))),
        ("  without e-mail", _count(rows, lambda r: not r.get("email"))),
        ("customers without a contact", len(data.customers) - len({r["customerNumber"] for r in rows})),
    ]


def _invoice_rows(data: Dataset) -> list[Row]:
    seen: Counter[str] = Counter()
    for row in data.invoices:
        seen.update(_traits(row, data.today))
    labels = (
        "credit notes",
        "  still open",
        "paid",
        "part paid",
        *(f"open, {name}" for name in AGES),
        "open, no due date",
    )
    return [("booked invoices", len(data.invoices)), *((f"  {label}", seen[label]) for label in labels)]


AGES = ("not due", "1-30 days over", "31-60 days over", "61-90 days over", "90+ days over")


def _traits(row: Document, today: date) -> list[str]:
    if row["grossAmount"] < 0:
        return ["credit notes"] + (["  still open"] if row["remainder"] else [])
    if not row["remainder"]:
        return ["paid"]
    traits = ["part paid"] if row["remainder"] < row["grossAmount"] else []
    if "dueDate" not in row:
        return [*traits, "open, no due date"]
    return [*traits, f"open, {ageing((today - date.fromisoformat(row['dueDate'])).days)}"]


def ageing(days_over: int) -> str:
    """The ageing bucket of an open invoice; due today is not yet over."""
    bounds = (0, 30, 60, 90)
    return AGES[sum(days_over > bound for bound in bounds)]
