"""Money as whole hundredths: exact like Decimal, and a fraction of its size when there are many amounts."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal


def hundredths(amount: Decimal) -> int:
    """`amount` in hundredths; more than two decimals are rounded half away from zero."""
    return int((amount * 100).to_integral_value(rounding=ROUND_HALF_UP))


def money(amount: int) -> Decimal:
    """Hundredths as a Decimal with two decimals."""
    return Decimal(amount).scaleb(-2)


def divided(amount: int, count: int) -> int:
    """`amount` by `count` in whole hundredths, rounded half away from zero."""
    return int((Decimal(amount) / count).to_integral_value(rounding=ROUND_HALF_UP))
