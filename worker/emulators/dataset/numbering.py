"""Danish identification numbers that pass their own check: CVR (modulus 11), GLN/EAN 13, production unit."""

from random import Random

CVR_WEIGHTS = (2, 7, 6, 5, 4, 3, 2, 1)


def cvr_is_valid(digits: str) -> bool:
    """Eight digits, no leading zero, weighted sum divisible by eleven (Danish business register rule)."""
    if len(digits) != 8 or not digits.isdecimal() or digits[0] == "0":
        return False
    return sum(w * int(d) for w, d in zip(CVR_WEIGHTS, digits, strict=True)) % 11 == 0


def draw_cvr(rng: Random) -> str:
    """A CVR number with a valid last digit; heads whose last digit would be ten are drawn again."""
    while True:
        head = str(rng.randrange(1_000_000, 5_000_000))
        weighted = sum(w * int(d) for w, d in zip(CVR_WEIGHTS, head, strict=False))
        last = -weighted % 11
        if last < 10:
            return f"{head}{last}"


def ean_check_digit(head: str) -> str:
    """The thirteenth digit for twelve digits (GS1 rule: weights 1 and 3 in turn)."""
    weighted = sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(head))
    return str(-weighted % 10)


def ean_is_valid(digits: str) -> bool:
    """Thirteen digits whose last is the GS1 check digit of the others."""
    return len(digits) == 13 and digits.isdecimal() and ean_check_digit(digits[:12]) == digits[12]


def draw_ean(rng: Random, *, public: bool) -> str:
    """A location number: public bodies draw from the 5798 series, others from the rest of the Danish 57."""
    prefix = "5798" if public else f"57{rng.randrange(0, 79):02d}"
    head = f"{prefix}{rng.randrange(100_000_000):08d}"
    return head + ean_check_digit(head)


def draw_p_number(rng: Random) -> str:
    """A production unit number: ten digits beginning with 1."""
    return f"1{rng.randrange(1_000_000_000):09d}"
