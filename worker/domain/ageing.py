"""Ageing: how long past its due date an open amount is."""

from __future__ import annotations

BUCKETS = ("not due", "1-30", "31-60", "61-90", "90+")
_UPPER = (0, 30, 60, 90)


def bucket(days_overdue: int) -> int:
    """Position in BUCKETS of an amount that is `days_overdue` whole days late; 0 and less is not due."""
    for position, upper in enumerate(_UPPER):
        if days_overdue <= upper:
            return position
    return len(_UPPER)
