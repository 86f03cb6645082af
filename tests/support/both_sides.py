"""Do both emulators say the same? Counted from e-conomic's REST answers and the lists' raw rows by this module alone.

Nothing of the worker's planning or reconciling is used, so that a fault of either shows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.world import World

Row = Mapping[str, Any]
MISSING = "Missing in ERP"
_MONTHS = 24  # of the shipped profiles' filter
_ROWS = ("Contacts", "Invoices", "Sales statistics")
# Where e-conomic's value stands as it is, but for white space. A blank one keeps what people typed.
_CUSTOMER = {
    "name": ("Title", "CompanyName"),
    "address": ("Address",),
    "zip": ("Zip",),
    "city": ("City",),
    "currency": ("CurrencyCode",),
    "balance": ("Balance",),
    "dueAmount": ("OverdueAmount",),
}
_INVOICE = {
    "netAmount": "NetAmount",
    "vatAmount": "VATAmount",
    "grossAmount": "GrossAmount",
    "remainder": "Remainder",
    "netAmountInBaseCurrency": "NetAmountBase",
    "remainderInBaseCurrency": "RemainderBase",
}


@dataclass(frozen=True)
class Unlike:
    """One difference, as a sentence; `customer`: the number of the customer it is about."""

    customer: str
    text: str


def differences(world: World) -> list[Unlike]:
    """Every difference; none after a run that nothing disturbed."""
    customers = {one["customerNumber"]: one for one in collection(world, "/customers")}
    invoices = [one for one in collection(world, "/invoices/booked") if _customer_of(one) in customers]
    companies = world.rows("Companies")
    by_number = _grouped(companies, "CustomerID")
    items = {number: rows[0]["Id"] for number, rows in by_number.items()}
    return [
        *(
            Unlike(number, f"company {number} stands twice: {[row['Id'] for row in rows]}")
            for number, rows in by_number.items()
            if rows[1:]
        ),
        *_customers(customers, by_number, invoices, world),
        *_contacts(world, customers, items),
        *_invoices(world, invoices, items),
        *_statistics(world, customers, invoices),
        *_belongings(world, companies),
    ]


def rows_in_scope(world: World) -> dict[str, int]:
    """For each shipped profile, how many rows e-conomic has for it."""
    customers = [one["customerNumber"] for one in collection(world, "/customers")]
    contacts = world.economic_store.query("SELECT customer FROM contacts WHERE deleted = 0")
    first = _first_day(world)
    invoices = [one for one in collection(world, "/invoices/booked") if date.fromisoformat(one["date"]) >= first]
    return {
        "Customers": len(customers),
        "Contacts": len(contacts),
        "Balances": len(customers),
        "Sales history": len(customers),
        "Invoices": len(invoices),
    }


def _first_day(world: World) -> date:
    """Of the months that the shipped profiles look back on."""
    today = world.clock.now().date()
    return today.replace(year=today.year - _MONTHS // 12, day=1)


def collection(world: World, path: str) -> list[dict[str, Any]]:
    """All rows of a small collection of e-conomic."""
    rows: list[dict[str, Any]] = world.economic_call("GET", f"{path}?pagesize=1000")["collection"]
    return rows


def _customers(
    customers: Mapping[int, Row],
    by_number: Mapping[str, Sequence[Row]],
    invoices: Sequence[Row],
    world: World,
) -> Iterator[Unlike]:
    for number, customer in customers.items():
        if str(number) not in by_number:
            yield Unlike(str(number), f"customer {number} has no company")
            continue
        row = by_number[str(number)][0]
        theirs = [one for one in invoices if _customer_of(one) == number]
        yield from _unlike(str(number), f"company {number}", _expected(customer, theirs, world), row)
    for key, rows in by_number.items():
        if int(key) not in customers and not _is_flagged(rows[0]):
            yield Unlike(key, f"company {key} is gone from e-conomic and not flagged")


def _is_flagged(row: Row) -> bool:
    """With the day; a person's row asks whether it may be kept, too."""
    return row["ERPStatus"] == MISSING and bool(row["ERPMissingSince"] and row.get("PrivacyReview", "To do"))


def _expected(customer: Row, invoices: Sequence[Row], world: World) -> dict[str, Any]:
    found = {
        column: customer[name]
        for name, columns in _CUSTOMER.items()
        for column in columns
        if _plain(customer.get(name))
    }
    digits = "".join(filter(str.isdigit, customer.get("corporateIdentificationNumber") or ""))
    if digits:
        found["CINumber"] = digits
    found |= {"ERPStatus": "Barred" if customer.get("barred") else "Active", "ERPMissingSince": None}
    found["SalesYearToDate"] = _sales(invoices, *_year(world))
    if invoices:
        found["LastInvoiceDate"] = max(date.fromisoformat(one["date"]) for one in invoices)
    return found


