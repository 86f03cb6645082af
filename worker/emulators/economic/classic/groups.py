"""The ways invoice totals can be grouped and narrowed: by customer, employee, accounting year, period."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from worker.emulators.economic.wire import encode_key, link


@dataclass(frozen=True)
class Group:
    """A way to group: the array's name, each element's reference, and where the key comes from."""

    array: str
    key: str
    join: str
    everything: str  # all keys there are, for listing groups without invoices
    reference: Callable[[Any], dict[str, Any]]
    numeric: bool = True


def _year_reference(key: Any) -> dict[str, Any]:
    return {"accountingYear": {"year": key, "self": link(f"/accounting-years/{encode_key(key)}")}}


def _numbered(name: str, member: str, path: str) -> Callable[[Any], dict[str, Any]]:
    return lambda key: {name: {member: key, "self": link(f"{path}/{key}")}}


def _period_reference(key: Any) -> dict[str, Any]:
    number, _, year = str(key).partition("|")
    own = f"/accounting-years/{encode_key(year)}/periods/{number}"
    return {"period": {"periodNumber": int(number), "accountingYear": {"year": year}, "self": link(own)}}


_PERIOD_JOIN = "JOIN periods p ON i.date BETWEEN p.from_date AND p.to_date"
GROUPS = {
    "customers": Group(
        "customers",
        "i.customer",
        "",
        "SELECT number AS key FROM customers",
        _numbered("customer", "customerNumber", "/customers"),
    ),
    "employees": Group(
        "employees",
        "i.employee",
        "",
        "SELECT number AS key FROM refs WHERE kind = 'employees'",
        _numbered("employee", "employeeNumber", "/employees"),
    ),
    "accounting-years": Group(
        "accountingYears",
        "y.year",
        "JOIN years y ON i.date BETWEEN y.from_date AND y.to_date",
        "SELECT year AS key FROM years",
        _year_reference,
        numeric=False,
    ),
    "periods": Group(
        "periods",
        "p.number || '|' || p.year",
        _PERIOD_JOIN,
        "SELECT number || '|' || year AS key FROM periods",
        _period_reference,
    ),
}
