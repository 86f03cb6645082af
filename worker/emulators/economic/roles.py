"""What a role may read: the vendor's table of endpoint families (reference, roles an app must request).

A family that the table does not name is open to every role.
"""

from collections.abc import Mapping, Sequence

ALL = "SuperUser"
_SALES, _BOOKS = frozenset({"Sales"}), frozenset({"Bookkeeping"})
# First part of a path -> roles that suffice beside SuperUser.
_FAMILIES: Mapping[str, frozenset[str]] = {
    "customers": _SALES,
    "customer-groups": _SALES,
    "employees": _SALES,
    "invoices": _SALES,
    "self": _SALES,
    "currencies": _SALES | _BOOKS,
    "accounting-years": _BOOKS,
    "accounts": _BOOKS,
    "customersapi": _SALES,
    "q2capi": _SALES,
    "bookedentriesapi": _BOOKS,
    "documentsapi": _BOOKS,
    "webhooksapi": frozenset(),
}
NUMBERS: Mapping[str, int] = {ALL: 2, "Bookkeeping": 3, "Sales": 4}
ROLES: Sequence[str] = tuple(NUMBERS)


def may(role: str, path: str) -> bool:
    """Whether an app with this role alone may use a path."""
    family = path.lstrip("/").partition("/")[0].lower()
    return role == ALL or role in _FAMILIES.get(family, frozenset(ROLES))
