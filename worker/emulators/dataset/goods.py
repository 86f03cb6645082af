"""What is sold: an office and machinery dealer's price list, and exchange rates by day."""

from datetime import date
from typing import NamedTuple

from worker.emulators.dataset.money import RATE_SCALE


class Product(NamedTuple):
    """One line of the price list; `price` in base-currency cents. Things sold by time go in quarter units."""

    number: str
    description: str
    unit: int
    price: int


UNITS = {1: "stk.", 2: "time", 3: "pk.", 4: "måned"}
BY_TIME = 2

PRODUCTS: tuple[Product, ...] = tuple(
    sorted(
        (
            Product("1001", "Kopipapir A4, 80 g, 500 ark", 3, 4_495),
            Product("1002", "Ringbind, bredt, blå", 1, 2_450),
            Product("1010", "Kuglepen, sort (æske á 50)", 3, 12_900),
            Product("1020", "Toner, sort, høj kapacitet", 1, 89_900),
            Product("1021", "Toner, farvesæt C/M/Y", 3, 249_500),
            Product("1100", "Kontorstol \"Fjord\", justerbar", 1, 279_500),
            Product("1110", "Hæve-/sænkebord 160 x 80 cm", 1, 449_900),
            Product("1120", "Reol, eg, 5 hylder", 1, 189_900),
            Product("1200", "Skærm 27\" USB-C", 1, 239_900),
            Product("1210", "Dockingstation", 1, 149_900),
            Product("1220", "Bærbar 14\", 16 GB", 1, 899_900),
            Product("1300", "Kaffe, økologisk, hele bønner 1 kg", 1, 14_995),
            Product("1310", "Frugtordning, lille kurv", 4, 39_900),
            Product("2000", "Konsulenttime", 2, 95_000),
            Product("2010", "Tekniker, udkørende", 2, 72_500),
            Product("2020", "Oprydning & montage", 2, 52_500),
            Product("3000", "Serviceaftale, basis", 4, 49_500),
            Product("3010", "Serviceaftale, udvidet", 4, 149_500),
            Product("9000", "Fragt", 1, 7_900),
            Product("9010", "Miljøbidrag", 1, 1_250),
        ),
        key=lambda product: product.price,
    )
)  # fmt: skip
PRICES = [product.price for product in PRODUCTS]

_MIDDLE = {"EUR": 746_000_000, "USD": 688_000_000, "SEK": 66_200_000, "NOK": 63_900_000}
_SWING = {"EUR": 620_000, "USD": 31_000_000, "SEK": 2_900_000, "NOK": 2_700_000}
QUOTED = frozenset({"DKK", *_MIDDLE})


def rate_micro(currency: str, day: date) -> int:
    """Base-currency price of 100 units, times 1,000,000; a slow integer wave, so equal on every machine."""
    if currency == "DKK":
        return 100 * RATE_SCALE
    turn = day.toordinal() % 194
    wave = abs(turn - 97) * 2 - 97  # -97 .. 97
    return _MIDDLE[currency] + _SWING[currency] * wave // 97
