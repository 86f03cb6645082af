"""Fields of the OpenAPI services: each property allows only its own operators."""

from worker.emulators.economic.filters import Field

_COMPARE = frozenset(["eq", "ne", "gt", "gte", "lt", "lte"])
_ALL_NUMBERS = _COMPARE | {"in", "nin"}
_TEXT = _COMPARE | {"in", "nin", "like"}
_EQUAL = frozenset(["eq", "ne"])


def number(sql: str, *, sortable: bool = False) -> Field:
    """A whole number: compared, and looked up in lists."""
    return Field(sql, "int", sortable=sortable, operators=_ALL_NUMBERS)


def money(sql: str) -> Field:
    """An amount: compared only."""
    return Field(sql, "number", sortable=False, operators=_COMPARE)


def text(sql: str) -> Field:
    """A text: compared, matched."""
    return Field(sql, "text", sortable=False, operators=_TEXT)


def exact(sql: str, kind: str = "int") -> Field:
    """Equal or not, nothing else."""
    return Field(sql, "bool" if kind == "bool" else "int", sortable=False, operators=_EQUAL)


def day(sql: str) -> Field:
    """A date."""
    return Field(sql, "date", sortable=False, operators=_COMPARE)


def moment(sql: str) -> Field:
    """A point in time."""
    return Field(sql, "time", sortable=False, operators=_COMPARE)
