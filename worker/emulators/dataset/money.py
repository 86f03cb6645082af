"""Money as whole cents inside the data set, so that sums hold exactly; floats of two decimals at the edge."""

RATE_SCALE = 1_000_000
PAR = 100 * RATE_SCALE  # e-conomic's exchange rate is the price of 100 units; base currency stands at 100


def half_up(numerator: int, denominator: int) -> int:
    """Divide and round half away from zero, so that a credit note mirrors its invoice."""
    size = (2 * abs(numerator) + denominator) // (2 * denominator)
    return size if numerator >= 0 else -size


def to_base(cents: int, rate_micro: int) -> int:
    """Base-currency cents of an amount; `rate_micro` is the exchange rate times 1,000,000."""
    return half_up(cents * rate_micro, PAR)


def from_base(cents: int, rate_micro: int) -> int:
    """Cents in the invoice's currency of an amount in base currency."""
    return half_up(cents * PAR, rate_micro)


def amount(cents: int) -> float:
    """The wire form: a number of two decimals (the nearest float, so its text has at most two)."""
    return cents / 100


def cents_of(value: float) -> int:
    """Back from the wire form; exact for every amount this package writes."""
    return round(value * 100)
