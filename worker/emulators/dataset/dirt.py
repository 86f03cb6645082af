"""The dirt of years, as seen in recorded agreements: blanks, `""`, mark-up, line breaks, free-text phones.

Each function spoils one value; who gets spoiled is decided by shares in `customers.py`, so that the counts are
exact and a set without dirt cannot happen.
"""

import re
import unicodedata
from random import Random

DANISH_SPELLINGS: dict[str, float] = {
    "Danmark": 46, "Denmark": 22, "DK": 10, "": 4, "danmark": 3, "DANMARK": 2, " Danmark": 1, "?": 12,
}  # fmt: skip
ABSENT = "?"  # a share of rows that lack the property altogether
_PREFIXES = ("20", "22", "26", "28", "30", "40", "51", "61", "33", "35", "39", "43", "66", "75", "86", "98")
_FOLD = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "ß": "ss", "ö": "oe", "ä": "ae", "ü": "ue"})


def spoil_name(rng: Random, name: str) -> str:
    """One of the ways a name was typed badly; never longer than 255 characters."""
    ways = (
        f"{name} ", f" {name}", f"  {name}", name.replace(" ", "  ", 1), f"{name}'s", f"<b>{name}</b>",
        f"{name} <b>NY ADRESSE</b>", f'"{name}"', f"{name}\t", name.upper(),
    )  # fmt: skip
    return rng.choice(ways)[:255]


def with_emoji(name: str) -> str:
    """A name from someone's telephone keyboard."""
    return f"{name} 🌻"


def long_name(name: str) -> str:
    """Exactly 255 characters, the most e-conomic allows."""
    return f"{name} (under tvangsopløsning, {'tidligere ' * 40}"[:254] + ")"


def long_address(lines: str) -> str:
    """More than 255 and fewer than 510 characters: fits e-conomic, not a one-line text column."""
    return "\r\n".join([lines, *(f"Port {n}, varemodtagelsen på bagsiden af bygning {n}" for n in range(1, 7))])


def address_text(rng: Random, line: str) -> str:
    """A street line, sometimes with further lines joined the way old clients did."""
    roll = rng.random()
    if roll < 0.72:
        return line
    second = rng.choice(("2. sal tv", "Att.: Bogholderiet", "Postboks 118", "Bygning 4, indgang B", "c/o Kontorhuset"))
    separator = "\r\n" if roll < 0.9 else ("\r" if roll < 0.97 else "\n")
    return f"{line}{separator}{second}"


def danish_phone(rng: Random) -> str:
    """An eight-digit number as people type it."""
    a, b, c, d = rng.choice(_PREFIXES), *(f"{rng.randrange(100):02d}" for _ in range(3))
    plain = f"{a}{b}{c}{d}"
    forms = (
        plain, plain, f"{a} {b} {c} {d}", f"{a} {b} {c} {d}", f"+45 {plain}", f"+45 {a} {b} {c} {d}", f"0045{plain}",
        f"(+45) {a}{b} {c}{d}", f"{a}-{b}-{c}-{d}", f"{a}.{b}.{c}.{d}", f"+45{plain} ", f"Tlf. {a} {b} {c} {d}",
        f"{a}{b} {c}{d} / fax {a}{b} {c}00", f"{a} {b} {c} {d} lok. {rng.randrange(10, 99)}",
    )  # fmt: skip
    return rng.choice(forms)


def foreign_phone(rng: Random, dial: str) -> str:
    """A number abroad, with its country code in one of two spellings."""
    number = f"{rng.randrange(20, 90)} {rng.randrange(100, 999)} {rng.randrange(1000, 9999)}"
    return f"{dial} {number}" if rng.random() < 0.7 else f"00{dial[1:]} {number}"


def cvr_text(rng: Random, digits: str) -> str:
    """A CVR number as typed: mostly bare, some with "DK", some with blanks."""
    roll = rng.random()
    if roll < 0.72:
        return digits
    if roll < 0.84:
        return f"DK{digits}"
    if roll < 0.9:
        return f"DK {digits}"
    return f"{digits[:2]} {digits[2:4]} {digits[4:6]} {digits[6:]}" if roll < 0.96 else f" {digits} "


def slug(text: str, limit: int = 24) -> str:
    """Lower-case ASCII letters and digits, for the local part or host of an address under `.example`."""
    folded = unicodedata.normalize("NFKD", text.lower().translate(_FOLD)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "", folded)[:limit] or "kunde"