def _contacts(world: World, customers: Mapping[int, Row], items: Mapping[str, int]) -> Iterator[Unlike]:
    rows = _grouped(world.rows("Contacts"), "ImportID")
    sql = "SELECT * FROM contacts WHERE deleted = 0"
    theirs = {f"{one['customer']}-{one['number']}": dict(one) for one in world.economic_store.query(sql)}
    for key, contact in theirs.items():
        if contact["customer"] not in customers:
            continue
        number = str(contact["customer"])
        if len(rows.get(key, ())) != 1:
            yield Unlike(number, f"contact {key} stands {len(rows.get(key, ()))} times")
            continue
        expected = {"Title": contact["name"], "CompanyCustomerID": number, "CompanyId": items.get(number)}
        expected |= {"ERPStatus": "Active", "ERPMissingSince": None, "PrivacyReview": None}
        yield from _unlike(number, f"contact {key}", expected, rows[key][0])
    for key, (row, *_) in rows.items():
        customer = key.split("-")[0]
        if key not in theirs and not _is_flagged(row):
            yield Unlike(customer, f"contact {key} is gone from e-conomic and not flagged")


def _invoices(world: World, invoices: Sequence[Row], items: Mapping[str, int]) -> Iterator[Unlike]:
    rows = _grouped(world.rows("Invoices"), "InvoiceNumber")
    first = _first_day(world)
    for invoice in invoices:
        key, number = str(invoice["bookedInvoiceNumber"]), str(_customer_of(invoice))
        if date.fromisoformat(invoice["date"]) < first:
            continue
        if len(rows.get(key, ())) != 1:
            yield Unlike(number, f"invoice {key} stands {len(rows.get(key, ()))} times")
            continue
        expected = {column: invoice[name] for name, column in _INVOICE.items()}
        expected |= {"CustomerID": number, "CompanyId": items.get(number)}
        yield from _unlike(number, f"invoice {key}", expected, rows[key][0])


def _statistics(world: World, customers: Iterable[int], invoices: Sequence[Row]) -> Iterator[Unlike]:
    first, last = _year(world)
    rows = _grouped(world.rows("Sales statistics"), "StatKey")
    yield from (Unlike(key.split("|")[0], f"statistics {key} stand twice") for key, found in rows.items() if found[1:])
    for number in customers:
        theirs = [one for one in invoices if _customer_of(one) == number]
        this_year = [one for one in theirs if first <= date.fromisoformat(one["date"]) <= last]
        found = rows.get(f"{number}|Financial year|{first.isoformat()}", ())
        if this_year and not found:
            yield Unlike(str(number), f"customer {number} has no statistics of this year")
        for row in found:
            expected = {"NetSales": _sales(theirs, first, last), "InvoiceCount": len(this_year)}
            yield from _unlike(str(number), f"statistics {row['StatKey']}", expected, row)


def _belongings(world: World, companies: Sequence[Row]) -> Iterator[Unlike]:
    """A row carries the number of the company it belongs to, in its key too. What is gone from e-conomic stays with a
    company that lost its number."""
    numbers = {row["Id"]: row["CustomerID"] for row in companies}
    for title in _ROWS:
        for row in world.rows(title):
            number = row["CompanyCustomerID"] if title == "Contacts" else row["CustomerID"]
            key = {
                "Contacts": f"{row.get('ImportID')}".split("-")[0],
                "Sales statistics": f"{row.get('StatKey')}".split("|")[0],
            }
            if (owner := numbers.get(row["CompanyId"])) and owner != number:
                yield Unlike(owner, f"{title} {row['Id']} carries {number}, its company {owner}")
            if key.get(title, number) != number:
                yield Unlike(number, f"{title} {row['Id']} carries {number}, its key says {key[title]}")


def _unlike(customer: str, what: str, expected: Mapping[str, Any], row: Row) -> Iterator[Unlike]:
    for column, wanted in expected.items():
        if _plain(wanted) != _plain(row[column]):
            yield Unlike(customer, f"{what} {column}: {wanted!r} in e-conomic, {row[column]!r} in the CRM")


def _grouped(rows: Iterable[Row], column: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row[column]:
            found[row[column]].append(row)
    return found


def _customer_of(invoice: Row) -> int:
    number: int = invoice["customer"]["customerNumber"]
    return number


def _year(world: World) -> tuple[date, date]:
    """The financial year of the day."""
    today = world.clock.now().date().isoformat()
    sql = "SELECT from_date, to_date FROM years WHERE from_date <= ? AND to_date >= ?"
    (row,) = world.economic_store.query(sql, (today, today))
    return date.fromisoformat(row["from_date"]), date.fromisoformat(row["to_date"])


def _sales(invoices: Sequence[Row], first: date, last: date) -> float:
    dated = [one for one in invoices if first <= date.fromisoformat(one["date"]) <= last]
    return float(sum(one["netAmountInBaseCurrency"] for one in dated))


def _plain(value: Any) -> str:
    """As both sides can be compared."""
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool | str):
        return _plain_text(str(value))
    return f"{float(value):.2f}"


def _plain_text(text: str) -> str:
    """Moments of SharePoint are days of the agreement; white space is not compared."""
    if len(text) == 20 and text.endswith("Z") and text[10] == "T":  # 2026-11-24T23:00:00Z
        return datetime.fromisoformat(text).astimezone(ZoneInfo("Europe/Copenhagen")).date().isoformat()
    return " ".join(text.split())
